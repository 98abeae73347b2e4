//! A message that nobody looks into.

use crate::encode::append;
use crate::{Codec, DecodeError, DecodeLimits, EncodeError, Message, View};
use bytes::{Bytes, BytesMut};

/// The bytes of a message, in whatever codec the call has: what a proxy takes and gives where others name a message.
///
/// They pass untouched, uncopied and unchecked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Raw(
    /// The bytes, without any framing or compression.
    pub Bytes,
);

/// A [`Raw`] message that is borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawView<'a>(
    /// The bytes; cloning them copies nothing.
    pub &'a Bytes,
);

impl RawView<'_> {
    /// The message with a share in its bytes.
    #[must_use]
    pub fn to_owned_message(&self) -> Raw {
        Raw(self.0.clone())
    }
}

impl Message for Raw {
    type View<'a> = RawView<'a>;
    type OwnedView = Self;
    const FULL_NAME: &'static str = "";

    fn owned(_: &dyn Codec, body: Bytes, _: &DecodeLimits) -> Result<Self, DecodeError> {
        Ok(Self(body))
    }
    fn viewable(_: &dyn Codec, body: Bytes, _: &DecodeLimits) -> Result<Bytes, DecodeError> {
        Ok(body)
    }
    fn view<'a>(bytes: &'a Bytes, _: &DecodeLimits) -> Result<RawView<'a>, DecodeError> {
        Ok(RawView(bytes))
    }
    fn owned_view(_: &dyn Codec, body: Bytes, _: &DecodeLimits) -> Result<Self, DecodeError> {
        Ok(Self(body))
    }
    fn write(&self, _: &dyn Codec, limit: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
        append(&self.0, limit, out)
    }
    fn write_proto(&self, limit: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
        append(&self.0, limit, out)
    }
    fn write_json(&self, limit: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
        append(&self.0, limit, out)
    }
}

impl<'a> View<'a> for RawView<'a> {
    type Owned = Raw;
    const FULL_NAME: &'static str = "";

    fn write(&self, _: &dyn Codec, limit: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
        append(self.0, limit, out)
    }
    fn write_proto(&self, limit: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
        append(self.0, limit, out)
    }
    fn write_json(&self, limit: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
        append(self.0, limit, out)
    }
}
