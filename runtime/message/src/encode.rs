//! What can be sent where a message is expected.

use crate::{Codec, EncodeError, Message, View, json};
use buffa::{HasMessageView, MessageName, MessageView, OwnedView};
use bytes::BytesMut;
use serde::Serialize;

/// Anything that can be written where an `M` is expected: an `M`, a view of one, an owned view, or bytes encoded
/// before.
///
/// `Kind` tells these apart for the compiler and is always inferred: a function that sends takes
/// `<K>(message: &impl Encode<M, K>)`. To make a type of your own sendable, implement it with that type as `Kind`.
pub trait Encode<M, Kind>: Sync {
    /// Shows the message as codecs and interceptors see it.
    fn with<R>(&self, look: impl FnOnce(&dyn Writable) -> R) -> R;

    /// Appends it to `out`, or nothing when it would take more than `limit` bytes.
    ///
    /// # Errors
    /// It is larger than `limit`, or has no form in this codec.
    #[inline]
    fn encode(&self, codec: &dyn Codec, limit: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
        self.with(|message| codec.encode(message, limit, out))
    }
}

/// A message in memory, of any type, as codecs and interceptors see it.
pub trait Writable: Sync {
    /// Its full name in the schema.
    fn full_name(&self) -> &'static str;

    /// Appends the protobuf binary format to `out`, or nothing if it takes more than `limit` bytes: the size is known
    /// before the first byte is written.
    ///
    /// # Errors
    /// The message is larger than `limit`.
    fn write_proto(&self, limit: usize, out: &mut BytesMut) -> Result<(), EncodeError>;

    /// Appends protobuf's JSON mapping to `out`, or nothing if it takes more than `limit` bytes: writing stops there.
    ///
    /// # Errors
    /// The message is larger than `limit`, or JSON cannot express it.
    fn write_json(&self, limit: usize, out: &mut BytesMut) -> Result<(), EncodeError>;
}

/// The `Kind` of an owned message.
#[derive(Debug)]
pub enum Owned {}
/// The `Kind` of a borrowed view.
#[derive(Debug)]
pub enum Borrowed {}
/// The `Kind` of buffa's [`OwnedView`].
#[derive(Debug)]
pub enum Shared {}
/// The `Kind` of a generated owned view, [`Message::OwnedView`].
#[derive(Debug)]
pub enum Handle {}

impl<M: Message> Encode<M, Owned> for M {
    #[inline]
    fn with<R>(&self, look: impl FnOnce(&dyn Writable) -> R) -> R {
        look(&OwnedMessage(self))
    }

    #[inline]
    fn encode(&self, codec: &dyn Codec, limit: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
        self.write(codec, limit, out)
    }
}

impl<'a, M, V: View<'a, Owned = M>> Encode<M, Borrowed> for V {
    #[inline]
    fn with<R>(&self, look: impl FnOnce(&dyn Writable) -> R) -> R {
        look(&BorrowedView(self))
    }

    #[inline]
    fn encode(&self, codec: &dyn Codec, limit: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
        self.write(codec, limit, out)
    }
}

impl<M, V> Encode<M, Shared> for OwnedView<V>
where
    V: MessageView<'static, Owned = M> + MessageName + Serialize + Sync,
{
    #[inline]
    fn with<R>(&self, look: impl FnOnce(&dyn Writable) -> R) -> R {
        look(&SharedView(self))
    }
}

impl<M, H> Encode<M, Handle> for H
where
    M: HasMessageView<ViewHandle = H>,
    H: AsRef<OwnedView<M::View<'static>>> + Sync,
    M::View<'static>: MessageName + Serialize,
{
    #[inline]
    fn with<R>(&self, look: impl FnOnce(&dyn Writable) -> R) -> R {
        look(&SharedView(self.as_ref()))
    }
}

pub(crate) struct OwnedMessage<'m, M>(pub(crate) &'m M);

impl<M: Message> Writable for OwnedMessage<'_, M> {
    fn full_name(&self) -> &'static str {
        M::FULL_NAME
    }
    fn write_proto(&self, limit: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
        self.0.write_proto(limit, out)
    }
    fn write_json(&self, limit: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
        self.0.write_json(limit, out)
    }
}

pub(crate) struct BorrowedView<'v, V>(pub(crate) &'v V);

impl<'a, V: View<'a>> Writable for BorrowedView<'_, V> {
    fn full_name(&self) -> &'static str {
        V::FULL_NAME
    }
    fn write_proto(&self, limit: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
        self.0.write_proto(limit, out)
    }
    fn write_json(&self, limit: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
        self.0.write_json(limit, out)
    }
}

struct SharedView<'v, V>(&'v OwnedView<V>);

impl<V: MessageView<'static> + MessageName + Serialize + Sync> Writable for SharedView<'_, V> {
    fn full_name(&self) -> &'static str {
        V::FULL_NAME
    }
    /// Its bytes are the message already.
    fn write_proto(&self, limit: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
        append(self.0.bytes(), limit, out)
    }
    fn write_json(&self, limit: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
        json::write(self.0, limit, out)
    }
}

/// Appends bytes that are encoded already.
pub(crate) fn append(bytes: &[u8], limit: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
    if bytes.len() > limit {
        return Err(EncodeError::TooLarge { len: bytes.len(), limit });
    }
    out.extend_from_slice(bytes);
    Ok(())
}
