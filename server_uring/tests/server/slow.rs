//! Peers that begin and do not go on: each is closed by a timer, at its time and not before.

use std::time::Duration;

use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use crate::support::*;
use ringwire_server::{ServerLimits, ServerTimeouts};

/// Sends the bytes, then nothing; checks after how many seconds the server closes.
async fn check(bytes: &[u8], closed_after_secs: u64) {
    // Otherwise an unanswered PING would be first.
    let deadlines = ServerTimeouts { keepalive: None, ..ServerTimeouts::default() };
    let server = start(|server| server.timeouts(deadlines));
    let mut pipe = server.connect();
    pipe.write_all(bytes).await.unwrap();
    let (_, after) = read_to_close(&mut pipe).await;
    assert_eq!(after.as_secs(), closed_after_secs, "{after:?} after {:?}", String::from_utf8_lossy(bytes));
    drop(pipe);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(server.handle.load().connections, 0);
}

#[tokio::test(start_paused = true)]
async fn silence() {
    check(b"", 10).await;
}

#[tokio::test(start_paused = true)]
async fn a_partial_preface() {
    for cut in [1, 3, 14, 23] {
        check(&PREFACE[..cut], 10).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_preface_without_settings() {
    check(PREFACE, 10).await;
    check(&[PREFACE, &frame(6, 4, 0, 0)[..14]].concat(), 10).await;
}

#[tokio::test(start_paused = true)]
async fn a_partial_http1_head() {
    for head in ["G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nhost: test\r\n"] {
        check(head.as_bytes(), 10).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_comes_byte_by_byte() {
    let server = start(|server| server);
    let mut pipe = server.connect();
    raw_get(&mut pipe, "/hello", 5).await;
    tokio::time::sleep(Duration::from_secs(100)).await;
    let started = Instant::now();
    while pipe.write_all(b"G").await.is_ok() {
        tokio::time::sleep(Duration::from_millis(900)).await;
    }
    assert!((10..12).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_http2_connection_without_requests_is_idle() {
    // It is told to go after 300 s, and does not answer.
    check(&[PREFACE, &frame(0, 4, 0, 0), &frame(0, 4, 1, 0)].concat(), 305).await;
}

#[tokio::test(start_paused = true)]
async fn settings_without_an_acknowledgement() {
    check(&[PREFACE, &frame(0, 4, 0, 0)].concat(), 10).await;
}

#[tokio::test(start_paused = true)]
async fn an_http2_header_block_without_end() {
    check(&[PREFACE, &frame(0, 4, 0, 0), &frame(5, 1, 1, 1)].concat(), 10).await;
    let continued = [PREFACE, &frame(0, 4, 0, 0), &frame(5, 1, 1, 1), &frame(5, 9, 0, 1)].concat();
    check(&continued, 10).await;
}

#[tokio::test(start_paused = true)]
async fn an_http2_header_block_that_comes_byte_by_byte() {
    let server = start(|server| server);
    let mut pipe = server.connect();
    pipe.write_all(&[PREFACE, &frame(0, 4, 0, 0), &frame(5, 1, 1, 1)].concat()).await.unwrap();
    let started = Instant::now();
    while pipe.write_all(&frame(1, 9, 0, 1)).await.is_ok() {
        tokio::time::sleep(Duration::from_secs(3)).await;
    }
    assert!((10..13).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_http2_frame_without_end() {
    check(&[PREFACE, &frame(0, 4, 0, 0), &frame(8, 6, 0, 0)[..12]].concat(), 10).await;
    check(&[PREFACE, &frame(0, 4, 0, 0), &frame(8, 6, 0, 0)[..4]].concat(), 10).await;
}

#[tokio::test(start_paused = true)]
async fn an_idle_http1_connection_is_closed_exactly_when_due() {
    let server = start(|server| server);
    let mut pipe = server.connect();
    raw_get(&mut pipe, "/hello", 5).await;
    tokio::time::sleep(Duration::from_secs(299)).await;
    raw_get(&mut pipe, "/sleep/400", 5).await;
    let (read, after) = read_to_close(&mut pipe).await;
    assert!(read.is_empty());
    assert_eq!(after.as_secs(), 300);
}

#[tokio::test(start_paused = true)]
async fn an_idle_http2_connection_is_told_to_go() {
    let server = start(|server| server);
    let (mut client, end) = server.http2_with(|_| {}).await;
    let started = Instant::now();
    text(client.send_request(get("/sleep/1000")).await.unwrap()).await;
    end.await.unwrap().unwrap();
    assert_eq!(started.elapsed().as_secs(), 1300);
}

#[tokio::test(start_paused = true)]
async fn an_old_connection_goes_within_ten_per_cent_of_its_age() {
    let deadlines = ServerTimeouts { age: Some(Duration::from_secs(100)), ..ServerTimeouts::default() };
    let server = start(|server| server.timeouts(deadlines));
    let (mut client, end) = server.http2_with(|_| {}).await;
    let started = Instant::now();
    // In flight when the time comes, and finished nevertheless.
    assert_eq!(text(client.send_request(get("/sleep/115")).await.unwrap()).await, "slept");
    assert!(!client.is_ready());
    end.await.unwrap().unwrap();
    assert!((115..120).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());

    let mut pipe = server.connect();
    raw_get(&mut pipe, "/hello", 5).await;
    let (_, after) = read_to_close(&mut pipe).await;
    assert!((90..=110).contains(&after.as_secs()), "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn an_old_connection_is_cut_after_its_grace() {
    let deadlines = ServerTimeouts { age: Some(Duration::from_secs(100)), ..ServerTimeouts::default() };
    let server = start(|server| server.timeouts(deadlines));
    let mut client = server.http2().await;
    let started = Instant::now();
    client.send_request(get("/sleep/200")).await.unwrap_err();
    assert!((120..=140).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_used_up_connection_is_told_to_go() {
    let limits = ServerLimits { requests_per_connection_max: Some(3), ..ServerLimits::default() };
    let server = start(|server| server.limits(limits));
    let (mut client, end) = server.http2_with(|_| {}).await;
    for _ in 0..3 {
        assert_eq!(text(client.send_request(get("/hello")).await.unwrap()).await, "hello");
    }
    end.await.unwrap().unwrap();
    let mut pipe = server.connect();
    for _ in 0..2 {
        assert!(!raw_get(&mut pipe, "/hello", 5).await.contains("connection: close"));
    }
    raw_get(&mut pipe, "/hello", 5).await;
    let (read, after) = read_to_close(&mut pipe).await;
    assert_eq!((read.len(), after), (0, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn an_http2_peer_without_window_loses_its_stream_and_keeps_its_connection() {
    let server = start(|server| server);
    let (mut client, _end) = server
        .http2_with(|builder| {
            builder.initial_stream_window_size(0);
        })
        .await;
    let mut response = client.send_request(get("/flood/10")).await.unwrap();
    let started = Instant::now();
    let error = response.frame().await.unwrap().unwrap_err();
    assert_eq!(started.elapsed().as_secs(), 60, "{error}");
    assert_eq!(server.handle.load().requests, 0);
    assert_eq!(server.handle.load().connections, 1);
    let response = client.send_request(get("/nothing")).await.unwrap();
    assert_eq!(response.status(), 404);
}

#[tokio::test(start_paused = true)]
async fn the_last_chunk_of_a_response_is_not_given_away_whole_for_a_small_window() {
    let server = start(|server| server);
    let (mut client, _end) = server
        .http2_with(|builder| {
            builder.initial_stream_window_size(20_000);
        })
        .await;
    let _response = client.send_request(get("/flood/1")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(59)).await;
    assert_eq!(server.handle.load().requests, 1);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(server.handle.load().requests, 0);
}

#[tokio::test(start_paused = true)]
async fn an_http2_peer_that_stops_reading_loses_its_stream() {
    let server = start(|server| server);
    let (mut client, _end) = server
        .http2_with(|builder| {
            builder.initial_stream_window_size(100_000);
        })
        .await;
    let mut response = client.send_request(get("/flood/100")).await.unwrap();
    // Reads a little every half minute at first: that is slow, and allowed.
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_secs(30)).await;
        for _ in 0..5 {
            response.frame().await.unwrap().unwrap();
        }
    }
    assert_eq!(server.handle.load().requests, 1);
    tokio::time::sleep(Duration::from_secs(70)).await;
    assert_eq!(server.handle.load().requests, 0);
    assert_eq!(server.handle.load().connections, 1);
}

#[tokio::test(start_paused = true)]
async fn a_slow_handler_is_not_a_stalled_peer() {
    let server = start(|server| server);
    let mut client = server.http2().await;
    let (feed, body) = channel();
    let mut answer = client.send_request(post("/echo", body)).await.unwrap().into_body();
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_secs(200)).await;
        feed.send("x".into()).await.unwrap();
        assert_eq!(answer.frame().await.unwrap().unwrap().into_data().unwrap(), "x");
    }
}

#[tokio::test(start_paused = true)]
async fn an_http1_peer_that_stops_reading_loses_its_connection() {
    let server = start(|server| server);
    let mut pipe = server.connect();
    pipe.write_all(b"GET /flood/100 HTTP/1.1\r\nhost: test\r\n\r\n").await.unwrap();
    let mut buffer = [0; PIPE];
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_secs(59)).await;
        pipe.read_exact(&mut buffer).await.unwrap();
    }
    assert_eq!(server.handle.load().connections, 1);
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(server.handle.load().connections, 0);
}

#[tokio::test(start_paused = true)]
async fn an_http2_peer_that_blocks_the_socket_loses_its_connection() {
    let deadlines = ServerTimeouts { keepalive: None, ..ServerTimeouts::default() };
    let server = start(|server| server.timeouts(deadlines));
    let mut pipe = server.connect();
    // A window as large as can be, and a request: `:method: GET`, `:scheme: http`, `:path: /flood/100`, `:authority: t`.
    let mut path = b"\x82\x86\x04\x0a/flood/100\x41\x01t".to_vec();
    let mut bytes = [PREFACE, &[0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0x7f, 0xff, 0xff, 0xff]].concat();
    bytes.extend(frame(0, 4, 1, 0));
    bytes.extend([0, 0, 4, 8, 0, 0, 0, 0, 0, 0x7f, 0, 0, 0]);
    bytes.extend([0, 0, path.len() as u8, 1, 5, 0, 0, 0, 1]);
    bytes.append(&mut path);
    pipe.write_all(&bytes).await.unwrap();
    tokio::time::sleep(Duration::from_secs(59)).await;
    assert_eq!(server.handle.load().requests, 1);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(server.handle.load().requests, 0);
    assert_eq!(server.handle.load().connections, 0);
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_stops_fails_its_request_body() {
    let server = start(|server| server);
    let mut pipe = server.connect();
    let started = Instant::now();
    pipe.write_all(b"POST /read HTTP/1.1\r\nhost: test\r\ncontent-length: 10\r\n\r\nxx").await.unwrap();
    let (read, _) = read_to_close(&mut pipe).await;
    assert!(String::from_utf8_lossy(&read).ends_with("sent nothing of its request for 60s"));
    assert!((60..=65).contains(&started.elapsed().as_secs()));
}

#[tokio::test(start_paused = true)]
async fn a_conversation_may_be_silent() {
    let server = start(|server| server);
    let mut client = server.http2().await;
    let (feed, body) = channel();
    let call =
        tokio::spawn(async move { text(client.send_request(post("/read", body)).await.unwrap()).await });
    feed.send("xxx".into()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1000)).await;
    drop(feed);
    assert_eq!(call.await.unwrap(), "3 bytes");
}

#[tokio::test(start_paused = true)]
async fn an_http2_peer_that_answers_no_ping_is_gone() {
    let server = start(|server| server);
    let mut pipe = server.connect();
    pipe.write_all(&[PREFACE, &frame(0, 4, 0, 0), &frame(0, 4, 1, 0)].concat()).await.unwrap();
    let mut path = b"\x82\x86\x04\x0a/sleep/900\x41\x01t".to_vec();
    let mut bytes = vec![0, 0, path.len() as u8, 1, 5, 0, 0, 0, 1];
    bytes.append(&mut path);
    pipe.write_all(&bytes).await.unwrap();
    let (_, after) = read_to_close(&mut pipe).await;
    // A PING after 60 s of silence, 20 s for its answer.
    assert_eq!(after.as_secs(), 80);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(server.handle.load().requests, 0);
}

fn frame(len: u8, kind: u8, flags: u8, stream: u8) -> Vec<u8> {
    let mut frame = vec![0, 0, len, kind, flags, 0, 0, 0, stream];
    frame.resize(9 + usize::from(len), 0);
    frame
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
