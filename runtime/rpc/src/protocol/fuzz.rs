//! One entry for each side, for fuzzers and for the tests that replay their finds.
//!
//! An entry panics where an exchange breaks its word: how a body is cut must not show, an outcome must stay,
//! and what is held must stay within the limit.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use ringwire_compress::{Compressions, Gzip};
use ringwire_http::{Fields, Head, HeadersMut, Method, Version};

use crate::{
    ClientConfig, ClientExchange, ClientProtocol, Code, Ending, Error, Idempotency, Metadata, NAMES,
    Received, ServerConfig, ServerExchange, Sinks, Spec, StreamShape,
};

/// A side under test.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name, as a fuzzer's command line says it.
    pub name: &'static str,
    /// Plays the peer that the input describes, and panics if something is wrong with what the exchange does.
    ///
    /// The first byte chooses the method's shape, the second the protocol, the third where the body is cut;
    /// then come three lines of header values, and the body.
    pub run: fn(&[u8]),
    /// Inputs from which more can be made.
    pub seeds: &'static [&'static [u8]],
}

/// Both sides.
pub const TARGETS: &[Target] = &[
    Target {
        name: "server",
        run: server,
        seeds: &[
            b"\0\0\x08100\n\n\nhi",
            b"\0\x01\0connect=v1&encoding=json&message=%7B%7D\n\ngzip\n",
            b"\x01\x02\x07\n\ngzip\n\0\0\0\0\x02hi\0\0\0\0\0",
            b"\x02\x03\x061S\n\n\n\0\0\0\0\x02hi",
            b"\x03\x04\x03\ngzip\n\n\x01\0\0\0\x16\x1f\x8b\x08\0\0\0\0\0\0\x03\xcb\xc8\x04\0\xac\x2a\x93\xd8\x02\0\0\0",
            b"\0\x05\x05\n\nbr, gzip;q=0.5\nAAAAAAJoaQ==AAAA",
            b"\0\x06\0application/json; charset=utf-8\n\n\n{}",
        ],
    },
    Target {
        name: "client",
        run: client,
        seeds: &[
            b"\0\0\x01\n\n\nhi",
            b"\0\x10\x09\n\n\n{\"code\":\"aborted\",\"message\":\"m\",\"details\":[{\"type\":\"a.B\",\"value\":\"AQI\"}]}",
            b"\x01\0\x09\n\n\n\0\0\0\0\x02hi\x02\0\0\0\x02{}",
            b"\x03\0\x09\n\n\n\x02\0\0\0\x25{\"error\":{},\"metadata\":{\"a\":[\"1\",\"2\"]}}",
            b"\0\x01\x09\n0\n\n\0\0\0\0\x02hi",
            b"\0\x01\0\n5\nCAUSAW0aHAoXdHlwZS5nb29nbGVhcGlzLmNvbS9hLkISAXY\n",
            b"\0\x02\x01\n\n\n\0\0\0\0\x02hi\x80\0\0\0\x10grpc-status: 0\r\n",
            b"\0\x03\x01\n\n\nAAAAAAJoaQ==gAAAABBncnBjLXN0YXR1czogMA0K",
            b"\x01\x02\x03gzip\n\n\n\x01\0\0\0\x02hi",
        ],
    },
];

/// What came out of an exchange: its messages, and how it ended.
type Record = (Vec<Bytes>, Option<Result<(), Code>>);

fn server(input: &[u8]) {
    let Some(peer) = Peer::read(input) else { return };
    let mut config = ServerConfig::new(&["proto", "json"]);
    config.limits.receive_max = MESSAGE_MAX;
    config.compressions = Compressions::none().with(&Gzip);
    let config = Arc::new(config);
    let whole = serve(&peer, &config, &[peer.body]);
    let (first, second) = peer.halves();
    assert_eq!(serve(&peer, &config, &[first, second]), whole);
}

