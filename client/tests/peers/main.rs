//! Calls to servers that are not ours: connect-go and grpc-go.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod server;

use buffa_types::google::protobuf::StringValue;
use ringwire_client::pool::{HttpVersion, PoolOptions};
use ringwire_client::{
    Channel, ClientProtocol, Code, Codec, CompressionPolicy, Error, ErrorDetails, GetPolicy, Idempotency,
    Json, Origin, Proto, Result, Spec, StreamShape,
};
use ringwire_compress::Gzip;
use server::Server;
use std::time::Duration;

const SAY: Spec =
    spec("/ringwire.peers.v1.Echo/Say", StreamShape::Unary).with_idempotency(Idempotency::NoSideEffects);
const FAIL: Spec = spec("/ringwire.peers.v1.Echo/Fail", StreamShape::Unary);
const WAIT: Spec = spec("/ringwire.peers.v1.Echo/Wait", StreamShape::Unary);
const WAITS: Spec = spec("/ringwire.peers.v1.Echo/Waits", StreamShape::Unary);
const WAITED: Spec = spec("/ringwire.peers.v1.Echo/Waited", StreamShape::Unary);
const COUNT: Spec = spec("/ringwire.peers.v1.Echo/Count", StreamShape::ServerStream);
const JOIN: Spec = spec("/ringwire.peers.v1.Echo/Join", StreamShape::ClientStream);
const CHAT: Spec = spec("/ringwire.peers.v1.Echo/Chat", StreamShape::Bidi);
const MISSING: Spec = spec("/ringwire.peers.v1.Echo/Missing", StreamShape::Unary);

const fn spec(procedure: &'static str, shape: StreamShape) -> Spec {
    Spec::new(procedure, shape)
}

fn text(value: &str) -> StringValue {
    StringValue { value: value.to_owned(), ..Default::default() }
}

async fn say(channel: &Channel, value: &str) -> Result<StringValue> {
    let reply = channel.unary::<StringValue, StringValue, _, _>(&SAY, &text(value)).await?;
    Ok(reply.into_message())
}

/// Makes calls of every shape, with all that can go with them.
async fn check(channel: &Channel) -> Result<()> {
    let hello = text("hello ☺");
    let call = channel.unary::<StringValue, StringValue, _, _>(&SAY, &hello);
    let reply = call.header("x-echo", "echoed").header_bin("x-echo-bin", &[0, 255, 1]).await?;
    assert_eq!(reply.value, "hello ☺");
    assert_eq!(reply.headers().get_str("x-echo")?, "echoed");
    assert_eq!(&reply.headers().get_bin("x-echo-bin")?[..], [0, 255, 1]);
    assert_eq!(&reply.trailers().get_bin("x-echo-bin")?[..], [0, 255, 1]);
    let large = "0123456789abcdef".repeat(60_000);
    assert_eq!(say(channel, &large).await?.value, large);

    is_failure(&channel.unary::<StringValue, StringValue, _, _>(&FAIL, &hello).await.unwrap_err());
    let missing = channel.unary::<StringValue, StringValue, _, _>(&MISSING, &hello).await.unwrap_err();
    assert_eq!(missing.code(), Code::Unimplemented);
    let nobody = text("");
    let wait = channel.unary::<StringValue, StringValue, _, _>(&WAIT, &nobody);
    assert_eq!(wait.timeout(Duration::from_millis(50)).await.unwrap_err().code(), Code::DeadlineExceeded);

    let mut numbers = channel.server_stream::<StringValue, StringValue, _, _>(&COUNT, &text("5")).await?;
    let mut counted = Vec::new();
    while let Some(number) = numbers.next_view().await? {
        counted.push(number.value.to_owned());
    }
    assert_eq!(counted.join(" "), "1 2 3 4 5");

    let mut words = channel.client_stream::<StringValue, StringValue>(&JOIN).await?;
    for word in ["a", "b", "", "c"] {
        words.send(&text(word)).await?;
    }
    assert_eq!(words.finish().await?.value, "a,b,,c");
    Ok(())
}

/// Talks both ways at once.
async fn check_chat(channel: &Channel) -> Result<()> {
    let mut chat = channel.bidi::<StringValue, StringValue>(&CHAT).await?;
    for word in ["one", "two", "three"] {
        chat.send(&text(word)).await?;
        assert_eq!(chat.next().await?.unwrap().value, word.to_uppercase());
    }
    chat.close_send().await?;
    assert!(chat.next().await?.is_none());
    // This half stays open: the error has to come all the same.
    let mut chat = channel.bidi::<StringValue, StringValue>(&CHAT).await?;
    chat.send(&text("fail")).await?;
    is_failure(&chat.next().await.unwrap_err());
    is_failure(&chat.next().await.unwrap_err());
    Ok(())
}

