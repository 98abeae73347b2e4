//! haproxy between clients and the engine: two connections, each with its own windows.

use crate::shell::with_server;
use crate::{BODY, body, curl, run, succeed};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// haproxy in front of a server, for as long as it lives.
struct Haproxy {
    process: Child,
    file: PathBuf,
    port: u16,
}

impl Haproxy {
    /// Starts it; `None` after saying that it is missing.
    fn start(server: u16) -> Option<Self> {
        // Debian has it where the path of a test does not look.
        let there = std::path::Path::new("/usr/sbin/haproxy");
        let program = if there.exists() { "/usr/sbin/haproxy" } else { "haproxy" };
        run(program, &["-v"])?;
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("a bound socket has an address").port();
        drop(free);
        let configuration = format!(
            "global\n maxconn 200\n\
             defaults\n mode http\n timeout connect 5s\n timeout client 60s\n timeout server 60s\n\
             listen ringwire\n bind 127.0.0.1:{port} proto h2\n server ringwire 127.0.0.1:{server} proto h2\n"
        );
        let folder = std::env::var_os("TEST_TMPDIR").map_or_else(std::env::temp_dir, PathBuf::from);
        let file = folder.join(format!("ringwire-haproxy-{}-{port}", std::process::id()));
        std::fs::write(&file, configuration).expect("a folder for it");
        let process = Command::new(program).arg("-q").arg("-f").arg(&file).spawn().expect("haproxy starts");
        let mut haproxy = Self { process, file, port };
        let end = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(haproxy.process.try_wait().expect("a process").is_none(), "haproxy ended");
            assert!(Instant::now() < end, "haproxy does not listen");
            std::thread::yield_now();
        }
        Some(haproxy)
    }
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_file(&self.file);
    }
}

/// Runs a client with the port of a haproxy in front of the engine.
fn behind_haproxy<T: Send + 'static>(client: impl FnOnce(u16) -> Option<T> + Send + 'static) -> Option<T> {
    with_server(|server| {
        let haproxy = Haproxy::start(server)?;
        client(haproxy.port)
    })
    .0
}

#[test]
fn bodies_larger_than_any_window_pass_both_ways() {
    let bytes = behind_haproxy(|port| {
        let large = curl(&[&format!("http://127.0.0.1:{port}/bytes/30000000")])?.len();
        let echo = curl(&["-T", &body(), &format!("http://127.0.0.1:{port}/echo")])?.len();
        let sent = curl(&["--data-binary", &format!("@{}", body()), &format!("http://127.0.0.1:{port}/")])?;
        Some((large, echo, sent))
    });
    let Some(bytes) = bytes else { return };
    assert_eq!(bytes, (30_000_000, BODY, "hello".to_owned()));
}

#[test]
fn a_slow_reader_does_not_hold_the_others_up() {
    let slow_and_quick = behind_haproxy(|port| {
        let slow = std::thread::spawn(move || {
            curl(&["--limit-rate", "4M", &format!("http://127.0.0.1:{port}/bytes/8000000")])
        });
        let begun = Instant::now();
        let quick = succeed("nghttp", &["-m", "50", &format!("http://127.0.0.1:{port}/hello")])?;
        let took = begun.elapsed();
        let is_slow_running = !slow.is_finished();
        Some((slow.join().expect("curl runs")?.len(), quick, is_slow_running, took))
    });
    let Some((slow, quick, is_slow_running, took)) = slow_and_quick else { return };
    assert_eq!((slow, quick), (8_000_000, "hello".repeat(50)));
    assert!(is_slow_running, "the quick ones took {took:?}");
}

#[test]
fn a_load_of_streams_counts_no_failure() {
    let text = behind_haproxy(|port| {
        let url = format!("http://127.0.0.1:{port}/hello");
        succeed("h2load", &["-n", "10000", "-c", "8", "-m", "50", &url])
    });
    let Some(text) = text else { return };
    assert!(text.contains("10000 done, 10000 succeeded, 0 failed, 0 errored, 0 timeout"), "{text}");
}