fn serve(peer: &Peer<'_>, config: &Arc<ServerConfig>, chunks: &[&[u8]]) -> Record {
    let [first, encoding, accept] = peer.lines;
    let (method, content_type) = match peer.protocol % 7 {
        0 => (Method::Post, &b"application/proto"[..]),
        1 => (Method::Get, &b""[..]),
        2 => (Method::Post, &b"application/connect+proto"[..]),
        3 => (Method::Post, &b"application/grpc"[..]),
        4 => (Method::Post, &b"application/grpc-web+json"[..]),
        5 => (Method::Post, &b"application/grpc-web-text"[..]),
        _ => (Method::Post, first),
    };
    let fields = [
        ("content-type", content_type),
        ("connect-timeout-ms", first),
        ("grpc-timeout", first),
        ("content-encoding", encoding),
        ("connect-content-encoding", encoding),
        ("grpc-encoding", encoding),
        ("accept-encoding", accept),
        ("connect-accept-encoding", accept),
        ("grpc-accept-encoding", accept),
    ];
    let mut head = Fields::new(&NAMES);
    // An absent field and an empty one are two things.
    for (name, value) in fields.into_iter().filter(|(_, value)| !value.is_empty()) {
        head.append(name, value);
    }
    let target = format!("/a/b?{}", String::from_utf8_lossy(first));
    let head = Head::new(method, target, Version::Http2, head);
    let mut exchange = match ServerExchange::accept(&head, &peer.spec, config) {
        Ok(exchange) => exchange,
        Err(answer) => {
            assert!(answer.headers.iter().all(|(_, value)| !value.is_empty()), "an empty field");
            return (Vec::new(), Some(Err(answer.error.map_or(Code::Unknown, |error| error.code()))));
        }
    };
    let record = play(
        &mut exchange,
        chunks,
        |exchange, chunk, end| exchange.push(chunk, end),
        |exchange| {
            assert!(exchange.buffered() <= BUFFERED_MAX, "more is held than may be");
            exchange.next_input()
        },
    );
    finish(&mut exchange, &record);
    record
}

/// Answers with all messages, or with the error.
fn finish(exchange: &mut ServerExchange, (messages, outcome): &Record) {
    let none = Metadata::new();
    let mut head: Vec<(String, Vec<u8>)> = Vec::new();
    let mut trailers: Vec<(String, Vec<u8>)> = Vec::new();
    let mut body = BytesMut::new();
    for message in messages {
        // A second response to a unary call is refused, which is as good.
        let _ = exchange.send(&mut body, |out| {
            out.extend_from_slice(message);
            Ok(())
        });
    }
    let error = outcome.and_then(Result::err).map(|code| Error::new(code, "it failed"));
    let outcome = error.as_ref().map_or(Ok(()), Err);
    let end = exchange.finish(
        Ending { outcome, headers: &none, trailers: &none },
        Sinks { head: &mut head, body: &mut body, trailers: &mut trailers },
    );
    assert!(end.status.is_some() && head.iter().any(|(name, _)| name == "content-type"));
}

fn client(input: &[u8]) {
    let Some(peer) = Peer::read(input) else { return };
    let protocol = [
        ClientProtocol::CONNECT,
        ClientProtocol::GRPC,
        ClientProtocol::GRPC_WEB,
        ClientProtocol::GRPC_WEB_TEXT,
    ][usize::from(peer.protocol % 4)];
    let mut config = ClientConfig::new(protocol, "proto");
    config.limits.receive_max = MESSAGE_MAX;
    config.limits.error_body_max = MESSAGE_MAX;
    config.compressions = Compressions::none().with(&Gzip);
    let config = Arc::new(config);
    let whole = call(&peer, &config, &[peer.body]);
    let (first, second) = peer.halves();
    assert_eq!(call(&peer, &config, &[first, second]), whole);
}

fn call(peer: &Peer<'_>, config: &Arc<ClientConfig>, chunks: &[&[u8]]) -> Record {
    let [encoding, status, details] = peer.lines;
    let is_failed = peer.protocol & 0x10 != 0;
    let content_type = match (peer.protocol % 4, peer.spec.shape) {
        (0, _) if is_failed => &b"application/json"[..],
        (0, StreamShape::Unary) => b"application/proto",
        (0, _) => b"application/connect+proto",
        (1, _) => b"application/grpc",
        (2, _) => b"application/grpc-web+proto",
        _ => b"application/grpc-web-text",
    };
    let end_of_grpc =
        [("grpc-status", status), ("grpc-message", details), ("grpc-status-details-bin", details)];
    let mut fields = vec![
        ("content-type", content_type),
        ("content-encoding", encoding),
        ("connect-content-encoding", encoding),
        ("grpc-encoding", encoding),
        ("trailer-a", details),
    ];
    if peer.protocol & 0x20 != 0 {
        fields.extend(end_of_grpc);
    }
    let mut exchange = ClientExchange::new(&peer.spec, config);
    exchange.head(if is_failed { 503 } else { 200 }, fields, false);
    let has_trailers = config.protocol == ClientProtocol::GRPC && peer.protocol & 0x40 == 0;
    let push = |exchange: &mut ClientExchange<_>, chunk: Bytes, end: bool| {
        exchange.push(chunk, end && !has_trailers);
        if end && has_trailers {
            exchange.push_trailers(end_of_grpc.to_vec());
        }
    };
    play(&mut exchange, chunks, push, |exchange| {
        assert!(exchange.buffered() <= BUFFERED_MAX, "more is held than may be");
        exchange.next_input()
    })
}

