//! Draining: who may finish, who is cut, and when `serve` returns.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::Instant;

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn calls_in_flight_finish() {
    let server = start(|server| server);
    let mut one = server.http1().await;
    let (mut two, end) = server.http2_with(|_| {}).await;
    let first = tokio::spawn(async move { text(one.send_request(get("/sleep/10")).await.unwrap()).await });
    let second = tokio::spawn(async move { text(two.send_request(get("/sleep/20")).await.unwrap()).await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    let started = Instant::now();
    let drained = server.drain().await;
    assert_eq!(first.await.unwrap(), "slept");
    assert_eq!(second.await.unwrap(), "slept");
    end.await.unwrap().unwrap();
    assert!((19..=20).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
    assert_eq!((drained.connections_finished, drained.connections_cut, drained.requests_cut), (2, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn calls_that_take_longer_than_the_bound_are_cut_and_counted() {
    let server = start(|server| server.drain_timeout(Duration::from_secs(5)));
    let mut one = server.http1().await;
    let two = server.http2().await;
    let mut calls = vec![tokio::spawn(async move { one.send_request(get("/sleep/100")).await })];
    for _ in 0..3 {
        let mut two = two.clone();
        calls.push(tokio::spawn(async move { two.send_request(get("/sleep/100")).await }));
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let started = Instant::now();
    let drained = server.drain().await;
    assert_eq!(started.elapsed().as_secs(), 5);
    assert_eq!((drained.connections_finished, drained.connections_cut, drained.requests_cut), (0, 2, 4));
    for call in calls {
        call.await.unwrap().unwrap_err();
    }
}

#[tokio::test(start_paused = true)]
async fn idle_connections_do_not_hold_it_up() {
    let server = start(|server| server);
    let mut one = server.connect();
    raw_get(&mut one, "/hello", 5).await;
    let mut two = server.http2().await;
    text(two.send_request(get("/hello")).await.unwrap()).await;
    let started = Instant::now();
    server.drain().await;
    assert!(started.elapsed() <= Duration::from_secs(1), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn connections_in_their_handshake_are_cut_after_a_second_or_at_the_bound() {
    for (bound_ms, cut_after_ms) in [(500, 500), (30_000, 1_000)] {
        for sent in [&b""[..], b"PRI"] {
            let server = start(|server| server.drain_timeout(Duration::from_millis(bound_ms)));
            let mut silent = server.connect();
            silent.write_all(sent).await.unwrap();
            tokio::time::sleep(Duration::from_secs(1)).await;
            let started = Instant::now();
            server.drain().await;
            assert_eq!(started.elapsed().as_millis(), cut_after_ms, "{bound_ms} {sent:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_comes_as_it_begins_is_answered() {
    let server = start(|server| server);
    let mut pipe = server.connect();
    // It is accepted.
    tokio::time::sleep(Duration::from_millis(1)).await;
    server.handle.drain();
    tokio::time::sleep(Duration::from_millis(900)).await;
    assert!(raw_get(&mut pipe, "/hello", 5).await.ends_with("hello"));
    server.end().await;
}

#[tokio::test(start_paused = true)]
async fn it_begins_when_the_server_is_told() {
    let server = start(|server| server.until(tokio::time::sleep(Duration::from_secs(7))));
    let mut client = server.http2().await;
    let started = Instant::now();
    assert_eq!(text(client.send_request(get("/sleep/9")).await.unwrap()).await, "slept");
    server.end().await;
    assert!((9..=10).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
}

#[tokio::test]
async fn new_connections_are_refused_while_it_lasts() {
    let server = ringwire_server::Server::bind("127.0.0.1:0");
    let address = server.local_address().unwrap().tcp().unwrap();
    let handle = server.handle();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(server.serve(Paths));
    let mut held = tokio::net::TcpStream::connect(address).await.unwrap();
    held.write_all(b"POST /read HTTP/1.1\r\nhost: test\r\ncontent-length: 1\r\n\r\n").await.unwrap();
    while handle.load().requests == 0 {
        tokio::task::yield_now().await;
    }
    handle.drain();
    while tokio::net::TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    held.write_all(b"x").await.unwrap();
    let mut read = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut held, &mut read).await.unwrap();
    assert!(read.ends_with("1 bytes") && read.contains("connection: close"), "{read}");
    serving.await.unwrap().unwrap();
    drop((stop, stopped));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_dropped_closes_its_connections() {
    let (connect, accept) = tokio::io::duplex(64);
    let server = ringwire_server::Server::on(One(Some(accept)));
    let handle = server.handle();
    let serving = tokio::spawn(server.serve(Paths));
    let mut pipe = connect;
    pipe.write_all(b"GET /sleep/100 HTTP/1.1\r\nhost: test\r\n\r\n").await.unwrap();
    while handle.load().requests == 0 {
        tokio::task::yield_now().await;
    }
    serving.abort();
    let (_, after) = read_to_close(&mut pipe).await;
    assert_eq!(after, Duration::ZERO);
    handle.drained().await;
}
