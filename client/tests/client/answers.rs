//! What bad servers say, and what becomes of it.

use crate::greet::*;
use crate::stub::*;
use crate::support::*;
use ringwire_client::Reset as Why;
use ringwire_client::{
    Channel, ClientProtocol, Code, DecodeLimits, Limits, Origin, Result, TransportError, TransportErrorKind,
};

use Piece::{Fail, Never};

/// Makes a unary call and a server stream, and expects this outcome of them: the code of an error, or none.
#[track_caller]
fn check(protocol: ClientProtocol, step: Step, unary: Option<Code>, stream: Option<Code>) {
    let channel = Stub::new([step.clone()]).channel().protocol(protocol);
    for (shape, outcome, expected) in
        [("unary", call(&channel), unary), ("stream", spell(&channel).map(|_| ()), stream)]
    {
        let code = outcome.as_ref().err().map(|error| error.code());
        assert_eq!(code, expected, "{} {shape}: {outcome:?} to {step:?}", protocol.name());
    }
}

#[track_caller]
fn call(channel: &Channel) -> Result<()> {
    now(GreetClient::new(channel.clone()).greet(&request("Ada"))).map(|_| ())
}

/// The messages of a stream, if it succeeds.
#[track_caller]
fn spell(channel: &Channel) -> Result<Vec<String>> {
    let client = GreetClient::new(channel.clone());
    now(async move {
        let mut letters = client.spell(&request("Ada")).await?;
        let mut all = Vec::new();
        while let Some(letter) = letters.next().await? {
            all.push(letter.greeting);
        }
        Ok(all)
    })
}

const CONNECT: ClientProtocol = ClientProtocol::CONNECT;
const GRPC: ClientProtocol = ClientProtocol::GRPC;
const WEB: ClientProtocol = ClientProtocol::GRPC_WEB;
const PROTO: (&str, &str) = ("content-type", "application/proto");
const STREAM: (&str, &str) = ("content-type", "application/connect+proto");
const GRPC_TYPE: (&str, &str) = ("content-type", "application/grpc");
const WEB_TYPE: (&str, &str) = ("content-type", "application/grpc-web+proto");
const JSON: (&str, &str) = ("content-type", "application/json");
const OK: (&str, &str) = ("grpc-status", "0");

fn message() -> Vec<u8> {
    envelope(0, &text("A"))
}

#[test]
fn a_status_without_an_error_stands_for_a_code() {
    for (status, code) in [
        (400, Code::Internal),
        (401, Code::Unauthenticated),
        (403, Code::PermissionDenied),
        (404, Code::Unimplemented),
        (429, Code::Unavailable),
        (502, Code::Unavailable),
        (503, Code::Unavailable),
        (504, Code::Unavailable),
        (201, Code::Unknown),
        (302, Code::Unknown),
        (409, Code::Unknown),
        (412, Code::Unknown),
        (413, Code::Unknown),
        (415, Code::Unknown),
        (418, Code::Unknown),
        (431, Code::Unknown),
        (500, Code::Unknown),
        (505, Code::Unknown),
        (800, Code::Unknown),
        (999, Code::Unknown),
    ] {
        for protocol in PROTOCOLS {
            for body in [vec![], vec![data("<html>")], vec![Never]] {
                let step = answer(status, &[("content-type", "text/html")], body);
                check(protocol, step, Some(code), Some(code));
            }
        }
    }
}

