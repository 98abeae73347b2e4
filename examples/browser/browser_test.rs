//! The server, and what its page does, in Node.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)] // A test's way to fail.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

#[test]
fn the_page_ticks() {
    let path = |name: &str| std::env::var(name).unwrap();
    let mut command = Command::new(path("SERVER"));
    let mut server = Stopped(command.arg(path("PAGE")).stdout(Stdio::piped()).spawn().unwrap());
    let mut said = String::new();
    BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut said).unwrap();
    let origin = said.trim().strip_prefix("listening on ").unwrap();

    let node = Command::new("node").args([&path("SCRIPT"), &path("PAGE"), origin]).output().unwrap();
    assert!(node.status.success(), "{}", String::from_utf8_lossy(&node.stderr));
    let said = String::from_utf8(node.stdout).unwrap();
    let error = "error: invalid_argument: there is some time between two ticks";
    assert_eq!(said, format!("page: true\nticks: 1, 2\n{error}\n"));

    // No call of the page is left that would keep it from ending.
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
