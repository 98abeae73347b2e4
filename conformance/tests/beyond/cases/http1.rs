//! HTTP/1.1 on the wire: what two parties could read differently is refused, and what is only unusual is served.

use crate::case::Case;
use crate::play::Play;

pub(super) fn cases() -> Vec<Case> {
    vec![
        bytes(&[&post("content-length: 2\r\n", "{}"), &post("content-length: 2\r\n", "{}")])
            .case("two requests at once are answered in order")
            .want("200, stays"),
        bytes(&[&post("transfer-encoding: chunked\r\n", "1\r\n{\r\n1\r\n}\r\n0\r\n\r\n")])
            .case("a body in chunks is put together")
            .want("200, stays"),
        bytes(&[&post("transfer-encoding: chunked\r\n", "2;name=\"value\"\r\n{}\r\n0\r\n\r\n")])
            .case("extensions of chunks are ignored")
            .want("200, stays"),
        bytes(&[&post("transfer-encoding: chunked\r\n", "2\r\n{}\r\n0\r\nx-trailer: 1\r\n\r\n")])
            .case("trailers of requests are ignored")
            .want("200, stays"),
        Play::http1()
            .send(post("expect: 100-continue\r\ncontent-length: 2\r\n", ""))
            .settle()
            .send("{}")
            .watch()
            .case("a client that waits for 100 gets it")
            .want("100, 200, stays"),
        bytes(&[&post("expect: 100-continue\r\ncontent-length: 2\r\n", "{}")])
            .case("a client that does not wait for 100 is answered")
            .want("100, 200, stays")
            .ringwire("200, stays", "RFC 9110 §10.1.1: no 100 is needed where content has come"),
        bytes(&[&post("content-length: 2\r\nconnection: close\r\n", "{}")])
            .case("a client that wants the connection closed gets it")
            .want("200, closes"),
        bytes(&[&post("content-length: 2\r\ntransfer-encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n")])
            .case("a length beside chunks is refused")
            .want("400, closes")
            .connect_go("200, stays", "Go believes the chunks"),
        bytes(&[&post("content-length: 2\r\ncontent-length: 3\r\n", "{}")])
            .case("two lengths are refused")
            .want("400, closes"),
        bytes(&[&post("content-length: 2, 3\r\n", "{}")])
            .case("a list of lengths is refused")
            .want("400, closes"),
        bytes(&[&post("content-length: +2\r\n", "{}")])
            .case("a length with a sign is refused")
            .want("400, closes"),
        bytes(&[&post("content-length: -1\r\n", "{}")])
            .case("a negative length is refused")
            .want("400, closes"),
        bytes(&[&post("transfer-encoding: gzip\r\n", "{}")])
            .case("a transfer coding other than chunked is refused")
            .want("400, closes")
            .connect_go("501, closes", "so RFC 9112 §6.1 has it too"),
        bytes(&[&post("x-folded: a\r\n b\r\ncontent-length: 2\r\n", "{}")])
            .case("a folded header is refused")
            .want("400, closes")
            .connect_go("200, stays", "Go unfolds it"),
        bytes(&[&post("x-spaced : a\r\ncontent-length: 2\r\n", "{}")])
            .case("a space before the colon is refused")
            .want("400, closes"),
        bytes(&[&post("x-zero: a\0b\r\ncontent-length: 2\r\n", "{}")])
            .case("a zero byte in a header is refused")
            .want("400, closes"),
        bytes(&[&post("transfer-encoding: chunked\r\n", "z\r\n{}\r\n0\r\n\r\n")])
            .case("a chunk whose size is no number is refused")
            .want("400, closes")
            .connect_go("500, closes", NO_CODE),
        bytes(&[&post("transfer-encoding: chunked\r\n", "fffffffffffffffff\r\n{}\r\n")])
            .case("a chunk of more bytes than can be counted is refused")
            .want("400, closes")
            .connect_go("500, closes", NO_CODE),
        bytes(&[&post(
            "transfer-encoding: chunked\r\n",
            &format!("2;{}\r\n{{}}\r\n0\r\n\r\n", "x".repeat(1 << 20)),
        )])
        .case("an extension of a MiB is refused")
        .want("400, closes")
        .connect_go("500, closes", NO_CODE),
        bytes(&["GET / HTTP/3.0\r\nhost: test\r\n\r\n"])
            .case("HTTP/3.0 in text is refused")
            .want("505, closes"),
        bytes(&["\x16\x03\x01\x02\x00\x01\x00\x01\x7c\x03\x03\r\n\r\n"])
            .case("TLS where there is none is refused")
            .want("400, closes"),
    ]
}

const NO_CODE: &str = "it has no code for a body that is malformed";

fn bytes(requests: &[&str]) -> Play {
    Play::http1().send(requests.concat()).watch()
}

fn post(fields: &str, body: &str) -> String {
    format!(
        "POST /connectrpc.conformance.v1.ConformanceService/Unary HTTP/1.1\r\nhost: test\r\n\
         content-type: application/json\r\n{fields}\r\n{body}"
    )
}
