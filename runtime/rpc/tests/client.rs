//! Responses in, outcomes out: every protocol, and every response that is not quite one.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use common::{BIDI, CLIENT_STREAM, Fields, SERVER_STREAM, UNARY, compressions, frame, metadata};
use ringwire_rpc::{
    CallHead, ClientConfig, ClientExchange, ClientProtocol, CompressionPolicy, GetPolicy, Metadata, Received,
    Spec,
};

#[derive(Clone, Debug)]
struct Response {
    status: u16,
    headers: Vec<(&'static str, &'static str)>,
    body: Vec<u8>,
    trailers: Option<Vec<(&'static str, &'static str)>>,
}

fn ok(content_type: &'static str, body: impl AsRef<[u8]>) -> Response {
    response(200, content_type, body)
}

fn response(status: u16, content_type: &'static str, body: impl AsRef<[u8]>) -> Response {
    Response {
        status,
        headers: vec![("content-type", content_type)],
        body: body.as_ref().to_vec(),
        trailers: None,
    }
}

impl Response {
    fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    fn trailer(mut self, name: &'static str, value: &'static str) -> Self {
        self.trailers.get_or_insert_default().push((name, value));
        self
    }
}

fn config(protocol: ClientProtocol) -> ClientConfig {
    let mut config = ClientConfig::new(protocol, "proto");
    config.compressions = compressions();
    config.limits.receive_max = 64;
    config
}

/// Receives `response`, its body in `chunks`: messages, then `ok` or the error, then custom headers and
/// trailers.
fn receive(
    response: &Response,
    chunks: &[&[u8]],
    end_with_head: bool,
    spec: &Spec,
    config: &Arc<ClientConfig>,
) -> String {
    let mut exchange = ClientExchange::new(spec, config);
    let mut shown = String::new();
    let mut read = |exchange: &mut ClientExchange<_>| {
        loop {
            match exchange.next_input() {
                Ok(Received::Pending) => return false,
                Ok(Received::Message(message)) => shown.push_str(&format!("<{}> ", message.escape_ascii())),
                Ok(Received::End) => {
                    shown.push_str("ok");
                    return true;
                }
                Err(error) => {
                    shown.push_str(&error.to_string());
                    for detail in error.details() {
                        shown.push_str(&format!(" ({} {})", detail.type_name, detail.value.escape_ascii()));
                    }
                    assert_eq!(exchange.next_input().unwrap_err().code(), error.code(), "the error stays");
                    return true;
                }
            }
        }
    };
    let mut done = read(&mut exchange);
    assert!(!done, "nothing has come yet");
    exchange.head(response.status, &response.headers, end_with_head);
    done = read(&mut exchange);
    if !end_with_head {
        for (at, chunk) in chunks.iter().enumerate() {
            if !done {
                let is_last = at + 1 == chunks.len() && response.trailers.is_none();
                exchange.push(Bytes::copy_from_slice(chunk), is_last);
                done = read(&mut exchange);
            }
        }
        if let (false, Some(trailers)) = (done, &response.trailers) {
            exchange.push_trailers(trailers);
            done = read(&mut exchange);
        }
    }
    assert!(done, "the response has ended");
    let fields = |metadata: &Metadata| {
        let fields = metadata.iter_custom().map(|(name, value)| format!("{name}: {}", value.escape_ascii()));
        fields.collect::<Vec<_>>().join("; ")
    };
    format!("{shown} | {} | {}", fields(exchange.headers()), fields(exchange.trailers()))
}

/// Receives `response` cut every way, and expects one outcome.
#[track_caller]
fn check(protocol: ClientProtocol, spec: &Spec, response: &Response, want: &str) {
    check_with(&config(protocol), spec, response, want);
}

#[track_caller]
fn check_with(config: &ClientConfig, spec: &Spec, response: &Response, want: &str) {
    let config = Arc::new(config.clone());
    // Most outcomes have no metadata.
    let want = if want.contains(" | ") { want.to_owned() } else { format!("{want} |  | ") };
    let body = &response.body[..];
    for cut in 0..=body.len() {
        let (first, second) = body.split_at(cut);
        let got = receive(response, &[first, second], false, spec, &config);
        assert!(got == want, "cut at {cut}\n got: {got}\nwant: {want}");
    }
    let mut bytes: Vec<_> = body.chunks(1).collect();
    bytes.push(b"");
    assert_eq!(receive(response, &bytes, false, spec, &config), want, "byte by byte");
    if body.is_empty() && response.trailers.is_none() {
        assert_eq!(receive(response, &[], true, spec, &config), want, "ended with the head");
    }
}

const CONNECT: ClientProtocol = ClientProtocol::CONNECT;
const GRPC: ClientProtocol = ClientProtocol::GRPC;
const WEB: ClientProtocol = ClientProtocol::GRPC_WEB;
const TEXT: ClientProtocol = ClientProtocol::GRPC_WEB_TEXT;

