//! A shell of tokio around a connection.

use bytes::{Bytes, BytesMut};
use ringwire_http::{Close, Event, Head, Names, SendQueue, Server};
use ringwire_http1::{Connection, Limits};
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// A response: its status, and its body in pieces of which the last is the end.
pub(crate) type Reply = (u16, Vec<Bytes>);

/// Answers requests with `reply` until the connection ends.
pub(crate) async fn serve(
    mut socket: impl AsyncRead + AsyncWrite + Unpin,
    reply: impl Fn(&Head, Vec<u8>) -> Reply,
) {
    let mut connection = Connection::server(Limits::default(), Names::HTTP, Instant::now());
    let mut out = SendQueue::new();
    let mut request: Option<(Head, Vec<u8>)> = None;
    let mut is_shut = false;
    loop {
        let output = loop {
            while let Some(event) = connection.poll_event() {
                hear(&mut connection, event, &mut request, &reply);
            }
            let output = connection.poll_output(Instant::now(), &mut out);
            if out.is_empty() {
                break output;
            }
            let sent = out.chunks().next().expect("there is something to send").to_vec();
            if socket.write_all(&sent).await.is_err() {
                return;
            }
            out.advance(sent.len());
        };
        match output.close {
            Close::No => {}
            Close::Sending if is_shut => {}
            Close::Sending => {
                is_shut = true;
                let _ = socket.shutdown().await;
            }
            Close::Both => return,
        }
        let mut buffer = BytesMut::with_capacity(4096);
        let deadline = output.deadline.unwrap_or(Instant::now() + std::time::Duration::from_secs(60));
        let read = async {
            if output.read { socket.read_buf(&mut buffer).await } else { std::future::pending().await }
        };
        match tokio::time::timeout_at(deadline.into(), read).await {
            Ok(Ok(len)) if len > 0 => connection.handle_input(Instant::now(), buffer.freeze()),
            Ok(_) => connection.handle_end(Instant::now()),
            Err(_) => connection.handle_timeout(Instant::now()),
        }
    }
}

fn hear(
    connection: &mut Connection<Server>,
    event: Event<Head>,
    request: &mut Option<(Head, Vec<u8>)>,
    reply: &impl Fn(&Head, Vec<u8>) -> Reply,
) {
    let (stream, end) = match event {
        Event::Head { stream, head, end } => {
            *request = Some((head, Vec::new()));
            if let (false, Some(mut stream)) = (end, connection.stream(stream)) {
                stream.send_head(100, false, |_| {});
            }
            (stream, end)
        }
        Event::Data { stream, data, end } => {
            if let Some((_, body)) = request {
                body.extend_from_slice(&data);
            }
            if let Some(mut stream) = connection.stream(stream) {
                stream.release(data.len());
            }
            (stream, end)
        }
        Event::Trailers { stream, .. } => (stream, true),
        Event::Room { .. } | Event::Reset { .. } => return,
    };
    if let (true, Some((head, body)), Some(mut open)) =
        (end, request.take_if(|_| end), connection.stream(stream))
    {
        let (status, pieces) = reply(&head, body);
        open.send_head(status, pieces.is_empty(), |fields| fields.append("x-from", b"ringwire"));
        for (at, piece) in pieces.iter().enumerate() {
            if let Some(mut open) = connection.stream(stream) {
                open.send_data(piece.clone(), at + 1 == pieces.len());
            }
        }
    }
}
