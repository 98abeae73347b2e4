//! One entry for each way to read a message, for fuzzers and for the tests that replay their finds.
//!
//! An entry panics where reading breaks its word: what was read must be written and read again to the same, by every way
//! to read it, and within its limits. The messages are the well-known types, whose JSON is the least regular; the first
//! byte of an input chooses one.

use crate::{Codec, DecodeLimits, EncodeError, Json, Message, Proto, Types, UnknownFields, View};
use buffa_types::google::protobuf as wkt;
use bytes::{Bytes, BytesMut};
use std::fmt::Debug;

/// A reader under test.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name, as a fuzzer's command line says it.
    pub name: &'static str,
    /// Reads the input, and panics if something is wrong with what was read.
    pub run: fn(&[u8]),
    /// Inputs from which more can be made.
    pub seeds: &'static [&'static [u8]],
}

/// Every reader of this package.
pub const TARGETS: &[Target] = &[
    Target {
        name: "json",
        run: json,
        seeds: &[
            br#"0{"a":[1.5e3,true,null,"\u263a\ud83d\ude08",[[],{}]],"b":{"c":{}}}"#,
            br#"1{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1.5s"}"#,
            br#"1{"@type":"type.googleapis.com/google.protobuf.Any","value":{"@type":"a/b.C","value":"CAE="}}"#,
            br#"2"2024-02-29T23:59:59.123456789Z""#,
            br#"3"-315576000000.000000001s""#,
            br#"4"a.b,cD""#,
            br#"5"-9223372036854775808""#,
            br#"6"-Infinity""#,
            br#"7"-_8=""#,
        ],
    },
    Target {
        name: "json_limits",
        run: json_limits,
        seeds: &[br#"23{"a":[[1,[2]],{"b":{"}":"\"{"}}]}"#, br#"9~{"a":{},"b":{},"c":[{},{},{}]}"#],
    },
    Target {
        name: "proto",
        run: proto,
        seeds: &[
            b"0\x0a\x13\x0a\x01a\x12\x0e2\x0c\x0a\x02\x08\x00\x0a\x02 \x01\x0a\x02\x1a\x00",
            b"1\x0a\x2btype.googleapis.com/google.protobuf.BoolValue\x12\x02\x08\x01",
            b"1\x0a\x05a/b.C\x12\x02\x08\x01\x78\x01",
            b"2\x08\x01\x10\xff\x93\xeb\xdc\x03",
            b"3\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x10\x00",
            b"4\x0a\x03a.b\x0a\x03c_d",
            b"5\x08\x80\x01",
            b"6\x09\0\0\0\0\0\0\xf8\x7f",
            b"7\x0a\x02hi\x0a\x01!\x13\x14",
        ],
    },
];

/// Runs a law over the message that the first byte chooses, and the bytes behind it.
macro_rules! chosen {
    ($law:ident, $input:ident) => {{
        let [choice, body @ ..] = $input else { return };
        Types::new().install();
        let body = Bytes::copy_from_slice(body);
        match choice % 8 {
            0 => $law::<wkt::Struct>(body),
            1 => $law::<wkt::Any>(body),
            2 => $law::<wkt::Timestamp>(body),
            3 => $law::<wkt::Duration>(body),
            4 => $law::<wkt::FieldMask>(body),
            5 => $law::<wkt::Int64Value>(body),
            6 => $law::<wkt::DoubleValue>(body),
            _ => $law::<wkt::BytesValue>(body),
        }
    }};
}

fn json(input: &[u8]) {
    chosen!(json_of, input);
}

fn json_of<M: Message + PartialEq + Debug>(body: Bytes) {
    let strict = DecodeLimits { json_unknown_fields: UnknownFields::Reject, ..LIMITS };
    let message = M::owned(&Json, body.clone(), &LIMITS);
    if let Ok(strict) = M::owned(&Json, body.clone(), &strict) {
        assert_same(&strict, message.as_ref().expect("what the strict take, the lenient take"));
    }
    let Ok(message) = message else {
        assert!(M::viewable(&Json, body.clone(), &LIMITS).is_err());
        return;
    };
    let proto = M::viewable(&Json, body, &LIMITS).expect("what can be owned can be viewed");
    assert_same(&M::owned(&Proto, proto, &TREE_LIMITS).expect("what JSON said is proto too"), &message);
    let text = written(&message, &Json).expect("what was JSON can be JSON again");
    assert_same(&M::owned(&Json, text, &LIMITS).expect("what was written can be read"), &message);
}

/// The first byte is the depth that is allowed, the second the memory of elements.
fn json_limits(input: &[u8]) {
    let [depth, memory, body @ ..] = input else { return };
    let depth_max = u32::from(depth % 16);
    let element_memory_max = usize::from(*memory) * 16;
    let tight = DecodeLimits { depth_max, element_memory_max, ..LIMITS };
    let body = Bytes::copy_from_slice(body);
    let Ok(message) = wkt::Struct::owned(&Json, body.clone(), &tight) else { return };
    assert_same(&message, &wkt::Struct::owned(&Json, body.clone(), &LIMITS).expect("wider limits take more"));

    // The outermost message is not nested.
    assert!(deepest_object(&body) <= depth_max + 1, "deeper than {depth_max}");
    assert!(memory_of(&message) <= element_memory_max, "larger than {element_memory_max}");
}

/// How many objects are open at once in valid JSON.
fn deepest_object(json: &[u8]) -> u32 {
    let (mut open, mut deepest) = (0_u32, 0);
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'{' => open += 1,
            b'}' => open -= 1,
            b'"' => {
                while let Some(byte) = bytes.next()
                    && *byte != b'"'
                {
                    if *byte == b'\\' {
                        bytes.next();
                    }
                }
            }
            _ => {}
        }
        deepest = deepest.max(open);
    }
    deepest
}

