//! What a well-behaved peer gets.

use std::io;
use std::time::Duration;

use http::StatusCode;
use http_body_util::BodyExt;
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;

use crate::support::*;
use ringwire_server::{Address, ServeError, Server, ServerLimits, ServerTimeouts};

#[tokio::test(start_paused = true)]
async fn both_versions_are_served_on_one_port() {
    let server = start(|server| server);
    let mut one = server.http1().await;
    assert_eq!(text(one.send_request(get("/version")).await.unwrap()).await, "HTTP/1.1");
    let mut two = server.http2().await;
    assert_eq!(text(two.send_request(get("/version")).await.unwrap()).await, "HTTP/2.0");
}

#[tokio::test(start_paused = true)]
async fn a_first_line_without_a_version_is_closed_and_not_answered() {
    let server = start(|server| server);
    for (bytes, answer) in [
        ("INVALID CONNECTION PREFACE\r\n\r\n", ""),
        ("GET /\r\n", ""),
        ("\r\nGET /\r\n", ""),
        ("\x16\x03\x01\x02\r\n", "HTTP/1.1 400 Bad Request\r\n"),
        ("\n", "HTTP/1.1 400 Bad Request\r\n"),
        ("GET /hello HTTP/\r\n", "HTTP/1.1 400 Bad Request\r\n"),
        ("GET /hello HTTP/3.0\r\n", "HTTP/1.1 505 "),
        ("\r\nGET /hello HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n", "HTTP/1.1 200 OK\r\n"),
    ] {
        let mut pipe = server.connect();
        pipe.write_all(bytes.as_bytes()).await.unwrap();
        let (read, _) = read_to_close(&mut pipe).await;
        let read = String::from_utf8(read).unwrap();
        assert!(read.starts_with(answer) && read.is_empty() == answer.is_empty(), "{bytes:?}: {read:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn bodies_flow_both_ways_at_once() {
    let server = start(|server| server);
    let mut client = server.http2().await;
    let (feed, body) = channel();
    let mut answer = client.send_request(post("/echo", body)).await.unwrap().into_body();
    for word in ["ping", "pong"] {
        feed.send(word.into()).await.unwrap();
        assert_eq!(answer.frame().await.unwrap().unwrap().into_data().unwrap(), word);
    }
    drop(feed);
    assert!(answer.collect().await.unwrap().to_bytes().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_large_body_arrives_whole() {
    let server = start(|server| server);
    for path in ["/flood/40"] {
        let mut one = server.http1().await;
        assert_eq!(text(one.send_request(get(path)).await.unwrap()).await.len(), 40 * 64 * 1024);
        let mut two = server.http2().await;
        assert_eq!(text(two.send_request(get(path)).await.unwrap()).await.len(), 40 * 64 * 1024);
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_fails_is_answered_500() {
    let server = start(|server| server);
    let mut one = server.http1().await;
    assert_eq!(one.send_request(get("/fail")).await.unwrap().status(), StatusCode::INTERNAL_SERVER_ERROR);
    let mut two = server.http2().await;
    assert_eq!(two.send_request(get("/fail")).await.unwrap().status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(server.handle.load().requests, 0);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_panics_ends_its_request_and_nothing_else() {
    let server = start(|server| server);
    let mut two = server.http2().await;
    two.send_request(get("/panic")).await.unwrap_err();
    assert_eq!(text(two.send_request(get("/hello")).await.unwrap()).await, "hello");
    let mut one = server.http1().await;
    one.send_request(get("/panic")).await.unwrap_err();
    assert_eq!((server.handle.load().requests, server.handle.load().connections), (0, 1));
}

#[tokio::test]
async fn an_early_answer_survives_on_a_real_socket() {
    let server = Server::bind("127.0.0.1:0");
    let address = server.local_address().unwrap().tcp().unwrap();
    let handle = server.handle();
    let serving = tokio::spawn(server.serve(Paths));
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream
        .write_all(b"POST /early HTTP/1.1\r\nhost: test\r\ncontent-length: 1000000000\r\n\r\n")
        .await
        .unwrap();
    // Sent until the server is known to have answered, and then some: closing with this unread would be a reset.
    let mut sent = 0;
    while handle.load().requests_accepted == 0 || handle.load().requests > 0 {
        if sent < 512 * 1024 {
            stream.write_all(&[b'x'; 1024]).await.unwrap();
            sent += 1024;
        } else {
            tokio::task::yield_now().await;
        }
    }
    stream.write_all(&[b'x'; 64 * 1024]).await.unwrap();
    let mut read = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut read).await.unwrap();
    assert!(read.ends_with("early"), "{read}");
    drop(stream);
    handle.drain();
    serving.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn two_hundred_and_fifty_streams_run_at_once_and_more_queue() {
    let server = start(|server| server);
    let client = server.http2().await;
    let started = Instant::now();
    let calls: Vec<_> = (0..300)
        .map(|_| {
            let mut client = client.clone();
            tokio::spawn(async move { text(client.send_request(get("/sleep/1")).await.unwrap()).await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), "slept");
    }
    assert_eq!(started.elapsed().as_secs(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_head_of_the_limit_passes_and_a_larger_one_is_431() {
    let server = start(|server| server);
    let mut one = server.http1().await;
    let mut request = get("/hello");
    request.headers_mut().insert("x-large", "x".repeat(15 * 1024).parse().unwrap());
    assert_eq!(one.send_request(request).await.unwrap().status(), StatusCode::OK);
    let mut request = get("/hello");
    request.headers_mut().insert("x-large", "x".repeat(17 * 1024).parse().unwrap());
    let status = one.send_request(request).await.unwrap().status();
    assert_eq!(status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);

    let (mut two, _end) = server
        .http2_with(|builder| {
            builder.max_header_list_size(1 << 20);
        })
        .await;
    let mut request = get("/hello");
    request.headers_mut().insert("x-large", "x".repeat(15 * 1024).parse().unwrap());
    assert_eq!(two.send_request(request).await.unwrap().status(), StatusCode::OK);
    let mut request = get("/hello");
    request.headers_mut().insert("x-large", "x".repeat(17 * 1024).parse().unwrap());
    match two.send_request(request).await {
        Ok(response) => assert_eq!(response.status(), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
        Err(error) => assert!(!error.is_timeout()),
    }
}

#[tokio::test(start_paused = true)]
async fn connections_beyond_the_cap_are_closed_at_once() {
    let limits = ServerLimits { connections_max: 2, ..ServerLimits::default() };
    let server = start(|server| server.limits(limits));
    let first = server.connect();
    let _second = server.connect();
    let (read, after) = read_to_close(&mut server.connect()).await;
    assert_eq!((read.len(), after), (0, Duration::ZERO));
    assert_eq!(server.handle.load().connections, 2);
    assert_eq!(server.handle.load().connections_refused, 1);

    drop(first);
    tokio::time::sleep(Duration::from_millis(1)).await;
    let mut third = server.connect();
    assert!(raw_get(&mut third, "/hello", 5).await.ends_with("hello"));
}

#[tokio::test(start_paused = true)]
async fn a_request_beyond_the_cap_is_turned_away() {
    let limits = ServerLimits { requests_max: 1, ..ServerLimits::default() };
    let timeouts = ServerTimeouts { push_back: Duration::from_millis(1001), ..ServerTimeouts::default() };
    let server = start(|server| server.limits(limits).timeouts(timeouts));
    let mut one = server.http1().await;
    let first = tokio::spawn(async move { text(one.send_request(get("/sleep/10")).await.unwrap()).await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut two = server.http2().await;
    let response = two.send_request(get("/hello")).await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()["retry-after"], "2");
    assert_eq!(first.await.unwrap(), "slept");
    assert_eq!(text(two.send_request(get("/hello")).await.unwrap()).await, "hello");
    let responses = server.handle.shards()[0].responses;
    assert_eq!((responses.ok(), responses.failed(ringwire_service::Code::Unavailable)), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_failing_accept_is_tried_again_ever_less_often() {
    let server = start(|server| server);
    let started = Instant::now();
    for _ in 0..10 {
        server.fail_accept(io::Error::other("too many open files"));
    }
    let mut pipe = server.connect();
    assert!(raw_get(&mut pipe, "/hello", 5).await.ends_with("hello"));
    // 5 ms, doubled eight times to 1280 ms but never above a second, and once more.
    assert_eq!(started.elapsed().as_millis(), 5 + 10 + 20 + 40 + 80 + 160 + 320 + 640 + 1000 + 1000);

    server.fail_accept(io::ErrorKind::ConnectionAborted.into());
    let started = Instant::now();
    let mut pipe = server.connect();
    assert!(raw_get(&mut pipe, "/hello", 5).await.ends_with("hello"));
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn an_early_answer_reaches_a_peer_that_is_still_sending() {
    let server = start(|server| server);
    let mut pipe = server.connect();
    let head = format!("POST /early HTTP/1.1\r\nhost: test\r\ncontent-length: {}\r\n\r\n", 1024 * 1024);
    pipe.write_all(head.as_bytes()).await.unwrap();
    let (mut reader, mut writer) = tokio::io::split(pipe);
    let upload = tokio::spawn(async move {
        let mut sent = 0;
        while sent < 512 * 1024 && writer.write_all(&[b'x'; 1024]).await.is_ok() {
            sent += 1024;
        }
        sent
    });
    let mut read = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(&mut reader, &mut read).await.unwrap();
    assert!(String::from_utf8_lossy(&read).ends_with("early"));
    assert_eq!(upload.await.unwrap(), 512 * 1024);
}

#[tokio::test(start_paused = true)]
async fn what_is_thrown_away_after_an_early_answer_is_bounded() {
    let server = start(|server| server);
    let mut pipe = server.connect();
    pipe.write_all(b"POST /early HTTP/1.1\r\nhost: test\r\ncontent-length: 1000000000\r\n\r\n")
        .await
        .unwrap();
    let mut sent = 0;
    while pipe.write_all(&[b'x'; 1024]).await.is_ok() {
        sent += 1024;
    }
    let limit = ServerLimits::default().linger_bytes_max;
    assert!((limit..limit + 8 * PIPE).contains(&sent), "{sent}");

    let mut pipe = server.connect();
    pipe.write_all(b"POST /early HTTP/1.1\r\nhost: test\r\ncontent-length: 1000000000\r\n\r\n")
        .await
        .unwrap();
    let started = Instant::now();
    let mut read = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(&mut pipe, &mut read).await.unwrap();
    assert!(String::from_utf8_lossy(&read).ends_with("early"));
    assert_eq!(started.elapsed(), Duration::ZERO);
    while server.handle.load().connections > 0 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(started.elapsed().as_secs(), ServerTimeouts::default().linger.as_secs());
}

#[tokio::test]
async fn an_answer_before_the_end_of_its_request_says_that_the_connection_closes() {
    for (path, sent, closes) in [
        ("/early", "transfer-encoding: chunked\r\n\r\n2\r\nhi\r\n", true),
        ("/early", "content-length: 3\r\n\r\nhi", true),
        ("/missing", "transfer-encoding: chunked\r\n\r\n", true),
        ("/fail", "transfer-encoding: chunked\r\n\r\n", true),
        ("/early", "content-length: 0\r\n\r\n", false),
        ("/read", "content-length: 2\r\n\r\nhi", false),
        ("/read", "transfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", false),
    ] {
        let server = start(|server| server);
        let mut pipe = server.connect();
        pipe.write_all(format!("POST {path} HTTP/1.1\r\nhost: test\r\n{sent}").as_bytes()).await.unwrap();
        let head = raw_head(&mut pipe).await;
        assert_eq!(head.contains("\r\nconnection: close\r\n"), closes, "{path} {sent:?}: {head}");
    }
}

#[tokio::test]
async fn sockets_that_someone_else_bound_are_served() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::on(listener);
    assert_eq!(server.local_address().unwrap(), Address::Tcp(address));
    let handle = server.handle();
    let serving = tokio::spawn(server.serve(Paths));
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let local = stream.local_addr().unwrap();
    stream.write_all(b"GET /peer HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut read = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut read).await.unwrap();
    assert!(read.ends_with(&format!("Socket({local}) certificates=0")), "{read}");
    handle.drain();
    serving.await.unwrap().unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn unix_sockets_are_served_and_a_dead_one_is_replaced() {
    let path = std::env::temp_dir().join(format!("ringwire-server-{}.sock", std::process::id()));
    for _ in 0..2 {
        // The first round leaves its socket behind.
        let server = Server::bind_unix(&path);
        assert_eq!(server.local_address().unwrap(), Address::Unix(Some(path.clone())));
        let handle = server.handle();
        let serving = tokio::spawn(server.serve(Paths));
        let mut stream = tokio::net::UnixStream::connect(&path).await.unwrap();
        stream.write_all(b"GET /hello HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut read = String::new();
        tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut read).await.unwrap();
        assert!(read.ends_with("hello"), "{read}");
        handle.drain();
        serving.await.unwrap().unwrap();
    }
    std::fs::remove_file(path).unwrap();
}

#[tokio::test]
async fn a_failure_to_bind_is_told_by_whoever_asks_first() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Server::bind(taken.local_addr().unwrap());
    let asked = server.local_address().unwrap_err();
    let served = server.serve(Paths).await.unwrap_err();
    for told in [asked, served] {
        let ServeError::Bind { address, error } = &told else { panic!("{told}") };
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        assert_eq!(*address, taken.local_addr().unwrap().to_string());
        assert!(told.to_string().contains("another program listens there"), "{told}");
        assert_eq!(format!("{told:?}"), told.to_string());
    }
    let elsewhere = Server::bind("192.0.2.1:1").local_address().unwrap_err();
    assert!(elsewhere.to_string().starts_with("cannot listen on 192.0.2.1:1: "), "{elsewhere}");
}
