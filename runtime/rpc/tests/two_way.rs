//! A client exchange and a server exchange, joined by nothing but bytes in pieces of any size: every
//! protocol, shape, compression and codec.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use common::{BIDI, CLIENT_STREAM, Fields, Runs, SERVER_STREAM, UNARY, head, metadata};
use ringwire_compress::{Gzip, Zstd};
use ringwire_rpc::{
    CallHead, ClientConfig, ClientExchange, ClientProtocol, Code, Compression, CompressionPolicy,
    Compressions, Ending, Error, GetPolicy, Metadata, Received, RequestLine, ServerConfig, ServerExchange,
    Sinks, Spec,
};
use ringwire_testing::seed::Seed;

/// What is sent, and how.
#[derive(Clone, Debug)]
struct Scenario {
    client: ClientConfig,
    spec: Spec,
    requests: Vec<Vec<u8>>,
    responses: Vec<Vec<u8>>,
    fails: bool,
}

/// The HTTP between the two, as far as it has come.
#[derive(Default)]
struct Http {
    line: Option<RequestLine>,
    request_head: Fields,
    response_status: Option<u16>,
    response_head: Fields,
    trailers: Option<Fields>,
}

const PROTOCOLS: [ClientProtocol; 4] =
    [ClientProtocol::CONNECT, ClientProtocol::GRPC, ClientProtocol::GRPC_WEB, ClientProtocol::GRPC_WEB_TEXT];
const SHAPES: [Spec; 4] = [UNARY, CLIENT_STREAM, SERVER_STREAM, BIDI];

fn compressions() -> Compressions {
    Compressions::none().with(&Gzip).with(&Zstd).with(&Runs)
}

fn server_config() -> Arc<ServerConfig> {
    let mut config = ServerConfig::new(&["proto", "json"]);
    config.compressions = compressions();
    config.compression_policy = CompressionPolicy::default().with_min_size(10);
    Arc::new(config)
}

/// Runs a call: the request and then the response travel whole, in pieces of sizes that `seed` says.
fn check(scenario: &Scenario, seed: &mut Seed) {
    let Scenario { client, spec, requests, responses, fails } = scenario;
    let mut http = Http::default();
    let (custom_headers, custom_trailers) =
        (metadata(&[("a", "1"), ("a", "2")]), metadata(&[("b-bin", "AQI")]));

    let mut caller = ClientExchange::<Fields>::new(spec, &Arc::new(client.clone()));
    let mut body = BytesMut::new();
    for request in requests {
        send_client(&mut caller, &mut body, request);
    }
    let call = CallHead { prefix: "", headers: &custom_headers, timeout: Some(Duration::from_secs(3)) };
    http.line = Some(caller.write_head(call, &mut body, &mut http.request_head).unwrap());

    let line = http.line.as_ref().unwrap();
    let head = head(line.method, &line.target, &http.request_head);
    let mut callee = ServerExchange::accept(&head, spec, &server_config()).unwrap();
    assert_eq!(callee.timeout(), Some(Duration::from_secs(3)));
    assert_eq!(["proto", "json"][callee.codec()], client.codec());
    assert_eq!(callee.protocol(), client.protocol.name());
    let mut got = Vec::new();
    for (piece, end) in pieces(&body, seed) {
        callee.push(piece, end);
        while let Received::Message(message) = callee.next_input().unwrap() {
            got.push(message.to_vec());
        }
    }
    assert_eq!(callee.next_input().unwrap(), Received::End);
    assert_eq!(&got, requests);

    let mut body = BytesMut::new();
    for response in responses {
        send_server(&mut callee, &mut body, response);
    }
    if !responses.is_empty() {
        http.response_status = callee.write_head(&custom_headers, &mut http.response_head);
    }
    let error = failure();
    let outcome = if *fails { Err(&error) } else { Ok(()) };
    finish(&mut callee, outcome, &custom_headers, &custom_trailers, &mut body, &mut http);

    caller.head(http.response_status.unwrap(), http.response_head.clone(), false);
    let mut got = Vec::new();
    let mut outcome = None;
    let trailers = http.trailers.take();
    for (piece, end) in pieces(&body, seed) {
        caller.push(piece, end && trailers.is_none());
        drain(&mut caller, &mut got, &mut outcome);
    }
    if let Some(trailers) = trailers {
        caller.push_trailers(trailers);
        drain(&mut caller, &mut got, &mut outcome);
    }
    // A lone response is worth nothing without success.
    let want = if *fails && spec.shape.has_one_response() { &Vec::new() } else { responses };
    assert_eq!(&got, want);
    check_outcome(*fails, outcome.unwrap());
    let all = |metadata: &Metadata, name| metadata.get_all(name).map(<[u8]>::to_vec).collect::<Vec<_>>();
    assert_eq!(all(caller.headers(), "a"), [b"1", b"2"]);
    assert_eq!(caller.trailers().get_bin("b-bin").unwrap(), &b"\x01\x02"[..]);
}

