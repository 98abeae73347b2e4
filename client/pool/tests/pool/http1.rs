//! HTTP/1.1 connections: used again only when that is sound.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::header::HOST;
use http_body_util::BodyExt;
use ringwire_pool::{HttpVersion, Limits};
use ringwire_transport::{Transport, TransportErrorKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};

use crate::support::*;

/// Two calls one after the other; says how many connections they took.
async fn check(answer: &'static str, read: &str, dials: usize) {
    let net = Net::new(move |_, _| lines(move |_, _| Some(answer.into())));
    let pool = http1(&net);
    for _ in 0..2 {
        assert_eq!(call(&pool, get("/")).await.unwrap(), read);
        settle().await;
    }
    assert_eq!(net.dials(), dials, "{answer}");
    assert_eq!(pool.targets()[0].in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn a_clean_connection_is_used_again() {
    check(OK, "hello", 1).await;
    check("HTTP/1.1 204 No Content\r\n\r\n", "", 1).await;
    check("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "hello", 1).await;
    check("HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 5\r\n\r\nhello", "hello", 1).await;
}

#[tokio::test(start_paused = true)]
async fn one_that_is_not_is_not() {
    check("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello", "hello", 2).await;
    check("HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello", "hello", 2).await;
    // Bytes after the end of the response belong to nobody.
    check("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello!", "hello", 2).await;
}

#[tokio::test(start_paused = true)]
async fn the_request_is_in_origin_form_and_names_its_host() {
    let net = Net::new(|_, _| {
        lines(|_, head| Some(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{head}", head.len())))
    });
    let pool = http1(&net);
    assert_eq!(call(&pool, get("/a?b")).await.unwrap(), "GET /a?b HTTP/1.1\r\nhost: test\r\n\r\n");
    let mut request = get("/");
    request.headers_mut().insert(HOST, "other".parse().unwrap());
    assert_eq!(call(&pool, request).await.unwrap(), "GET / HTTP/1.1\r\nhost: other\r\n\r\n");
}

#[tokio::test(start_paused = true)]
async fn each_request_at_once_has_a_connection_of_its_own_up_to_the_limit() {
    let net = Net::new(|_, _| {
        serves(|pipe| async {
            let mut pipe = BufReader::new(pipe);
            while read_head(&mut pipe).await.is_some() {
                pause(Duration::from_secs(1)).await;
                pipe.get_mut().write_all(OK.as_bytes()).await.unwrap();
            }
        })
    });
    let mut limits = Limits::default();
    limits.http1_connections_max = 4;
    let pool = pool(options(&net).http(HttpVersion::Http1).limits(limits));
    let started = tokio::time::Instant::now();
    let calls: Vec<_> = (0..12).map(|_| start(&pool, get("/"))).collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), "hello");
    }
    assert_eq!((net.dials(), started.elapsed().as_secs()), (4, 3));
}

#[tokio::test(start_paused = true)]
async fn idle_connections_beyond_the_limit_are_closed() {
    let open = Arc::new(AtomicUsize::new(0));
    let net = Net::new({
        let open = open.clone();
        move |_, _| {
            let open = open.clone();
            serves(|pipe| async move {
                open.fetch_add(1, Ordering::SeqCst);
                let mut pipe = BufReader::new(pipe);
                while read_head(&mut pipe).await.is_some() {
                    pause(Duration::from_secs(1)).await;
                    pipe.get_mut().write_all(OK.as_bytes()).await.unwrap();
                }
                open.fetch_sub(1, Ordering::SeqCst);
            })
        }
    });
    let mut limits = Limits::default();
    limits.http1_idle_max = 3;
    let pool = pool(options(&net).http(HttpVersion::Http1).limits(limits));
    let calls: Vec<_> = (0..10).map(|_| start(&pool, get("/"))).collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), "hello");
    }
    settle().await;
    assert_eq!((open.load(Ordering::SeqCst), pool.targets()[0].connections), (3, 3));
}

