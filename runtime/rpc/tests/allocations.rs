//! What a small call costs in allocations, besides those of whoever holds its header fields and buffers.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use common::{BIDI, UNARY, frame, head};
use ringwire_compress::{Compression, Compressions, Gzip, Level};
use ringwire_rpc::{
    CallHead, ClientConfig, ClientExchange, ClientProtocol, Code, Ending, Metadata, Received, ServerConfig,
    ServerExchange, Sinks,
};

/// Serves one small call, and returns how often the exchange allocated.
fn serve(content_type: &'static str, body: &Bytes) -> u64 {
    let mut config = ServerConfig::new(&["proto", "json"]);
    config.compressions = common::compressions();
    let config = Arc::new(config);
    let fields = [
        ("content-type", content_type),
        ("user-agent", "test"),
        ("te", "trailers"),
        ("grpc-timeout", "1S"),
        ("connect-timeout-ms", "1000"),
        ("grpc-accept-encoding", "gzip, runs"),
        ("accept-encoding", "gzip, runs"),
    ];
    let head = head("POST", "/s.S/Unary", &fields);
    let none = Metadata::new();
    let mut out = BytesMut::with_capacity(1024);
    let mut fields_written = 0;
    let measured = allocation_counter::measure(|| {
        let mut count = |_: &str, _: &[u8]| fields_written += 1;
        let mut trailers = |_: &str, _: &[u8]| ();
        let mut exchange = ServerExchange::accept(&head, &UNARY, &config).unwrap();
        exchange.push(body.clone(), true);
        let Received::Message(message) = exchange.next_input().unwrap() else {
            panic!("the message is there")
        };
        assert_eq!(exchange.next_input().unwrap(), Received::End);
        exchange
            .send(&mut out, |out| {
                out.extend_from_slice(&message);
                Ok(())
            })
            .unwrap();
        let sinks = Sinks { head: &mut count, body: &mut out, trailers: &mut trailers };
        exchange.finish(Ending { outcome: Ok(()), headers: &none, trailers: &none }, sinks);
    });
    assert!(fields_written > 0 && !out.is_empty());
    measured.count_total
}

/// Makes one small call, and returns how often the exchange allocated.
fn call(
    protocol: ClientProtocol,
    fields: &[(&str, &str)],
    body: &Bytes,
    trailers: Option<&[(&str, &str)]>,
) -> u64 {
    let config = Arc::new(ClientConfig::new(protocol, "proto"));
    let none = Metadata::new();
    let mut out = BytesMut::with_capacity(1024);
    let measured = allocation_counter::measure(|| {
        let mut head = |_: &str, _: &[u8]| ();
        let mut exchange = ClientExchange::new(&UNARY, &config);
        exchange
            .send(&mut out, |out| {
                out.extend_from_slice(b"hi");
                Ok(())
            })
            .unwrap();
        exchange
            .write_head(CallHead { prefix: "", headers: &none, timeout: None }, &mut out, &mut head)
            .unwrap();
        exchange.head(200, fields, false);
        exchange.push(body.clone(), trailers.is_none());
        if let Some(trailers) = trailers {
            exchange.push_trailers(trailers);
        }
        assert_eq!(exchange.next_input().unwrap(), Received::Message("hi".into()));
        assert_eq!(exchange.next_input().unwrap(), Received::End);
    });
    measured.count_total
}

/// Bytes that are shared already, as those of a connection are.
fn shared(bytes: Vec<u8>) -> Bytes {
    let bytes = Bytes::from(bytes);
    let _other = bytes.clone();
    bytes
}

#[test]
fn a_server_exchange_does_not_allocate() {
    assert_eq!(serve("application/grpc", &shared(frame(0, "hi"))), 0);
    assert_eq!(serve("application/grpc+json", &shared(frame(0, "hi"))), 0);
    assert_eq!(serve("application/proto", &shared(b"hi".to_vec())), 0);
    assert_eq!(serve("application/json", &shared(b"hi".to_vec())), 0);
    assert_eq!(serve("application/grpc-web+proto", &shared(frame(0, "hi"))), 0);
}

