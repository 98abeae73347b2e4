//! A server that is told to stop: it says so, finishes what it has begun, and ends.

use crate::case::Case;
use crate::play::{DATA, END_HEADERS, END_STREAM, HEADERS, Play, RST_STREAM, block, frame};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Play::http2()
            .send(call(1, r#"{"responseDefinition":{"responseDelayMs":1000}}"#))
            .settle()
            .terminate()
            .watch()
            .ends()
            .case("a call in flight is finished over HTTP/2, after a GOAWAY")
            .want("goaway 0, 200 on 1, closes, ends")
            .connect_go("closes, is killed", NO_DRAIN),
        Play::http2()
            .settle()
            .terminate()
            .watch()
            .ends()
            .case("a connection without a call is told to go")
            .want("goaway 0, closes, ends")
            .connect_go("closes, is killed", NO_DRAIN),
        Play::http1()
            .send(SLOW_OVER_HTTP1)
            .settle()
            .terminate()
            .send(r#"{"responseDefinition":{"responseDelayMs":1000}}"#)
            .watch()
            .ends()
            .case("a call in flight is finished over HTTP/1.1")
            .want("100, 200, closes, ends")
            .connect_go("100, closes, is killed", NO_DRAIN),
        Play::http2()
            .send(call(1, FOR_A_MINUTE))
            .settle()
            .send(frame(RST_STREAM, 0, 1, &[0, 0, 0, 8]))
            .settle()
            .terminate()
            .watch()
            .ends()
            .case("a call that its client cancels holds up nothing")
            .want("goaway 0, closes, ends")
            .connect_go("closes, is killed", NO_DRAIN),
        Play::http2()
            .send(call(1, FOR_A_MINUTE))
            .settle()
            .hang_up()
            .terminate()
            .ends()
            .case("a call whose client is gone holds up nothing")
            .want("ends")
            .connect_go("is killed", NO_DRAIN),
    ]
}

/// A call of `Unary` on a stream.
pub(super) fn call(stream: u32, message: &str) -> Vec<u8> {
    let head = block(&[
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "test"),
        (":path", "/connectrpc.conformance.v1.ConformanceService/Unary"),
        ("content-type", "application/json"),
    ]);
    [frame(HEADERS, END_HEADERS, stream, &head), frame(DATA, END_STREAM, stream, message.as_bytes())].concat()
}

const SLOW_OVER_HTTP1: &str = "\
POST /connectrpc.conformance.v1.ConformanceService/Unary HTTP/1.1\r\n\
host: test\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: 47\r\n\r\n";
const FOR_A_MINUTE: &str = r#"{"responseDefinition":{"responseDelayMs":60000}}"#;
const NO_DRAIN: &str = "the reference program does not handle SIGTERM";
