//! hyper in memory, at either end, and what the two make of the same bytes.

use crate::shell::serve;
use bytes::Bytes;
use http_body_util::{BodyExt, Either, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use ringwire_http::{Client, Event, Head, Method, Names, RequestLine, Scheme, SendQueue};
use ringwire_http1::{Connection, Limits};
use std::convert::Infallible;
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

type Body = Either<
    Full<Bytes>,
    StreamBody<futures_util::stream::Iter<std::vec::IntoIter<Result<Frame<Bytes>, Infallible>>>>,
>;

/// A body that is known at once, or one in pieces.
fn body(pieces: &[usize]) -> Body {
    let piece = |len: usize| Bytes::from(vec![b'a'; len]);
    match pieces {
        [] => Either::Left(Full::new(Bytes::new())),
        [len] => Either::Left(Full::new(piece(*len))),
        pieces => {
            let frames: Vec<_> = pieces.iter().map(|&len| Ok(Frame::data(piece(len)))).collect();
            Either::Right(StreamBody::new(futures_util::stream::iter(frames)))
        }
    }
}

const SHAPES: &[&[usize]] = &[&[], &[1], &[5000], &[200_000], &[1, 2, 3], &[0, 4096, 70_000], &[10; 100]];

fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, test)
}

#[test]
fn a_client_of_hyper_and_our_server_agree() {
    run(async {
        let (near, far) = tokio::io::duplex(10_000);
        let reply = |head: &Head, body: Vec<u8>| {
            let shape: usize = head.query().and_then(|query| query.parse().ok()).unwrap_or(0);
            let pieces = SHAPES[shape].iter().map(|&len| Bytes::from(vec![b'b'; len]));
            let status = if body.len().is_multiple_of(2) { 200 } else { 404 };
            (status, pieces.collect())
        };
        tokio::task::spawn_local(serve(far, reply));
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake::<_, Body>(TokioIo::new(near)).await.expect("a connection");
        tokio::task::spawn_local(connection);
        for method in ["GET", "POST", "HEAD", "PUT"] {
            for (asked, request) in SHAPES.iter().enumerate() {
                for (answered, response) in SHAPES.iter().enumerate() {
                    let what = format!("{method} {asked} {answered}");
                    let request_head = http::Request::builder().method(method).uri(format!("/a?{answered}"));
                    let request_head =
                        request_head.header("host", "a").body(body(request)).expect("a request");
                    sender.ready().await.expect("a connection that goes on");
                    let reply = sender.send_request(request_head).await.expect(&what);
                    let len: usize = request.iter().sum();
                    assert_eq!(reply.status(), if len.is_multiple_of(2) { 200 } else { 404 }, "{what}");
                    assert_eq!(reply.headers()["x-from"], "ringwire");
                    let body = reply.into_body().collect().await.expect(&what).to_bytes();
                    let want = if method == "HEAD" { 0 } else { response.iter().sum() };
                    assert_eq!(body.len(), want, "{what}");
                }
            }
        }
    });
}

async fn answer(request: http::Request<Incoming>) -> Result<http::Response<Body>, Infallible> {
    let shape: usize = request.uri().query().and_then(|query| query.parse().ok()).unwrap_or(0);
    let len = request.into_body().collect().await.expect("a whole request").to_bytes().len();
    let response = http::Response::builder().header("x-len", len).body(body(SHAPES[shape]));
    Ok(response.expect("a response"))
}

#[test]
fn our_client_and_a_server_of_hyper_agree() {
    run(async {
        let (mut near, far) = tokio::io::duplex(10_000);
        tokio::task::spawn_local(
            hyper::server::conn::http1::Builder::new()
                .timer(hyper_util::rt::TokioTimer::new())
                .serve_connection(TokioIo::new(far), service_fn(answer)),
        );
        let mut connection = Connection::client(Limits::default(), Names::HTTP, Instant::now());
        for method in [Method::Get, Method::Post, Method::Head] {
            for request in SHAPES {
                for (answered, response) in SHAPES.iter().enumerate() {
                    let what = format!("{method} {request:?} {answered}");
                    let (len, body) = exchange(&mut connection, &mut near, &method, request, answered).await;
                    assert_eq!(len, request.iter().sum::<usize>(), "{what}");
                    let want = if method == Method::Head { 0 } else { response.iter().sum() };
                    assert_eq!(body, want, "{what}");
                }
            }
        }
    });
}

