//! What can be wrong with a message, as facts; the RPC code is chosen by `service`.

use std::fmt;

/// Why received bytes are not the message that was expected. The peer is at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes end inside a value.
    Truncated,
    /// A string holds bytes that are not UTF-8.
    InvalidUtf8,
    /// Messages are nested deeper than the limit.
    TooDeep {
        /// [`DecodeLimits::depth_max`](crate::DecodeLimits::depth_max).
        limit: u32,
    },
    /// The elements of repeated fields and maps would take more memory than the limit.
    TooManyElements {
        /// [`DecodeLimits::element_memory_max`](crate::DecodeLimits::element_memory_max), in bytes.
        limit: usize,
    },
    /// The message holds more fields that are not in its schema than the limit.
    TooManyUnknownFields {
        /// [`DecodeLimits::unknown_fields_max`](crate::DecodeLimits::unknown_fields_max).
        limit: usize,
    },
    /// A field is written with another wire type than its schema says.
    WireType {
        /// The number of the field.
        field: u32,
    },
    /// The bytes break the format in another way.
    Malformed(
        /// What is wrong, in the words of the parser.
        String,
    ),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the message is truncated"),
            Self::InvalidUtf8 => f.write_str("a string is not valid UTF-8"),
            Self::TooDeep { limit } => write!(f, "the message is nested deeper than {limit} levels"),
            Self::TooManyElements { limit } => {
                write!(f, "the elements of the message would take more than {limit} bytes of memory")
            }
            Self::TooManyUnknownFields { limit } => {
                write!(f, "the message has more than {limit} unknown fields")
            }
            Self::WireType { field } => write!(f, "field {field} has the wrong wire type"),
            Self::Malformed(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for DecodeError {}

/// Why a message cannot be written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// The encoded message is larger than the limit. Nothing of it was left in the buffer.
    TooLarge {
        /// The size in bytes where it is known before encoding (proto); else the size at which encoding stopped.
        len: usize,
        /// The limit that was asked for.
        limit: usize,
    },
    /// The message has no form in this codec, for example a timestamp that JSON cannot express.
    Unrepresentable(
        /// What cannot be written, in the words of the writer.
        String,
    ),
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { len, limit } => {
                write!(f, "the message takes {len} bytes, more than the limit of {limit}")
            }
            Self::Unrepresentable(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for EncodeError {}