fn check_outcome(fails: bool, outcome: Result<(), Error>) {
    let Err(error) = outcome else {
        assert!(!fails);
        return;
    };
    let want = failure();
    assert!(fails, "{error:?}");
    assert_eq!(
        (error.code(), error.message(), error.details()),
        (want.code(), want.message(), want.details())
    );
    assert_eq!(error.metadata().get_str("beside"), Ok("it"));
}

fn failure() -> Error {
    let mut error = Error::new(Code::FailedPrecondition, "a \u{263a}\r\n% b")
        .with_detail_raw("a.B", &b"\x01\xff"[..])
        .with_detail_raw("c.D", "");
    error.metadata_mut().append("beside", "it").unwrap();
    error
}

fn send_client(exchange: &mut ClientExchange<Fields>, body: &mut BytesMut, message: &[u8]) {
    exchange
        .send(body, |out| {
            out.extend_from_slice(message);
            Ok(())
        })
        .unwrap();
}

fn send_server(exchange: &mut ServerExchange, body: &mut BytesMut, message: &[u8]) {
    exchange
        .send(body, |out| {
            out.extend_from_slice(message);
            Ok(())
        })
        .unwrap();
}

fn finish(
    exchange: &mut ServerExchange,
    outcome: Result<(), &Error>,
    headers: &Metadata,
    trailers: &Metadata,
    body: &mut BytesMut,
    http: &mut Http,
) {
    let mut sent_trailers = Fields::new();
    let end = exchange.finish(
        Ending { outcome, headers, trailers },
        Sinks { head: &mut http.response_head, body, trailers: &mut sent_trailers },
    );
    http.response_status = http.response_status.or(end.status);
    http.trailers = end.trailers.then_some(sent_trailers);
}

fn drain(
    exchange: &mut ClientExchange<Fields>,
    got: &mut Vec<Vec<u8>>,
    outcome: &mut Option<Result<(), Error>>,
) {
    while outcome.is_none() {
        match exchange.next_input() {
            Ok(Received::Message(message)) => got.push(message.to_vec()),
            Ok(Received::Pending) => return,
            Ok(Received::End) => *outcome = Some(Ok(())),
            Err(error) => *outcome = Some(Err(error)),
        }
    }
}

/// Cuts `body` into pieces, the last of which is empty now and then.
fn pieces(body: &[u8], seed: &mut Seed) -> Vec<(Bytes, bool)> {
    let largest = [1, 7, 100, 5000][seed.below(4)];
    let mut pieces = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at((1 + seed.below(largest)).min(rest.len()));
        pieces.push((Bytes::copy_from_slice(piece), after.is_empty()));
        rest = after;
    }
    if pieces.is_empty() || seed.below(2) == 0 {
        if let Some((_, end)) = pieces.last_mut() {
            *end = false;
        }
        pieces.push((Bytes::new(), true));
    }
    pieces
}

fn messages(count: usize, seed: &mut Seed) -> Vec<Vec<u8>> {
    (0..count)
        .map(|_| match seed.below(4) {
            0 => Vec::new(),
            1 => {
                let len = seed.below(20);
                seed.bytes(len)
            }
            2 => vec![b'a'; seed.below(3000)],
            _ => {
                let len = seed.below(3000);
                seed.bytes(len)
            }
        })
        .collect()
}

