//! Peers that do not keep to the rules.

use std::time::Duration;

use http_body_util::BodyExt;
use ringwire_transport::TransportErrorKind::{self, Handshake, Lost, Protocol};
use ringwire_transport::{Transport, TransportError};

use crate::support::*;

/// The kind of the error, whatever it comes with; and the pool goes on.
async fn check_http1(answer: &'static [u8], expected: TransportErrorKind) {
    let net = Net::new(move |number, _| match number {
        0 => serves(move |mut pipe| async move {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            pipe.read_exact(&mut [0; 10]).await.unwrap();
            pipe.write_all(answer).await.unwrap();
        }),
        _ => lines(|_, _| Some(OK.into())),
    });
    let pool = http1(&net);
    assert_eq!(failure(&pool, get("/")).await, (expected, false), "{}", answer.escape_ascii());
    assert_eq!(call(&pool, get("/")).await.unwrap(), "hello");
    assert_eq!((net.dials(), pool.targets()[0].connections), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn malformed_answers_over_http1() {
    check_http1(b"", Lost).await;
    check_http1(b"HTTP/1.1 2", Lost).await;
    check_http1(b"\x16\x03\x01\x02\x00\x01\x00garbage", Protocol).await;
    check_http1(b"HTTP/1.1 99999 What\r\n\r\n", Protocol).await;
    check_http1(b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", Protocol).await;
    check_http1(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe", Lost).await;
    check_http1(b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n", Protocol).await;
    check_http1(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel", Lost).await;
    check_http1(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nhello", Protocol).await;
}

#[tokio::test(start_paused = true)]
async fn endless_heads_fail_and_do_not_fill_the_memory() {
    let endless = |line: &'static [u8]| {
        Net::new(move |_, _| {
            serves(move |mut pipe| async move {
                use tokio::io::{AsyncReadExt, AsyncWriteExt};
                pipe.read_exact(&mut [0; 10]).await.unwrap();
                pipe.write_all(b"HTTP/1.1 200 OK\r\n").await.unwrap();
                while pipe.write_all(line).await.is_ok() {}
            })
        })
    };
    for line in
        [&b"x: y\r\n"[..], b"long-enough-to-reach-the-bytes-before-the-count: xxxxxxxxxxxxxxxxxxx", b"a"]
    {
        assert_eq!(failure(&http1(&endless(line)), get("/")).await, (Protocol, false));
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_within_the_limit_passes() {
    let head = |size: usize| {
        let net = Net::new(move |_, _| {
            lines(move |_, _| {
                Some(format!("HTTP/1.1 200 OK\r\nx: {}\r\ncontent-length: 0\r\n\r\n", "y".repeat(size)))
            })
        });
        async move { call(&http1(&net), get("/")).await.map_err(|error| error.kind()) }
    };
    assert_eq!(head(60 * 1024).await, Ok(String::new()));
    assert_eq!(head(70 * 1024).await, Err(Protocol));
}

/// An HTTP/2 peer that says this after its SETTINGS, once the request has come.
fn after_settings(bytes: &'static [u8]) -> Net {
    Net::new(move |_, _| {
        serves(move |mut pipe| async move {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            pipe.write_all(b"\0\0\0\x04\0\0\0\0\0\0\0\0\x04\x01\0\0\0\0").await.unwrap();
            pause(Duration::from_millis(10)).await;
            pipe.write_all(bytes).await.unwrap();
            pause(Duration::from_millis(10)).await;
            pipe.shutdown().await.unwrap();
            let _ = pipe.read_to_end(&mut Vec::new()).await;
        })
    })
}

async fn check_http2(bytes: &'static [u8], expected: TransportErrorKind) {
    let pool = http2(&after_settings(bytes));
    assert_eq!(failure(&pool, get("/")).await, (expected, false), "{}", bytes.escape_ascii());
    pause(Duration::from_millis(100)).await;
    assert_eq!((pool.targets()[0].in_flight, pool.targets()[0].connections), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn malformed_answers_over_http2() {
    check_http2(b"", Lost).await;
    check_http2(b"\0\0\x01", Lost).await;
    // A frame that is too large, of a stream that nobody opened, and HEADERS without a status.
    check_http2(b"\xff\xff\xff\0\0\0\0\0\x01", Protocol).await;
    check_http2(b"\0\0\x01\x01\x05\0\0\0\x09\x88", Protocol).await;
    check_http2(b"\0\0\x01\x01\x05\0\0\0\x01\x84", Protocol).await;
    // HPACK that points nowhere.
    check_http2(b"\0\0\x01\x01\x05\0\0\0\x01\xff", Protocol).await;
    // A body that is cut off, and one that is not as long as it said.
    check_http2(b"\0\0\x01\x01\x04\0\0\0\x01\x88\0\0\x02\0\0\0\0\0\x01he", Lost).await;
    check_http2(b"\0\0\x05\x01\x04\0\0\0\x01\x88\x0f\x0d\x015\0\0\x02\0\x01\0\0\0\x01he", Protocol).await;
}

#[tokio::test(start_paused = true)]
async fn endless_headers_over_http2_fail() {
    let net = Net::new(|_, _| {
        serves(|mut pipe| async move {
            use tokio::io::AsyncWriteExt;
            pipe.write_all(b"\0\0\0\x04\0\0\0\0\0\0\0\0\x04\x01\0\0\0\0").await.unwrap();
            pause(Duration::from_millis(10)).await;
            // HEADERS without an end, and CONTINUATION upon CONTINUATION.
            pipe.write_all(b"\0\0\x01\x01\0\0\0\0\x01\x88").await.unwrap();
            let mut field = b"\0\x04\0\x09\0\0\0\0\x01".to_vec();
            for _ in 0..128 {
                field.extend_from_slice(b"\0\x01x\x7f\x9d\x02");
                field.truncate(9 + 1024);
            }
            field.resize(9 + 1024, b'y');
            while pipe.write_all(&field).await.is_ok() {}
        })
    });
    assert_eq!(failure(&http2(&net), get("/")).await, (Protocol, false));
}

#[tokio::test(start_paused = true)]
async fn a_head_that_is_too_large_ends_its_stream_alone() {
    let net = Net::new(|_, _| {
        serves(|pipe| async {
            let mut server = greet(pipe, 10).await;
            while let Some(Ok((request, mut respond))) = server.accept().await {
                let size = if request.uri().path() == "/large" { 70 * 1024 } else { 10 };
                let head = http::Response::builder().header("x", "y".repeat(size)).body(()).unwrap();
                respond.send_response(head, true).unwrap();
            }
        })
    });
    let pool = http2(&net);
    assert_eq!(failure(&pool, get("/large")).await, (Protocol, false));
    assert_eq!(call(&pool, get("/")).await.unwrap(), "");
    assert_eq!(net.dials(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_speak_http2_fails_its_handshake() {
    for bytes in
        [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"\x15\x03\x01\0\x02\x02\x46", b"\0\0\0\0\0\0\0\0\0"]
    {
        let net = Net::new(move |_, _| says(bytes));
        assert_eq!(failure(&http2(&net), get("/")).await, (Handshake, true), "{}", bytes.escape_ascii());
    }
    let net = Net::new(|_, _| serves(|pipe| async { drop(pipe) }));
    assert_eq!(failure(&http2(&net), get("/")).await, (Handshake, true));
}

#[tokio::test(start_paused = true)]
async fn an_error_names_the_peer_and_says_why() {
    let net = Net::new(|_, _| Peer::Refuses);
    let error = http2(&net).send(get("/")).await.unwrap_err();
    assert_eq!((error.kind(), error.is_unprocessed()), (TransportErrorKind::Connect, true));
    assert_eq!(error.to_string(), "cannot connect (10.0.0.1:80)");
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "connection refused");

    let mut response =
        http2(&after_settings(b"\0\0\x01\x01\x04\0\0\0\x01\x88")).send(get("/")).await.unwrap();
    let error: TransportError = response.body_mut().frame().await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.peer()), (Lost, Some("10.0.0.1:80")));
    assert!(response.body_mut().frame().await.is_none());
}
