//! Handlers, peers and a kernel that fail.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};

use super::*;

fn odd(driver: DriverChoice, configure: impl FnOnce(Server) -> Server) -> Running {
    start(driver, Router::new().add(Mounted::new(Odd)), |server| configure(server.shards(1).notices(|_| {})))
}

#[tokio::test]
async fn a_panic_ends_one_call() {
    for &driver in DRIVERS {
        let running = odd(driver, |server| server);
        let mut two = running.http2().await;
        for _ in 0..3 {
            let call = post("Panic", "application/grpc", full(envelope("")));
            assert_eq!(two.send_request(call).await.unwrap().headers()["grpc-status"], "13");
            let call = post("Say", "application/grpc", full(envelope("a")));
            assert_eq!(read(two.send_request(call).await.unwrap()).await.1["grpc-status"], "0");
        }
        drop(two);
        running.drain().await;
    }
}

#[tokio::test]
async fn a_handler_that_does_not_return_does_not_hold_up_the_end() {
    for &driver in DRIVERS {
        let running = odd(driver, |server| server.drain_timeout(Duration::from_millis(50)));
        let mut two = running.http2().await;
        let call = tokio::spawn(async move {
            two.send_request(post("Block", "application/grpc", full(envelope("5000")))).await
        });
        until(|| running.handle.load().requests == 1).await;
        let began = Instant::now();
        running.handle.drain();
        running.serving.await.unwrap().unwrap();
        let took = began.elapsed();
        assert!(took < Duration::from_secs(4), "{driver:?}: {took:?}");
        call.abort();
    }
}

const VICTIM: &str = "RINGWIRE_VICTIM";

#[tokio::test]
async fn clients_that_are_killed_within_a_body_leave_nothing() {
    if let Ok(address) = std::env::var(VICTIM) {
        let (address, version) = address.split_once(' ').unwrap();
        return send_half_a_body(address, version);
    }
    for &driver in DRIVERS {
        let running = start(driver, echo::router(), |server| server.shards(1));
        for (count, version) in ["1", "2"].into_iter().enumerate() {
            let mut client = Command::new(std::env::current_exe().unwrap())
                .args([
                    "--exact",
                    "faults::clients_that_are_killed_within_a_body_leave_nothing",
                    "--nocapture",
                ])
                .env(VICTIM, format!("{} {version}", running.address))
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut said = BufReader::new(client.stdout.take().unwrap()).lines();
            assert!(said.any(|line| line.unwrap().ends_with("half a body")), "the client sends");
            until(|| running.handle.load().requests == 1).await;
            client.kill().unwrap();
            client.wait().unwrap();
            until(|| running.handle.load().connections == 0).await;
            assert_eq!(running.handle.load().requests, 0);
            let canceled = running.handle.shards()[0].responses.failed(Code::Canceled);
            assert_eq!(canceled, count as u64 + 1, "{driver:?} HTTP/{version}");
        }
        running.drain().await;
    }
}

/// In the client, which is killed then.
fn send_half_a_body(address: &str, version: &str) {
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let bytes = match version {
        "1" => {
            b"POST /ringwire.peers.v1.Echo/Say HTTP/1.1\r\nhost: test\r\ncontent-type: application/proto\r\n\
                 content-length: 100\r\n\r\nhalf"
                .to_vec()
        }
        _ => {
            let mut block = vec![0x83, 0x86];
            for (name, value) in [
                (":path", "/ringwire.peers.v1.Echo/Say"),
                (":authority", "test"),
                ("content-type", "application/grpc"),
            ] {
                block.extend(
                    [&[0x40, name.len() as u8], name.as_bytes(), &[value.len() as u8], value.as_bytes()]
                        .concat(),
                );
            }
            let head = [&[0, 0, block.len() as u8, 1, 4, 0, 0, 0, 1], &block[..]].concat();
            [
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
                &head[..],
                b"\0\0\x05\0\0\0\0\0\x01\0\0\0\0\x64",
            ]
            .concat()
        }
    };
    stream.write_all(&bytes).unwrap();
    println!("half a body");
    // The server says nothing that ends this.
    let _ = stream.read_to_end(&mut Vec::new());
}

/// The shard is held while more arrives than it has buffers for, and more than its queue of completions takes.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn nothing_is_lost_when_buffers_run_out() {
    let running = odd(DriverChoice::Ring, |server| server);
    let mut block = running.http2().await;
    let mut clients = Vec::new();
    for _ in 0..100 {
        clients.push(running.http1().await);
    }
    until(|| running.handle.load().connections == 101).await;
    let blocking = tokio::spawn(async move {
        let call = post("Block", "application/grpc", full(envelope("500")));
        read(block.send_request(call).await.unwrap()).await
    });
    until(|| running.handle.load().requests == 1).await;
    let text = "x".repeat(100_000);
    let calls: Vec<_> = clients
        .into_iter()
        .map(|mut one| {
            let call = post("Say", "application/proto", full(message(&text)));
            tokio::spawn(async move { read(one.send_request(call).await.unwrap()).await.0 })
        })
        .collect();
    for call in calls {
        assert!(call.await.unwrap() == message(&text));
    }
    assert_eq!(blocking.await.unwrap().1["grpc-status"], "0");
    let shard = running.handle.shards()[0];
    assert!(shard.buffers_exhausted > 0, "{shard:?}");
    running.drain().await;
}
