//! A shell of tokio around the engine, which serves what the programs ask for.

use bytes::{Bytes, BytesMut};
use ringwire_http::{Close, Event, Head, Method, Names, SendQueue, Server, StreamId};
use ringwire_http2::{Connection, Limits};
use std::collections::{HashSet, VecDeque};
use std::io;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Runs `program` in a thread against a server on a free port. Returns what it returned, and the number of connections.
pub(crate) fn with_server<T: Send + 'static>(program: impl FnOnce(u16) -> T + Send + 'static) -> (T, usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("a bound socket has an address").port();
        let mut program = tokio::task::spawn_blocking(move || program(port));
        let mut connections = 0;
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    connections += 1;
                    tokio::spawn(serve(accepted.expect("a connection").0));
                }
                done = &mut program => return (done.expect("the program passes"), connections),
            }
        }
    })
}

async fn serve(mut socket: TcpStream) -> io::Result<()> {
    let mut connection = Connection::server(Limits::default(), Names::HTTP, Instant::now());
    let (mut reader, mut writer) = socket.split();
    let (mut input, mut out) = (BytesMut::new(), SendQueue::new());
    // Requests that wait for their answers: h2spec needs streams that stay open for a moment.
    let mut due: VecDeque<(Instant, StreamId)> = VecDeque::new();
    let mut echoes = HashSet::new();
    let mut is_shut = false;
    loop {
        let now = Instant::now();
        while let Some(event) = connection.poll_event() {
            if let Some(stream) = take(&mut connection, &mut echoes, event) {
                due.push_back((now + MOMENT, stream));
            }
        }
        while let Some(&(_, stream)) = due.front().filter(|(at, _)| *at <= now) {
            due.pop_front();
            if let Some(mut open) = connection.stream(stream) {
                open.send_head(200, false, |fields| fields.append("content-type", b"text/plain"));
                open.send_data(Bytes::from_static(b"hello"), true);
            }
        }
        let output = connection.poll_output(now, &mut out);
        if output.close == Close::Both {
            return Ok(());
        }
        if output.close == Close::Sending && out.is_empty() && !is_shut {
            is_shut = true;
            writer.shutdown().await?;
        }
        let deadline = output.deadline.into_iter().chain(due.front().map(|(at, _)| *at)).min();
        let wait = deadline.map_or(Duration::from_secs(3600), |at| at.saturating_duration_since(now));
        let chunk = out.chunks().next().unwrap_or_default().to_vec();
        input.reserve(64 * 1024);
        tokio::select! {
            read = reader.read_buf(&mut input) => match read {
                Ok(0) | Err(_) => connection.handle_end(Instant::now()),
                Ok(_) => connection.handle_input(Instant::now(), input.split().freeze()),
            },
            sent = writer.write(&chunk), if !chunk.is_empty() => match sent {
                Ok(sent) => out.advance(sent),
                Err(_) => connection.handle_end(Instant::now()),
            },
            _ = tokio::time::timeout(wait, std::future::pending::<()>()) => {
                connection.handle_timeout(Instant::now());
            }
        }
    }
}

/// Takes an event; returns the stream if its request is complete and waits for an answer. A PUT is echoed as it comes, and
/// `/bytes/9` is nine bytes.
fn take(
    connection: &mut Connection<Server>,
    echoes: &mut HashSet<StreamId>,
    event: Event<Head>,
) -> Option<StreamId> {
    match event {
        Event::Head { stream, head, end } => {
            let bytes = head.path().strip_prefix("/bytes/").and_then(|count| count.parse().ok());
            if let (Some(bytes), Some(mut open)) = (bytes, connection.stream(stream)) {
                open.send_head(200, false, |_| {});
                open.send_data(vec![b'x'; bytes].into(), true);
                return None;
            }
            if let (Method::Put, Some(mut open)) = (head.method(), connection.stream(stream)) {
                open.send_head(200, end, |_| {});
                echoes.insert(stream);
                return None;
            }
            end.then_some(stream)
        }
        Event::Data { stream, data, end } => {
            let mut open = connection.stream(stream)?;
            open.release(data.len());
            if !echoes.contains(&stream) {
                return end.then_some(stream);
            }
            open.send_data(data, end);
            None
        }
        Event::Trailers { stream, .. } => Some(stream),
        Event::Room { .. } | Event::Reset { .. } => None,
    }
}

const MOMENT: Duration = Duration::from_millis(5);
