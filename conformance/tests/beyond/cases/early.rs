//! A call that has failed is answered at once, though its client has not ended the request: it may wait for the answer first.

use crate::call::{Call, Shown};
use crate::case::Case;
use crate::protocol::{Method, Protocol, envelope};

pub(super) fn cases() -> Vec<Case> {
    let stream = || Call::of(&[Method::BidiStream]).open().show(&[Shown::Stops]);
    vec![
        stream()
            .say("{}")
            .compressed_by("lzma")
            .case("an unknown compression is refused at once")
            .want("unimplemented, stops")
            .connect_go_where("http1", "silence", READS_FIRST),
        stream()
            .via(&[Protocol::Connect])
            .say("{}")
            .codec("xml")
            .case("an unknown codec is refused at once in Connect")
            .want("http 415")
            .connect_go_where("http1", "silence", READS_FIRST),
        stream()
            .via(&[Protocol::Grpc, Protocol::GrpcWeb])
            .say("{}")
            .codec("xml")
            .case("an unknown codec is refused at once in gRPC")
            .want("unimplemented, stops")
            .connect_go_where("http1", "silence", READS_FIRST)
            .connect_go_where("http2", "http 415", "it answers in HTTP"),
        Call::of(&[Method::Missing])
            .open()
            .say("{}")
            .via(&[Protocol::Grpc, Protocol::GrpcWeb])
            .show(&[Shown::Stops])
            .case("an unknown method is refused at once")
            .want("unimplemented, stops")
            .connect_go_where("http1", "silence", READS_FIRST)
            .connect_go_where("http2", "http 404", "it answers in HTTP"),
        stream()
            .say(r#"{"fullDuplex":true,"responseDefinition":{"error":{"code":"CODE_ABORTED"}}}"#)
            .case("an error of the handler is said at once")
            .want("aborted, stops")
            .connect_go_where("http1", "silence", READS_FIRST),
        stream()
            .say(r#"{"fullDuplex":true,"responseDefinition":{"responseData":["AAAA"],"error":{"code":"CODE_ABORTED"}}}"#)
            .say("{}")
            .show(&[Shown::Messages, Shown::Stops])
            .case("an error after an answer is said at once")
            .want("aborted, messages 1, stops")
            .connect_go_where("http1", "silence", READS_FIRST),
        stream()
            .say("{")
            .case("what cannot be decoded is refused at once")
            .want("invalid_argument, stops")
            .connect_go_where("http1", "silence", READS_FIRST),
        stream()
            .body(envelope(1, b"{}"))
            .case("what is compressed by nothing is refused at once")
            .want("internal, stops")
            .connect_go_where("http1", "silence", READS_FIRST),
        stream()
            .body([0, 0, 3, 0x20, 1])
            .case("a message of one byte too many is refused by its prefix")
            .want("resource_exhausted, stops")
            .connect_go("silence", READS_ALL),
        stream()
            .body([0, 0xff, 0xff, 0xff, 0xff])
            .case("a message of 4 GiB is refused by its prefix")
            .want("resource_exhausted, stops")
            .connect_go("silence", READS_ALL),
        Call::of(&[Method::Unary])
            .via(&[Protocol::Connect])
            .open()
            .body(vec![b' '; 204_801])
            .case("a body of one byte too many is refused before its end")
            .want("resource_exhausted")
            .connect_go("silence", READS_ALL),
        Call::of(&[Method::Unary, Method::ServerStream])
            .via(&[Protocol::Grpc, Protocol::GrpcWeb])
            .open()
            .body([envelope(0, b"{}"), envelope(0, b"{}")].concat())
            .show(&[Shown::Stops])
            .case("a second request where there is one is refused at once")
            .want("unimplemented, stops")
            .connect_go_where("http1", "silence", READS_FIRST),
    ]
}

const READS_FIRST: &str = "Go reads a request of HTTP/1.1 to its end before it answers";
const READS_ALL: &str = "it reads what it refuses";
