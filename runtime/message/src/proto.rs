//! The protobuf binary format: buffa's decoders and encoders under our limits and errors.

use crate::{DecodeError, DecodeLimits, EncodeError};
use buffa::{DecodeOptions, HasMessageView, ViewEncode};
use bytes::{Bytes, BytesMut};

#[inline]
pub(crate) fn owned<M: buffa::Message>(mut bytes: Bytes, limits: &DecodeLimits) -> Result<M, DecodeError> {
    options(limits).decode(&mut bytes).map_err(|error| decode_error(error, limits))
}

#[inline]
pub(crate) fn view<'a, M: HasMessageView>(
    bytes: &'a [u8],
    limits: &DecodeLimits,
) -> Result<M::View<'a>, DecodeError> {
    M::decode_view_with_options(bytes, &options(limits)).map_err(|error| decode_error(error, limits))
}

#[inline]
pub(crate) fn owned_view<M: HasMessageView>(
    bytes: Bytes,
    limits: &DecodeLimits,
) -> Result<M::ViewHandle, DecodeError> {
    M::decode_view_handle_with_options(bytes, &options(limits)).map_err(|error| decode_error(error, limits))
}

/// Encodes a message that was received in another format.
pub(crate) fn to_bytes<M: buffa::Message>(message: &M) -> Result<Bytes, DecodeError> {
    message.try_encode_to_bytes().map_err(|error| DecodeError::malformed(&error))
}

#[inline]
pub(crate) fn write<M: buffa::Message>(
    message: &M,
    limit: usize,
    out: &mut BytesMut,
) -> Result<(), EncodeError> {
    match message.try_encode_bounded(budget(limit), out) {
        Ok(_) => Ok(()),
        Err(error) => Err(encode_error(&error, limit)),
    }
}

#[inline]
pub(crate) fn write_view<'a, V: ViewEncode<'a>>(
    view: &V,
    limit: usize,
    out: &mut BytesMut,
) -> Result<(), EncodeError> {
    match view.try_encode_bounded(budget(limit), out) {
        Ok(_) => Ok(()),
        Err(error) => Err(encode_error(&error, limit)),
    }
}

#[inline]
fn options(limits: &DecodeLimits) -> DecodeOptions {
    DecodeOptions::new()
        .with_recursion_limit(limits.depth_max)
        .with_unknown_field_limit(limits.unknown_fields_max)
        .with_element_memory_limit(limits.element_memory_max)
}

#[inline]
fn budget(limit: usize) -> u32 {
    u32::try_from(limit).unwrap_or(u32::MAX)
}

#[cold]
pub(crate) fn decode_error(error: buffa::DecodeError, limits: &DecodeLimits) -> DecodeError {
    use buffa::DecodeError as E;
    match error {
        E::UnexpectedEof => DecodeError::Truncated,
        E::InvalidUtf8 => DecodeError::InvalidUtf8,
        E::RecursionLimitExceeded => DecodeError::TooDeep { limit: limits.depth_max },
        E::ElementMemoryLimitExceeded => DecodeError::TooManyElements { limit: limits.element_memory_max },
        E::UnknownFieldLimitExceeded => {
            DecodeError::TooManyUnknownFields { limit: limits.unknown_fields_max }
        }
        E::WireTypeMismatch { field_number, .. } => DecodeError::WireType { field: field_number },
        other => DecodeError::malformed(&other),
    }
}

#[cold]
fn encode_error(error: &buffa::EncodeError, limit: usize) -> EncodeError {
    match error {
        buffa::EncodeError::ExceedsBudget { len, .. } => EncodeError::TooLarge { len: *len as usize, limit },
        // Every other error of buffa's is its own limit of 2 GiB.
        _ => EncodeError::TooLarge { len: buffa::MAX_MESSAGE_BYTES as usize + 1, limit },
    }
}
