//! Protobuf's JSON mapping, in and out, bounded.

use crate::{DecodeError, DecodeLimits, EncodeError};
use bytes::{BufMut, Bytes, BytesMut};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) fn from_slice<M: DeserializeOwned>(json: &[u8], _: &DecodeLimits) -> Result<M, DecodeError> {
    serde_json::from_slice(json).map_err(|error| DecodeError::Malformed(error.to_string()))
}

pub(crate) fn to_proto<M: DeserializeOwned + buffa::Message>(
    json: &[u8],
    limits: &DecodeLimits,
) -> Result<Bytes, DecodeError> {
    Ok(from_slice::<M>(json, limits)?.encode_to_bytes())
}

pub(crate) fn write<T: Serialize>(value: &T, _: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
    serde_json::to_writer(out.writer(), value)
        .map_err(|error| EncodeError::Unrepresentable(error.to_string()))
}