#[track_caller]
fn is_failure(error: &Error) {
    assert_eq!((error.code(), error.message()), (Code::ResourceExhausted, "no more of ☺"));
    assert_eq!(error.origin(), Origin::Peer);
    assert!(!error.detail::<StringValue>().unwrap().value.is_empty());
}

/// Checks every codec, with compression and without.
async fn check_all(port: u16, http: HttpVersion, protocol: ClientProtocol, codecs: &[&'static dyn Codec]) {
    let options = PoolOptions::new().http(http);
    let channel = Channel::pooled(&format!("http://127.0.0.1:{port}"), options).unwrap().protocol(protocol);
    let policy = CompressionPolicy { min_size: Some(0), ..Default::default() };
    for codec in codecs {
        let channel = channel.clone().codec(*codec);
        let gzip = channel.clone().compression(Some(&Gzip)).compression_policy(policy);
        for channel in [channel, gzip] {
            if let Err(error) = check(&channel).await {
                panic!("{channel:?} over {http:?}: {error:?}");
            }
            if http != HttpVersion::Http1
                && let Err(error) = check_chat(&channel).await
            {
                panic!("{channel:?} over {http:?}: {error:?}");
            }
        }
    }
}

const CODECS: [&dyn Codec; 2] = [&Proto, &Json];

#[tokio::test]
async fn connect_go_in_every_protocol_codec_and_version() {
    let Some(server) = Server::start() else { return };
    for protocol in [ClientProtocol::CONNECT, ClientProtocol::GRPC, ClientProtocol::GRPC_WEB] {
        check_all(server.connect, HttpVersion::Http2, protocol, &CODECS).await;
        check_all(server.connect, HttpVersion::Auto, protocol, &CODECS).await;
    }
    for protocol in [ClientProtocol::CONNECT, ClientProtocol::GRPC_WEB] {
        check_all(server.connect, HttpVersion::Http1, protocol, &CODECS).await;
    }
}

#[tokio::test]
async fn connect_go_answers_gets() {
    let Some(server) = Server::start() else { return };
    let channel = Channel::new(&format!("http://127.0.0.1:{}", server.connect)).unwrap();
    for codec in CODECS {
        let channel = channel.clone().codec(codec).get(GetPolicy::Only { url_max: 4096 });
        assert_eq!(say(&channel, "hello ☺").await.unwrap().value, "hello ☺");
        let policy = CompressionPolicy { min_size: Some(0), ..Default::default() };
        let channel = channel.compression(Some(&Gzip)).compression_policy(policy);
        assert_eq!(say(&channel, "hello ☺").await.unwrap().value, "hello ☺");
    }
}

#[tokio::test]
async fn grpc_go() {
    let Some(server) = Server::start() else { return };
    check_all(server.grpc, HttpVersion::Auto, ClientProtocol::GRPC, &[&Proto]).await;
}

#[tokio::test]
async fn many_calls_at_once() {
    let Some(server) = Server::start() else { return };
    for (port, protocol) in [
        (server.connect, ClientProtocol::CONNECT),
        (server.connect, ClientProtocol::GRPC),
        (server.grpc, ClientProtocol::GRPC),
    ] {
        let channel = Channel::new(&format!("http://127.0.0.1:{port}")).unwrap().protocol(protocol);
        let calls: Vec<_> = (0..500)
            .map(|number: u32| {
                let channel = channel.clone();
                tokio::spawn(async move { say(&channel, &number.to_string()).await })
            })
            .collect();
        for (number, call) in calls.into_iter().enumerate() {
            assert_eq!(call.await.unwrap().unwrap().value, number.to_string());
        }
    }
}

#[tokio::test]
async fn a_call_that_is_dropped_is_cancelled_over_there() {
    let Some(server) = Server::start() else { return };
    for (port, http, protocol) in [
        (server.connect, HttpVersion::Http1, ClientProtocol::CONNECT),
        (server.connect, HttpVersion::Http2, ClientProtocol::CONNECT),
        (server.connect, HttpVersion::Http2, ClientProtocol::GRPC_WEB),
        (server.grpc, HttpVersion::Http2, ClientProtocol::GRPC),
    ] {
        let options = PoolOptions::new().http(http);
        let channel =
            Channel::pooled(&format!("http://127.0.0.1:{port}"), options).unwrap().protocol(protocol);
        let name = text(&format!("{http:?} {}", protocol.name()));
        let ask = async |spec| {
            let reply = channel.unary::<StringValue, StringValue, _, _>(spec, &name).await.unwrap();
            reply.into_message().value
        };
        let wait = {
            let (channel, name) = (channel.clone(), name.clone());
            tokio::spawn(async move {
                channel.unary::<StringValue, StringValue, _, _>(&WAIT, &name).await.map(drop)
            })
        };
        ask(&WAITS).await;
        wait.abort();
        assert!(wait.await.unwrap_err().is_cancelled());
        assert_eq!(ask(&WAITED).await, "context canceled", "{http:?} {}", protocol.name());
    }
}
