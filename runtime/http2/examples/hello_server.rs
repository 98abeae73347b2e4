//! A server that reads each request to its end and answers after a moment: a shell around the engine.
//!
//! It listens on a free port of the loopback, and prints the port as its first line.

use bytes::{Bytes, BytesMut};
use ringwire_http::{Close, Event, Names, SendQueue, Server, StreamId};
use ringwire_http2::{Connection, Limits};
use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let moment =
        Duration::from_millis(std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(0));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("{}", listener.local_addr()?.port());
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        tokio::spawn(serve(socket, moment));
    }
}

async fn serve(mut socket: TcpStream, moment: Duration) -> io::Result<()> {
    let mut connection = Connection::server(Limits::default(), Names::HTTP, Instant::now());
    let (mut reader, mut writer) = socket.split();
    let (mut input, mut out) = (BytesMut::new(), SendQueue::new());
    // Requests that wait for their answers.
    let mut due: VecDeque<(Instant, StreamId)> = VecDeque::new();
    let mut shut = false;
    loop {
        let now = Instant::now();
        while let Some(event) = connection.poll_event() {
            if let Some(stream) = take(&mut connection, event) {
                due.push_back((now + moment, stream));
            }
        }
        while let Some(&(_, stream)) = due.front().filter(|(at, _)| *at <= now) {
            due.pop_front();
            answer(&mut connection, stream);
        }
        let output = connection.poll_output(now, &mut out);
        if output.close == Close::Both {
            return Ok(());
        }
        if output.close == Close::Sending && out.is_empty() && !shut {
            shut = true;
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
            () = tokio::time::sleep(wait) => connection.handle_timeout(Instant::now()),
        }
    }
}

/// Takes an event; returns the stream if its request is complete.
fn take(connection: &mut Connection<Server>, event: Event<ringwire_http::Head>) -> Option<StreamId> {
    match event {
        Event::Head { stream, end, .. } => end.then_some(stream),
        Event::Data { stream, data, end } => {
            if let Some(mut open) = connection.stream(stream) {
                open.release(data.len());
            }
            end.then_some(stream)
        }
        Event::Trailers { stream, .. } => Some(stream),
        Event::Room { .. } | Event::Reset { .. } => None,
    }
}

fn answer(connection: &mut Connection<Server>, stream: StreamId) {
    let Some(mut open) = connection.stream(stream) else { return };
    open.send_head(200, false, |fields| fields.append("content-type", b"text/plain"));
    open.send_data(Bytes::from_static(b"hello"), true);
}
