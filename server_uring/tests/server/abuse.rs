//! Peers that send much of what costs them little.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

use crate::support::*;

/// Sends `frames` over and over until the server closes; it must do so within this many rounds, and with a GOAWAY.
async fn check(frames: impl Fn(u32) -> Vec<u8>, rounds_max: u32) {
    let server = start(|server| server);
    let (mut reader, mut writer) = tokio::io::split(server.connect());
    let reading = tokio::spawn(async move {
        let mut read = Vec::new();
        let _ = reader.read_to_end(&mut read).await;
        read
    });
    let mut preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    preface.extend(frame(4, 0, 0, &[]));
    writer.write_all(&preface).await.unwrap();
    let mut rounds = 0;
    while rounds < rounds_max && writer.write_all(&frames(rounds)).await.is_ok() {
        rounds += 1;
        tokio::task::yield_now().await;
    }
    // What was under way when it closed may have been taken.
    let read =
        tokio::time::timeout(Duration::from_secs(2), reading).await.expect("the server closes").unwrap();
    assert!(goaway(&read), "{} bytes without GOAWAY", read.len());
    drop(writer);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let load = server.handle.load();
    assert_eq!((load.connections, load.requests), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn requests_that_are_reset_at_once() {
    let server = start(|server| server);
    let mut rounds = 0;
    let (mut reader, mut writer) = tokio::io::split(server.connect());
    let told = Arc::new(AtomicBool::new(false));
    let tell = told.clone();
    tokio::spawn(async move {
        let mut read = Vec::new();
        while reader.read_buf(&mut read).await.is_ok_and(|len| len > 0) {
            tell.fetch_or(goaway(&read), Ordering::Relaxed);
        }
    });
    writer
        .write_all(&[&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(4, 0, 0, &[])].concat())
        .await
        .unwrap();
    // Each is being served before it is reset.
    while !told.load(Ordering::Relaxed) && writer.write_all(&headers(rounds, END_HEADERS)).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(1)).await;
        let _ = writer.write_all(&frame(3, 0, 2 * rounds + 1, &[0, 0, 0, 8])).await;
        tokio::time::sleep(Duration::from_millis(1)).await;
        rounds += 1;
    }
    // 100 at once, and one more every 20 ms.
    assert!((100..=120).contains(&rounds), "{rounds}");
    drop(writer);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!((server.handle.load().connections, server.handle.load().requests), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn requests_of_which_half_are_reset_are_served() {
    let server = start(|server| server);
    let mut client = server.http2().await;
    for _ in 0..1100 {
        let mut other = client.clone();
        let reset = tokio::spawn(async move { other.send_request(get("/sleep/10")).await });
        tokio::time::sleep(Duration::from_millis(1)).await;
        reset.abort();
        assert_eq!(text(client.send_request(get("/hello")).await.unwrap()).await, "hello");
    }
}

#[tokio::test(start_paused = true)]
async fn requests_that_are_reset_before_they_are_served() {
    let both = |round| [headers(round, END_HEADERS), frame(3, 0, 2 * round + 1, &[0, 0, 0, 8])].concat();
    check(|round| (0..50).flat_map(|n| both(50 * round + n)).collect(), 50).await;
}

#[tokio::test(start_paused = true)]
async fn requests_that_make_the_server_reset_them() {
    // A window update of nothing is an error of its stream.
    check(|round| [headers(round, END_HEADERS), frame(8, 0, 2 * round + 1, &[0; 4])].concat(), 5000).await;
}

#[tokio::test(start_paused = true)]
async fn a_header_block_that_goes_on_and_on() {
    check(|round| if round == 0 { headers(0, 0) } else { frame(9, 0, 1, &[]) }, 5000).await;
}

#[tokio::test(start_paused = true)]
async fn a_header_list_that_unpacks_to_more_than_the_limit() {
    // One entry of 4000 bytes goes into the table, and is then named by one byte each time.
    let mut block = b"\x82\x86\x84\x41\x01t\x40\x01a\x7f\xa1\x1e".to_vec();
    block.extend([b'x'; 4000]);
    block.extend([0xbe; 8000]);
    check(move |round| frame(1, END_HEADERS | END_STREAM, 2 * round + 1, &block), 50).await;
}

#[tokio::test(start_paused = true)]
async fn empty_data() {
    check(|round| if round == 0 { headers(0, END_HEADERS) } else { frame(0, 0, 1, &[]) }, 5000).await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_is_gone_as_its_request_begins_leaves_nothing_behind() {
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let asked = [&preface[..], &frame(4, 0, 0, &[]), &headers(0, END_HEADERS | END_STREAM)].concat();
    let server = ringwire_server::Server::on(One(Some(Leaving { asked, pauses: 1 })));
    let handle = server.handle();
    let serving = tokio::spawn(server.serve(Paths));
    tokio::time::sleep(Duration::from_millis(1)).await;
    let load = handle.load();
    assert_eq!((load.connections, load.requests, load.requests_accepted), (0, 0, 1));
    serving.abort();
}

/// A peer that says all it has to say, and is gone when it is listened to again.
struct Leaving {
    asked: Vec<u8>,
    pauses: u32,
}

impl AsyncRead for Leaving {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.asked.is_empty() && self.pauses > 0 {
            self.pauses -= 1;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let len = self.asked.len().min(buf.remaining());
        buf.put_slice(&self.asked[..len]);
        self.asked.drain(..len);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Leaving {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// The head of a request for `/sleep/1`, the body to follow.
fn headers(round: u32, flags: u8) -> Vec<u8> {
    frame(1, flags, 2 * round + 1, b"\x83\x86\x04\x08/sleep/1\x41\x01t")
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&len[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

fn goaway(mut read: &[u8]) -> bool {
    while let [a, b, c, kind, ..] = *read {
        if kind == 7 {
            return true;
        }
        let len = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
        read = &read[(9 + len).min(read.len())..];
    }
    false
}

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
