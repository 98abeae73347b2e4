//! openssl and curl against the stage, with both versions of HTTP inside.
//!
//! They are found on the path. Without one its tests say so and pass, unless `RINGWIRE_PEERS=required`.

mod shell;

use ringwire_http::{Close, Output, SendQueue};
use ringwire_tls::rustls::crypto::{CryptoProvider, ring};
use ringwire_tls::rustls::pki_types::ServerName;
use ringwire_tls::{Certificates, TlsConnection, TlsEvent, TlsLimits, client_config, server_config};
use shell::Running;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output as Ran, Stdio};
use std::sync::Arc;
use std::time::Instant;

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn server(authorities: Option<&[u8]>) -> Running {
    let certificates = Certificates::from_pem(
        include_bytes!("../certificates/server.pem"),
        include_bytes!("../certificates/server.key"),
        provider(),
    );
    let certificates = Arc::new(certificates.expect("a certificate and its key"));
    Running::start(server_config(provider(), certificates, authorities).expect("a configuration that fits"))
}

/// The place of a certificate or key.
fn file(name: &str) -> String {
    let below_root = format!("runtime/tls/tests/certificates/{name}");
    let below_package = format!("tests/certificates/{name}");
    if std::path::Path::new(&below_root).exists() { below_root } else { below_package }
}

/// Runs a program with this input; `None` after saying that it is missing.
fn run(program: &str, arguments: &[&str], input: &[u8]) -> Option<Ran> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    match command.spawn() {
        Ok(mut child) => {
            child.stdin.take().expect("a pipe").write_all(input).expect("it reads");
            Some(child.wait_with_output().expect("it ends"))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            assert_ne!(std::env::var("RINGWIRE_PEERS").as_deref(), Ok("required"), "{program} is missing");
            println!("skipped: {program} is not on the path");
            None
        }
        Err(error) => panic!("{program}: {error}"),
    }
}

fn curl(port: u16, arguments: &[&str]) -> Option<Ran> {
    let url = format!("https://localhost:{port}/[1-100]");
    let authority = file("ca.pem");
    let common = ["-sS", "--fail", "--max-time", "60", "--cacert", &authority, &url];
    run("curl", &[&common[..], arguments].concat(), b"")
}

#[test]
fn curl_sends_a_hundred_requests_on_one_connection() {
    for version in ["--http2", "--http1.1"] {
        let server = server(None);
        let Some(ran) = curl(server.port, &[version, "-w", "%{http_version} "]) else { return };
        let text = String::from_utf8_lossy(&ran.stdout).into_owned();
        let each = if version == "--http2" { "hello2 " } else { "hello1.1 " };
        assert_eq!(text, each.repeat(100), "{}", String::from_utf8_lossy(&ran.stderr));
        assert_eq!(server.connections(), 1, "{version}");
    }
}

#[test]
fn curl_shows_its_certificate_or_is_refused() {
    let server = server(Some(include_bytes!("../certificates/ca.pem")));
    let (chain, key) = (file("client.pem"), file("client.key"));
    let Some(ran) = curl(server.port, &["--cert", &chain, "--key", &key]) else { return };
    assert_eq!(String::from_utf8_lossy(&ran.stdout), "hello".repeat(100));
    let (chain, key) = (file("stranger.pem"), file("stranger.key"));
    for arguments in [&[][..], &["--cert", &chain, "--key", &key]] {
        let ran = curl(server.port, arguments).expect("it was there before");
        assert!(!ran.status.success() && ran.stdout.is_empty(), "{arguments:?}");
    }
}

/// A request over `openssl s_client`; returns what it says.
fn s_client(port: u16, arguments: &[&str]) -> Option<String> {
    let (address, authority) = (format!("127.0.0.1:{port}"), file("ca.pem"));
    let common = ["s_client", "-connect", &address, "-servername", "localhost", "-CAfile", &authority];
    let checks = ["-verify_return_error", "-verify_hostname", "localhost", "-ign_eof"];
    let request = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let ran = run("openssl", &[&common[..], &checks, arguments].concat(), request)?;
    let text = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
    assert!(ran.status.success(), "{arguments:?}: {text}");
    Some(text)
}

