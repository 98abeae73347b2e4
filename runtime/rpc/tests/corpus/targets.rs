//! The exchanges, as functions of bytes that panic where something is wrong.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use ringwire_compress::Compressions;
use ringwire_rpc::{
    ClientConfig, ClientExchange, ClientProtocol, Code, Ending, Error, Idempotency, Input, Metadata,
    RequestHead, ServerConfig, ServerExchange, Sinks, Spec, StreamShape, Version,
};
use ringwire_testing::{chop::Chop, fuzz::Target};

/// The head of a request: its method and target, then a field a line.
pub(crate) const REQUEST_HEAD: Target = Target {
    name: "request_head",
    run: request_head,
    seeds: &[
        b"POST /s.S/M\ncontent-type: application/grpc+proto; a=\"b\"\ngrpc-timeout: 12345678u\ngrpc-encoding: gzip",
        b"POST /s.S/M\ncontent-type: application/connect+json\nconnect-accept-encoding: zstd;q=0.5, gzip;q=0.7, *;q=0",
        b"POST /s.S/M\ncontent-type: application/proto\nconnect-protocol-version: 1\nconnect-timeout-ms: 1000",
        b"POST /s.S/M\ncontent-type: application/grpc-web-text\nx-bin: AAE=,AAI",
        b"GET /s.S/M?connect=v1&base64=1&compression=gzip&encoding=proto&message=H4sIAAAAAAACA8tIzcnJBwCGphA2BQAAAA",
    ],
};

/// A way to cut, a kind of request, and its body.
pub(crate) const REQUEST_BODY: Target = Target {
    name: "request_body",
    run: request_body,
    seeds: &[
        b"\x01\x00\0\0\0\0\x05hello\0\0\0\0\0",
        b"\x02\x19\0\0\0\0\x05hello\0\0\0\0\0",
        b"\x03\x02{\"a\":1}",
        b"\x04\x07AAAAAAJvbg==AAAAAAV0aHJlZQ==",
        b"\x05\x3c\x01\0\0\0\x19\x1f\x8b\x08\0\0\0\0\0\x02\x03\xcb\x48\xcd\xc9\xc9\x07\0\x86\xa6\x10\x36\x05\0\0\0",
    ],
};

/// A protocol and a status, then a field of the head a line, and behind an empty line those of the trailers.
pub(crate) const RESPONSE_HEAD: Target = Target {
    name: "response_head",
    run: response_head,
    seeds: &[
        b"\x01\xc8content-type: application/grpc\nx-a: 1\n\ngrpc-status: 5\ngrpc-message: a%20%\ngrpc-status-details-bin: CAoSAm5vGh0KF3R5cGUuZ29vZ2xlYXBpcy5jb20vYS5CEgIIAQ",
        b"\x00\xc8content-type: application/proto; charset=utf-8\ncontent-encoding: gzip\ntrailer-x: 1",
        b"\x02\xc8content-type: application/grpc-web+proto\ngrpc-status: 0",
    ],
};

/// A way to cut, a kind of response, and its body.
pub(crate) const RESPONSE_BODY: Target = Target {
    name: "response_body",
    run: response_body,
    seeds: &[
        b"\x01\x04\0\0\0\0\x05hello\x02\0\0\0\x1e{\"metadata\":{\"x-c\":[\"3\",\"4\"]}}",
        b"\x02\x04\x02\0\0\0\x43{\"error\":{\"code\":\"aborted\",\"details\":[{\"type\":\"a\",\"value\":\"CAE\"}]}}",
        b"\x03\x06\0\0\0\0\x05hello\x80\0\0\0\x18grpc-status: 0\r\nx-c: 3\r\n",
        b"\x04\x07AAAAAAVoZWxsbw==gAAAABhncnBjLXN0YXR1czogMA0KeC1jOiAzDQo=",
        b"\x05\x08{\"code\":\"not_found\",\"message\":\"no\\u263a\",\"details\":[{\"type\":\"a.B\",\"value\":\"CAE\",\"debug\":{}}]}",
    ],
};

fn request_head(input: &[u8]) {
    let Some((line, fields)) = head(input) else { return };
    let Some((method, target)) = line.split_once(' ') else { return };
    for spec in [QUERY, BIDI] {
        let head = RequestHead::new(method, target, &fields, Version::Http2);
        match ServerExchange::accept(&head, &spec, &server()) {
            Ok(mut exchange) => {
                exchange.push(Bytes::new(), true);
                let said = all(|| exchange.next_input());
                assert_ne!(
                    said.last(),
                    Some(&Said::Pending),
                    "a request that has ended keeps nobody waiting"
                );
            }
            Err(answer) => {
                assert!((200..600).contains(&answer.status), "{}", answer.status);
                answer.headers.iter().for_each(|(name, value)| check_field(name, value));
            }
        }
    }
}

