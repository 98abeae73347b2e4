//! A message that was encoded before, to be sent many times.

use crate::encode::append;
use crate::{
    Codec, DecodeLimits, Encode, EncodeError, Json, Message, Proto, UnknownFields, View, Wire, Writable,
};
use bytes::{Bytes, BytesMut};
use std::fmt;
use std::marker::PhantomData;

/// The bytes of an `M`, to be sent as they are: encoded once, sent to many.
///
/// A peer that speaks the other format still gets its answer, at the price of a conversion.
pub struct PreEncoded<M> {
    wire: Wire,
    of: PhantomData<fn() -> M>,
}

impl<M: Message> PreEncoded<M> {
    /// Takes bytes that are an `M` in the protobuf binary format. They are not looked at.
    pub fn proto(bytes: impl Into<Bytes>) -> Self {
        Self { wire: Wire::Proto(bytes.into()), of: PhantomData }
    }

    /// Takes bytes that are an `M` in protobuf's JSON mapping. They are not looked at.
    pub fn json(bytes: impl Into<Bytes>) -> Self {
        Self { wire: Wire::Json(bytes.into()), of: PhantomData }
    }

    /// Encodes a message now, in the protobuf binary format.
    ///
    /// # Errors
    /// The message is larger than protobuf allows.
    pub fn new<K>(message: &impl Encode<M, K>) -> Result<Self, EncodeError> {
        let mut out = BytesMut::new();
        message.encode(&Proto, usize::MAX, &mut out)?;
        Ok(Self::proto(out))
    }
}

/// The `Kind` of [`PreEncoded`].
#[derive(Debug)]
pub enum Before {}

impl<M: Message> Encode<M, Before> for PreEncoded<M> {
    fn with<R>(&self, look: impl FnOnce(&dyn Writable) -> R) -> R {
        look(self)
    }
}

impl<M: Message> Writable for PreEncoded<M> {
    fn full_name(&self) -> &'static str {
        M::FULL_NAME
    }

    fn write_proto(&self, limit: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
        match &self.wire {
            Wire::Proto(bytes) => append(bytes, limit, out),
            Wire::Json(bytes) => append(&viewable::<M>(&Json, bytes)?, limit, out),
        }
    }

    fn write_json(&self, limit: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
        match &self.wire {
            Wire::Json(bytes) => append(bytes, limit, out),
            Wire::Proto(bytes) => M::view(bytes, &OWN).map_err(not_an_m)?.write_json(limit, out),
        }
    }
}

impl<M> Clone for PreEncoded<M> {
    fn clone(&self) -> Self {
        Self { wire: self.wire.clone(), of: PhantomData }
    }
}

impl<M> fmt::Debug for PreEncoded<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PreEncoded").field(&self.wire).finish()
    }
}

fn viewable<M: Message>(codec: &dyn Codec, bytes: &Bytes) -> Result<Bytes, EncodeError> {
    M::viewable(codec, bytes.clone(), &OWN).map_err(not_an_m)
}

fn not_an_m(error: crate::DecodeError) -> EncodeError {
    EncodeError::Unrepresentable(format!("the bytes encoded before are not the message: {error}"))
}

/// Nothing a peer sent is decoded here, so only the stack is worth guarding.
const OWN: DecodeLimits = DecodeLimits {
    element_memory_max: usize::MAX,
    unknown_fields_max: usize::MAX,
    json_unknown_fields: UnknownFields::Ignore,
    ..DecodeLimits::DEFAULT
};
