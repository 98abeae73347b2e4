//! curl over a socket: what a person types first.

use crate::shell::{Reply, serve};
use bytes::Bytes;
use ringwire_http::Head;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;

fn echo(head: &Head, body: Vec<u8>) -> Reply {
    let text = format!("{} {} {}\n", head.method(), head.target(), body.len());
    (200, vec![Bytes::from(text), Bytes::from(body)])
}

/// Runs `client` in a thread against a server on a free port.
fn with_server<T: Send + 'static>(client: impl FnOnce(SocketAddr) -> T + Send + 'static) -> (T, usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let mut client = tokio::task::spawn_blocking(move || client(address));
        let mut connections = 0;
        let local = tokio::task::LocalSet::new();
        local
            .run_until(async {
                loop {
                    tokio::select! {
                        accepted = listener.accept() => {
                            connections += 1;
                            let (socket, _) = accepted.expect("a connection");
                            tokio::task::spawn_local(serve(socket, echo));
                        }
                        done = &mut client => return (done.expect("the client passes"), connections),
                    }
                }
            })
            .await
    })
}

fn curl(arguments: &[&str]) -> Option<String> {
    let program = std::env::var_os("RINGWIRE_CURL").unwrap_or_else(|| "curl".into());
    let output = match Command::new(program).args(["-sS", "--max-time", "30"]).args(arguments).output() {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => panic!("curl: {error}"),
    };
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).expect("text"))
}

#[test]
fn curl_sends_a_hundred_requests_on_one_connection() {
    let (text, connections) = with_server(|address| curl(&[&format!("http://{address}/[1-100]")]));
    let Some(text) = text else { return };
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 100);
    assert!((1..=100).zip(&lines).all(|(number, line)| *line == format!("GET /{number} 0")), "{text}");
    assert_eq!(connections, 1);
}

#[test]
fn curl_sends_bodies_of_both_kinds_and_waits_for_100() {
    let body = "x".repeat(3000);
    let (texts, _) = with_server(move |address| {
        let base = format!("http://{address}/");
        [
            &["-d", "hello"][..],
            &["-d", &body],
            &["-d", &body, "-H", "transfer-encoding: chunked"],
            &["-0", "-d", "hello"],
            &["-d", &body, "-H", "expect: 100-continue"],
        ]
        .map(|arguments| curl(&[arguments, &[&base]].concat()))
    });
    for (text, len) in texts.into_iter().zip([5, 3000, 3000, 5, 3000]) {
        let Some(text) = text else { return };
        let (line, body) = text.split_once('\n').expect("a line and a body");
        assert_eq!((line, body.len()), (format!("POST / {len}").as_str(), len));
    }
}

#[test]
fn a_hundred_pipelined_requests_are_answered_in_order() {
    let (text, connections) = with_server(|address| {
        let mut socket = TcpStream::connect(address).expect("a server");
        let requests: String = (1..100).map(|n| format!("GET /{n} HTTP/1.1\r\nhost: a\r\n\r\n")).collect();
        socket.write_all(requests.as_bytes()).expect("room");
        socket.write_all(b"GET /100 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").expect("room");
        let mut text = String::new();
        socket.read_to_string(&mut text).expect("responses");
        text
    });
    let lines: Vec<_> = text.lines().filter(|line| line.starts_with("GET /")).collect();
    assert_eq!(lines.len(), 100);
    assert!((1..=100).zip(&lines).all(|(number, line)| *line == format!("GET /{number} 0")), "{text}");
    assert_eq!(connections, 1);
}
