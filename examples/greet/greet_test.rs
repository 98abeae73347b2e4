//! Server and client as a user meets them: programs, and a connection between them.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)] // A test's way to fail.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};

#[test]
fn the_server_greets_anybody_and_stops_when_told() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
    let mut server = Stopped(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut said = String::new();
    BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut said).unwrap();
    let address = said.trim().strip_prefix("listening on http://").unwrap();

    let called = client(&[&format!("http://{address}"), "Ada", "how are you", "bye"]);
    assert_eq!(String::from_utf8_lossy(&called.stdout), "Hello, Ada!\nHOW ARE YOU\nBYE\n", "{called:?}");
    assert!(called.status.success());
    let refused = client(&[&format!("http://{address}"), ""]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("a greeting needs a name"), "{refused:?}");

    // Without a client of ours, too.
    check(address, r#"{"name":"Ada"}"#, "HTTP/1.1 200 OK\r\n", r#"{"greeting":"Hello, Ada!"}"#);
    let refused = r#"{"code":"invalid_argument","message":"a greeting needs a name"}"#;
    check(address, "{}", "HTTP/1.1 400 Bad Request\r\n", refused);

    let told = Command::new("kill").arg(server.0.id().to_string()).status().unwrap();
    assert!(told.success());
    assert_eq!(server.0.wait().unwrap().code(), Some(0));
}

/// A program that does not outlive the test, whatever becomes of that.
struct Stopped(Child);

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = self.0.kill();
    }
}

fn client(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_client")).args(arguments).output().unwrap()
}

fn check(address: &str, request: &str, status: &str, body: &str) {
    let mut connection = TcpStream::connect(address).unwrap();
    write!(
        connection,
        "POST /greet.v1.Greet/Greet HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{request}",
        request.len()
    )
    .unwrap();
    let mut response = String::new();
    connection.read_to_string(&mut response).unwrap();
    assert!(response.starts_with(status) && response.ends_with(&format!("\r\n\r\n{body}")), "{response}");
}
