//! What clients should make of servers: limits on what they receive, and connections that come to their end.

use crate::answers::Connection;
use crate::clients::{ClientCase, LIMIT};
use crate::play::{DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, RST_STREAM, block, frame};
use crate::protocol::Method::{ServerStream, Unary};
use crate::protocol::Protocol::{Connect, Grpc, GrpcWeb};
use crate::protocol::{compress, envelope};

pub(crate) fn client_cases() -> Vec<ClientCase> {
    let limit = LIMIT as usize;
    let mut cases = vec![
        ClientCase::http1("a response of the limit is taken", Connect, Unary)
            .on(Connection::new().answer(whole("", &padded(limit))))
            .want("ok with 1; 1 connection"),
        ClientCase::http1("a response of one byte more is refused", Connect, Unary)
            .on(Connection::new().answer(whole("", &padded(limit + 1))))
            .want("resource_exhausted; 1 connection"),
        ClientCase::http1("a response that unfolds beyond the limit is refused", Connect, Unary)
            .on(Connection::new().answer(whole("content-encoding: gzip\r\n", &compress("gzip", &vec![b' '; 60 << 20]))))
            .want("resource_exhausted; 1 connection")
            .connect_go("internal; 1 connection", "it asks gzip for one byte more, and gzip has a word first"),
        ClientCase::http1("a response that is announced beyond the limit is refused before it comes", Connect, Unary)
            .on(Connection::new().answer([&b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 4294967295\r\n\r\n"[..], &padded(2000)].concat()).stay())
            .want("resource_exhausted; 1 connection")
            .connect_go("silence; 1 connection", READS_ALL),
        ClientCase::http1("a message of 4 GiB is refused by its prefix", Connect, ServerStream)
            .on(Connection::new().answer(stream("application/connect+json", &[0, 0xff, 0xff, 0xff, 0xff])).stay())
            .want("resource_exhausted; 1 connection")
            .connect_go("silence; 1 connection", READS_ALL),
        ClientCase::http1("the same in gRPC-Web", GrpcWeb, ServerStream)
            .on(Connection::new().answer(stream("application/grpc-web+json", &[0, 0xff, 0xff, 0xff, 0xff])).stay())
            .want("resource_exhausted; 1 connection")
            .connect_go("silence; 1 connection", READS_ALL),
        ClientCase::http2("the same in gRPC", Grpc, ServerStream)
            .on(Connection::new().answer([head(1, "application/grpc+json"), frame(DATA, 0, 1, &[0, 0xff, 0xff, 0xff, 0xff])].concat()).stay())
            .want("resource_exhausted; 1 connection")
            .connect_go("silence; 1 connection", READS_ALL),
        ClientCase::http1("what came before a message that is too large is kept", Connect, ServerStream)
            .on(Connection::new().answer(stream("application/connect+json", &[envelope(0, b"{}"), envelope(0, &padded(limit + 1)), envelope(2, b"{}")].concat())))
            .want("resource_exhausted with 1; 1 connection"),
        ClientCase::http1("a head of 2 MiB is refused", Connect, Unary)
            .on(Connection::new().answer(whole(&format!("x-long: {}\r\n", "x".repeat(2 << 20)), b"{}")))
            .want("internal; 1 connection")
            .connect_go("ok with 1; 1 connection", "Go takes 10 MiB"),
        ClientCase::http1("what comes before the answer is passed over", Connect, Unary)
            .on(Connection::new().answer([&b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\n"[..], &whole("", b"{}")].concat()))
            .want("ok with 1; 1 connection"),
        ClientCase::http1("a connection that says that it closes is not used again", Connect, Unary)
            .calls(2)
            .on(Connection::new().answer(whole("connection: close\r\n", b"{}")).stay())
            .on(Connection::new().answer(whole("", b"{}")))
            .want("ok with 1, ok with 1; 2 connections"),
        ClientCase::http1("a request without an answer is not sent again", Connect, Unary)
            .on(Connection::new().answer(""))
            .on(Connection::new().answer(whole("", b"{}")))
            .want("unavailable; 1 connection"),
        ClientCase::http1("an answer that breaks off is unavailable", Connect, Unary)
            .on(Connection::new().answer("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{"))
            .want("unavailable; 1 connection")
            .connect_go("unknown; 1 connection", "it has no code for it"),
        ClientCase::http2("after a GOAWAY the next call goes elsewhere", Connect, Unary)
            .calls(2)
            .on(Connection::new().answer([answer(1), goaway(1, 0)].concat()).stay())
            .on(Connection::new().answer(answer(1)).stay())
            .want("ok with 1, ok with 1; 2 connections"),
        ClientCase::http2("a call that a GOAWAY leaves out is made again", Connect, Unary)
            .on(Connection::new().answer(goaway(0, 0)).stay())
            .on(Connection::new().answer(answer(1)).stay())
            .want("ok with 1; 2 connections"),
        ClientCase::http2("a call that a GOAWAY does not leave out goes on", Connect, Unary)
            .on(Connection::new().answer([goaway(1, 0), answer(1)].concat()).stay())
            .want("ok with 1; 1 connection"),
        ClientCase::http2("a call that is refused is made again", Connect, Unary)
            .on(Connection::new().answer(reset(1, 7)).answer(answer(3)).stay())
            .want("ok with 1; 1 connection"),
        ClientCase::http2("a connection that is lost is not asked again", Connect, Unary)
            .on(Connection::new().answer(""))
            .on(Connection::new().answer(answer(1)).stay())
            .want("unavailable; 1 connection"),
    ];
    for (code, want) in [
        (2, "internal; 1 connection"),
        (8, "canceled; 1 connection"),
        (11, "resource_exhausted; 1 connection"),
        (12, "permission_denied; 1 connection"),
    ] {
        cases.push(
            ClientCase::http2(format!("a reset with {code} has its code"), Grpc, Unary)
                .on(Connection::new().answer(reset(1, code)).stay())
                .want(want),
        );
    }
    cases
}

/// A JSON response of so many bytes.
fn padded(len: usize) -> Vec<u8> {
    let mut message = b"{}".to_vec();
    message.resize(len, b' ');
    message
}

fn whole(fields: &str, body: &[u8]) -> Vec<u8> {
    let len = body.len();
    let head =
        format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len}\r\n{fields}\r\n");
    [head.as_bytes(), body].concat()
}

/// A body that goes on until the connection closes.
fn stream(content_type: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

fn head(stream: u32, content_type: &str) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, &block(&[(":status", "200"), ("content-type", content_type)]))
}

fn answer(stream: u32) -> Vec<u8> {
    [head(stream, "application/json"), frame(DATA, END_STREAM, stream, b"{}")].concat()
}

fn goaway(last: u8, code: u8) -> Vec<u8> {
    frame(GOAWAY, 0, 0, &[0, 0, 0, last, 0, 0, 0, code])
}

fn reset(stream: u32, code: u8) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &[0, 0, 0, code])
}

const READS_ALL: &str = "it reads what it refuses";
