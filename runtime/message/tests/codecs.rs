//! Codecs are values: a third one is added by whoever needs it, and knows no message.

mod fixture;

use bytes::{Bytes, BytesMut};
use fixture::{Small, SmallView};
use ringwire_message::{
    Codec, Convert, DecodeError, DecodeLimits, Encode, EncodeError, Format, Json, Message, Proto, Raw, Wire,
    Writable,
};

/// The binary format in hexadecimal digits.
#[derive(Debug)]
struct Hex;

impl Codec for Hex {
    fn name(&self) -> &str {
        "hex"
    }
    fn format(&self) -> Format<'_> {
        Format::Converted(self)
    }
}

impl Convert for Hex {
    fn decode(&self, message: &'static str, body: Bytes, _: &DecodeLimits) -> Result<Wire, DecodeError> {
        let malformed = || DecodeError::Malformed(format!("{message} is not in hexadecimal"));
        let digits = std::str::from_utf8(&body).map_err(|_| DecodeError::InvalidUtf8)?;
        let bytes = (0..digits.len()).step_by(2).map(|at| {
            digits.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()).ok_or_else(malformed)
        });
        Ok(Wire::Proto(bytes.collect::<Result<Vec<_>, _>>()?.into()))
    }

    fn encode(&self, message: &dyn Writable, limit: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
        let mut bytes = BytesMut::new();
        message.write_proto(limit / 2, &mut bytes)?;
        bytes.iter().for_each(|byte| out.extend_from_slice(format!("{byte:02x}").as_bytes()));
        Ok(())
    }
}

fn check(codec: &'static dyn Codec, name: &str, body: &'static [u8]) {
    assert_eq!(codec.name(), name);
    let (limits, body) = (DecodeLimits::default(), Bytes::from_static(body));

    let owned = Small::owned(codec, body.clone(), &limits).expect("owned");
    assert_eq!(owned.name, "hi");
    assert_eq!(written(codec, &owned), body);

    let bytes = Small::viewable(codec, body.clone(), &limits).expect("viewable");
    let view = Small::view(&bytes, &limits).expect("view");
    assert_eq!(view.name, "hi");
    assert_eq!(written::<Small, _>(codec, &view), body);

    let raw = Raw::owned(codec, body.clone(), &limits).expect("raw");
    assert_eq!(raw.0.as_ptr(), body.as_ptr(), "a proxy copies nothing");
    assert_eq!(written(codec, &raw), body);
}

fn written<M: Message, K>(codec: &dyn Codec, message: &impl Encode<M, K>) -> BytesMut {
    let mut out = BytesMut::new();
    message.encode(codec, usize::MAX, &mut out).expect("written");
    out
}

#[test]
fn messages_go_through_every_codec() {
    check(&Proto, "proto", b"\x0a\x02hi");
    check(&Json, "json", br#"{"name":"hi"}"#);
    check(&Hex, "hex", b"0a026869");
}

#[test]
fn a_codec_is_told_which_message_is_expected() {
    let refused = Small::owned(&Hex, "0".into(), &DecodeLimits::default());
    let expected = "fixture.v1.Small is not in hexadecimal".to_owned();
    assert_eq!(refused, Err(DecodeError::Malformed(expected)));
    let message = SmallView { name: "hi", ..Default::default() };
    assert_eq!(Encode::<Small, _>::with(&message, |message| message.full_name()), "fixture.v1.Small");
}

#[test]
fn a_view_of_proto_borrows_from_what_was_received() {
    let body = Bytes::from_static(b"\x0a\x02hi");
    let bytes = Small::viewable(&Proto, body.clone(), &DecodeLimits::default()).expect("viewable");
    assert_eq!(bytes.as_ptr(), body.as_ptr());
    let view = Small::view(&bytes, &DecodeLimits::default()).expect("view");
    assert!(body.as_ptr_range().contains(&view.name.as_ptr()));
}
