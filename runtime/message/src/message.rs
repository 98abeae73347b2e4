//! Messages and their views, as the rest of Ringwire sees them.
//!
//! Everything that buffa generates with views and JSON satisfies both traits by the blanket impls here; generated
//! crates implement nothing, and so the orphan rule has nothing to forbid.

use crate::codec::{Codec, Format, Wire};
use crate::encode::{BorrowedView, OwnedMessage};
use crate::{DecodeError, DecodeLimits, EncodeError, json, proto};
use buffa::{HasMessageView, MessageName, ViewEncode};
use bytes::{Bytes, BytesMut};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// An owned protobuf message, and the ways to get one, or a view of one, from received bytes.
///
/// A view borrows, so it comes in two steps: [`viewable`](Self::viewable) gives the bytes that the caller keeps
/// (those that were received, unless they were JSON), and [`view`](Self::view) borrows from them.
pub trait Message: Sized + Send + Sync + 'static {
    /// The message borrowed from the bytes it arrived in.
    type View<'a>: View<'a, Owned = Self>;
    /// The view together with its bytes: field accessors are methods on it.
    type OwnedView: Send + Sync + 'static;
    /// Its full name in the schema, for example `greet.v1.GreetRequest`.
    const FULL_NAME: &'static str;

    /// Decodes an owned message.
    ///
    /// # Errors
    /// The bytes are not such a message, or cross a limit.
    fn owned(codec: &dyn Codec, body: Bytes, limits: &DecodeLimits) -> Result<Self, DecodeError>;

    /// Gives the bytes that [`view`](Self::view) borrows from: without a copy, unless the codec is not proto.
    ///
    /// # Errors
    /// The bytes are not such a message in this codec, or cross a limit. Bytes that are proto already are not looked
    /// at before `view`.
    fn viewable(codec: &dyn Codec, body: Bytes, limits: &DecodeLimits) -> Result<Bytes, DecodeError>;

    /// Borrows a view from bytes that [`viewable`](Self::viewable) gave.
    ///
    /// # Errors
    /// The bytes are not such a message, or cross a limit.
    fn view<'a>(bytes: &'a Bytes, limits: &DecodeLimits) -> Result<Self::View<'a>, DecodeError>;

    /// Decodes a view that owns its bytes.
    ///
    /// # Errors
    /// The bytes are not such a message, or cross a limit.
    fn owned_view(
        codec: &dyn Codec,
        body: Bytes,
        limits: &DecodeLimits,
    ) -> Result<Self::OwnedView, DecodeError>;

    /// Appends it to `out` in a codec, or nothing if it takes more than `limit` bytes.
    ///
    /// # Errors
    /// The message is larger than `limit`, or has no form in this codec.
    #[inline]
    fn write(&self, codec: &dyn Codec, limit: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
        match codec.format() {
            Format::Proto => self.write_proto(limit, out),
            Format::Json => self.write_json(limit, out),
            Format::Converted(convert) => convert.encode(&OwnedMessage(self), limit, out),
        }
    }

    /// Appends the protobuf binary format to `out`, or nothing if it takes more than `limit` bytes.
    ///
    /// # Errors
    /// The message is larger than `limit`.
    fn write_proto(&self, limit: usize, out: &mut BytesMut) -> Result<(), EncodeError>;

    /// Appends protobuf's JSON mapping to `out`, or nothing if it takes more than `limit` bytes.
    ///
    /// # Errors
    /// The message is larger than `limit`, or JSON cannot express it.
    fn write_json(&self, limit: usize, out: &mut BytesMut) -> Result<(), EncodeError>;
}