fn request_body(input: &[u8]) {
    let [way, kind, body @ ..] = input else { return };
    let content_types = [
        "application/grpc",
        "application/connect+proto",
        "application/proto",
        "application/grpc-web",
        "application/connect+json",
        "application/json",
        "application/grpc+json",
        "application/grpc-web-text",
    ];
    let content_type = content_types[usize::from(kind % 8)];
    let encoding = if kind & 0x40 == 0 { "gzip" } else { "identity" };
    let unary = ["application/proto", "application/json"].contains(&content_type);
    let spec = if unary { QUERY } else { [BIDI, SERVER_STREAM, CLIENT_STREAM][usize::from(kind / 8 % 3)] };
    let fields =
        ["content-encoding", "connect-content-encoding", "grpc-encoding"].map(|name| (name, encoding));
    let fields = [&[("content-type", content_type)], &fields[..]].concat();
    let head = RequestHead::new("POST", "/s.S/M", &fields, Version::Http2);
    let run = |chop: Chop| {
        let mut exchange = ServerExchange::accept(&head, &spec, &server()).expect("the head is in order");
        let mut said = Vec::new();
        for piece in chop.pieces(body) {
            exchange.push(Bytes::copy_from_slice(piece), false);
            said.extend(all(|| exchange.next_input()));
        }
        exchange.push(Bytes::new(), true);
        said.extend(all(|| exchange.next_input()));
        let said = settled(said);
        (said.clone(), answered(exchange, &said))
    };
    assert_eq!(run(Chop::Whole), run(Chop::Seeded((*way).into())), "cut otherwise");
}

/// Ends the exchange as its input did, and expects our client to read the same out of the response.
fn answered(mut exchange: ServerExchange, said: &[Said]) -> Vec<u8> {
    let (mut head, mut body, mut trailers) = (Fields::new(), BytesMut::new(), Fields::new());
    let failed = match said.last() {
        Some(Said::Failed(code, message)) => Some(Error::new(*code, message.clone())),
        Some(Said::End) => None,
        other => panic!("a request that has ended ends in {other:?}"),
    };
    let sent = failed.is_none().then(|| {
        exchange.send(&mut body, |out| {
            out.extend_from_slice(b"hi");
            Ok(())
        })
    });
    assert!(sent.is_none_or(|sent| sent.is_ok()), "two bytes can be sent");
    let metadata = Metadata::new();
    let end = exchange.finish(
        Ending { outcome: failed.as_ref().map_or(Ok(()), Err), headers: &metadata, trailers: &metadata },
        Sinks { head: &mut head, body: &mut body, trailers: &mut trailers },
    );
    head.iter().chain(&trailers).for_each(|(name, value)| check_field(name, value));
    let content_type = String::from_utf8_lossy(&head[0].1).into_owned();
    let protocol = match content_type.split('+').next() {
        Some("application/grpc") => ClientProtocol::GRPC,
        Some("application/grpc-web") => ClientProtocol::GRPC_WEB,
        Some("application/grpc-web-text") => ClientProtocol::GRPC_WEB_TEXT,
        _ => ClientProtocol::CONNECT,
    };
    let codec = if content_type.contains("json") && failed.is_none() { "json" } else { "proto" };
    let codec = if content_type.ends_with("+json") { "json" } else { codec };
    let mut client = ClientExchange::new(exchange.spec(), &Arc::new(ClientConfig::new(protocol, codec)));
    client.head(end.status.expect("the head had not gone out"), &head, false);
    client.push(Bytes::copy_from_slice(&body), !end.trailers);
    if end.trailers {
        client.push_trailers(&trailers);
    }
    let read = all(|| client.next_input());
    match (failed, read.last()) {
        (Some(error), Some(Said::Failed(code, message))) => {
            assert_eq!((error.code(), error.message()), (*code, &message[..]));
        }
        (None, Some(Said::End)) => {}
        (failed, read) => panic!("{failed:?} is read as {read:?}"),
    }
    body.to_vec()
}

fn response_head(input: &[u8]) {
    let [kind, status, text @ ..] = input else { return };
    let text = String::from_utf8_lossy(text);
    let (headers, trailers) = text.split_once("\n\n").unwrap_or((&text, ""));
    for spec in [QUERY, BIDI] {
        let mut client = client(*kind, &spec);
        client.head(
            if *status < 100 { u16::from(*status) + 400 } else { (*status).into() },
            &fields(headers),
            false,
        );
        client.push_trailers(&fields(trailers));
        let said = all(|| client.next_input());
        assert_ne!(said.last(), Some(&Said::Pending), "a response that has ended keeps nobody waiting");
    }
}

