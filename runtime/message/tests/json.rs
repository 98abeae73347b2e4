//! The same JSON for messages, views and owned views, and for whoever asks with it.

mod fixture;

use bytes::{Bytes, BytesMut};
use fixture::everything::Choice;
use fixture::*;
use ringwire_message::{Codec, DecodeLimits, Encode, EncodeError, Json, Message, PreEncoded, Proto};

fn check(json: &str) {
    let limits = DecodeLimits::default();
    let body = Bytes::copy_from_slice(json.as_bytes());

    let owned = Everything::owned(&Json, body.clone(), &limits).expect("owned");
    assert_eq!(written(&owned), json);

    let bytes = Everything::viewable(&Json, body.clone(), &limits).expect("viewable");
    let view = Everything::view(&bytes, &limits).expect("view");
    assert_eq!(written::<Everything, _>(&view), json);
    assert_eq!(written(&view.to_owned_message().expect("owned")), json);

    let owned_view = Everything::owned_view(&Json, body, &limits).expect("owned view");
    assert_eq!(written::<Everything, _>(&owned_view), json);
}

fn written<M: Message, K>(message: &impl Encode<M, K>) -> String {
    let mut out = BytesMut::new();
    message.encode(&Json, usize::MAX, &mut out).expect("written");
    String::from_utf8(out.into()).expect("JSON is UTF-8")
}

#[test]
fn every_kind_of_field_goes_through_json_and_back() {
    for json in [
        "{}",
        r#"{"name":"é\"\\\n","id":"-9007199254740993","blob":"AP8=","ratio":0.5,"color":"COLOR_RED"}"#,
        r#"{"ratio":"NaN","maybe":0}"#,
        r#"{"node":{"name":"a","next":{},"children":[{},{"name":"b"}]}}"#,
        r#"{"tags":["a",""],"numbers":[1,-1],"nodes":[{}],"colors":["COLOR_RED","COLOR_UNSPECIFIED"]}"#,
        r#"{"byName":{"a":{"name":"b"}},"labels":{"-7":"x"}}"#,
        r#"{"text":""}"#,
        r#"{"tree":{}}"#,
        r#"{"number":0}"#,
        r#"{"at":"2026-11-21T02:50:00.500Z","count":"5"}"#,
        r#"{"fields":{"a":[1.5,"x",null,{"b":true}]}}"#,
        r#"{"value":[[],{}]}"#,
        r#"{"everything":{"everything":{"id":"1"}}}"#,
    ] {
        check(json);
    }
}

#[test]
fn names_of_the_schema_are_read_as_well() {
    let read =
        Everything::owned(&Json, r#"{"by_name":{"a":{}}}"#.into(), &DecodeLimits::default()).expect("read");
    assert_eq!(written(&read), r#"{"byName":{"a":{}}}"#);
}

#[test]
fn a_handler_that_takes_a_view_serves_a_json_client() {
    let limits = DecodeLimits::default();
    let body = Small::viewable(&Json, r#"{"name":"Ada"}"#.into(), &limits).expect("viewable");
    let request = Small::view(&body, &limits).expect("view");
    let response = SmallView { name: request.name, ..Default::default() };
    assert_eq!(written::<Small, _>(&response), r#"{"name":"Ada"}"#);
}

#[test]
fn the_fields_of_an_owned_view_are_methods() {
    let body = Bytes::from_static(b"\x0a\x03Ada");
    let received = body.as_ptr_range();
    let reply = Small::owned_view(&Proto, body.clone(), &DecodeLimits::default()).expect("decoded");
    assert_eq!(reply.name(), "Ada");
    assert!(received.contains(&reply.name().as_ptr()), "the view borrows from the bytes that were received");
}

#[test]
fn nothing_over_the_limit_is_left_in_the_buffer() {
    let view = EverythingView { name: "0123456789", ..Default::default() };
    let owned = Everything { name: "0123456789".into(), ..Default::default() };
    let proto = Bytes::from_static(b"\x0a\x0a0123456789");
    let owned_view =
        Everything::owned_view(&Proto, proto.clone(), &DecodeLimits::default()).expect("decoded");
    for (codec, size) in [(&Proto as &dyn Codec, 12), (&Json, 21)] {
        limited::<Everything, _>(codec, &owned, size);
        limited::<Everything, _>(codec, &view, size);
        limited::<Everything, _>(codec, &owned_view, size);
        limited::<Everything, _>(codec, &PreEncoded::proto(proto.clone()), size);
        limited::<Everything, _>(codec, &PreEncoded::json(r#"{"name":"0123456789"}"#), size);
    }
}

#[test]
fn a_limit_holds_wherever_it_falls() {
    for len in (230..270).chain(500..530).chain([4000]) {
        let name = "x".repeat(len);
        limited::<Small, _>(&Json, &SmallView { name: &name, ..Default::default() }, len + 11);
        limited::<Node, _>(&Json, &Node { name, ..Default::default() }, len + 11);
        let message = Everything { tags: vec![String::new(); len], ..Default::default() };
        limited::<Everything, _>(&Json, &message, 3 * len + 10);
    }
}

/// Encodes behind what is in the buffer already, with each limit.
fn limited<M: Message, K>(codec: &dyn Codec, message: &impl Encode<M, K>, size: usize) {
    for limit in [size + 1, size] {
        let mut out = BytesMut::from("before");
        assert_eq!(message.encode(codec, limit, &mut out), Ok(()));
        assert_eq!(out.len(), 6 + size);
    }
    for limit in [size - 1, 0] {
        let mut out = BytesMut::from("before");
        let refused = message.encode(codec, limit, &mut out);
        assert!(matches!(refused, Err(EncodeError::TooLarge { len, limit: l }) if l == limit && len > limit));
        assert_eq!(out, "before");
        assert!(out.capacity() <= 64 + 2 * size, "nothing was made room for");
    }
}

#[test]
fn what_json_cannot_express_is_an_error_and_leaves_nothing() {
    let at = buffa_types::google::protobuf::Timestamp { seconds: i64::MAX, ..Default::default() };
    let message = Everything { name: "a".into(), at: at.into(), ..Default::default() };
    let mut out = BytesMut::from("before");
    let refused = message.encode(&Json, usize::MAX, &mut out);
    assert!(matches!(refused, Err(EncodeError::Unrepresentable(_))), "{refused:?}");
    assert_eq!(out, "before");
}

#[test]
fn bytes_encoded_before_that_are_no_message_are_an_error_only_when_converted() {
    let broken = PreEncoded::<Small>::proto(&b"\x0a\x05"[..]);
    let mut out = BytesMut::new();
    assert_eq!(broken.encode(&Proto, usize::MAX, &mut out), Ok(()));
    assert!(matches!(broken.encode(&Json, usize::MAX, &mut out), Err(EncodeError::Unrepresentable(_))));
    assert_eq!(out, "\x0a\x05");
}

#[test]
fn owned_messages_are_built_as_buffa_builds_them() {
    let message = Everything {
        color: Color::COLOR_RED.into(),
        choice: Some(Choice::Tree(Box::new(Node { name: "a".into(), ..Default::default() }))),
        ..Default::default()
    };
    assert_eq!(written(&message), r#"{"color":"COLOR_RED","tree":{"name":"a"}}"#);
}
