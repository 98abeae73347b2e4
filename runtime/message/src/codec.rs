//! Codecs are values: a name, and one of the two formats that every message knows, perhaps converted.
//!
//! [`Proto`] and [`Json`] are those formats, so that messages decode by direct calls, from the receive buffer. A
//! third codec converts from and to either of them, and needs to know no message.

use crate::{DecodeError, DecodeLimits, EncodeError, Writable};
use bytes::{Bytes, BytesMut};
use std::fmt;

/// One way to write messages as bytes. Use it as `&'static dyn Codec`.
pub trait Codec: fmt::Debug + Send + Sync + 'static {
    /// What media types call it: the `json` of `application/json`, `application/connect+json` and
    /// `application/grpc+json`.
    fn name(&self) -> &str;

    /// What its bytes are.
    fn format(&self) -> Format<'_>;
}

/// What the bytes of a codec are.
#[derive(Clone, Copy)]
pub enum Format<'c> {
    /// The protobuf binary format.
    Proto,
    /// Protobuf's JSON mapping.
    Json,
    /// Neither: they are converted from and to one of the two.
    Converted(&'c dyn Convert),
}

/// A way between bytes of some kind and the two formats that every message knows.
pub trait Convert {
    /// Turns received bytes into a format that messages read; `message` is the full name of the one expected.
    ///
    /// # Errors
    /// The bytes are not of this kind, or cross a limit.
    fn decode(&self, message: &'static str, body: Bytes, limits: &DecodeLimits) -> Result<Wire, DecodeError>;

    /// Appends a message to `out`, or nothing when it would take more than `limit` bytes.
    ///
    /// # Errors
    /// The message is larger than `limit`, or has no form of this kind.
    fn encode(&self, message: &dyn Writable, limit: usize, out: &mut BytesMut) -> Result<(), EncodeError>;
}

/// Bytes in one of the two formats that every message knows.
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
    fn format(&self) -> Format<'_> {
        Format::Proto
    }
}

/// Protobuf's JSON mapping.
#[derive(Clone, Copy, Debug, Default)]
pub struct Json;

impl Codec for Json {
    fn name(&self) -> &str {
        "json"
    }
    fn format(&self) -> Format<'_> {
        Format::Json
    }
}

impl dyn Codec {
    /// Turns received bytes into a format that messages read; `message` is the full name of the one expected.
    ///
    /// # Errors
    /// The bytes are not of this codec, or cross a limit.
    #[inline]
    pub fn decode(
        &self,
        message: &'static str,
        body: Bytes,
        limits: &DecodeLimits,
    ) -> Result<Wire, DecodeError> {
        match self.format() {
            Format::Proto => Ok(Wire::Proto(body)),
            Format::Json => Ok(Wire::Json(body)),
            Format::Converted(convert) => convert.decode(message, body, limits),
        }
    }

    /// Appends a message to `out`, or nothing when it would take more than `limit` bytes.
    ///
    /// # Errors
    /// The message is larger than `limit`, or has no form in this codec.
    pub fn encode(
        &self,
        message: &dyn Writable,
        limit: usize,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        match self.format() {
            Format::Proto => message.write_proto(limit, out),
            Format::Json => message.write_json(limit, out),
            Format::Converted(convert) => convert.encode(message, limit, out),
        }
    }
}
