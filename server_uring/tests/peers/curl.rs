//! curl: what a person types first.

use std::path::PathBuf;
use std::process::Command;

use crate::programs::find;
use crate::running::{Certificate, DRIVERS, Running, identity};

struct Curl {
    program: PathBuf,
    server: Running,
    base: String,
    always: Vec<String>,
}

/// What curl printed: the status line and header fields, lower-case, and the body.
#[derive(Debug)]
struct Reply {
    status: String,
    head: String,
    body: String,
}

impl Curl {
    fn new(server: Running, base: &str, always: &[&str]) -> Option<Self> {
        let program = find("RINGWIRE_CURL", "curl")?;
        let base = format!("{base}:{}", server.port);
        Some(Self {
            program,
            server,
            base,
            always: always.iter().map(|&argument| argument.to_owned()).collect(),
        })
    }

    fn call(&self, path: &str, arguments: &[&str]) -> Reply {
        let output = Command::new(&self.program)
            .args(["--silent", "--show-error", "--include", "--max-time", "20"])
            .args(&self.always)
            .args(arguments)
            .arg(format!("{}{path}", self.base))
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let (status, head) = head.split_once("\r\n").unwrap();
        Reply { status: status.trim().to_owned(), head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    fn post(&self, method: &str, body: &str, rest: &[&str]) -> Reply {
        let arguments = [&["-H", "content-type: application/json", "--data-binary", body], rest].concat();
        self.call(&format!("/ringwire.peers.v1.Echo/{method}"), &arguments)
    }
}

/// What every way to connect must give.
fn check(curl: Option<Curl>, version: &str) {
    let Some(curl) = curl else { return };
    let reply = curl.post("Say", "\"hello\"", &["-H", "x-echo: echoed"]);
    assert_eq!(
        (reply.status.as_str(), reply.body.as_str()),
        (&*format!("{version} 200{}", ok(version)), "\"hello\"")
    );
    assert!(reply.head.contains("content-type: application/json"), "{}", reply.head);
    assert!(reply.head.contains("x-echo: echoed"), "{}", reply.head);

    let reply = curl.call("/ringwire.peers.v1.Echo/Say?connect=v1&encoding=json&message=%22hello%22", &[]);
    assert_eq!(reply.body, "\"hello\"");
    let reply = curl.call("/ringwire.peers.v1.Echo/Say?base64=1&encoding=json&message=ImhlbGxvIg", &[]);
    assert_eq!(reply.body, "\"hello\"");

    let reply = curl.post("Fail", "\"why\"", &[]);
    assert!(reply.status.starts_with(&format!("{version} 429")), "{}", reply.status);
    assert!(reply.body.contains(r#""code":"resource_exhausted""#), "{}", reply.body);
    assert!(reply.body.contains("google.protobuf.StringValue"), "{}", reply.body);

    let reply = curl.post("Say", "{", &[]);
    assert!(reply.status.starts_with(&format!("{version} 400")), "{}", reply.status);
    assert!(reply.body.contains(r#""code":"invalid_argument""#), "{}", reply.body);

    let reply = curl.post("Missing", "\"\"", &[]);
    assert!(reply.status.starts_with(&format!("{version} 404")), "{}", reply.status);
    assert!(reply.body.contains(r#""code":"unimplemented""#), "{}", reply.body);

    let reply = curl.call("/ringwire.peers.v1.Echo/Say", &["-X", "DELETE"]);
    assert!(reply.status.starts_with(&format!("{version} 405")), "{}", reply.status);
    assert!(reply.head.contains("allow: "), "{}", reply.head);

    let reply = curl.call("/ringwire.peers.v1.Echo/Say", &["-H", "content-type: image/jpeg", "-d", "x"]);
    assert!(reply.status.starts_with(&format!("{version} 415")), "{}", reply.status);
    assert!(reply.head.contains("accept-post: "), "{}", reply.head);

    let reply = curl.post("Wait", "\"\"", &["-H", "connect-timeout-ms: 50"]);
    assert!(reply.status.starts_with(&format!("{version} 504")), "{}", reply.status);
    assert!(reply.body.contains(r#""code":"deadline_exceeded""#), "{}", reply.body);

    // One byte more than a message may have, sent in one go: the answer must arrive all the same.
    let large = format!("\"{}\"", "x".repeat(5 << 20));
    let file =
        std::env::temp_dir().join(format!("ringwire-large-{}-{}", std::process::id(), curl.server.port));
    std::fs::write(&file, large).unwrap();
    let reply = curl.post("Say", &format!("@{}", file.display()), &["-H", "expect:"]);
    std::fs::remove_file(file).unwrap();
    assert!(reply.status.starts_with(&format!("{version} 429")), "{}", reply.status);
    assert!(reply.body.contains(r#""code":"resource_exhausted""#), "{}", reply.body);

    let preflight =
        ["-X", "OPTIONS", "-H", "origin: https://app.example", "-H", "access-control-request-method: POST"];
    let reply = curl.call("/ringwire.peers.v1.Echo/Say", &preflight);
    assert!(reply.status.starts_with(&format!("{version} 204")), "{}", reply.status);
    assert!(reply.head.contains("access-control-allow-origin: https://app.example"), "{}", reply.head);
    assert!(reply.head.contains("vary: origin"), "{}", reply.head);
    let reply = curl.post("Say", "\"hello\"", &["-H", "origin: https://app.example"]);
    assert!(reply.head.contains("access-control-expose-headers: "), "{}", reply.head);
}

/// HTTP/1.1 gives a reason too.
fn ok(version: &str) -> &'static str {
    if version == "HTTP/1.1" { " OK" } else { "" }
}

#[test]
fn over_http1() {
    for &driver in DRIVERS {
        check(Curl::new(Running::with_cors(driver, None), "http://127.0.0.1", &["--http1.1"]), "HTTP/1.1");
    }
}

#[test]
fn over_http2_with_prior_knowledge() {
    for &driver in DRIVERS {
        let curl =
            Curl::new(Running::with_cors(driver, None), "http://127.0.0.1", &["--http2-prior-knowledge"]);
        check(curl, "HTTP/2");
    }
}

#[test]
fn over_tls() {
    let certificate = Certificate::for_test("curl");
    let trust = ["--cacert", certificate.path()];
    let with = |more: &'static str| [&trust[..], &[more]].concat();
    for &driver in DRIVERS {
        let running = || Running::with_cors(driver, Some(identity()));
        check(Curl::new(running(), "https://localhost", &with("--http2")), "HTTP/2");
        check(Curl::new(running(), "https://localhost", &with("--http1.1")), "HTTP/1.1");
    }
}