/// The peer's connection must be closed once the client has dropped its call.
async fn check_drop(answer: &'static [u8]) {
    let closed = Arc::new(AtomicUsize::new(0));
    let net = Net::new({
        let closed = closed.clone();
        move |_, _| {
            let closed = closed.clone();
            serves(move |mut pipe| async move {
                pipe.read_exact(&mut [0; 10]).await.unwrap();
                pipe.write_all(answer).await.unwrap();
                let _ = pipe.read_to_end(&mut Vec::new()).await;
                closed.fetch_add(1, Ordering::SeqCst);
            })
        }
    });
    let pool = http1(&net);
    let call = tokio::spawn({
        let pool = pool.clone();
        async move {
            let mut response = pool.send(get("/")).await.unwrap();
            response.body_mut().frame().await.unwrap().unwrap();
            std::future::pending::<()>().await;
        }
    });
    settle().await;
    call.abort();
    settle().await;
    assert_eq!((closed.load(Ordering::SeqCst), pool.targets()[0].connections), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn dropping_a_call_closes_its_connection() {
    check_drop(b"").await;
    check_drop(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe").await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_before_the_request_has_ended_ends_the_connection() {
    let net = Net::new(|_, _| {
        serves(|pipe| async {
            let mut pipe = BufReader::new(pipe);
            read_head(&mut pipe).await.unwrap();
            pipe.get_mut().write_all(OK.as_bytes()).await.unwrap();
            let _ = pipe.read_to_end(&mut Vec::new()).await;
        })
    });
    let pool = http1(&net);
    let (feed, body) = channel();
    assert_eq!(call(&pool, post_stream("/", body)).await.unwrap(), "hello");
    settle().await;
    assert!(feed.is_closed());
    assert_eq!(pool.targets()[0].connections, 0);
    assert_eq!(call(&pool, get("/")).await.unwrap(), "hello");
    assert_eq!(net.dials(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_streamed_request_leaves_the_connection_clean() {
    let net = Net::new(|_, _| {
        serves(|pipe| async {
            let mut pipe = BufReader::new(pipe);
            while read_head(&mut pipe).await.is_some() {
                let mut read = Vec::new();
                while !read.ends_with(b"0\r\n\r\n") {
                    read.push(pipe.read_u8().await.unwrap());
                }
                pipe.get_mut().write_all(OK.as_bytes()).await.unwrap();
            }
        })
    });
    let pool = http1(&net);
    for _ in 0..2 {
        let (feed, body) = channel();
        let call = start(&pool, post_stream("/", body));
        feed.send(Ok("one".into())).await.unwrap();
        feed.send(Ok("two".into())).await.unwrap();
        drop(feed);
        assert_eq!(call.await.unwrap().unwrap(), "hello");
        settle().await;
    }
    assert_eq!(net.dials(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_closed_its_idle_connection_is_not_noticed_by_callers() {
    let net = Net::new(|_, _| lines(|number, _| (number == 0).then(|| OK.into())));
    // The peer closes after its first answer, as if its patience were at an end.
    let closing = Net::new(|_, _| {
        serves(|pipe| async {
            let mut pipe = BufReader::new(pipe);
            read_head(&mut pipe).await;
            pipe.get_mut().write_all(OK.as_bytes()).await.unwrap();
        })
    });
    let pool = http1(&closing);
    for _ in 0..3 {
        assert_eq!(call(&pool, get("/")).await.unwrap(), "hello");
        settle().await;
    }
    assert_eq!(closing.dials(), 3);
    // One that closes upon the request may have read it: that is said, and not hidden.
    let pool = http1(&net);
    assert_eq!(call(&pool, post("/", "x")).await.unwrap(), "hello");
    settle().await;
    assert_eq!(failure(&pool, post("/", "x")).await, (TransportErrorKind::Lost, false));
    assert_eq!(net.dials(), 1);
}
