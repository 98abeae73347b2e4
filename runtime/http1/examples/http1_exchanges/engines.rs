//! The engine, and hyper, under requests.

use bytes::{BufMut, Bytes};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use ringwire_http::{Event, Names, Part, SendQueue, Server, StreamId, Token};
use ringwire_http1::{Connection, Limits};
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Serves `count` requests: with a `new` head each, with the `same`, or by `hyper`.
pub(crate) fn run(kind: &str, count: u32) {
    let requests: Vec<Bytes> =
        (0..count).map(|number| request(if kind == "same" { 0 } else { number })).collect();
    match kind {
        "none" => {}
        "hyper" => with_hyper(&requests),
        _ => {
            let now = Instant::now();
            let mut connection = Connection::server(Limits::default(), Names::HTTP, now);
            let mut out = SendQueue::new();
            for request in &requests {
                exchange(&mut connection, request.clone(), now, &mut out);
            }
        }
    }
}

fn request(number: u32) -> Bytes {
    let body = [b'b'; 66];
    let head = format!(
        "POST /greet.v1.Greeter/Say HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: client/1.0\r\nContent-Type: application/proto\r\n\
         X-Request: {number:08}\r\nAccept-Encoding: gzip, zstd\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), &body].concat().into()
}

#[inline(never)]
fn exchange(connection: &mut Connection<Server>, bytes: Bytes, now: Instant, out: &mut SendQueue) {
    connection.handle_input(now, bytes);
    while let Some(event) = connection.poll_event() {
        match event {
            Event::Head { head, .. } => assert!(!head.path().is_empty()),
            Event::Data { stream, data, end } => {
                let mut open = connection.stream(stream).expect("an open stream");
                open.release(data.len());
                assert!(end);
                answer(connection, stream, &data);
            }
            Event::Trailers { .. } | Event::Room { .. } | Event::Reset { .. } => panic!("{event:?}"),
        }
    }
    std::hint::black_box(connection.poll_output(now, out));
    assert!(out.len() > 66);
    out.advance(out.len());
}

fn answer(connection: &mut Connection<Server>, stream: StreamId, data: &Bytes) {
    let mut open = connection.stream(stream).expect("an open stream");
    open.write(|fields, _| {
        fields.append_known(Token::CONTENT_TYPE, b"application/proto");
        fields.append_known(Token::DATE, b"Sat, 28 Nov 2026 08:00:00 GMT");
        (Part::Head { status: 200, end: false }, ())
    });
    open.write(|_, body| {
        body.put_slice(data);
        (Part::Data { end: true }, ())
    });
}

fn with_hyper(requests: &[Bytes]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let (mut near, far) = tokio::io::duplex(100_000);
        let service = service_fn(|request: http::Request<Incoming>| async {
            let body = request.into_body().collect().await?.to_bytes();
            let response = http::Response::builder().header("content-type", "application/proto");
            Ok::<_, hyper::Error>(response.body(Full::new(body)).expect("a response"))
        });
        let server = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(far), service);
        tokio::task::spawn_local(server);
        let mut buffer = vec![0; 1000];
        for request in requests {
            near.write_all(request).await.expect("room");
            assert!(near.read(&mut buffer).await.expect("a response") > 66);
        }
    });
}
