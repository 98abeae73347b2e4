//! What goes over the wire.

use crate::greet::*;
use crate::stub::*;
use crate::support::*;
use ringwire_client::{
    ClientProtocol, Code, Compress, CompressionPolicy, Compressions, GetPolicy, Json, Limits,
    TransportErrorKind,
};
use ringwire_compress::Gzip;
use std::time::Duration;

#[track_caller]
fn asked(stub: &Stub) -> Asked {
    stub.asked().pop().unwrap()
}

#[test]
fn a_unary_request_says_what_it_is() {
    let stub = Stub::new([hello("hi")]);
    let channel = stub.channel().header("x-team", "rings").unwrap().header("x-app", "a").unwrap();
    let client = GreetClient::new(channel);
    let message = request("Ada");
    let call = client.greet(&message).header("X-Team", "ours").header_bin("trace-bin", &[1, 2, 0xff]);
    let reply = now(call.timeout(Duration::from_secs(7))).unwrap();
    assert_eq!((reply.greeting.as_str(), reply.peer()), ("hi", Some("stub:80")));
    let asked = asked(&stub);
    assert_eq!((asked.method.as_str(), asked.uri.as_str()), ("POST", "http://stub/api/greet.v1.Greet/Greet"));
    assert_eq!(asked.version, http::Version::HTTP_11);
    assert_eq!(asked.body, text("Ada"));
    for (name, value) in [
        ("content-type", "application/proto"),
        ("connect-protocol-version", "1"),
        ("accept-encoding", "zstd,gzip"),
        ("x-team", "ours"),
        ("x-app", "a"),
        ("trace-bin", "AQL/"),
    ] {
        assert_eq!(asked.header(name), Some(value), "{name}");
    }
    assert_eq!(asked.headers.get_all("x-team").iter().count(), 1);
    assert!(asked.header("user-agent").unwrap().starts_with("ringwire/"));
    let timeout: u64 = asked.header("connect-timeout-ms").unwrap().parse().unwrap();
    assert!((6000..=7000).contains(&timeout), "{timeout}");
    assert_eq!(asked.header("content-encoding"), None);
}

#[test]
fn a_grpc_request_says_what_it_is() {
    let stub = Stub::new([fail(TransportErrorKind::Lost)]);
    let client = GreetClient::new(stub.channel().protocol(ClientProtocol::GRPC));
    assert_eq!(now(client.greet(&request("Ada"))).unwrap_err().code(), Code::Unavailable);
    let asked = asked(&stub);
    assert_eq!(asked.version, http::Version::HTTP_2);
    assert_eq!(asked.body, envelope(0, &text("Ada")));
    assert_eq!(asked.header("te"), Some("trailers"));
    assert_eq!(asked.header("grpc-timeout"), None);
    assert_eq!(asked.header("grpc-previous-rpc-attempts"), None);
}

#[test]
fn calls_without_side_effects_can_be_gets() {
    let stub = Stub::new([hello("hi")]);
    let client = GreetClient::new(stub.channel().get(GetPolicy::UpTo { url_max: 200 }));
    now(client.greet(&request("Ada")).codec(&Json)).unwrap_err();
    let asked_get = asked(&stub);
    assert_eq!(asked_get.method, "GET");
    assert!(
        asked_get.uri.ends_with("?connect=v1&encoding=json&message=%7B%22name%22%3A%22Ada%22%7D"),
        "{}",
        asked_get.uri
    );
    assert!(asked_get.body.is_empty() && asked_get.header("content-type").is_none());
    now(client.greet(&request(&"x".repeat(200)))).unwrap();
    assert_eq!(asked(&stub).method, "POST");
    let refused = now(client.greet(&request(&"x".repeat(200))).get(GetPolicy::Only { url_max: 200 }));
    assert_eq!(refused.unwrap_err().code(), Code::ResourceExhausted);
    assert_eq!(stub.asked().len(), 2);
}

#[test]
fn requests_are_compressed_where_they_are_to_be() {
    let policy = CompressionPolicy { min_size: Some(0), ..Default::default() };
    let stub = Stub::new([hello("hi")]);
    let client = GreetClient::new(stub.channel().compression(Some(&Gzip)).compression_policy(policy));
    now(client.greet(&request("Ada"))).unwrap();
    assert_eq!(asked(&stub).header("content-encoding"), Some("gzip"));
    assert_eq!(asked(&stub).body[..2], [0x1f, 0x8b]);
    now(client.greet(&request("Ada")).compress(Compress::Never).accept(Compressions::none())).unwrap();
    assert_eq!(asked(&stub).header("content-encoding"), None);
    assert_eq!(asked(&stub).header("accept-encoding"), None);
    assert_eq!(asked(&stub).body, text("Ada"));
}

#[test]
fn headers_that_cannot_be_sent_fail_the_call() {
    let stub = Stub::new([hello("hi")]);
    let client = GreetClient::new(stub.channel());
    for call in [
        client.greet(&request("")).header("grpc-timeout", "1S"),
        client.greet(&request("")).header("a b", "1"),
        client.greet(&request("")).header("x-break", "a\r\nb: c"),
        client.greet(&request("")).header_bin("x-text", &[1]),
    ] {
        assert_eq!(now(call).unwrap_err().code(), Code::InvalidArgument);
    }
    assert!(stub.channel().header("content-type", "x").is_err());
    let client = GreetClient::new(stub.channel().user_agent("a\nb"));
    assert_eq!(now(client.greet(&request(""))).unwrap_err().code(), Code::InvalidArgument);
    assert!(stub.asked().is_empty());
}

#[test]
fn a_call_has_limits_of_its_own() {
    let client = GreetClient::new(Stub::new([hello("a greeting")]).channel());
    let limits = Limits { receive_max: 3, ..Limits::default() };
    assert_eq!(now(client.greet(&request("")).limits(limits)).unwrap_err().code(), Code::ResourceExhausted);
    now(client.greet(&request(""))).unwrap();
}

#[test]
fn dropping_a_call_cancels_it() {
    use std::future::IntoFuture;
    use std::task::{Context, Poll, Waker};
    let stub = Stub::new([Step::Never]);
    let client = GreetClient::new(stub.channel());
    let request = request("Ada");
    let mut call = Box::pin(client.greet(&request).into_future());
    assert!(matches!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Pending));
    assert_eq!((stub.asked().len(), stub.cancelled()), (1, 0));
    drop(call);
    assert_eq!(stub.cancelled(), 1);
}

#[test]
fn dropping_a_stream_cancels_it() {
    let head = [("content-type", "application/connect+proto")];
    let stub = Stub::new([answer(200, &head, vec![data(envelope(0, &text("A"))), Piece::Never])]);
    let client = GreetClient::new(stub.channel());
    let mut letters = now(client.spell(&request("Ada"))).unwrap();
    assert_eq!(now(letters.next()).unwrap().unwrap().greeting, "A");
    assert_eq!(stub.cancelled(), 0);
    drop(letters);
    assert_eq!(stub.cancelled(), 1);
}