/// What the elements take that are there at the end, whatever others were read and dropped.
fn memory_of(message: &wkt::Struct) -> usize {
    message.fields.values().map(|value| size_of::<wkt::Value>() + memory_of_value(value)).sum()
}

fn memory_of_value(value: &wkt::Value) -> usize {
    use wkt::__buffa::oneof::value::Kind;
    match &value.kind {
        Some(Kind::StructValue(message)) => memory_of(message),
        Some(Kind::ListValue(list)) => {
            list.values.iter().map(|value| size_of::<wkt::Value>() + memory_of_value(value)).sum()
        }
        _ => 0,
    }
}

fn proto(input: &[u8]) {
    chosen!(proto_of, input);
}

fn proto_of<M: Message + PartialEq + Debug>(body: Bytes) {
    for depth_max in [0, 1, 3] {
        let tight = DecodeLimits { depth_max, element_memory_max: 256, unknown_fields_max: 2, ..LIMITS };
        if let Ok(message) = M::owned(&Proto, body.clone(), &tight) {
            assert_same(&message, &M::owned(&Proto, body.clone(), &LIMITS).expect("wider limits take more"));
        }
    }
    let view = M::view(&body, &LIMITS);
    assert_eq!(M::owned_view(&Proto, body.clone(), &LIMITS).is_ok(), view.is_ok());
    let Ok(message) = M::owned(&Proto, body.clone(), &LIMITS) else {
        assert!(view.is_err(), "what cannot be owned cannot be viewed");
        return;
    };
    let view = view.expect("what can be owned can be viewed");
    let bytes = written(&message, &Proto).expect("proto can write every message");
    assert_same(&M::owned(&Proto, bytes, &LIMITS).expect("what was written can be read"), &message);
    let mut bytes = BytesMut::new();
    assert_eq!(view.write(&Proto, usize::MAX, &mut bytes), Ok(()));
    assert_same(&M::owned(&Proto, bytes.freeze(), &LIMITS).expect("what was written can be read"), &message);

    let mut text = BytesMut::new();
    assert_eq!(view.write(&Json, usize::MAX, &mut text).is_ok(), written(&message, &Json).is_some());
}

/// Writes a message, if it can be, and checks on the way that the limit is kept.
fn written<M: Message>(message: &M, codec: &dyn Codec) -> Option<Bytes> {
    let mut out = BytesMut::new();
    message.write(codec, usize::MAX, &mut out).ok()?;
    let mut again = BytesMut::new();
    assert_eq!(message.write(codec, out.len(), &mut again), Ok(()));
    assert_eq!(again.len(), out.len());
    if let Some(limit) = out.len().checked_sub(1) {
        again.truncate(1);
        let refused = message.write(codec, limit, &mut again);
        assert!(matches!(refused, Err(EncodeError::TooLarge { limit: told, .. }) if told == limit));
        assert_eq!(again.len(), 1, "nothing is appended");
    }
    Some(out.freeze())
}

/// Not a number is not equal to itself, and maps have no order: then the same bytes in any order will do.
#[track_caller]
fn assert_same<M: Message + PartialEq + Debug>(a: &M, b: &M) {
    if a == b {
        return;
    }
    let sorted = |message: &M| {
        let mut bytes = written(message, &Proto).expect("proto can write every message").to_vec();
        bytes.sort_unstable();
        bytes
    };
    assert!(sorted(a) == sorted(b), "{a:?} is not {b:?}");
}

const LIMITS: DecodeLimits = DecodeLimits { element_memory_max: 1 << 20, ..DecodeLimits::DEFAULT };

// A tree of `google.protobuf.Value` nests up to four times as deep in proto as it does in JSON.
const TREE_LIMITS: DecodeLimits = DecodeLimits { depth_max: 4 * LIMITS.depth_max + 4, ..LIMITS };