/// A view of a message: what is borrowed can be written like the message itself, in either format.
pub trait View<'a>: Sized + Send + Sync {
    /// The message that it is a view of.
    type Owned;
    /// The full name of that message.
    const FULL_NAME: &'static str;

    /// Appends it to `out` in a codec, or nothing if it takes more than `limit` bytes.
    ///
    /// # Errors
    /// The message is larger than `limit`, or has no form in this codec.
    #[inline]
    fn write(&self, codec: &dyn Codec, limit: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
        match codec.format() {
            Format::Proto => self.write_proto(limit, out),
            Format::Json => self.write_json(limit, out),
            Format::Converted(convert) => convert.encode(&BorrowedView(self), limit, out),
        }
    }

    /// Appends the protobuf binary format to `out`, or nothing if it takes more than `limit` bytes.
    ///
    /// # Errors
    /// The message is larger than `limit`.
    fn write_proto(&self, limit: usize, out: &mut BytesMut) -> Result<(), EncodeError>;

    /// Appends protobuf's JSON mapping to `out`, or nothing if it takes more than `limit` bytes.
    ///
    /// # Errors
    /// The message is larger than `limit`, or JSON cannot express it.
    fn write_json(&self, limit: usize, out: &mut BytesMut) -> Result<(), EncodeError>;
}

impl<M> Message for M
where
    M: HasMessageView + MessageName + Serialize + DeserializeOwned + 'static,
    for<'a> <M as HasMessageView>::View<'a>: ViewEncode<'a> + MessageName + Serialize,
{
    type View<'a> = <M as HasMessageView>::View<'a>;
    type OwnedView = <M as HasMessageView>::ViewHandle;
    const FULL_NAME: &'static str = <M as MessageName>::FULL_NAME;

    #[inline]
    fn owned(codec: &dyn Codec, body: Bytes, limits: &DecodeLimits) -> Result<Self, DecodeError> {
        match codec.format() {
            Format::Proto => proto::owned(body, limits),
            _ => converted(codec, body, limits),
        }
    }

    #[inline]
    fn viewable(codec: &dyn Codec, body: Bytes, limits: &DecodeLimits) -> Result<Bytes, DecodeError> {
        match codec.format() {
            Format::Proto => Ok(body),
            _ => reencoded::<M>(codec, body, limits),
        }
    }

    #[inline]
    fn view<'a>(bytes: &'a Bytes, limits: &DecodeLimits) -> Result<Self::View<'a>, DecodeError> {
        proto::view::<M>(bytes, limits)
    }

    #[inline]
    fn owned_view(
        codec: &dyn Codec,
        body: Bytes,
        limits: &DecodeLimits,
    ) -> Result<Self::OwnedView, DecodeError> {
        proto::owned_view::<M>(<M as Message>::viewable(codec, body, limits)?, limits)
    }

    #[inline]
    fn write_proto(&self, limit: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
        proto::write(self, limit, out)
    }

    fn write_json(&self, limit: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
        json::write(self, limit, out)
    }
}

impl<'a, V> View<'a> for V
where
    V: ViewEncode<'a> + MessageName + Serialize + Send + Sync,
{
    type Owned = <V as buffa::MessageView<'a>>::Owned;
    const FULL_NAME: &'static str = <V as MessageName>::FULL_NAME;

    #[inline]
    fn write_proto(&self, limit: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
        proto::write_view(self, limit, out)
    }

    fn write_json(&self, limit: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
        json::write(self, limit, out)
    }
}

/// Decodes an owned message that is not proto as it is. Apart, so that the way of proto is inlined.
#[inline(never)]
fn converted<M>(codec: &dyn Codec, body: Bytes, limits: &DecodeLimits) -> Result<M, DecodeError>
where
    M: buffa::Message + MessageName + DeserializeOwned,
{
    match codec.decode(M::FULL_NAME, body, limits)? {
        Wire::Proto(bytes) => proto::owned(bytes, limits),
        Wire::Json(bytes) => json::from_slice(&bytes, limits),
    }
}

/// Gives the proto bytes of a message that is not proto as it is: views borrow what only those have.
#[inline(never)]
fn reencoded<M>(codec: &dyn Codec, body: Bytes, limits: &DecodeLimits) -> Result<Bytes, DecodeError>
where
    M: buffa::Message + MessageName + DeserializeOwned,
{
    match codec.decode(M::FULL_NAME, body, limits)? {
        Wire::Proto(bytes) => Ok(bytes),
        Wire::Json(bytes) => proto::to_bytes(&json::from_slice::<M>(&bytes, limits)?),
    }
}
