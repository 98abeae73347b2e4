//! What a small call costs in allocations, besides those of whoever holds its header fields and buffers.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use common::{UNARY, frame};
use ringwire_rpc::{
    CallHead, ClientConfig, ClientExchange, ClientProtocol, Ending, Input, Metadata, RequestHead,
    ServerConfig, ServerExchange, Sinks, Version,
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
    let none = Metadata::new();
    let mut out = BytesMut::with_capacity(1024);
    let mut fields_written = 0;
    let measured = allocation_counter::measure(|| {
        let mut count = |_: &str, _: &[u8]| fields_written += 1;
        let mut trailers = |_: &str, _: &[u8]| ();
        let head = RequestHead::new("POST", "/s.S/Unary", &fields, Version::Http2);
        let mut exchange = ServerExchange::accept(&head, &UNARY, &config).unwrap();
        exchange.push(body.clone(), true);
        let Input::Message(message) = exchange.next_input().unwrap() else { panic!("the message is there") };
        assert_eq!(exchange.next_input().unwrap(), Input::End);
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
        exchange.head(200, &fields, false);
        exchange.push(body.clone(), trailers.is_none());
        if let Some(trailers) = trailers {
            exchange.push_trailers(&trailers);
        }
        assert_eq!(exchange.next_input().unwrap(), Input::Message("hi".into()));
        assert_eq!(exchange.next_input().unwrap(), Input::End);
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
    // Three for the header, and three for the trailer: list, name and value.
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
    assert_eq!((grpc, connect), (6, 3));
}