fn response_body(input: &[u8]) {
    let [way, kind, body @ ..] = input else { return };
    let spec = if kind & 4 == 0 { QUERY } else { BIDI };
    let content_type = match (kind % 4, kind & 4) {
        (0, 0) => "application/proto",
        (0, _) => "application/connect+proto",
        (1, _) => "application/grpc",
        (2, _) => "application/grpc-web",
        (_, _) => "application/grpc-web-text",
    };
    let (status, content_type) = if kind & 8 == 0 { (200, content_type) } else { (404, "application/json") };
    let run = |chop: Chop| {
        let mut client = client(*kind, &spec);
        client.head(status, &[("content-type", content_type)], false);
        let mut said = Vec::new();
        for piece in chop.pieces(body) {
            client.push(Bytes::copy_from_slice(piece), false);
            said.extend(all(|| client.next_input()));
        }
        client.push(Bytes::new(), true);
        said.extend(all(|| client.next_input()));
        (settled(said), client.trailers().clone())
    };
    let (whole, trailers) = run(Chop::Whole);
    assert!(
        matches!(whole.last(), Some(Said::End | Said::Failed(..))),
        "a response that has ended ends in {whole:?}"
    );
    assert_eq!((whole, trailers), run(Chop::Seeded((*way).into())), "cut otherwise");
}

/// What an exchange says next, until it has no more to say.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    Message(Bytes),
    End,
    Pending,
    Failed(Code, String),
}

fn all(mut next: impl FnMut() -> Result<Input, Error>) -> Vec<Said> {
    let mut all = Vec::new();
    loop {
        all.push(match next() {
            Ok(Input::Message(message)) => {
                all.push(Said::Message(message));
                continue;
            }
            Ok(Input::Pending) => Said::Pending,
            Ok(Input::End) => Said::End,
            Err(error) => Said::Failed(error.code(), error.message().to_owned()),
        });
        return all;
    }
}

/// The same without the waiting, and with an end that is said once.
fn settled(mut said: Vec<Said>) -> Vec<Said> {
    said.retain(|said| *said != Said::Pending);
    let end = said.iter().position(|said| matches!(said, Said::End | Said::Failed(..)));
    said.truncate(end.map_or(said.len(), |end| end + 1));
    said
}

fn head(input: &[u8]) -> Option<(String, Fields)> {
    let text = String::from_utf8_lossy(input);
    let (line, rest) = text.split_once('\n').unwrap_or((&text, ""));
    Some((line.to_owned(), fields(rest)))
}

/// Fields as HTTP lets them through: a token, and a value of visible characters, blanks and bytes above ASCII.
fn fields(text: &str) -> Fields {
    let field = |line: &str| {
        let (name, value) = line.split_once(':')?;
        let is_token =
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let is_value = value.bytes().all(|byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f));
        (is_token && is_value).then(|| (name.to_ascii_lowercase(), value.trim().as_bytes().to_vec()))
    };
    text.lines().filter_map(field).collect()
}

fn check_field(name: &str, value: &[u8]) {
    assert!(
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || b"-0123456789".contains(&byte))
    );
    assert!(value.iter().all(|&byte| (b' '..=b'~').contains(&byte)), "{name}: {}", value.escape_ascii());
}

fn server() -> Arc<ServerConfig> {
    let mut config = ServerConfig::new(&["proto", "json"]);
    config.compressions = Compressions::default();
    config.limits.receive_max = RECEIVE_MAX;
    Arc::new(config)
}

fn client(kind: u8, spec: &Spec) -> ClientExchange {
    let protocols = [
        ClientProtocol::CONNECT,
        ClientProtocol::GRPC,
        ClientProtocol::GRPC_WEB,
        ClientProtocol::GRPC_WEB_TEXT,
    ];
    let mut config = ClientConfig::new(protocols[usize::from(kind % 4)], "proto");
    config.compressions = Compressions::default();
    config.limits.receive_max = RECEIVE_MAX;
    ClientExchange::new(spec, &Arc::new(config))
}

type Fields = Vec<(String, Vec<u8>)>;

const QUERY: Spec = Spec::new("/s.S/Query", StreamShape::Unary).with_idempotency(Idempotency::NoSideEffects);
const SERVER_STREAM: Spec = Spec::new("/s.S/ServerStream", StreamShape::ServerStream);
const CLIENT_STREAM: Spec = Spec::new("/s.S/ClientStream", StreamShape::ClientStream);
const BIDI: Spec = Spec::new("/s.S/Bidi", StreamShape::Bidi);
const RECEIVE_MAX: u32 = 1000;
