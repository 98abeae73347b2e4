//! What is refused, why, and exactly from where on.

mod fixture;

use bytes::Bytes;
use fixture::{Everything, Node, Small};
use ringwire_message::{Codec, DecodeError, DecodeLimits, Json, Message, Proto, UnknownFields};

/// Decodes all three ways; they must agree.
fn check<M: Message>(
    codec: &dyn Codec,
    body: impl AsRef<[u8]>,
    limits: &DecodeLimits,
    expected: Result<(), DecodeError>,
) {
    let body = Bytes::copy_from_slice(body.as_ref());
    let owned = M::owned(codec, body.clone(), limits).map(drop);
    let viewable = M::viewable(codec, body.clone(), limits);
    let view = viewable.and_then(|bytes| M::view(&bytes, limits).map(drop));
    let owned_view = M::owned_view(codec, body, limits).map(drop);
    assert_eq!([owned, view, owned_view], [expected.clone(), expected.clone(), expected]);
}

fn limits() -> DecodeLimits {
    DecodeLimits::default()
}

/// `depth` messages inside the outermost one.
fn nested_proto(depth: usize) -> Vec<u8> {
    (0..depth).fold(Vec::new(), |inner, _| {
        let mut outer = vec![0x12]; // Node.next
        let mut len = inner.len();
        while len > 0x7f {
            outer.push(0x80 | (len & 0x7f) as u8);
            len >>= 7;
        }
        outer.push(len as u8);
        outer.extend(inner);
        outer
    })
}

fn nested_json(depth: usize, open: &str, close: &str) -> String {
    open.repeat(depth) + "{}" + &close.repeat(depth)
}