#[test]
fn openssl_agrees_on_versions_and_protocols() {
    let server = server(None);
    for (argument, version) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
        let Some(text) = s_client(server.port, &[argument, "-alpn", "http/1.1"]) else { return };
        assert!(text.contains(&format!("New, {version}")), "{text}");
        assert!(text.contains("ALPN protocol: http/1.1") && text.contains("hello"), "{text}");
        assert!(text.contains("Verify return code: 0 (ok)"), "{text}");
    }
}

#[test]
fn openssl_resumes_its_session() {
    let server = server(None);
    for argument in ["-tls1_2", "-tls1_3"] {
        let folder = std::env::var_os("TEST_TMPDIR").map_or_else(std::env::temp_dir, Into::into);
        let session = folder.join(format!("ringwire-session{argument}-{}", std::process::id()));
        let session = session.display().to_string();
        let Some(first) = s_client(server.port, &[argument, "-sess_out", &session]) else { return };
        let again = s_client(server.port, &[argument, "-sess_in", &session]).expect("it was there before");
        std::fs::remove_file(&session).expect("openssl has written it");
        assert!(first.contains("New, TLSv") && again.contains("Reused, TLSv"), "{argument}: {again}");
    }
}

/// Our client's side against `openssl s_server`.
#[test]
fn openssl_serves_our_client() {
    for version in ["-tls1_2", "-tls1_3"] {
        let Some(text) = ask_s_server(version) else { return };
        assert!(text.starts_with("HTTP/1.0 200 ok") && text.contains("s_server"), "{text}");
    }
}

fn ask_s_server(version: &str) -> Option<String> {
    run("openssl", &["version"], b"")?;
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = free.local_addr().expect("a bound socket has an address").port();
    drop(free);
    let (chain, key) = (file("server.pem"), file("server.key"));
    let mut command = Command::new("openssl");
    command.args(["s_server", "-accept", &port.to_string(), "-cert", &chain, "-key", &key, "-www", version]);
    let mut process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("openssl runs");
    let mut socket = loop {
        if let Ok(socket) = TcpStream::connect(("127.0.0.1", port)) {
            break socket;
        }
        assert!(process.try_wait().expect("a process").is_none(), "s_server ended");
        std::thread::yield_now();
    };
    let config = client_config(provider(), include_bytes!("../certificates/ca.pem"), None);
    let config = Arc::new(config.expect("a configuration that fits"));
    let name = ServerName::try_from("localhost").expect("a name");
    let now = Instant::now();
    let mut tls = TlsConnection::client(config, name, TlsLimits::default(), now).expect("a client");
    let (mut out, mut request) = (SendQueue::new(), Some(&b"GET / HTTP/1.0\r\n\r\n"[..]));
    let (mut received, mut ended, mut buffer) = (Vec::new(), false, [0; 4096]);
    while !ended {
        let output = Output { deadline: None, read: true, close: Close::No };
        tls.poll_output(now, &mut out, |plain| {
            plain.buffer().extend_from_slice(request.take().unwrap_or_default());
            output
        });
        let sent: Vec<u8> = out.chunks().flatten().copied().collect();
        socket.write_all(&sent).expect("it reads");
        out.advance(sent.len());
        match socket.read(&mut buffer) {
            Ok(len) if len > 0 => tls.handle_input(now, buffer[..len].to_vec().into()),
            Ok(_) | Err(_) => tls.handle_end(now),
        }
        while let Some(event) = tls.poll_event() {
            match event {
                TlsEvent::Established(session) => assert_eq!(session.alpn, None),
                TlsEvent::Data(data) => received.extend_from_slice(&data),
                TlsEvent::End | TlsEvent::Truncated => ended = true,
                TlsEvent::Failed(fault) => panic!("{fault:?}"),
            }
        }
    }
    process.kill().expect("it runs");
    process.wait().expect("it ends");
    Some(String::from_utf8_lossy(&received).into_owned())
}
