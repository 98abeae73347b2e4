//! Heads as text, whatever fields they have. What bodies may be is `ringwire_rpc::fuzz`'s to try.

use std::sync::Arc;

use bytes::Bytes;
use ringwire_compress::Compressions;
use ringwire_http::{Fields as HeadFields, Head, Method, Version};
use ringwire_rpc::{
    ClientConfig, ClientExchange, ClientProtocol, Error, Idempotency, NAMES, Received, ServerConfig,
    ServerExchange, Spec, StreamShape,
};
use ringwire_testing::fuzz::Target;

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

fn request_head(input: &[u8]) {
    let Some((line, fields)) = head(input) else { return };
    let Some((method, target)) = line.split_once(' ') else { return };
    let Some(method) = Method::from_bytes(method.as_bytes()) else { return };
    for spec in [QUERY, BIDI] {
        let head = Head::new(method.clone(), target, Version::Http2, HeadFields::copied(&NAMES, &fields));
        match ServerExchange::accept(&head, &spec, &server()) {
            Ok(mut exchange) => {
                exchange.push(Bytes::new(), true);
                hear_out(|| exchange.next_input());
            }
            Err(answer) => {
                assert!((200..600).contains(&answer.status), "{}", answer.status);
                answer.headers.iter().for_each(|(name, value)| check_field(name, value));
            }
        }
    }
}

fn response_head(input: &[u8]) {
    let [kind, status, text @ ..] = input else { return };
    let status = if *status < 100 { u16::from(*status) + 400 } else { (*status).into() };
    let text = String::from_utf8_lossy(text);
    let (headers, trailers) = text.split_once("\n\n").unwrap_or((&text, ""));
    for spec in [QUERY, BIDI] {
        let mut client = client(*kind, &spec);
        client.head(status, fields(headers), false);
        client.push_trailers(fields(trailers));
        hear_out(|| client.next_input());
    }
}

/// Takes all that an exchange has to say of a body that has ended, and expects it to come to an end.
fn hear_out(mut next: impl FnMut() -> Result<Received, Error>) {
    loop {
        match next() {
            Ok(Received::Message(_)) => {}
            Ok(Received::Pending) => panic!("a body that has ended keeps nobody waiting"),
            Ok(Received::End) | Err(_) => return,
        }
    }
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

fn client(kind: u8, spec: &Spec) -> ClientExchange<Fields> {
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
const BIDI: Spec = Spec::new("/s.S/Bidi", StreamShape::Bidi);
const RECEIVE_MAX: u32 = 1000;
