//! HTTP/2 connections: how many there are, which one is taken, and what dropping does.

use std::time::Duration;

use http_body_util::BodyExt;
use ringwire_pool::{HttpVersion, Limits, State};
use ringwire_transport::{PeerAddr, Transport, TransportErrorKind};

use crate::support::*;

fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

#[tokio::test(start_paused = true)]
async fn a_call_says_where_it_went_and_brings_its_trailers() {
    let seen = Seen::default();
    let net = Net::new({
        let seen = seen.clone();
        move |_, _| ordinary(&seen, 100)
    });
    let pool = http2(&net);
    assert_eq!(pool.state(), State::Idle);
    let response = pool.send(post("/echo", "hi")).await.unwrap();
    assert_eq!(response.extensions().get::<PeerAddr>(), Some(&PeerAddr("10.0.0.1:80".into())));
    let body = response.into_body().collect().await.unwrap();
    assert!(body.trailers().is_some());
    assert_eq!(body.to_bytes(), "hi");
    assert_eq!((pool.state(), net.dials()), (State::Ready, 1));
}

#[tokio::test(start_paused = true)]
async fn plaintext_takes_the_version_that_the_request_asks_for() {
    let net = Net::new(|number, _| match number {
        0 => lines(|_, _| Some(OK.into())),
        _ => ordinary(&Seen::default(), 100),
    });
    let pool = pool(options(&net));
    assert_eq!(pool.send(get("/")).await.unwrap().version(), http::Version::HTTP_11);
    assert_eq!(pool.send(get_http2("/")).await.unwrap().version(), http::Version::HTTP_2);
    assert_eq!(pool.targets().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn connections_grow_with_the_threshold_and_share_the_load() {
    let seen = Seen::default();
    let net = Net::new({
        let seen = seen.clone();
        move |_, _| ordinary(&seen, 1000)
    });
    let pool = pool(options(&net).http(HttpVersion::Http2).limits(limits(|limits| {
        limits.streams_grow_at = 4;
        limits.http2_connections_max = 3;
    })));
    let mut calls = Vec::new();
    for _ in 0..30 {
        calls.push(start(&pool, get("/sleep/9")));
        settle().await;
    }
    assert_eq!((net.dials(), seen.in_flight()), (3, 30));
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), "hello");
    }
    assert_eq!(pool.targets()[0].in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn a_stream_limit_is_never_passed() {
    for streams_max in [1, 2, 5] {
        let seen = Seen::default();
        let net = Net::new({
            let seen = seen.clone();
            move |_, _| ordinary(&seen, streams_max)
        });
        let pool = pool(options(&net).http(HttpVersion::Http2).limits(limits(|limits| {
            limits.http2_connections_max = 2;
        })));
        let calls: Vec<_> = (0..20).map(|_| start(&pool, get("/sleep/1"))).collect();
        pause(Duration::from_millis(500)).await;
        assert_eq!((net.dials(), seen.in_flight()), (2, 2 * streams_max as usize));
        for call in calls {
            assert_eq!(call.await.unwrap().unwrap(), "hello");
        }
        assert_eq!((net.dials(), seen.requests()), (2, 20));
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_raised_lets_the_waiting_in() {
    let seen = Seen::default();
    let net = Net::new({
        let seen = seen.clone();
        move |_, _| {
            let seen = seen.clone();
            serves(|pipe| async move {
                // By hand, because h2 cannot change the limit later.
                use tokio::io::AsyncWriteExt;
                let (mut read, mut write) = tokio::io::split(pipe);
                write.write_all(b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\0").await.unwrap();
                write.write_all(b"\0\0\0\x04\x01\0\0\0\0").await.unwrap();
                pause(Duration::from_secs(5)).await;
                write.write_all(b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x09").await.unwrap();
                // HEADERS with :status 200 from the static table, and the end of stream 1.
                pause(Duration::from_secs(1)).await;
                write.write_all(b"\0\0\x01\x01\x05\0\0\0\x01\x88").await.unwrap();
                let _ = tokio::io::copy(&mut read, &mut tokio::io::sink()).await;
                drop(seen);
            })
        }
    });
    let pool = pool(options(&net).http(HttpVersion::Http2).limits(limits(|limits| {
        limits.http2_connections_max = 1;
    })));
    let started = tokio::time::Instant::now();
    assert_eq!(call(&pool, get("/")).await.unwrap(), "");
    assert_eq!(started.elapsed().as_secs(), 6);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_future_resets_the_stream_and_keeps_the_connection() {
    let seen = Seen::default();
    let net = Net::new({
        let seen = seen.clone();
        move |_, _| ordinary(&seen, 1)
    });
    let pool = http2(&net);
    let (_feed, body) = channel();
    for request in [get("/never"), post("/never", "x"), post_stream("/never", body)] {
        let call = start(&pool, request);
        settle().await;
        assert_eq!(seen.in_flight(), 1);
        call.abort();
        settle().await;
        assert_eq!(seen.in_flight(), 0);
    }
    assert_eq!((seen.cancelled(), net.dials()), (3, 1));
    assert_eq!(call(&pool, get("/")).await.unwrap(), "hello");
    assert_eq!((pool.targets()[0].in_flight, net.dials()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn dropping_the_response_resets_the_stream_also_while_the_request_is_being_sent() {
    let seen = Seen::default();
    let net = Net::new({
        let seen = seen.clone();
        move |_, _| ordinary(&seen, 10)
    });
    let pool = http2(&net);
    let (_feed, waiting) = channel();
    // More than every window, to a peer that reads nothing.
    let stalled = vec![b'x'; 1024 * 1024];
    for request in [get("/begun"), post_stream("/begun", waiting), post("/begun", stalled)] {
        let response = pool.send(request).await.unwrap();
        settle().await;
        assert_eq!(seen.in_flight(), 1);
        drop(response);
        settle().await;
        assert_eq!(seen.in_flight(), 0);
    }
    assert_eq!((seen.cancelled(), net.dials()), (3, 1));
    assert_eq!((pool.targets()[0].in_flight, pool.targets()[0].connections), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn dropping_one_call_leaves_those_beside_it_alone() {
    let seen = Seen::default();
    let net = Net::new({
        let seen = seen.clone();
        move |_, _| ordinary(&seen, 10)
    });
    let pool = http2(&net);
    let (feed, body) = channel();
    let mut dropped = pool.send(post_stream("/echo", body)).await.unwrap();
    feed.send(Ok("ping".into())).await.unwrap();
    dropped.body_mut().frame().await.unwrap().unwrap();
    let kept = [start(&pool, get("/sleep/5")), start(&pool, post("/sleep/5", "x"))];
    settle().await;
    drop(dropped);
    for kept in kept {
        assert_eq!(kept.await.unwrap().unwrap(), "hello");
    }
}

#[tokio::test(start_paused = true)]
async fn a_response_that_ends_first_ends_the_request_too() {
    let seen = Seen::default();
    let net = Net::new({
        let seen = seen.clone();
        move |_, _| ordinary(&seen, 10)
    });
    let pool = http2(&net);
    let (feed, body) = channel();
    assert_eq!(call(&pool, post_stream("/", body)).await.unwrap(), "hello");
    settle().await;
    assert!(feed.is_closed());
    assert_eq!(pool.targets()[0].in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn bodies_flow_both_ways_at_once() {
    let net = Net::new(|_, _| ordinary(&Seen::default(), 10));
    let pool = http2(&net);
    let (feed, body) = channel();
    let mut answer = pool.send(post_stream("/echo", body)).await.unwrap().into_body();
    for word in ["ping", "pong"] {
        feed.send(Ok(word.into())).await.unwrap();
        assert_eq!(answer.frame().await.unwrap().unwrap().into_data().unwrap(), word);
    }
    drop(feed);
    assert!(answer.collect().await.unwrap().to_bytes().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_request_body_resets_its_stream_and_is_found_again() {
    let seen = Seen::default();
    let net = Net::new({
        let seen = seen.clone();
        move |_, _| ordinary(&seen, 10)
    });
    let pool = http2(&net);
    let (feed, body) = channel();
    let sent = start(&pool, post_stream("/never", body));
    settle().await;
    feed.send(Err("the file ended".into())).await.unwrap();
    let error = sent.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::CANCEL);
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the file ended");
    settle().await;
    assert_eq!((seen.cancelled(), net.dials()), (1, 1));
    assert_eq!(call(&pool, get("/")).await.unwrap(), "hello");
}

#[tokio::test(start_paused = true)]
async fn closing_waits_for_what_is_in_flight() {
    let seen = Seen::default();
    let net = Net::new({
        let seen = seen.clone();
        move |_, _| ordinary(&seen, 10)
    });
    let pool = http2(&net);
    let started = tokio::time::Instant::now();
    let call = start(&pool, get("/sleep/3"));
    settle().await;
    let closing = tokio::spawn({
        let pool = pool.clone();
        async move { pool.close(Duration::from_secs(10)).await }
    });
    settle().await;
    assert_eq!(failure(&pool, get("/")).await, (TransportErrorKind::Closed, true));
    assert_eq!(pool.state(), State::Closed);
    assert_eq!(closing.await.unwrap(), 0);
    assert_eq!((started.elapsed().as_secs(), call.await.unwrap().unwrap().as_str()), (3, "hello"));
}

#[tokio::test(start_paused = true)]
async fn closing_gives_up_after_its_grace() {
    let net = Net::new(|_, _| ordinary(&Seen::default(), 10));
    let pool = http2(&net);
    let call = start(&pool, get("/sleep/30"));
    settle().await;
    assert_eq!(pool.close(Duration::from_secs(10)).await, 1);
    assert_eq!(call.await.unwrap().unwrap(), "hello");
}

#[tokio::test(start_paused = true)]
async fn dropping_the_pool_closes_what_is_idle_and_leaves_what_is_not() {
    let closed = std::sync::Arc::new(tokio::sync::Notify::new());
    let net = Net::new({
        let closed = closed.clone();
        move |_, _| {
            let closed = closed.clone();
            serves(|pipe| async move {
                let mut server = greet(pipe, 10).await;
                serve(&mut server, &Seen::default()).await;
                closed.notify_one();
            })
        }
    });
    let pool = http2(&net);
    let call = start(&pool, get("/sleep/3"));
    settle().await;
    drop(pool);
    assert_eq!(call.await.unwrap().unwrap(), "hello");
    closed.notified().await;
}
