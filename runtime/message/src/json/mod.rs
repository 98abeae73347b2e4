//! Protobuf's JSON mapping, in and out, bounded.
//!
//! buffa maps messages to JSON through serde, and bounds neither depth nor memory there. So the parser is wrapped
//! in a deserializer that does ([`bounded`]), with the limits of proto decoding, and the writer in one that stops
//! ([`limited`]).

mod bounded;
mod budget;
mod limited;
mod named;

use crate::{DecodeError, DecodeLimits, EncodeError, UnknownFields};
use bounded::Bounded;
use budget::{Budget, Scope};
use buffa::json::{JsonParseOptions, with_json_parse_options};
use bytes::BytesMut;
use limited::Limited;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) fn from_slice<M: DeserializeOwned>(json: &[u8], limits: &DecodeLimits) -> Result<M, DecodeError> {
    // Checked once for all: JSON is UTF-8 between its strings too, and the parser need not look again.
    let json = std::str::from_utf8(json).map_err(|_| DecodeError::InvalidUtf8)?;
    let scope = Scope::enter(Budget::new(limits));
    let mut parser = serde_json::Deserializer::from_str(json);
    // Its own limit counts arrays too, and would refuse trees that proto decoding takes.
    parser.disable_recursion_limit();
    let message = with_json_parse_options(&options(limits.json_unknown_fields), || {
        M::deserialize(Bounded::new(&mut parser, scope.budget()))
    });
    message
        .and_then(|message| parser.end().map(|()| message))
        .map_err(|error| scope.budget().crossed().unwrap_or_else(|| decode_error(&error)))
}

pub(crate) fn write<T: Serialize>(value: &T, limit: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
    let mut writer = Limited::new(out, limit);
    match serde_json::to_writer(&mut writer, value) {
        Ok(()) => {
            writer.finish();
            Ok(())
        }
        Err(error) => {
            let exceeded = writer.undo();
            Err(exceeded.unwrap_or_else(|| EncodeError::Unrepresentable(error.to_string())))
        }
    }
}

/// Re-encodes the content of an `Any`, on the budget of the message around it.
pub(crate) fn any_from_json<M: DeserializeOwned + buffa::Message>(
    content: serde_json::Value,
) -> Result<Vec<u8>, String> {
    let budget = Scope::current();
    let message = M::deserialize(Bounded::new(content, &budget)).map_err(|error| error.to_string())?;
    message.try_encode_to_vec().map_err(|error| error.to_string())
}

fn options(unknown_fields: UnknownFields) -> JsonParseOptions {
    match unknown_fields {
        UnknownFields::Ignore => JsonParseOptions::new().ignore_unknown_enum_values(true),
        UnknownFields::Reject => JsonParseOptions::new().strict_extension_keys(true),
    }
}

fn decode_error(error: &serde_json::Error) -> DecodeError {
    if error.is_eof() { DecodeError::Truncated } else { DecodeError::malformed(error) }
}
