//! Programs of others against the engine in a shell: h2spec, nghttp, h2load, curl, and haproxy in between.
//!
//! They are found by `H2SPEC` and on the path. Without one its tests say so and pass, unless `RINGWIRE_PEERS=required`.

mod haproxy;
mod shell;

use shell::with_server;
use std::io::ErrorKind;
use std::process::{Command, Output};

/// Runs a program; `None` after saying that it is missing.
fn run(program: &str, arguments: &[&str]) -> Option<Output> {
    match Command::new(program).args(arguments).output() {
        Ok(output) => Some(output),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            assert_ne!(std::env::var("RINGWIRE_PEERS").as_deref(), Ok("required"), "{program} is missing");
            println!("skipped: {program} is not on the path");
            None
        }
        Err(error) => panic!("{program}: {error}"),
    }
}

/// Runs a program that is to succeed; returns what it wrote.
fn succeed(program: &str, arguments: &[&str]) -> Option<String> {
    let output = run(program, arguments)?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {} {text}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(text)
}

fn curl(arguments: &[&str]) -> Option<String> {
    let common = ["-sS", "--fail", "--max-time", "60", "--http2-prior-knowledge"];
    succeed("curl", &[&common[..], arguments].concat())
}

#[test]
fn h2spec_passes_all_cases() {
    let (text, _) = with_server(|port| {
        let program = std::env::var("H2SPEC").unwrap_or_else(|_| "h2spec".into());
        // For a machine that does other things too; without that, no case takes a tenth of it.
        run(&program, &["--port", &port.to_string(), "--timeout", "10"])
            .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
    });
    let Some(text) = text else { return };
    assert!(text.contains("146 tests, 146 passed, 0 skipped, 0 failed"), "{text}");
}

#[test]
fn nghttp_is_answered() {
    let (texts, _) = with_server(|port| {
        let hello = format!("http://127.0.0.1:{port}/hello");
        let large = format!("http://127.0.0.1:{port}/bytes/3000000");
        Some([
            succeed("nghttp", &["-v", &hello])?,
            // Padded frames, and many requests at once.
            succeed("nghttp", &["-v", "-b", "200", "-m", "50", &hello])?,
            // Windows of 16,383 bytes.
            succeed("nghttp", &["-w", "14", "-W", "14", &large])?,
        ])
    });
    let Some([hello, padded, large]) = texts else { return };
    assert_eq!((hello.matches(":status: 200").count(), padded.matches(":status: 200").count()), (1, 50));
    assert_eq!(large.len(), 3_000_000);
}

#[test]
fn h2load_counts_no_failure() {
    let (text, _) = with_server(|port| {
        let url = format!("http://127.0.0.1:{port}/hello");
        succeed("h2load", &["-n", "20000", "-c", "8", "-m", "100", &url])
    });
    let Some(text) = text else { return };
    assert!(text.contains("20000 done, 20000 succeeded, 0 failed, 0 errored, 0 timeout"), "{text}");
}

/// curl 7.88 does not use a connection of prior knowledge twice, whoever serves; over TLS it does: `runtime/tls`.
#[test]
fn a_hundred_requests_share_a_connection() {
    let (text, connections) =
        with_server(|port| succeed("nghttp", &["-m", "100", &format!("http://127.0.0.1:{port}/hello")]));
    let Some(text) = text else { return };
    assert_eq!((text, connections), ("hello".repeat(100), 1));
}

#[test]
fn curl_uploads_and_downloads() {
    let (bytes, _) = with_server(|port| {
        let large = curl(&[&format!("http://127.0.0.1:{port}/bytes/30000000")])?.len();
        let echo = curl(&["-T", &body(), &format!("http://127.0.0.1:{port}/echo")])?.len();
        Some([large, echo])
    });
    let Some(bytes) = bytes else { return };
    assert_eq!(bytes, [30_000_000, BODY]);
}

/// A file of [`BODY`] bytes.
fn body() -> String {
    let folder = std::env::var_os("TEST_TMPDIR").map_or_else(std::env::temp_dir, Into::into);
    let file = folder.join(format!("ringwire-body-{}", std::process::id()));
    if !file.exists() {
        std::fs::write(&file, vec![b'u'; BODY]).expect("a folder for it");
    }
    file.display().to_string()
}

const BODY: usize = 8_000_000;