#[test]
fn every_protocol_shape_compression_and_codec() {
    let sent: [Option<&'static dyn Compression>; 4] = [None, Some(&Gzip), Some(&Zstd), Some(&Runs)];
    let accepted = [Compressions::none(), compressions(), Compressions::none().with(&Zstd)];
    let mut seed = Seed::new(1);
    for protocol in PROTOCOLS {
        for spec in SHAPES {
            for (compression, accepted) in
                sent.into_iter().flat_map(|sent| accepted.iter().map(move |all| (sent, all)))
            {
                for codec in ["proto", "json"] {
                    for fails in [false, true] {
                        let mut client = ClientConfig::new(protocol, codec);
                        client.compressions = accepted.clone();
                        client.compression = compression;
                        client.compression_policy =
                            CompressionPolicy::default().with_min_size(seed.below(20));
                        if seed.below(2) == 0 {
                            client.get = GetPolicy::UpTo { url_max: 2000 };
                        }
                        let requests = if spec.shape.has_one_request() { 1 } else { seed.below(5) };
                        let responses = match spec.shape.has_one_response() {
                            true => usize::from(!fails),
                            false => seed.below(5),
                        };
                        let scenario = Scenario {
                            client,
                            spec,
                            requests: messages(requests, &mut seed),
                            responses: messages(responses, &mut seed),
                            fails,
                        };
                        check(&scenario, &mut seed);
                    }
                }
            }
        }
    }
}

#[test]
fn lock_step() {
    for protocol in PROTOCOLS {
        let mut client = ClientConfig::new(protocol, "proto");
        client.compressions = compressions();
        client.compression = Some(&Gzip);
        client.compression_policy = CompressionPolicy::ALWAYS;
        let none = Metadata::new();
        let mut http = Http::default();
        let mut caller = ClientExchange::<Fields>::new(&BIDI, &Arc::new(client));
        let (mut up, mut down) = (BytesMut::new(), BytesMut::new());
        let call = CallHead { prefix: "", headers: &none, timeout: None };
        let line = caller.write_head(call, &mut up, &mut http.request_head).unwrap();
        let head = head(line.method, &line.target, &http.request_head);
        let mut callee = ServerExchange::accept(&head, &BIDI, &server_config()).unwrap();
        http.response_status = callee.write_head(&none, &mut http.response_head);
        caller.head(http.response_status.unwrap(), http.response_head.clone(), false);
        for round in 0..10_usize {
            let message = vec![b'a'; round * 100];
            send_client(&mut caller, &mut up, &message);
            callee.push(up.split().freeze(), false);
            assert_eq!(callee.next_input().unwrap(), Received::Message(message.clone().into()));
            assert_eq!(callee.next_input().unwrap(), Received::Pending);
            send_server(&mut callee, &mut down, &message);
            caller.push(down.split().freeze(), false);
            assert_eq!(caller.next_input().unwrap(), Received::Message(message.into()));
            assert_eq!(caller.next_input().unwrap(), Received::Pending);
        }
        callee.push(Bytes::new(), true);
        assert_eq!(callee.next_input().unwrap(), Received::End);
        finish(&mut callee, Ok(()), &none, &none, &mut down, &mut http);
        caller.push(down.split().freeze(), http.trailers.is_none());
        if let Some(trailers) = http.trailers {
            caller.push_trailers(trailers);
        }
        assert_eq!(caller.next_input().unwrap(), Received::End);
    }
}

#[test]
fn errors_handed_on_leave_behind_what_came_beside_them() {
    let config = Arc::new(ClientConfig::new(ClientProtocol::GRPC, "proto"));
    let mut caller = ClientExchange::new(&UNARY, &config);
    caller.head(200, [("content-type", "application/grpc"), ("set-cookie", "secret")], false);
    caller.push_trailers([("grpc-status", "5"), ("internal-host", "db-7")]);
    let error = caller.next_input().unwrap_err();
    for content_type in ["application/proto", "application/grpc", "application/grpc-web"] {
        let fields = [("content-type", content_type)];
        let head = head("POST", "/", &fields);
        let mut callee = ServerExchange::accept(&head, &UNARY, &server_config()).unwrap();
        let (none, mut http, mut body) = (Metadata::new(), Http::default(), BytesMut::new());
        finish(&mut callee, Err(&error), &none, &none, &mut body, &mut http);
        let fields = http.response_head.iter().chain(http.trailers.iter().flatten());
        let shown: String =
            fields.map(|(name, value)| format!("{name}: {}; ", value.escape_ascii())).collect();
        let shown = shown + &body.escape_ascii().to_string();
        assert!(shown.contains("not_found") || shown.contains("grpc-status: 5"), "{shown}");
        assert!(!shown.contains("secret") && !shown.contains("db-7"), "{shown}");
    }
}