fn play<E>(
    exchange: &mut E,
    chunks: &[&[u8]],
    push: impl Fn(&mut E, Bytes, bool),
    next: impl Fn(&mut E) -> Result<Received, Error>,
) -> Record {
    let (mut messages, mut outcome) = (Vec::new(), None);
    for (at, chunk) in chunks.iter().enumerate() {
        push(exchange, Bytes::copy_from_slice(chunk), at + 1 == chunks.len());
        while outcome.is_none() {
            match next(exchange) {
                Ok(Received::Pending) => break,
                Ok(Received::Message(message)) => {
                    assert!(message.len() <= MESSAGE_MAX as usize, "a message past the limit");
                    messages.push(message);
                }
                Ok(Received::End) => outcome = Some(Ok(())),
                Err(error) => outcome = Some(Err(error.code())),
            }
        }
    }
    let again = next(exchange).map(|input| assert_eq!(input, Received::End)).map_err(|error| error.code());
    assert_eq!(Some(again), outcome, "an outcome stays");
    (messages, outcome)
}

/// What the input says about the peer.
struct Peer<'a> {
    spec: Spec,
    protocol: u8,
    cut: usize,
    lines: [&'a [u8]; 3],
    body: &'a [u8],
}

impl<'a> Peer<'a> {
    fn read(input: &'a [u8]) -> Option<Self> {
        let [shape, protocol, cut, rest @ ..] = input else { return None };
        let mut parts = rest.splitn(4, |byte| *byte == b'\n');
        let lines = [parts.next()?, parts.next()?, parts.next()?];
        let shapes =
            [StreamShape::Unary, StreamShape::ServerStream, StreamShape::ClientStream, StreamShape::Bidi];
        let spec = Spec::new("/a/b", shapes[usize::from(shape % 4)]);
        let spec = spec.with_idempotency(Idempotency::NoSideEffects);
        let body = parts.next()?;
        // The body is pushed at once, and so no limit on it is left to test beyond this.
        (body.len() <= BODY_MAX).then_some(Self {
            spec,
            protocol: *protocol,
            cut: usize::from(*cut),
            lines,
            body,
        })
    }

    fn halves(&self) -> (&'a [u8], &'a [u8]) {
        self.body.split_at(self.cut.min(self.body.len()))
    }
}

const MESSAGE_MAX: u32 = 64;
const BODY_MAX: usize = 4096;
// A lone message that is held, a frame that is not complete, and the chunk pushed last.
const BUFFERED_MAX: usize = MESSAGE_MAX as usize * 3 + 1024 + BODY_MAX;

#[cfg(test)]
mod tests {
    use ringwire_testing::seed::Seed;

    use super::*;

    /// Runs a target over its seeds, their truncations, and what mutation makes of them.
    #[track_caller]
    fn check(target: &Target) {
        let mut random = Seed::new(7);
        for seed in target.seeds {
            for end in 0..=seed.len() {
                (target.run)(&seed[..end]);
            }
            for _ in 0..MUTATIONS {
                let mut input = seed.to_vec();
                for _ in 0..=random.below(4) {
                    mutate(&mut input, target.seeds, &mut random);
                }
                (target.run)(&input);
            }
        }
    }

    fn mutate(input: &mut Vec<u8>, seeds: &[&[u8]], random: &mut Seed) {
        let at = random.below(input.len() + 1);
        let byte = match random.below(2) {
            0 => random.number() as u8,
            _ => b"\0\x01\x02\x03\x80\x81\xff\n&=%;+/{}\"09"[random.below(18)],
        };
        match random.below(5) {
            0 => input.insert(at, byte),
            1 if at < input.len() => drop(input.remove(at)),
            2 if at < input.len() => input[at] = byte,
            3 => input.truncate(at),
            _ => {
                let other = seeds[random.below(seeds.len())];
                input.extend_from_slice(&other[random.below(other.len())..]);
            }
        }
    }

    const MUTATIONS: usize = 5_000;

    #[test]
    fn no_side_breaks_its_word() {
        TARGETS.iter().for_each(check);
    }
}
