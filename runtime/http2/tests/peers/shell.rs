//! A shell in memory, and the applications of both sides.

use bytes::{Bytes, BytesMut};
use ringwire_http::{
    Client, Close, Event, Headers, Method, Names, RequestLine, Reset, Scheme, SendQueue, StreamId,
};
use ringwire_http2::{Connection, Limits, Outcome, Side};
use std::collections::BTreeMap;
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// The sizes of bodies: none, small, around a frame, beyond the windows.
pub(crate) const BODIES: &[usize] = &[0, 1, 1000, 16_383, 16_384, 16_385, 70_000, 1_500_000, 3_000_000];

/// The application of either side.
pub(crate) trait Application<R: Side> {
    /// Does what there is to do.
    fn turn(&mut self, connection: &mut Connection<R>);
    fn event(&mut self, connection: &mut Connection<R>, event: Event<R::Head>);
}

/// A shell.
pub(crate) async fn run<R: Side>(
    mut io: DuplexStream,
    mut connection: Connection<R>,
    application: &mut impl Application<R>,
) -> Outcome {
    let (mut input, mut out) = (BytesMut::new(), SendQueue::new());
    let mut shut = false;
    loop {
        let now = Instant::now();
        while let Some(event) = connection.poll_event() {
            application.event(&mut connection, event);
        }
        application.turn(&mut connection);
        let output = connection.poll_output(now, &mut out);
        if output.close == Close::Both {
            return connection.outcome().expect("an outcome").clone();
        }
        if output.close == Close::Sending && out.is_empty() && !shut {
            shut = true;
            let _ = io.shutdown().await;
        }
        let chunk = out.chunks().next().unwrap_or_default().to_vec();
        let (mut reader, mut writer) = tokio::io::split(&mut io);
        tokio::select! {
            read = reader.read_buf(&mut input) => match read {
                Ok(0) | Err(_) => connection.handle_end(Instant::now()),
                Ok(_) => connection.handle_input(Instant::now(), input.split().freeze()),
            },
            sent = writer.write(&chunk), if !chunk.is_empty() => match sent {
                Ok(sent) => out.advance(sent),
                Err(_) => connection.handle_end(Instant::now()),
            },
        }
    }
}

pub(crate) async fn serve(io: DuplexStream) -> Outcome {
    let connection = Connection::server(Limits::default(), Names::HTTP, Instant::now());
    run(io, connection, &mut Echo::default()).await
}

#[derive(Default)]
struct Echo {
    resets: u32,
}

impl Application<ringwire_http::Server> for Echo {
    fn turn(&mut self, _: &mut Connection<ringwire_http::Server>) {}

    fn event(
        &mut self,
        connection: &mut Connection<ringwire_http::Server>,
        event: Event<ringwire_http::Head>,
    ) {
        match event {
            Event::Head { stream, head, end } => {
                if head.path() == "/drain" {
                    connection.drain(Instant::now());
                }
                let mut open = connection.stream(stream).expect("an open stream");
                if head.path() == "/reset" {
                    return open.reset(Reset::Refused);
                }
                open.send_head(200, end, |fields| {
                    fields.append("content-type", b"text/plain");
                    fields.append("x-resets", self.resets.to_string().as_bytes());
                    if let Some(number) = head.get("x-number") {
                        fields.append("x-number", number);
                    }
                });
            }
            Event::Data { stream, data, end } => {
                let mut open = connection.stream(stream).expect("an open stream");
                open.release(data.len());
                open.send_data(data, end);
            }
            Event::Trailers { stream, fields } => {
                let mut open = connection.stream(stream).expect("an open stream");
                open.send_trailers(|sink| fields.for_each(&mut |name, value| sink.append(name, value)));
            }
            Event::Room { .. } => {}
            Event::Reset { .. } => self.resets += 1,
        }
    }
}

/// Calls of our client.
#[derive(Default)]
pub(crate) struct Calls {
    /// The length of each body, and whether trailers follow it.
    pub(crate) plans: Vec<(usize, bool)>,
    pub(crate) open: BTreeMap<StreamId, (usize, bool, usize)>,
    pub(crate) done: usize,
}

impl Application<Client> for Calls {
    fn turn(&mut self, connection: &mut Connection<Client>) {
        while connection.streams_available() > 0
            && let Some((len, trailers)) = self.plans.pop()
        {
            let line = RequestLine {
                method: &Method::Post,
                scheme: Scheme::Http,
                authority: "a.example",
                target: "/echo",
            };
            let stream = connection.request(line, false, |fields| fields.append("x-a", b"b")).expect("room");
            let mut open = connection.stream(stream).expect("an open stream");
            open.send_data(bytes(len), !trailers);
            if trailers {
                open.send_trailers(|fields| fields.append("x-end", b"1"));
            }
            self.open.insert(stream, (len, trailers, 0));
        }
        if self.plans.is_empty() && self.open.is_empty() {
            connection.drain(Instant::now());
        }
    }

    fn event(&mut self, connection: &mut Connection<Client>, event: Event<ringwire_http::ResponseHead>) {
        let (stream, end) = match event {
            Event::Head { stream, head, end } => {
                assert_eq!((head.status, head.fields.get("x-a")), (200, Some(&b"b"[..])));
                (stream, end)
            }
            Event::Data { stream, data, end } => {
                let call = self.open.get_mut(&stream).expect("a call");
                check(&data, call.2);
                call.2 += data.len();
                if let Some(mut open) = connection.stream(stream) {
                    open.release(data.len());
                }
                assert!(!(end && call.1), "trailers are missing");
                (stream, end)
            }
            Event::Trailers { stream, fields } => {
                assert_eq!(fields.get("x-end"), Some(&b"1"[..]));
                (stream, true)
            }
            Event::Room { .. } => return,
            Event::Reset { stream, reset } => panic!("{stream:?} {reset:?}"),
        };
        if end {
            let (len, _, received) = self.open.remove(&stream).expect("a call");
            assert_eq!(received, len);
            self.done += 1;
        }
    }
}

pub(crate) fn bytes(len: usize) -> Bytes {
    (0..len).map(|at| (at % 251) as u8).collect::<Vec<_>>().into()
}

pub(crate) fn check(data: &[u8], start: usize) {
    assert!(data.iter().enumerate().all(|(n, byte)| *byte == ((start + n) % 251) as u8), "bytes at {start}");
}
