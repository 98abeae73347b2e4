//! Limits of heads and of messages: what is within them passes, what is not is refused with a word, and the rest goes on.

use crate::call::{Call, Shown};
use crate::case::Case;
use crate::protocol::{Method, Protocol, compress, envelope};

pub(super) fn cases() -> Vec<Case> {
    let one = || Call::of(&[Method::Unary]).say("{}");
    let streams = [Method::ClientStream, Method::ServerStream, Method::BidiStream];
    vec![
        one().field("x-long", "x".repeat(8 * 1024)).case("a header of 8 KiB is taken").want("ok"),
        one()
            .field("x-long", "x".repeat(17 * 1024))
            .show(&[Shown::Status])
            .case("a header of 17 KiB is refused")
            .want("http 431")
            .connect_go("ok, status 200", "a head of 1 MiB is taken"),
        one()
            .field("x-long", "x".repeat(60 * 1024))
            .case("a header of 60 KiB is refused")
            .want("http 431")
            .connect_go("ok", "a head of 1 MiB is taken"),
        (0..60)
            .fold(one(), |call, number| call.field(format!("x-{number}"), "y"))
            .case("sixty headers are taken")
            .want("ok"),
        Call::of(&[Method::Unary, Method::ClientStream])
            .say(r#"{"responseDefinition":{"responseData":"{zeros 150000}"}}"#)
            .show(&[Shown::Data])
            .case("a message just within the limit passes, both ways")
            .want("ok, data 150000"),
        Call::of(&streams)
            .via(&[Protocol::Connect])
            .body(envelope(1, &compress("gzip", &vec![b' '; 60 << 20])))
            .field("connect-content-encoding", "gzip")
            .case("60 MiB of nothing do not unfold, in Connect")
            .want("resource_exhausted"),
        Call::of(&streams)
            .via(&[Protocol::Grpc, Protocol::GrpcWeb])
            .body(envelope(1, &compress("gzip", &vec![b' '; 60 << 20])))
            .field("grpc-encoding", "gzip")
            .case("60 MiB of nothing do not unfold, in gRPC")
            .want("resource_exhausted"),
        Call::of(&[Method::Unary])
            .via(&[Protocol::Connect])
            .body(compress("zstd", &vec![b' '; 60 << 20]))
            .field("content-encoding", "zstd")
            .case("60 MiB of nothing do not unfold, in a whole body")
            .want("resource_exhausted"),
        Call::of(&[Method::Unary])
            .say(&format!(
                r#"{{"responseDefinition":{{"error":{{"details":[{{"@type":"type.googleapis.com/google.protobuf.ListValue","value":{}{}}}]}}}}}}"#,
                "[".repeat(20_000),
                "]".repeat(20_000)
            ))
            .case("JSON that goes too deep is refused")
            .want("invalid_argument"),
        Call::of(&[Method::Unary])
            .say_proto(b"\x0a\x05\x0a\x03\x0a\x01\xff")
            .case("text that is no UTF-8 is refused")
            .want("invalid_argument"),
        Call::of(&[Method::Unary])
            .say_proto(b"\x0a\x05\x0a")
            .case("a message that is broken off is refused")
            .want("invalid_argument"),
        Call::of(&streams)
            .body([0, 0, 0, 0, 9, b'{'])
            .case("an envelope that is broken off is refused")
            .want("invalid_argument"),
        Call::of(&streams).body([0, 0]).case("a prefix that is broken off is refused").want("invalid_argument"),
        Call::of(&streams)
            .body(envelope(0x40, b"{}"))
            .case("a flag that nobody knows is refused")
            .want("internal"),
    ]
}
