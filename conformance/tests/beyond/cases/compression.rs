//! Responses are compressed when the client asks for it and it is worth it, and never otherwise.

use crate::call::{COMPRESSIONS, Call, Shown};
use crate::case::Case;
use crate::protocol::{Method, Protocol};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        Call::of(&[Method::Unary, Method::ClientStream])
            .say(ONE_LARGE)
            .show(&[Shown::Data, Shown::Compression])
            .case("a response nobody wants compressed is not")
            .want("ok, data 4096, 0 of 1 by nothing"),
        Call::of(&[Method::Unary, Method::ClientStream])
            .say(ONE_LARGE)
            .accept("lzma, snailmail")
            .show(&[Shown::Data, Shown::Compression])
            .case("a response is not compressed by what only the client knows")
            .want("ok, data 4096, 0 of 1 by nothing"),
        Call::of(&[Method::ServerStream])
            .say(LARGE_AND_LARGE)
            .accept("identity")
            .show(&[Shown::Compression])
            .case("a client that wants nothing but identity gets it")
            .want("ok, 0 of 2 by nothing"),
        Call::of(&[Method::Unary, Method::ClientStream])
            .say(ONE_LARGE)
            .accept("snailmail, br, gzip")
            .show(&[Shown::Data, Shown::Compression])
            .case("the first that the server knows too is chosen")
            .want("ok, data 4096, 1 of 1 by br"),
        Call::of(&[Method::Unary])
            .via(&[Protocol::Connect])
            .say(ONE_LARGE)
            .accept("gzip;q=0.5, br;q=0, zstd;q=1.0")
            .show(&[Shown::Data, Shown::Compression])
            .case("qualities are honoured")
            .want("ok, data 4096, 1 of 1 by zstd")
            .connect_go("ok, data 4096, 0 of 1 by nothing", "it takes a name with its quality for a name"),
        Call::of(&[Method::Unary, Method::ClientStream])
            .say(r#"{"responseDefinition":{"error":{"code":"CODE_ABORTED","message":"no"}}}"#)
            .accept("gzip")
            .case("an error can be read whatever the client accepts")
            .want("aborted"),
        Call::of(&[Method::Unary, Method::IdempotentUnary, Method::ClientStream, Method::BidiStream])
            .say("{}")
            .compressed_by("lzma")
            .show(&[Shown::Header("grpc-encoding"), Shown::Header("content-encoding")])
            .case("a request in an unknown compression is refused, and no empty encoding said")
            .want("unimplemented, grpc-encoding: , content-encoding: "),
        Call::of(&[Method::Unary])
            .say("{}")
            .compressed_by("lzma")
            .via(&[Protocol::Grpc, Protocol::GrpcWeb])
            .show(&[Shown::Header("grpc-accept-encoding")])
            .case("a client whose compression is unknown learns which are known")
            .want("unimplemented, grpc-accept-encoding: zstd,gzip,br,deflate,snappy")
            .connect_go("unimplemented, grpc-accept-encoding: zstd,snappy,deflate,br,gzip", "another order"),
    ];
    for name in COMPRESSIONS {
        cases.push(
            Call::of(&[Method::Unary, Method::IdempotentUnary, Method::ClientStream])
                .say(ONE_LARGE)
                .accept(name)
                .show(&[Shown::Data, Shown::Compression])
                .case(format!("a response is compressed by {name} if that is what the client accepts"))
                .want(format!("ok, data 4096, 1 of 1 by {name}")),
        );
        cases.push(
            Call::of(&[Method::ServerStream, Method::BidiStream])
                .say(LARGE_AND_LARGE)
                .accept(name)
                .show(&[Shown::Data, Shown::Compression])
                .case(format!("each response of a stream is compressed by {name}"))
                .want(format!("ok, data 8192, 2 of 2 by {name}")),
        );
        cases.push(
            Call::of(&[Method::Unary, Method::ClientStream])
                .say(ONE_LARGE)
                .compressed_by(name)
                .show(&[Shown::Data, Shown::Compression])
                .case(format!("a request in {name} says nothing of its response"))
                .want("ok, data 4096, 0 of 1 by nothing")
                .connect_go(
                    format!("ok, data 4096, 1 of 1 by {name}"),
                    "it answers in the compression of the request",
                ),
        );
    }
    cases
}

const ONE_LARGE: &str = r#"{"responseDefinition":{"responseData":"{zeros 4096}"}}"#;
const LARGE_AND_LARGE: &str = r#"{"responseDefinition":{"responseData":["{zeros 4096}","{zeros 4096}"]}}"#;
