//! Codecs are values: a name, and a way into and out of the two formats that every message knows.
//!
//! [`Proto`] and [`Json`] hand their bytes on as they are, so that the messages' own decoders, which are direct calls,
//! borrow from the receive buffer. A third codec converts to and from either of them, and needs to know no message.

use crate::{DecodeError, DecodeLimits, EncodeError, Writable};
use bytes::{Bytes, BytesMut};
use std::fmt;

/// One way to write messages as bytes. Use it as `&'static dyn Codec`.
pub trait Codec: fmt::Debug + Send + Sync + 'static {
    /// What media types call it: the `json` of `application/json`, `application/connect+json` and
    /// `application/grpc+json`.
    fn name(&self) -> &str;

    /// Turns received bytes into a format that messages read; `message` is the full name of the one expected.
    ///
    /// # Errors
    /// The bytes are not of this codec, or cross a limit.
    fn decode(&self, message: &'static str, body: Bytes, limits: &DecodeLimits) -> Result<Wire, DecodeError>;

    /// Appends a message to `out`, or nothing when it would take more than `limit` bytes.
    ///
    /// # Errors
    /// The message is larger than `limit`, or has no form in this codec.
    fn encode(&self, message: &dyn Writable, limit: usize, out: &mut BytesMut) -> Result<(), EncodeError>;
}

/// Bytes in one of the two formats that every message reads.
#[derive(Clone, Debug)]
pub enum Wire {
    /// The protobuf binary format.
    Proto(Bytes),
    /// Protobuf's JSON mapping.
    Json(Bytes),
}

/// The protobuf binary format.
#[derive(Clone, Copy, Debug, Default)]
pub struct Proto;

impl Codec for Proto {
    fn name(&self) -> &str {
        "proto"
    }

    fn decode(&self, _: &'static str, body: Bytes, _: &DecodeLimits) -> Result<Wire, DecodeError> {
        Ok(Wire::Proto(body))
    }

    fn encode(&self, message: &dyn Writable, limit: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
        message.write_proto(limit, out)
    }
}

/// Protobuf's JSON mapping.
#[derive(Clone, Copy, Debug, Default)]
pub struct Json;

impl Codec for Json {
    fn name(&self) -> &str {
        "json"
    }

    fn decode(&self, _: &'static str, body: Bytes, _: &DecodeLimits) -> Result<Wire, DecodeError> {
        Ok(Wire::Json(body))
    }

    fn encode(&self, message: &dyn Writable, limit: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
        message.write_json(limit, out)
    }
}
