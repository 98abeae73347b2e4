//! Equal messages are equal bytes in both formats, whatever was put into their maps first.

mod fixture;

use bytes::BytesMut;
use fixture::{Everything, Node};
use ringwire_message::{Codec, Encode, Json, Proto};

/// A message whose maps are filled in this order.
fn filled(order: [i32; 4]) -> Everything {
    let mut message = Everything::default();
    for key in order {
        message.labels.insert(key, format!("label {key}"));
        message.by_name.insert(format!("n{key}"), Node::default());
    }
    message
}

fn check(codec: &'static dyn Codec, expected: &[u8]) {
    for at in 0..4 {
        let mut order = [9, -7, 10, 2];
        order.rotate_left(at);
        let mut out = BytesMut::new();
        Encode::<Everything, _>::encode(&filled(order), codec, usize::MAX, &mut out).expect("encoded");
        assert_eq!(out.escape_ascii().to_string(), expected.escape_ascii().to_string(), "{order:?}");
    }
}

#[test]
fn json_has_maps_in_the_order_of_their_keys() {
    check(
        &Json,
        br#"{"byName":{"n-7":{},"n10":{},"n2":{},"n9":{}},"labels":{"-7":"label -7","2":"label 2","9":"label 9","10":"label 10"}}"#,
    );
}

#[test]
fn proto_has_maps_in_the_order_of_their_keys() {
    check(
        &Proto,
        b"b\x07\n\x03n-7\x12\0b\x07\n\x03n10\x12\0b\x06\n\x02n2\x12\0b\x06\n\x02n9\x12\0\
          j\x15\x08\xf9\xff\xff\xff\xff\xff\xff\xff\xff\x01\x12\x08label -7\
          j\x0b\x08\x02\x12\x07label 2j\x0b\x08\x09\x12\x07label 9j\x0c\x08\x0a\x12\x08label 10",
    );
}