mod success {
    use super::*;

    #[test]
    fn unary() {
        check(CONNECT, &UNARY, &ok("application/proto", "hi"), "<hi> ok");
        check(GRPC, &UNARY, &ok("application/grpc", frame(0, "hi")).trailer("grpc-status", "0"), "<hi> ok");
        check(
            GRPC,
            &UNARY,
            &ok("application/grpc+proto", frame(0, "hi")).trailer("grpc-status", "0"),
            "<hi> ok",
        );
        let body = [frame(0, "hi"), frame(0x80, "grpc-status: 0\r\n")].concat();
        check(WEB, &UNARY, &ok("application/grpc-web", &body), "<hi> ok");
        check(WEB, &UNARY, &ok("application/grpc-web+proto", &body), "<hi> ok");
        check(TEXT, &UNARY, &ok("application/grpc-web+proto", &body), "<hi> ok");
        let text = "AAAAAAJoaQ==gAAAABBncnBjLXN0YXR1czogMA0K";
        check(TEXT, &UNARY, &ok("application/grpc-web-text+proto", text), "<hi> ok");
        check(WEB, &UNARY, &ok("application/grpc-web-text", text), "<hi> ok");
    }

    #[test]
    fn streams() {
        let messages = [frame(0, "a"), frame(0, ""), frame(0, "b")].concat();
        let connect = [messages.clone(), frame(2, "{}")].concat();
        check(CONNECT, &BIDI, &ok("application/connect+proto", &connect), "<a> <> <b> ok");
        check(GRPC, &BIDI, &ok("application/grpc", &messages).trailer("grpc-status", "0"), "<a> <> <b> ok");
        let web = [messages, frame(0x80, "grpc-status: 0\r\n")].concat();
        check(WEB, &SERVER_STREAM, &ok("application/grpc-web", &web), "<a> <> <b> ok");
    }

    #[test]
    fn empty_messages_and_empty_streams() {
        check(CONNECT, &UNARY, &ok("application/proto", ""), "<> ok");
        check(GRPC, &UNARY, &ok("application/grpc", frame(0, "")).trailer("grpc-status", "0"), "<> ok");
        check(CONNECT, &SERVER_STREAM, &ok("application/connect+proto", frame(2, "{}")), "ok");
        check(GRPC, &SERVER_STREAM, &ok("application/grpc", "").trailer("grpc-status", "0"), "ok");
        check(GRPC, &SERVER_STREAM, &ok("application/grpc", "").header("grpc-status", "0"), "ok");
        check(WEB, &SERVER_STREAM, &ok("application/grpc-web", "").header("grpc-status", "0"), "ok");
    }