#[test]
fn depth_is_bounded_alike_in_both_formats() {
    for depth_max in [0, 1, 7, 100] {
        let limits = DecodeLimits { depth_max, ..limits() };
        let at = depth_max as usize;
        let too_deep = Err(DecodeError::TooDeep { limit: depth_max });
        for (depth, expected) in [(at.saturating_sub(1), Ok(())), (at, Ok(())), (at + 1, too_deep)] {
            check::<Node>(&Proto, nested_proto(depth), &limits, expected.clone());
            check::<Node>(&Json, nested_json(depth, r#"{"next":"#, "}"), &limits, expected.clone());
            check::<Node>(&Json, nested_json(depth, r#"{"children":["#, "]}"), &limits, expected);
        }
    }
}

#[test]
fn arrays_within_arrays_are_levels_too() {
    let limits = DecodeLimits { depth_max: 10, ..limits() };
    let body = |depth| format!(r#"{{"value":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    let decode = |depth| Everything::owned(&Json, body(depth).into(), &limits).map(drop);
    // The array in the field is where its elements are, so the level of the message is theirs.
    assert_eq!(decode(11), Ok(()));
    assert_eq!(decode(12), Err(DecodeError::TooDeep { limit: 10 }));
}

#[test]
fn deep_json_of_a_wide_message_leaves_the_stack_whole() {
    let limits = DecodeLimits { depth_max: u32::MAX, ..limits() };
    let deepest = |open: &str, again: &str, close: &str| {
        let body = open.to_owned() + &nested_json(10_000, again, close);
        let decode = move || Everything::owned(&Json, body.into(), &limits);
        // A quarter more than what nesting may take.
        let stack = limits.json_stack_max + limits.json_stack_max / 4;
        let thread = std::thread::Builder::new().stack_size(stack).spawn(decode).expect("a thread");
        match thread.join().expect("no panic") {
            Err(DecodeError::TooDeep { limit }) => limit,
            other => panic!("decoded: {other:?}"),
        }
    };
    let wide = deepest("", r#"{"everything":"#, "}");
    assert!((40..200).contains(&wide), "{wide}");
    assert!(deepest(r#"{"node":"#, r#"{"children":["#, "]}") > wide);
    deepest(r#"{"by_name":{"a":"#, r#"{"next":"#, "}");
    deepest(r#"{"fields":"#, r#"{"a":"#, "}");
    deepest(r#"{"value":"#, "[", "]");
    deepest("", r#"{"any":{"@type":"x/fixture.v1.Everything","everything":"#, "}}");
}

#[test]
fn the_stack_that_nesting_takes_is_bounded_by_choice() {
    let body = Bytes::from(nested_json(10, r#"{"next":"#, "}"));
    let decode = |json_stack_max| {
        Node::owned(&Json, body.clone(), &DecodeLimits { json_stack_max, ..limits() }).map(drop)
    };
    let enough =
        (0..1 << 20).step_by(256).find(|&stack| decode(stack).is_ok()).expect("a megabyte is enough");
    assert_eq!(decode(enough - 256), Err(DecodeError::TooDeep { limit: 9 }));
    assert!(matches!(decode(0), Err(DecodeError::TooDeep { limit: 0 })));
}

#[test]
fn the_memory_of_elements_is_bounded_alike_in_both_formats() {
    let element = size_of::<Node>();
    for count in [1, 3, 1000] {
        let proto = [0x52, 0x00].repeat(count); // Everything.nodes
        let json = format!(r#"{{"nodes":[{}]}}"#, vec!["{}"; count].join(","));
        for (slack, fits) in [(-1, false), (0, true), (1, true)] {
            let element_memory_max = (element * count).saturating_add_signed(slack);
            let limits = DecodeLimits { element_memory_max, ..limits() };
            let expected =
                if fits { Ok(()) } else { Err(DecodeError::TooManyElements { limit: element_memory_max }) };
            let decode = |codec: &dyn Codec, body: Bytes| Everything::owned(codec, body, &limits).map(drop);
            assert_eq!(decode(&Proto, proto.clone().into()), expected);
            // `Everything` has a oneof, so buffa reads its one field like an entry of a map.
            let field = size_of::<String>() + size_of::<Vec<Node>>();
            let limits = DecodeLimits { element_memory_max: element_memory_max + field, ..limits };
            assert_eq!(
                Everything::owned(&Json, json.clone().into(), &limits).map(drop).is_ok(),
                fits,
                "{count} {slack}"
            );
        }
    }
}

#[test]
fn a_small_body_cannot_take_much_memory() {
    let limits = DecodeLimits { element_memory_max: 1 << 20, ..limits() };
    let too_many = Err(DecodeError::TooManyElements { limit: 1 << 20 });
    let list = |element: &str| vec![element; 50_000].join(",");
    check::<Node>(&Json, format!(r#"{{"children":[{}]}}"#, list("{}")), &limits, too_many.clone());
    check::<Everything>(&Json, format!(r#"{{"tags":[{}]}}"#, list(r#""""#)), &limits, too_many.clone());
    check::<Everything>(&Json, format!(r#"{{"value":[{}]}}"#, list("1")), &limits, too_many.clone());
    check::<Everything>(&Json, format!(r#"{{"anys":[{}]}}"#, list("{}")), &limits, too_many.clone());
    let entries = (0..50_000).map(|key| format!(r#""{key}":"""#)).collect::<Vec<_>>().join(",");
    check::<Everything>(&Json, format!(r#"{{"labels":{{{entries}}}}}"#), &limits, too_many.clone());
    check::<Everything>(&Json, format!(r#"{{"fields":{{{entries}}}}}"#), &limits, too_many);
    // Numbers are as large in memory as on the wire.
    check::<Everything>(&Json, format!(r#"{{"numbers":[{}]}}"#, list("1")), &limits, Ok(()));
}

#[test]
fn unknown_proto_fields_are_counted() {
    let body = |count| [0x98, 0x06, 0x01].repeat(count); // field 99
    let limits = DecodeLimits { unknown_fields_max: 3, ..limits() };
    check::<Small>(&Proto, body(2), &limits, Ok(()));
    check::<Small>(&Proto, body(3), &limits, Ok(()));
    check::<Small>(&Proto, body(4), &limits, Err(DecodeError::TooManyUnknownFields { limit: 3 }));
}

#[test]
fn unknown_proto_fields_are_kept() {
    let body = Bytes::from_static(b"\x0a\x01a\x98\x06\x01");
    let small = Small::owned(&Proto, body.clone(), &limits()).expect("decoded");
    assert_eq!(buffa::Message::encode_to_bytes(&small), body);
}

#[test]
fn unknown_json_fields_are_ignored_or_refused_by_choice() {
    let strict = DecodeLimits { json_unknown_fields: UnknownFields::Reject, ..limits() };
    for (known, unknown) in [
        (r#"{"name":"a"}"#, r#"{"name":"a","nom":{"x":[1,{"y":null}]}}"#),
        (r#"{"name":"a"}"#, r#"{"nom":1,"name":"a"}"#),
    ] {
        check::<Small>(&Json, known, &strict, Ok(()));
        check::<Small>(&Json, unknown, &limits(), Ok(()));
        let Err(DecodeError::Malformed(what)) = Small::owned(&Json, unknown.into(), &strict) else {
            panic!("an unknown field was taken")
        };
        assert!(what.starts_with("unknown field `nom`"), "{what}");
    }
    let inner = r#"{"node":{"next":{"nom":1}},"by_name":{"k":{"name":"a"}},"labels":{"7":"x"}}"#;
    check::<Everything>(&Json, inner, &limits(), Ok(()));
    let refused = Everything::owned(&Json, inner.into(), &strict).expect_err("a nested one");
    assert!(refused.to_string().starts_with("unknown field `nom`"), "{refused}");
    check::<Everything>(&Json, inner.replace("nom", "name").replace(":1}", ":\"\"}"), &strict, Ok(()));
}

#[test]
fn unknown_enum_values_follow_unknown_fields() {
    let strict = DecodeLimits { json_unknown_fields: UnknownFields::Reject, ..limits() };
    let body = r#"{"color":"COLOR_MAUVE","colors":["COLOR_RED","COLOR_MAUVE"]}"#;
    let lenient = Everything::owned(&Json, body.into(), &limits()).expect("ignored");
    assert_eq!(lenient.colors.len(), 1);
    assert!(Everything::owned(&Json, body.into(), &strict).is_err());
}

#[test]
fn every_truncation_is_refused_or_a_shorter_message() {
    let body = b"\x0a\x02hi\x12\x04\x0a\x02ho\x1a\x00";
    for end in 0..=body.len() {
        let whole = [0, 4, 10, 12].contains(&end);
        check::<Node>(
            &Proto,
            &body[..end],
            &limits(),
            if whole { Ok(()) } else { Err(DecodeError::Truncated) },
        );
    }
    let body = r#"{"name":"hi","next":{"name":"ho"},"children":[{}]}"#;
    for end in 0..body.len() {
        check::<Node>(&Json, &body[..end], &limits(), Err(DecodeError::Truncated));
    }
    check::<Node>(&Json, body, &limits(), Ok(()));
}

#[test]
fn what_is_malformed_is_named() {
    check::<Small>(&Proto, b"\x0a\x01\xff", &limits(), Err(DecodeError::InvalidUtf8));
    check::<Small>(&Json, b"{\"name\":\"\xff\"}", &limits(), Err(DecodeError::InvalidUtf8));
    check::<Small>(&Proto, b"\x08\x01", &limits(), Err(DecodeError::WireType { field: 1 }));
    check::<Small>(&Proto, b"\x0a\xff\xff\xff\xff\x7f", &limits(), Err(DecodeError::Truncated));
    for (codec, body) in [
        (&Proto as &dyn Codec, &b"\x00\x00"[..]),
        (&Proto, b"\x0f"),
        (&Json, b"[]"),
        (&Json, b"{\"name\":1}"),
        (&Json, b"{} {}"),
        (&Json, b"{\"name\":\"a\",}"),
        (&Json, b"{\"name\":\"\\ud800\"}"),
    ] {
        let refused = Small::owned(codec, Bytes::from_static(body), &limits());
        assert!(matches!(refused, Err(DecodeError::Malformed(_))), "{refused:?}");
    }
}