#[test]
fn an_error_in_json_has_its_own_code() {
    let error = |body: &str| answer(429, &[JSON], vec![data(body)]);
    let both = |body, code| check(CONNECT, error(body), Some(code), Some(code));
    both(r#"{"code":"aborted","message":"x"}"#, Code::Aborted);
    both(r#"{"code":"strange"}"#, Code::Unavailable);
    both(r#"{"message":"x"}"#, Code::Unavailable);
    both("{", Code::Unavailable);
    both("null", Code::Unavailable);
    both("", Code::Unavailable);
}

#[test]
fn other_media_types_are_refused() {
    for protocol in PROTOCOLS {
        for media_type in ["", "text/html", "image/png"] {
            let step = answer(200, &[("content-type", media_type)], vec![data("hi")]);
            check(protocol, step, Some(Code::Unknown), Some(Code::Unknown));
        }
    }
    let json = |kind| answer(200, &[("content-type", kind)], vec![data("{}")]);
    check(CONNECT, json("application/json"), Some(Code::Internal), Some(Code::Unknown));
    check(CONNECT, json("application/connect+json"), Some(Code::Internal), Some(Code::Internal));
    check(GRPC, json("application/grpc+json"), Some(Code::Internal), Some(Code::Internal));
}

#[test]
fn a_response_without_its_end_is_an_error() {
    let pieces = |head, pieces: &[Piece]| answer(200, &[head], pieces.to_vec());
    // A whole body is whole when it ends, whatever is in it.
    check(CONNECT, pieces(PROTO, &[]), None, Some(Code::Unknown));
    for body in [vec![], vec![data(message())]] {
        check(CONNECT, pieces(STREAM, &body), Some(Code::Internal), Some(Code::Internal));
        check(GRPC, pieces(GRPC_TYPE, &body), Some(Code::Internal), Some(Code::Internal));
        check(WEB, pieces(WEB_TYPE, &body), Some(Code::Internal), Some(Code::Internal));
    }
    check(GRPC, pieces(GRPC_TYPE, &[trailers(&[])]), Some(Code::Unknown), Some(Code::Unknown));
    check(
        GRPC,
        pieces(GRPC_TYPE, &[trailers(&[("grpc-status", "x")])]),
        Some(Code::Unknown),
        Some(Code::Unknown),
    );
}

#[test]
fn every_truncation_is_an_error() {
    let end = envelope(0x02, b"{}");
    let tail = envelope(0x80, b"grpc-status: 0\r\n");
    for (protocol, head, end) in [(CONNECT, STREAM, end), (WEB, WEB_TYPE, tail)] {
        let whole = [message(), end].concat();
        for len in 0..whole.len() {
            let step = answer(200, &[head], vec![data(&whole[..len])]);
            let channel = Stub::new([step]).channel().protocol(protocol);
            assert_eq!(spell(&channel).unwrap_err().code(), Code::Internal, "{} at {len}", protocol.name());
        }
        let step = answer(200, &[head], vec![data(whole)]);
        assert_eq!(spell(&Stub::new([step]).channel().protocol(protocol)).unwrap(), ["A"]);
    }
    for len in 1..message().len() {
        let step = answer(200, &[GRPC_TYPE], vec![data(&message()[..len]), trailers(&[OK])]);
        check(GRPC, step, Some(Code::Internal), Some(Code::Internal));
    }
}

#[test]
fn a_body_in_any_pieces_is_the_same_body() {
    let whole = [message(), message(), envelope(0x02, b"{}")].concat();
    for at in 0..=whole.len() {
        let (first, second) = whole.split_at(at);
        let step = answer(200, &[STREAM], vec![data(first), data(second)]);
        assert_eq!(spell(&Stub::new([step]).channel()).unwrap(), ["A", "A"], "cut at {at}");
    }
    let bytes = whole.iter().map(|byte| data([*byte])).collect();
    assert_eq!(spell(&Stub::new([answer(200, &[STREAM], bytes)]).channel()).unwrap(), ["A", "A"]);
}

#[test]
fn messages_beyond_the_one_are_refused() {
    let twice = [message(), message()].concat();
    let grpc = |body: &[u8]| answer(200, &[GRPC_TYPE], vec![data(body), trailers(&[OK])]);
    check(GRPC, grpc(&twice), Some(Code::Unimplemented), None);
    check(GRPC, grpc(b""), Some(Code::Unimplemented), None);
    let after_end = [envelope(0x02, b"{}"), message()].concat();
    check(CONNECT, answer(200, &[STREAM], vec![data(after_end)]), Some(Code::Internal), Some(Code::Internal));
}

#[test]
fn envelopes_with_unknown_flags_are_refused() {
    let end = |flags| [envelope(flags, &text("A")), envelope(0x02, b"{}")].concat();
    for flags in [0x04, 0x08, 0x40, 0x80, 0x06] {
        let step = answer(200, &[STREAM], vec![data(end(flags))]);
        check(CONNECT, step, Some(Code::Internal), Some(Code::Internal));
    }
    for flags in [0x02, 0x04, 0x80] {
        let step = answer(200, &[GRPC_TYPE], vec![data(envelope(flags, b"x")), trailers(&[OK])]);
        check(GRPC, step, Some(Code::Internal), Some(Code::Internal));
    }
    // Compressed, and nobody said with what.
    let step = answer(200, &[GRPC_TYPE], vec![data(envelope(1, b"x")), trailers(&[OK])]);
    check(GRPC, step, Some(Code::Internal), Some(Code::Internal));
}

#[test]
fn encodings_are_held_to_what_they_say() {
    let unary =
        |encoding, body: &[u8]| answer(200, &[PROTO, ("content-encoding", encoding)], vec![data(body)]);
    check(CONNECT, unary("br", b"x"), Some(Code::Internal), Some(Code::Unknown));
    check(CONNECT, unary("gzip", b"garbage"), Some(Code::DataLoss), Some(Code::Unknown));
    check(CONNECT, unary("identity", &text("A")), None, Some(Code::Unknown));
    let grpc = |encoding| {
        let body = vec![data(envelope(1, b"garbage")), trailers(&[OK])];
        answer(200, &[GRPC_TYPE, ("grpc-encoding", encoding)], body)
    };
    check(GRPC, grpc("br"), Some(Code::Internal), Some(Code::Internal));
    check(GRPC, grpc("zstd"), Some(Code::DataLoss), Some(Code::DataLoss));
}

#[test]
fn what_is_no_message_is_the_servers_fault() {
    check(CONNECT, answer(200, &[PROTO], vec![data([0xff])]), Some(Code::Internal), Some(Code::Unknown));
    let step = answer(200, &[GRPC_TYPE], vec![data(envelope(0, &[0xff])), trailers(&[OK])]);
    check(GRPC, step, Some(Code::Internal), Some(Code::Internal));
}

#[test]
fn grpc_errors_may_be_in_the_head_or_in_the_trailers() {
    let status = [("grpc-status", "5"), ("grpc-message", "no%20ring")];
    let head = [&[GRPC_TYPE], &status[..]].concat();
    for step in [
        answer(200, &head, vec![]),
        answer(200, &[GRPC_TYPE], vec![trailers(&status)]),
        answer(200, &[GRPC_TYPE], vec![data(message()), trailers(&status)]),
    ] {
        check(GRPC, step, Some(Code::NotFound), Some(Code::NotFound));
    }
    let error = call(&Stub::new([answer(200, &head, vec![])]).channel().protocol(GRPC)).unwrap_err();
    assert_eq!((error.message(), error.origin()), ("no ring", Origin::Peer));
}

#[test]
fn endless_headers_and_trailers_are_bounded() {
    let long = "x".repeat(64 * 1024);
    let step = answer(200, &[PROTO, ("x-long", &long)], vec![data(text("A"))]);
    check(CONNECT, step, Some(Code::ResourceExhausted), Some(Code::ResourceExhausted));
    let step = answer(200, &[GRPC_TYPE], vec![data(message()), trailers(&[OK, ("x-long", &long)])]);
    check(GRPC, step, Some(Code::ResourceExhausted), Some(Code::ResourceExhausted));
}

#[test]
fn a_response_over_the_limit_is_resource_exhausted_on_every_path() {
    for (protocol, head, is_enveloped, end) in [
        (CONNECT, PROTO, false, None),
        (GRPC, GRPC_TYPE, true, Some(trailers(&[OK]))),
        (WEB, WEB_TYPE, true, Some(data(envelope(0x80, b"grpc-status: 0\r\n")))),
    ] {
        for (len, is_within) in [(99, true), (100, true), (101, false)] {
            let payload = text(&"x".repeat(len - 2));
            assert_eq!(payload.len(), len);
            let body = if is_enveloped { envelope(0, &payload) } else { payload };
            let pieces = [data(body)].into_iter().chain(end.clone()).collect();
            let limits = Limits { receive_max: 100, ..Limits::default() };
            let channel =
                Stub::new([answer(200, &[head], pieces)]).channel().protocol(protocol).limits(limits);
            let code = call(&channel).err().map(|error| error.code());
            assert_eq!(code, (!is_within).then_some(Code::ResourceExhausted), "{} {len}", protocol.name());
        }
    }
    // A length alone is enough.
    let lie = [&[0][..], &u32::MAX.to_be_bytes()].concat();
    let step = answer(200, &[GRPC_TYPE], vec![data(lie), Never]);
    check(GRPC, step, Some(Code::ResourceExhausted), Some(Code::ResourceExhausted));
}

#[test]
fn a_response_that_costs_too_much_to_decode_is_resource_exhausted() {
    // Fields 15 and 16 are unknown to the schema.
    let unknown = [&text("A")[..], &[0x78, 1, 0x80, 0x01, 1]].concat();
    for (max, is_within) in [(3, true), (2, true), (1, false)] {
        let limits = DecodeLimits { unknown_fields_max: max, ..DecodeLimits::DEFAULT };
        let step = answer(200, &[PROTO], vec![data(unknown.clone())]);
        let code = call(&Stub::new([step]).channel().decode_limits(limits)).err().map(|error| error.code());
        assert_eq!(code, (!is_within).then_some(Code::ResourceExhausted), "{max}");
    }
}

#[test]
fn a_request_over_the_limit_is_not_sent() {
    for (len, is_within) in [(99, true), (100, true), (101, false)] {
        let stub = Stub::new([hello("hi")]);
        let limits = Limits { send_max: 100, ..Limits::default() };
        let client = GreetClient::new(stub.channel().limits(limits));
        let outcome = now(client.greet(&request(&"x".repeat(len - 2))));
        assert_eq!(outcome.is_ok(), is_within, "{len}");
        assert_eq!(stub.asked().len(), usize::from(is_within));
        if let Err(error) = outcome {
            assert_eq!(error.code(), Code::ResourceExhausted);
        }
    }
}

#[test]
fn a_transport_that_fails_says_where_and_why() {
    use TransportErrorKind::*;
    for protocol in PROTOCOLS {
        for kind in [Resolve, Connect, Handshake, Lost, Closed] {
            check(protocol, fail(kind), Some(Code::Unavailable), Some(Code::Unavailable));
        }
        for (reset, code) in [
            (Why::Refused, Code::Unavailable),
            (Why::Cancelled, Code::Canceled),
            (Why::Excessive, Code::ResourceExhausted),
        ] {
            check(protocol, fail(Reset(reset)), Some(code), Some(code));
        }
    }
    let cable_cut = TransportError::new(Lost).with_peer("[::1]:80").with_source("cable cut");
    let error = call(&Stub::new([Step::Fail(cable_cut)]).channel()).unwrap_err();
    let source = error.source().unwrap().downcast_ref::<TransportError>().unwrap();
    assert_eq!((source.peer(), source.kind(), error.origin()), (Some("[::1]:80"), Lost, Origin::Local));
    assert_eq!(std::error::Error::source(source).unwrap().to_string(), "cable cut");
}

#[test]
fn a_connection_lost_in_a_body_keeps_what_came_before() {
    let step = answer(200, &[GRPC_TYPE], vec![data(message()), Fail(TransportErrorKind::Lost)]);
    check(GRPC, step.clone(), Some(Code::Unavailable), Some(Code::Unavailable));
    let client = GreetClient::new(Stub::new([step]).channel().protocol(GRPC));
    now(async move {
        let mut letters = client.spell(&request("Ada")).await.unwrap();
        assert_eq!(letters.next().await.unwrap().unwrap().greeting, "A");
        assert_eq!(letters.next().await.unwrap_err().code(), Code::Unavailable);
    });
    let step = answer(200, &[PROTO], vec![data(text("A")), Fail(TransportErrorKind::Lost)]);
    check(CONNECT, step, Some(Code::Unavailable), Some(Code::Unknown));
}