    #[test]
    fn headers_and_trailers() {
        check(
            CONNECT,
            &UNARY,
            &ok("application/proto", "hi")
                .header("a", "1")
                .header("trailer-b", "2")
                .header("Trailer-B", "3")
                .header("trailer-", "4"),
            "<hi> ok | a: 1 | b: 2; b: 3",
        );
        check(
            GRPC,
            &UNARY,
            &ok("application/grpc", frame(0, "hi"))
                .header("a", "1")
                .trailer("b", "2")
                .trailer("grpc-status", "0")
                .trailer("b", "3"),
            "<hi> ok | a: 1 | b: 2; b: 3",
        );
        check(
            CONNECT,
            &BIDI,
            &ok("application/connect+proto", frame(2, r#"{"metadata":{"b":["2","3"],"c-bin":["AQI"]}}"#))
                .header("a", "1")
                .header("trailer-x", "y"),
            "ok | a: 1 | b: 2; b: 3; c-bin: AQI",
        );
        check(
            WEB,
            &UNARY,
            &ok(
                "application/grpc-web",
                [frame(0, "hi"), frame(0x80, "B: 2\r\nGrpc-Status: 0\nb:3")].concat(),
            )
            .header("a", "1"),
            "<hi> ok | a: 1 | b: 2; b: 3",
        );
        // All fields of a response that is nothing but trailers are trailers.
        check(
            GRPC,
            &BIDI,
            &ok("application/grpc", "").header("a", "1").header("grpc-status", "0"),
            "ok |  | a: 1",
        );
    }

    #[test]
    fn compression() {
        check(
            CONNECT,
            &UNARY,
            &ok("application/proto", "\x02a").header("content-encoding", "runs"),
            "<aa> ok",
        );
        check(
            GRPC,
            &BIDI,
            &ok("application/grpc", [frame(1, "\x02a"), frame(0, "b")].concat())
                .header("grpc-encoding", "runs")
                .trailer("grpc-status", "0"),
            "<aa> <b> ok",
        );
        check(
            CONNECT,
            &BIDI,
            &ok("application/connect+proto", [frame(1, "\x02a"), frame(3, "\x01{\x01}")].concat())
                .header("connect-content-encoding", "runs"),
            "<aa> ok",
        );
        let trailers: Vec<u8> = "grpc-status: 9\r\n".bytes().flat_map(|byte| [1, byte]).collect();
        check(
            WEB,
            &BIDI,
            &ok("application/grpc-web", frame(0x81, trailers)).header("grpc-encoding", "runs"),
            "failed_precondition",
        );
    }
}

mod failure {
    use super::*;

    #[test]
    fn errors_of_unary_calls() {
        let json = r#"{"code":"not_found","message":"no ring","details":[{"type":"a.B","value":"AQI","debug":{}}],"x":[1,{}]}"#;
        check(
            CONNECT,
            &UNARY,
            &response(404, "application/json", json).header("a", "1").header("trailer-b", "2"),
            r"not_found: no ring (a.B \x01\x02) | a: 1 | b: 2",
        );
        check(
            CONNECT,
            &UNARY,
            &response(422, "application/json; charset=utf-8", json),
            r"not_found: no ring (a.B \x01\x02)",
        );
        let squeezed: Vec<u8> = r#"{"code":"out_of_range"}"#.bytes().flat_map(|byte| [1, byte]).collect();
        check(
            CONNECT,
            &UNARY,
            &response(422, "application/json", squeezed).header("content-encoding", "runs"),
            "out_of_range",
        );
    }

    #[test]
    fn errors_of_unary_calls_that_cannot_be_read_come_from_the_http_status() {
        for (body, want) in [
            ("null", "unauthenticated: HTTP status 401"),
            ("", "unauthenticated: HTTP status 401"),
            ("{", "unauthenticated: HTTP status 401"),
            ("[]", "unauthenticated: HTTP status 401"),
            ("{}", "unauthenticated"),
            (r#"{"code":null,"message":"oops"}"#, "unauthenticated: oops"),
            (r#"{"message":"oops"}"#, "unauthenticated: oops"),
            (r#"{"code":"foobar","message":"oops"}"#, "unauthenticated: oops"),
            (r#"{"code":7,"message":"oops"}"#, "unauthenticated: oops"),
        ] {
            check(CONNECT, &UNARY, &response(401, "application/json", body), want);
        }
        check(
            CONNECT,
            &UNARY,
            &response(403, "application/proto", "hi"),
            "permission_denied: HTTP status 403",
        );
        check(
            CONNECT,
            &UNARY,
            &response(403, "application/json", "hi").header("content-encoding", "foo"),
            "permission_denied: HTTP status 403",
        );
        check(
            CONNECT,
            &UNARY,
            &response(403, "application/json", "\x01").header("content-encoding", "runs"),
            "permission_denied: HTTP status 403",
        );
    }

    #[test]
    fn bare_http_statuses() {
        for (status, code) in [
            (400, "internal"),
            (401, "unauthenticated"),
            (403, "permission_denied"),
            (404, "unimplemented"),
            (429, "unavailable"),
            (502, "unavailable"),
            (503, "unavailable"),
            (504, "unavailable"),
            (100, "unknown"),
            (204, "unknown"),
            (302, "unknown"),
            (409, "unknown"),
            (412, "unknown"),
            (413, "unknown"),
            (415, "unknown"),
            (418, "unknown"),
            (431, "unknown"),
            (500, "unknown"),
            (505, "unknown"),
            (800, "unknown"),
            (0, "unknown"),
            (u16::MAX, "unknown"),
        ] {
            for protocol in [CONNECT, GRPC, WEB, TEXT] {
                for spec in [UNARY, CLIENT_STREAM, SERVER_STREAM, BIDI] {
                    let mut bare = response(status, "", "");
                    bare.headers.clear();
                    check(protocol, &spec, &bare, &format!("{code}: HTTP status {status}"));
                    let html = response(status, "text/html", "<html>");
                    check(protocol, &spec, &html, &format!("{code}: HTTP status {status}"));
                }
            }
        }
    }

    #[test]
    fn a_status_of_grpc_is_worth_more_than_one_of_http() {
        check(
            GRPC,
            &UNARY,
            &response(503, "application/grpc", "").header("grpc-status", "7").header("grpc-message", "no"),
            "permission_denied: no",
        );
        check(
            GRPC,
            &UNARY,
            &response(503, "text/html", "").header("grpc-status", "7"),
            "unavailable: HTTP status 503",
        );
    }

    #[test]
    fn errors_of_grpc() {
        let details = "CAUSAW0aHAoXdHlwZS5nb29nbGVhcGlzLmNvbS9hLkISAXY";
        check(
            GRPC,
            &UNARY,
            &ok("application/grpc", "")
                .header("a", "1")
                .trailer("grpc-status", "5")
                .trailer("grpc-message", "no%20ring")
                .trailer("grpc-status-details-bin", details)
                .trailer("b", "2"),
            "not_found: no ring (a.B v) | a: 1 | b: 2",
        );
        check(
            GRPC,
            &UNARY,
            &ok("application/grpc", "")
                .header("a", "1")
                .header("grpc-status", "5")
                .header("grpc-message", "no ring"),
            "not_found: no ring |  | a: 1",
        );
        check(
            GRPC,
            &SERVER_STREAM,
            &ok("application/grpc", frame(0, "a")).trailer("grpc-status", "99"),
            "<a> unknown",
        );
        check(GRPC, &UNARY, &ok("application/grpc", frame(0, "a")).trailer("grpc-status", "10"), "aborted");
        check(
            WEB,
            &UNARY,
            &ok("application/grpc-web", frame(0x80, "grpc-status: 10\r\ngrpc-message: a%0Ab\r\n")),
            "aborted: a\nb",
        );
        check(
            WEB,
            &UNARY,
            &ok("application/grpc-web", "").header("grpc-status", "10").header("a", "1"),
            "aborted |  | a: 1",
        );
    }

    #[test]
    fn errors_of_connect_streams() {
        for (end, want) in [
            (r#"{"error":null}"#, "ok"),
            (r#"{"code":"out_of_range","message":"oops"}"#, "ok"),
            (r#"{"error":{"code":null,"message":"oops"}}"#, "unknown: oops"),
            (r#"{"error":{"message":"oops"}}"#, "unknown: oops"),
            (r#"{"error":{"code":"foobar","message":"oops"}}"#, "unknown: oops"),
            (r#"{"error":{"code":"out_of_range","message":"oops","x":1}}"#, "out_of_range: oops"),
            (r#"{"error":{"code":"aborted"},"metadata":{"b":["2"]}}"#, "aborted |  | b: 2"),
            ("", "internal: the end of the response's stream is malformed"),
            ("null", "internal: the end of the response's stream is malformed"),
            ("{", "internal: the end of the response's stream is malformed"),
        ] {
            check(CONNECT, &SERVER_STREAM, &ok("application/connect+proto", frame(2, end)), want);
            let json = response(503, "application/json", r#"{"code":"aborted","message":"oops"}"#);
            check(CONNECT, &SERVER_STREAM, &json, "aborted: oops");
        }
    }
}

mod malformed {
    use super::*;

    #[test]
    fn no_end() {
        for spec in [CLIENT_STREAM, SERVER_STREAM, BIDI] {
            let message = if spec.shape.has_one_response() { "" } else { "<a> " };
            check(
                CONNECT,
                &spec,
                &ok("application/connect+proto", frame(0, "a")),
                &format!("{message}internal: the response ended without an end of stream"),
            );
            check(
                GRPC,
                &spec,
                &ok("application/grpc", frame(0, "a")),
                &format!("{message}internal: the response ended without trailers"),
            );
            check(
                WEB,
                &spec,
                &ok("application/grpc-web", frame(0, "a")),
                &format!("{message}internal: the response ended without trailers in its body"),
            );
        }
    }

    #[test]
    fn no_status() {
        check(
            GRPC,
            &UNARY,
            &ok("application/grpc", "").trailer("grpc-message", "error"),
            "unknown: the server's trailers lack grpc-status",
        );
        check(
            WEB,
            &UNARY,
            &ok("application/grpc-web", frame(0x80, "grpc-message: error\r\n")),
            "unknown: the server's trailers lack grpc-status",
        );
        check(
            WEB,
            &UNARY,
            &ok("application/grpc-web", "").header("grpc-message", "error"),
            "internal: the response ended without trailers in its body",
        );
    }

    #[test]
    fn a_status_in_the_head_counts_only_where_nothing_follows() {
        let head = |body: &[u8]| ok("application/grpc", body).header("grpc-status", "9");
        check(GRPC, &UNARY, &head(&frame(0, "a")), "internal: the response ended without trailers");
        check(GRPC, &UNARY, &head(b"").trailer("grpc-status", "8"), "resource_exhausted");
        let web = ok("application/grpc-web", frame(0x80, "grpc-status: 8\r\n")).header("grpc-status", "9");
        check(WEB, &UNARY, &web, "resource_exhausted");
    }

    #[test]
    fn no_response_and_two_responses() {
        let two = [frame(0, "a"), frame(0, "b")].concat();
        for spec in [UNARY, CLIENT_STREAM] {
            for (body, want) in [
                (&[][..], "unimplemented: no response from a method that gives one"),
                (&two, "unimplemented: a second response from a method that gives one"),
            ] {
                check(GRPC, &spec, &ok("application/grpc", body).trailer("grpc-status", "0"), want);
                let web = [body, &frame(0x80, "grpc-status: 0\r\n")].concat();
                check(WEB, &spec, &ok("application/grpc-web", web), want);
                if spec.shape == CLIENT_STREAM.shape {
                    let connect = [body, &frame(2, r#"{"code":"out_of_range"}"#)].concat();
                    check(CONNECT, &spec, &ok("application/connect+proto", connect), want);
                }
            }
            let bare = ok("application/grpc", "").header("grpc-status", "0");
            check(GRPC, &spec, &bare, "unimplemented: no response from a method that gives one");
        }
    }

    #[test]
    fn other_content_types() {
        for (protocol, spec, content_type, code) in [
            (CONNECT, UNARY, "image/jpeg", "unknown"),
            (CONNECT, UNARY, "application/json", "internal"),
            (CONNECT, UNARY, "application/connect+proto", "internal"),
            (CONNECT, SERVER_STREAM, "image/jpeg", "unknown"),
            (CONNECT, SERVER_STREAM, "application/connect+json", "internal"),
            (CONNECT, SERVER_STREAM, "application/proto", "unknown"),
            (GRPC, UNARY, "image/jpeg", "unknown"),
            (GRPC, UNARY, "", "unknown"),
            (GRPC, UNARY, "application/grpc+json", "internal"),
            (GRPC, UNARY, "application/grpc-web+proto", "internal"),
            (WEB, UNARY, "image/jpeg", "unknown"),
            (WEB, UNARY, "application/grpc-web+json", "internal"),
            (WEB, UNARY, "application/grpc", "unknown"),
        ] {
            let want = format!("{code}: response has the content-type {content_type:?}");
            check(protocol, &spec, &ok(content_type, "x"), &want);
        }
    }

    #[test]
    fn unknown_encodings() {
        let want = "internal: response has the unknown encoding \"foo\"";
        check(CONNECT, &UNARY, &ok("application/proto", "a").header("content-encoding", "foo"), want);
        check(
            CONNECT,
            &BIDI,
            &ok("application/connect+proto", frame(2, "{}")).header("connect-content-encoding", "foo"),
            want,
        );
        check(
            GRPC,
            &UNARY,
            &ok("application/grpc", frame(0, "a")).header("grpc-encoding", "foo").trailer("grpc-status", "0"),
            want,
        );
    }

    #[test]
    fn compressed_messages_without_a_named_encoding() {
        let want = "internal: message is flagged as compressed, but no encoding is named";
        for body in [frame(1, ""), frame(1, "\x01a")] {
            for spec in [UNARY, SERVER_STREAM] {
                let grpc = ok("application/grpc", &body).header("grpc-encoding", "identity");
                check(GRPC, &spec, &grpc.trailer("grpc-status", "0"), want);
            }
            check(CONNECT, &BIDI, &ok("application/connect+proto", &body), want);
        }
    }

    #[test]
    fn stray_flags() {
        for flags in 2..=255_u8 {
            let want = format!("internal: envelope has unknown flags {flags:#04x}");
            let body = [frame(flags, "a"), frame(0x80, "grpc-status: 0\r\n"), frame(2, "{}")].concat();
            let got = |protocol, content_type, spec: &Spec| {
                let response = ok(content_type, &body).trailer("grpc-status", "0");
                receive(&response, &[&body], false, spec, &Arc::new(config(protocol)))
            };
            assert_eq!(got(GRPC, "application/grpc", &UNARY), format!("{want} |  | "));
            if flags & 0xfe != 0x80 {
                assert_eq!(got(WEB, "application/grpc-web", &UNARY), format!("{want} |  | "));
            }
            if flags & 0xfe != 2 {
                assert_eq!(got(CONNECT, "application/connect+proto", &BIDI), format!("{want} |  | "));
            }
        }
    }

    #[test]
    fn truncation() {
        for cut in 1..frame(0, "abc").len() {
            let body = [frame(0, "a"), frame(0, "abc")[..cut].to_vec()].concat();
            let want = "<a> internal: body ends inside a message";
            check(GRPC, &SERVER_STREAM, &ok("application/grpc", &body).trailer("grpc-status", "0"), want);
            check(CONNECT, &SERVER_STREAM, &ok("application/connect+proto", &body), want);
            check(WEB, &SERVER_STREAM, &ok("application/grpc-web", &body), want);
        }
    }

    #[test]
    fn corrupt_compression_is_data_lost() {
        let want = "data_loss: compressed message is corrupt";
        check(CONNECT, &UNARY, &ok("application/proto", "\x01").header("content-encoding", "runs"), want);
        check(GRPC, &BIDI, &ok("application/grpc", frame(1, "\x01")).header("grpc-encoding", "runs"), want);
    }

    #[test]
    fn something_after_the_end() {
        for extra in [frame(0, "b"), frame(2, "{}"), frame(0x80, "")] {
            let want = "<a> internal: the response goes on after its end of stream";
            let body = [frame(0, "a"), frame(2, "{}"), extra.clone()].concat();
            check(CONNECT, &SERVER_STREAM, &ok("application/connect+proto", body), want);
            let body = [frame(0, "a"), frame(0x80, "grpc-status: 0"), extra].concat();
            check(WEB, &SERVER_STREAM, &ok("application/grpc-web", body), want);
        }
        let body = [frame(2, "{}"), vec![0]].concat();
        let want = "internal: body ends inside a message";
        check(CONNECT, &SERVER_STREAM, &ok("application/connect+proto", body), want);
    }

    #[test]
    fn web_trailers_that_are_none() {
        let body = frame(0x80, "grpc-status 0");
        let want = "internal: the trailers in the response's body are malformed";
        check(WEB, &UNARY, &ok("application/grpc-web", body), want);
    }
}

mod limits {
    use super::*;

    #[test]
    fn message() {
        for (len, is_ok) in [(63, true), (64, true), (65, false), (500, false)] {
            let message = vec![b'a'; len];
            let squeezed: Vec<u8> = message.chunks(255).flat_map(|run| [run.len() as u8, b'a']).collect();
            for (protocol, spec, response) in [
                (CONNECT, UNARY, ok("application/proto", &message)),
                (CONNECT, UNARY, ok("application/proto", &squeezed).header("content-encoding", "runs")),
                (GRPC, UNARY, ok("application/grpc", frame(0, &message)).trailer("grpc-status", "0")),
                (GRPC, BIDI, ok("application/grpc", frame(0, &message)).trailer("grpc-status", "0")),
                (
                    GRPC,
                    UNARY,
                    ok("application/grpc", frame(1, &squeezed))
                        .header("grpc-encoding", "runs")
                        .trailer("grpc-status", "0"),
                ),
                (
                    CONNECT,
                    BIDI,
                    ok("application/connect+proto", [frame(0, &message), frame(2, "{}")].concat()),
                ),
                (
                    WEB,
                    UNARY,
                    ok(
                        "application/grpc-web",
                        [frame(0, &message), frame(0x80, "grpc-status: 0\r\n")].concat(),
                    ),
                ),
            ] {
                let body = &response.body;
                let got = receive(&response, &[body], false, &spec, &Arc::new(config(protocol)));
                let want = if is_ok { "<aaa" } else { "resource_exhausted: message" };
                assert!(got.starts_with(want), "{len} {response:?}\n{got}");
            }
        }
    }

    #[test]
    fn ends_of_streams_have_a_limit_of_their_own() {
        let mut config = config(CONNECT);
        config.limits.error_body_max = 100;
        config.limits.receive_max = 4;
        for (pad, want) in [(85, "ok"), (86, "ok"), (87, "resource_exhausted: ")] {
            let end = format!("{{\"unknown\":\"{}\"}}", "x".repeat(pad));
            let got = receive(
                &ok("application/connect+proto", ""),
                &[&frame(2, end)],
                false,
                &SERVER_STREAM,
                &Arc::new(config.clone()),
            );
            assert!(got.starts_with(want), "{pad} {got}");
        }
    }

    #[test]
    fn error_bodies() {
        let mut config = config(CONNECT);
        config.limits.error_body_max = 40;
        for (pad, want) in
            [(1, "aborted: "), (8, "aborted: "), (9, "aborted: "), (10, "unauthenticated: HTTP")]
        {
            let body = format!("{{\"code\":\"aborted\",\"message\":\"{}\"}}", "x".repeat(pad));
            assert_eq!(body.len(), 31 + pad);
            let got = receive(
                &response(401, "application/json", ""),
                &[body.as_bytes()],
                false,
                &UNARY,
                &Arc::new(config.clone()),
            );
            assert!(got.starts_with(want), "{pad} {got}");
        }
    }

    #[test]
    fn metadata() {
        let mut config = config(GRPC);
        config.limits.metadata_max = 100;
        // Each field counts with 32 bytes beside its own: content-type takes 60 of the 100, and grpc-status
        // 44.
        for (len, is_ok) in [(6, true), (7, true), (8, false)] {
            let value: &'static str = &"v".repeat(20)[..len].to_owned().leak()[..];
            let in_head =
                ok("application/grpc", frame(0, "a")).header("x", value).trailer("grpc-status", "0");
            let in_trailers = ok("application/grpc", frame(0, "a"))
                .trailer("grpc-status", "0")
                .trailer("x", &"v".repeat(len + 16).leak()[..]);
            for response in [in_head, in_trailers] {
                let got = receive(&response, &[&response.body], false, &UNARY, &Arc::new(config.clone()));
                assert_eq!(got.starts_with("<a> ok"), is_ok, "{len} {got}");
                assert_eq!(got.starts_with("resource_exhausted: header fields of"), !is_ok, "{len} {got}");
            }
        }
    }
}

mod requests {
    use super::*;

    /// Writes a request of one message, and shows it.
    fn write(config: ClientConfig, spec: &Spec, message: &str, call: CallHead<'_>) -> String {
        let mut exchange = ClientExchange::<Fields>::new(spec, &Arc::new(config));
        let mut body = BytesMut::new();
        exchange
            .send(&mut body, |out| {
                out.extend_from_slice(message.as_bytes());
                Ok(())
            })
            .unwrap();
        let mut head = Fields::new();
        match exchange.write_head(call, &mut body, &mut head) {
            Ok(line) => {
                let head: Vec<_> =
                    head.iter().map(|(name, value)| format!("{name}: {}", value.escape_ascii())).collect();
                format!("{} {}; {} | {}", line.method, line.target, head.join("; "), body.escape_ascii())
            }
            Err(error) => error.to_string(),
        }
    }

    #[track_caller]
    fn check(config: ClientConfig, spec: &Spec, message: &str, want: &str) {
        let headers = metadata(&[("a", "1"), ("a", "2"), ("user-agent", "me")]);
        let call = CallHead { prefix: "", headers: &headers, timeout: None };
        let got = write(config, spec, message, call);
        assert!(got == want, "\n got: {got}\nwant: {want}");
    }

    fn plain(protocol: ClientProtocol) -> ClientConfig {
        ClientConfig::new(protocol, "proto")
    }

    fn squeezed(protocol: ClientProtocol) -> ClientConfig {
        let mut config = config(protocol);
        config.compression = Some(&common::Runs);
        config.compression_policy = CompressionPolicy::ALWAYS;
        config
    }

    #[test]
    fn heads() {
        check(
            plain(CONNECT),
            &UNARY,
            "hi",
            "POST /s.S/Unary; content-type: application/proto; connect-protocol-version: 1; a: 1; a: 2; user-agent: me | hi",
        );
        check(
            plain(CONNECT),
            &BIDI,
            "hi",
            r"POST /s.S/Bidi; content-type: application/connect+proto; connect-protocol-version: 1; a: 1; a: 2; user-agent: me | \x00\x00\x00\x00\x02hi",
        );
        check(
            plain(GRPC),
            &UNARY,
            "hi",
            r"POST /s.S/Unary; content-type: application/grpc; te: trailers; a: 1; a: 2; user-agent: me | \x00\x00\x00\x00\x02hi",
        );
        check(
            ClientConfig::new(GRPC, "json"),
            &UNARY,
            "{}",
            r"POST /s.S/Unary; content-type: application/grpc+json; te: trailers; a: 1; a: 2; user-agent: me | \x00\x00\x00\x00\x02{}",
        );
        check(
            plain(WEB),
            &UNARY,
            "hi",
            r"POST /s.S/Unary; content-type: application/grpc-web; accept: application/grpc-web; x-grpc-web: 1; x-user-agent: me; a: 1; a: 2; user-agent: me | \x00\x00\x00\x00\x02hi",
        );
        check(
            plain(TEXT),
            &UNARY,
            "hi",
            "POST /s.S/Unary; content-type: application/grpc-web-text; accept: application/grpc-web-text; x-grpc-web: 1; x-user-agent: me; a: 1; a: 2; user-agent: me | AAAAAAJoaQ==",
        );
    }

    #[test]
    fn compression() {
        check(
            squeezed(CONNECT),
            &UNARY,
            "aa",
            r"POST /s.S/Unary; content-type: application/proto; connect-protocol-version: 1; content-encoding: runs; a: 1; a: 2; user-agent: me; accept-encoding: runs | \x02a",
        );
        check(
            squeezed(CONNECT),
            &CLIENT_STREAM,
            "aa",
            r"POST /s.S/ClientStream; content-type: application/connect+proto; connect-protocol-version: 1; connect-content-encoding: runs; a: 1; a: 2; user-agent: me; connect-accept-encoding: runs | \x01\x00\x00\x00\x02\x02a",
        );
        check(
            squeezed(GRPC),
            &UNARY,
            "aa",
            r"POST /s.S/Unary; content-type: application/grpc; te: trailers; grpc-encoding: runs; a: 1; a: 2; user-agent: me; grpc-accept-encoding: runs | \x01\x00\x00\x00\x02\x02a",
        );
    }

    #[test]
    fn timeouts_prefixes_and_user_agents() {
        let none = Metadata::new();
        for (protocol, timeout, want) in [
            (CONNECT, Duration::from_millis(1500), "connect-timeout-ms: 1500; "),
            (CONNECT, Duration::MAX, "connect-timeout-ms: 9999999999; "),
            (GRPC, Duration::from_millis(1500), "grpc-timeout: 1500000u; "),
            (GRPC, Duration::MAX, "grpc-timeout: 99999999H; "),
        ] {
            let call = CallHead { prefix: "/api", headers: &none, timeout: Some(timeout) };
            let got = write(plain(protocol), &BIDI, "", call);
            assert!(got.contains(want), "{got}");
            assert!(
                got.starts_with("POST /api/s.S/Bidi; ") && got.contains("user-agent: ringwire/"),
                "{got}"
            );
        }
    }

    #[test]
    fn get() {
        let getting = |codec, get| {
            let mut config = ClientConfig::new(CONNECT, codec);
            config.get = get;
            config
        };
        let always = GetPolicy::Only { url_max: 1000 };
        check(
            getting("proto", always),
            &UNARY,
            "\x01hi",
            "GET /s.S/Unary?connect=v1&base64=1&encoding=proto&message=AWhp; a: 1; a: 2; user-agent: me | ",
        );
        check(
            getting("json", always),
            &UNARY,
            "{\"a\":1}",
            "GET /s.S/Unary?connect=v1&encoding=json&message=%7B%22a%22%3A1%7D; a: 1; a: 2; user-agent: me | ",
        );
        let mut config = squeezed(CONNECT);
        config.get = always;
        check(
            config,
            &UNARY,
            "aa",
            "GET /s.S/Unary?connect=v1&base64=1&compression=runs&encoding=proto&message=AmE; a: 1; a: 2; user-agent: me; accept-encoding: runs | ",
        );
        // Only methods without side effects, and only where the protocol has it.
        let effects = Spec::new("/s.S/Unary", UNARY.shape);
        check(
            getting("proto", always),
            &effects,
            "hi",
            "POST /s.S/Unary; content-type: application/proto; connect-protocol-version: 1; a: 1; a: 2; user-agent: me | hi",
        );
        let mut config = plain(GRPC);
        config.get = always;
        check(
            config,
            &UNARY,
            "hi",
            r"POST /s.S/Unary; content-type: application/grpc; te: trailers; a: 1; a: 2; user-agent: me | \x00\x00\x00\x00\x02hi",
        );
    }

    #[test]
    fn get_has_a_limit() {
        let len = "/s.S/Unary?connect=v1&base64=1&encoding=proto&message=AWhp".len();
        for (url_max, is_get) in [(len - 1, false), (len, true), (len + 1, true)] {
            for get in [GetPolicy::UpTo { url_max }, GetPolicy::Only { url_max }] {
                let mut config = plain(CONNECT);
                config.get = get;
                let none = Metadata::new();
                let got =
                    write(config, &UNARY, "\x01hi", CallHead { prefix: "", headers: &none, timeout: None });
                let want = match get {
                    _ if is_get => "GET /",
                    GetPolicy::UpTo { .. } => "POST /",
                    _ => "resource_exhausted: path and query",
                };
                assert!(got.starts_with(want), "{url_max} {got}");
            }
        }
    }

    #[test]
    fn heads_that_leave_early_say_what_is_true() {
        let mut exchange = ClientExchange::<Fields>::new(&UNARY, &Arc::new(squeezed(CONNECT)));
        let (mut body, mut head, none) = (BytesMut::new(), Fields::new(), Metadata::new());
        exchange
            .write_head(CallHead { prefix: "", headers: &none, timeout: None }, &mut body, &mut head)
            .unwrap();
        assert!(head.iter().all(|(name, _)| name != "content-encoding"));
        exchange
            .send(&mut body, |out| {
                out.extend_from_slice(b"aaaa");
                Ok(())
            })
            .unwrap();
        assert_eq!(&body[..], b"aaaa");
    }
}

#[test]
fn a_whole_body_that_grows_too_long_is_refused_before_its_end() {
    let mut exchange = ClientExchange::new(&UNARY, &Arc::new(config(ClientProtocol::CONNECT)));
    exchange.head(200, &[("content-type", "application/proto")], false);
    exchange.push(Bytes::from_static(&[b'x'; 64]), false);
    assert!(matches!(exchange.next_input(), Ok(Received::Pending)));
    exchange.push(Bytes::from_static(b"x"), false);
    assert_eq!(exchange.next_input().unwrap_err().code(), ringwire_rpc::Code::ResourceExhausted);
}

#[test]
fn errors_of_the_peer_say_so_and_bring_their_metadata() {
    let config = Arc::new(config(GRPC));
    let mut exchange = ClientExchange::new(&UNARY, &config);
    exchange.head(200, &[("content-type", "application/grpc"), ("a", "1")], false);
    exchange.push_trailers(&[("grpc-status", "5"), ("b", "2")]);
    let error = exchange.next_input().unwrap_err();
    assert_eq!(error.origin(), ringwire_rpc::Origin::Peer);
    assert_eq!(error.metadata().get_str("a"), Ok("1"));
    assert_eq!(error.metadata().get_str("b"), Ok("2"));
    let mut exchange = ClientExchange::new(&UNARY, &config);
    exchange.head(200, &[("content-type", "image/jpeg")], true);
    assert_eq!(exchange.next_input().unwrap_err().origin(), ringwire_rpc::Origin::Local);
}
