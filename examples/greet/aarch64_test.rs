//! The server, built on this machine for aarch64, and run by an emulator of it.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)] // A test's way to fail.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// `e_machine` of an ELF file that is for aarch64.
const AARCH64: u16 = 183;

#[test]
fn the_server_greets_from_an_emulated_machine() {
    let program = std::env::var("SERVER").unwrap();
    assert_eq!(machine_of(&fs::read(&program).unwrap()), AARCH64);

    // Its C library is the one that it was linked against.
    let mut emulator = Command::new("qemu-aarch64");
    emulator.args(["-L", "/usr/aarch64-linux-gnu", &program]).stdout(Stdio::piped());
    let mut server = Stopped(emulator.spawn().unwrap());
    let mut said = String::new();
    BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut said).unwrap();
    let address = said.trim().strip_prefix("listening on ").unwrap();

    let greeting = curl(&["--json", r#"{"name":"Ada"}"#, &format!("{address}/greet.v1.Greet/Greet")]);
    assert_eq!(greeting, r#"{"greeting":"Hello, Ada!"}"#);
    let url = format!("{address}/greet.v1.Greet/Greet?encoding=json&message=%7B%22name%22%3A%22Bo%22%7D");
    assert_eq!(curl(&["--http2-prior-knowledge", &url]), r#"{"greeting":"Hello, Bo!"}"#);

    let told = Command::new("kill").arg(server.0.id().to_string()).status().unwrap();
    assert!(told.success());
    assert_eq!(server.0.wait().unwrap().code(), Some(0));
}

fn machine_of(elf: &[u8]) -> u16 {
    assert_eq!(elf[..6], *b"\x7fELF\x02\x01", "64 bits, little-endian");
    u16::from_le_bytes([elf[18], elf[19]])
}

fn curl(arguments: &[&str]) -> String {
    let output = Command::new("curl").args(["-sS", "--max-time", "60"]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A program that does not outlive the test, whatever becomes of that.
struct Stopped(Child);

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = self.0.kill();
    }
}