#[test]
fn a_client_exchange_allocates_the_metadata_it_hands_out() {
    // The trailers of HTTP, which not every response has. Nobody looks at headers and trailers.
    let grpc = call(
        ClientProtocol::GRPC,
        &[("content-type", "application/grpc")],
        &shared(frame(0, "hi")),
        Some(&[("grpc-status", "0")]),
    );
    let connect = call(
        ClientProtocol::CONNECT,
        &[("content-type", "application/proto")],
        &shared(b"hi".to_vec()),
        None,
    );
    assert_eq!((grpc, connect), (1, 0));
}

/// Sends `body` in pieces to a server that takes messages of `limit` bytes; returns how it ends, and the most
/// memory that the exchange held at a time.
fn peak(limit: u32, content_type: &'static str, body: &[u8], piece_len: usize) -> (Option<Code>, u64) {
    let mut config = ServerConfig::new(&["proto"]);
    config.limits.receive_max = limit;
    config.compressions = Compressions::none().with(&Gzip);
    let config = Arc::new(config);
    let fields = [("content-type", content_type), ("content-encoding", "gzip"), ("grpc-encoding", "gzip")];
    let head = head("POST", "/", &fields);
    let spec = if content_type == "application/grpc" { BIDI } else { UNARY };
    // A coder is made once and kept.
    let mut coder = BytesMut::new();
    Gzip.compress(b"a", Level::Default, &mut coder);
    Gzip.decompress(&coder.split(), 1, &mut coder).unwrap();
    let mut code = None;
    let measured = allocation_counter::measure(|| {
        let mut exchange = ServerExchange::accept(&head, &spec, &config).unwrap();
        for piece in body.chunks(piece_len) {
            exchange.push(Bytes::copy_from_slice(piece), false);
            match exchange.next_input() {
                Ok(_) => {}
                Err(error) => code = Some(error.code()),
            }
        }
        exchange.push(Bytes::new(), true);
        if let Err(error) = exchange.next_input() {
            code = Some(error.code());
        }
    });
    (code, measured.bytes_max)
}

#[test]
fn memory_stays_within_the_limit_and_one_buffer() {
    let mut bomb = BytesMut::new();
    Gzip.compress(&vec![0; 20_000_000], Level::Default, &mut bomb);
    let endless = vec![0; 2_000_000];
    for limit in [64_u32, 64 * 1024, 256 * 1024] {
        let mut declared = vec![0, 0xff, 0xff, 0xff, 0xff];
        declared.extend_from_slice(&endless);
        let mut almost = vec![0];
        almost.extend_from_slice(&limit.to_be_bytes());
        almost.extend_from_slice(&endless[..limit as usize - 1]);
        for (content_type, body, want) in [
            ("application/grpc", &frame(1, &bomb), Code::ResourceExhausted),
            ("application/proto", &bomb.to_vec(), Code::ResourceExhausted),
            ("application/proto", &endless, Code::ResourceExhausted),
            ("application/grpc", &declared, Code::ResourceExhausted),
            ("application/grpc", &almost, Code::InvalidArgument),
        ] {
            for piece_len in [100, 16 * 1024] {
                let (code, peak) = peak(limit, content_type, body, piece_len);
                // The compressed form, the message, and the growth of either by doubling; then the chunk
                // pushed last.
                let most = u64::from(limit) * 4 + 2 * 16 * 1024 + 8 * 1024;
                assert!(peak <= most, "{content_type} {limit} {piece_len}: {peak} > {most}");
                assert_eq!(code, Some(want), "{content_type} {limit}");
            }
        }
    }
}

#[test]
fn exchanges_travel_between_threads() {
    fn is_send<T: Send + 'static>() {}
    is_send::<ServerExchange>();
    is_send::<ClientExchange<Vec<(String, Vec<u8>)>>>();
    is_send::<ringwire_rpc::Answer>();
    is_send::<ringwire_rpc::Error>();
}
