//! Heads over HTTP/2 that RFC 9113 §8.2 and §8.3 call malformed: the stream is reset, and the connection serves on.

use super::goaway::call;
use crate::case::Case;
use crate::play::{END_HEADERS, END_STREAM, HEADERS, Play, block, frame};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, field) in [
        ("a name in upper case", ("X-Upper", "1")),
        ("a line feed in a value", ("x-text", "a\nb")),
        ("a carriage return in a value", ("x-text", "a\rb")),
        ("a zero byte in a value", ("x-text", "a\0b")),
        ("a space in a name", ("x text", "1")),
        ("a colon in a name", ("x:text", "1")),
        ("a late pseudo-header", (":authority", "other")),
        ("an unknown pseudo-header", (":other", "1")),
    ] {
        let case = Play::http2().send(request(&[field])).send(call(3, "{}")).watch().case(name);
        cases.push(case.want(RESET));
    }
    for (name, field) in [
        ("a connection header", ("connection", "close")),
        ("a transfer-encoding", ("transfer-encoding", "chunked")),
        ("a keep-alive", ("keep-alive", "1")),
        ("an upgrade", ("upgrade", "h2c")),
        ("a te that is not trailers", ("te", "gzip")),
    ] {
        cases.push(
            Play::http2()
                .send(request(&[field]))
                .send(call(3, "{}"))
                .watch()
                .case(name)
                .want(RESET)
                .connect_go("400 on 1, 200 on 3, stays", "Go answers"),
        );
    }
    cases.push(
        Play::http2()
            .send(request(&[("content-length", "7")]))
            .send(call(3, "{}"))
            .watch()
            .case("a length that is not that of the body")
            .want(RESET)
            .connect_go("400 on 1, 200 on 3, stays", "Go answers"),
    );
    cases
}

/// A request on stream 1 without a body, with these fields at the end of its head.
fn request(fields: &[(&str, &str)]) -> Vec<u8> {
    let head = [
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "test"),
        (":path", "/connectrpc.conformance.v1.ConformanceService/Unary"),
        ("content-type", "application/json"),
    ];
    frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(&[&head, fields].concat()))
}

// PROTOCOL_ERROR.
const RESET: &str = "reset 1 on 1, 200 on 3, stays";
