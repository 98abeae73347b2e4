//! What an `Any` holds, in JSON: one test, because buffa keeps one registry for the process.

mod fixture;

use buffa_types::google::protobuf::{Any, Duration};
use bytes::BytesMut;
use fixture::{Everything, Node};
use ringwire_message::{DecodeError, DecodeLimits, Encode, Json, Message, Types, UnknownFields};

fn decode(json: &str, limits: &DecodeLimits) -> Result<Everything, DecodeError> {
    Everything::owned(&Json, json.to_owned().into(), limits)
}

fn check(message: &Everything, json: &str) {
    let mut out = BytesMut::new();
    message.encode(&Json, usize::MAX, &mut out).expect("written");
    assert_eq!(out, json);
    assert_eq!(&decode(json, &DecodeLimits::default()).expect("read"), message);
}

#[test]
fn any_is_spelled_out_once_its_types_are_installed() {
    let node = Node { name: "a".into(), ..Default::default() };
    let nodes = Any::pack(&node, Node::TYPE_URL);
    let message = Everything { any: nodes.clone().into(), ..Default::default() };

    check(&message, r#"{"any":{"@type":"type.googleapis.com/fixture.v1.Node","value":"CgFh"}}"#);
    Types::new().with(fixture::register_types).with(fixture::register_types).install();
    let spelled_out = r#"{"any":{"@type":"type.googleapis.com/fixture.v1.Node","name":"a"}}"#;
    check(&message, spelled_out);
    Types::default().install();
    check(&message, spelled_out);

    let second = Any::pack(&Duration { seconds: 1, ..Default::default() }, Duration::TYPE_URL);
    let inner = Everything { anys: vec![second, nodes], ..Default::default() };
    let message = Everything { any: Any::pack(&inner, Everything::TYPE_URL).into(), ..Default::default() };
    check(
        &message,
        concat!(
            r#"{"any":{"@type":"type.googleapis.com/fixture.v1.Everything","anys":["#,
            r#"{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1s"},"#,
            r#"{"@type":"type.googleapis.com/fixture.v1.Node","name":"a"}]}}"#
        ),
    );

    within_the_limits_of_the_message_around_it();
}

fn within_the_limits_of_the_message_around_it() {
    let node =
        |content: &str| format!(r#"{{"any":{{"@type":"type.googleapis.com/fixture.v1.Node",{content}}}}}"#);
    let strict = DecodeLimits { json_unknown_fields: UnknownFields::Reject, ..DecodeLimits::default() };
    assert!(decode(&node(r#""nom":1"#), &DecodeLimits::default()).is_ok());
    let refused = decode(&node(r#""nom":1"#), &strict).expect_err("an unknown field inside");
    assert!(refused.to_string().contains("unknown field `nom`"), "{refused}");
    assert!(decode(&node(r#""name":"a""#), &strict).is_ok());

    let shallow = DecodeLimits { depth_max: 2, ..DecodeLimits::default() };
    assert!(decode(&node(r#""next":{}"#), &shallow).is_ok());
    assert_eq!(decode(&node(r#""next":{"next":{}}"#), &shallow), Err(DecodeError::TooDeep { limit: 2 }));

    // The content is buffered as JSON values, which are small, before it becomes messages, which are not.
    let children = format!(r#""children":[{}]"#, vec!["{}"; 1000].join(","));
    let buffered = 1000 * size_of::<serde_json::Value>() + 1000;
    let decoded = buffered + 1000 * size_of::<Node>() + 1000;
    let few = DecodeLimits { element_memory_max: buffered, ..DecodeLimits::default() };
    let refused = Err(DecodeError::TooManyElements { limit: buffered });
    assert_eq!(decode(&node(&children), &few), refused.clone());
    let enough = DecodeLimits { element_memory_max: decoded, ..DecodeLimits::default() };
    assert!(decode(&node(&children), &enough).is_ok());

    // Once a decode is over, its budget is too, even for who decodes by serde alone.
    assert_eq!(decode(&node(&children), &few), refused);
    assert!(serde_json::from_str::<Everything>(&node(&children)).is_ok());
}