/// Sends a request; returns what the server counted, and the length of the response's body.
async fn exchange(
    connection: &mut Connection<Client>,
    socket: &mut DuplexStream,
    method: &Method,
    pieces: &[usize],
    answered: usize,
) -> (usize, usize) {
    let target = format!("/a?{answered}");
    let line = RequestLine { method, scheme: Scheme::Http, authority: "a", target: &target };
    let id = connection.request(line, pieces.is_empty(), |_| {}).expect("a connection that goes on");
    for (at, &len) in pieces.iter().enumerate() {
        let mut stream = connection.stream(id).expect("a request that is sent is open");
        stream.send_data(Bytes::from(vec![b'a'; len]), at + 1 == pieces.len());
    }
    let (mut out, mut counted, mut received) = (SendQueue::new(), 0, 0);
    loop {
        while let Some(event) = connection.poll_event() {
            let end = match event {
                Event::Head { head, end, .. } => {
                    let text = ringwire_http::Headers::get(&head.fields, "x-len").expect("a count");
                    counted =
                        std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).expect("a number");
                    end
                }
                Event::Data { data, end, stream } => {
                    received += data.len();
                    if let Some(mut stream) = connection.stream(stream) {
                        stream.release(data.len());
                    }
                    end
                }
                Event::Room { .. } => false,
                Event::Trailers { .. } | Event::Reset { .. } => panic!("{event:?}"),
            };
            if end {
                return (counted, received);
            }
        }
        connection.poll_output(Instant::now(), &mut out);
        let sent: Vec<u8> =
            out.chunks().next().map_or_else(Vec::new, |chunk| chunk[..chunk.len().min(10_000)].to_vec());
        let mut buffer = vec![0; 10_000];
        let len = if sent.is_empty() {
            socket.read(&mut buffer).await.expect("a response")
        } else {
            let (mut reader, mut writer) = tokio::io::split(&mut *socket);
            tokio::select! {
                written = writer.write(&sent) => {
                    out.advance(written.expect("a server that reads"));
                    continue;
                }
                len = reader.read(&mut buffer) => len.expect("a response"),
            }
        };
        assert!(len > 0, "the server ended");
        buffer.truncate(len);
        connection.handle_input(Instant::now(), Bytes::from(buffer));
    }
}

/// The status with which hyper's server answers these bytes; `None` if it does not.
fn hyper_answers(bytes: &'static [u8]) -> Option<u16> {
    run(async move {
        let (mut near, far) = tokio::io::duplex(100_000);
        let service = service_fn(|request: http::Request<Incoming>| async {
            request.into_body().collect().await?;
            Ok::<_, hyper::Error>(http::Response::new(Full::new(Bytes::new())))
        });
        tokio::task::spawn_local(
            hyper::server::conn::http1::Builder::new()
                .half_close(true)
                .timer(hyper_util::rt::TokioTimer::new())
                .serve_connection(TokioIo::new(far), service),
        );
        near.write_all(bytes).await.expect("room");
        near.shutdown().await.expect("an end");
        let mut text = Vec::new();
        near.read_to_end(&mut text).await.expect("an answer");
        status(&text)
    })
}

fn we_answer(bytes: &'static [u8]) -> Option<u16> {
    run(async move {
        let (mut near, far) = tokio::io::duplex(100_000);
        tokio::task::spawn_local(serve(far, |_, _| (200, Vec::new())));
        near.write_all(bytes).await.expect("room");
        let mut text = vec![0; 100_000];
        let len = near.read(&mut text).await.expect("an answer");
        status(&text[..len])
    })
}

fn status(text: &[u8]) -> Option<u16> {
    std::str::from_utf8(text.get(9..12)?).ok()?.parse().ok()
}

#[test]
fn what_hyper_refuses_is_refused() {
    for bytes in [
        &b"GET / HTTP/1.1\r\nhost: a\r\nx-a : 1\r\n\r\n"[..],
        b"GET / HTTP/1.1\r\nhost: a\r\nx-a: 1\r\n 2\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\nx-a\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\nx-a: 1\0\r\n\r\n",
        b"G(T / HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET / HTTP/3.0\r\nhost: a\r\n\r\n",
        b"GET / http/1.1\r\nhost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: +5\r\n\r\nhello",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: x\r\n\r\nhello",
        b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    ] {
        let (hyper, ours) = (hyper_answers(bytes), we_answer(bytes));
        assert!(
            hyper != Some(200) && ours.is_some_and(|status| status >= 400),
            "{hyper:?} {ours:?} {}",
            bytes.escape_ascii()
        );
    }
}

/// hyper serves these; RFC 9112 lets a recipient refuse each, and requires it for some.
#[test]
fn what_can_be_read_in_two_ways_is_refused_where_hyper_repairs_it() {
    for bytes in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
        b"GET / HTTP/1.1\nhost: a\n\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ncontent-length: 5\r\n\r\nhello",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1 \r\na\r\n0\r\n\r\n",
    ] {
        let (hyper, ours) = (hyper_answers(bytes), we_answer(bytes));
        assert_eq!(hyper, Some(200), "{}", bytes.escape_ascii());
        assert!(ours.is_some_and(|status| status >= 400), "{ours:?} {}", bytes.escape_ascii());
    }
}
