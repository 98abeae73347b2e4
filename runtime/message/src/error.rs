//! What can be wrong with a message, as facts; the RPC code is chosen by `service`.

use std::fmt::{self, Write};

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
        /// What is wrong, in the words of the parser: at most a few hundred bytes of them.
        String,
    ),
}

impl DecodeError {
    /// An error in the words of a parser, cut where they are many: they quote what the peer sent, nested and escaped.
    pub(crate) fn malformed(words: &dyn fmt::Display) -> Self {
        let mut brief = Brief(String::new());
        if write!(brief, "{words}").is_err() {
            brief.0.push('…');
        }
        Self::Malformed(brief.0)
    }
}

/// A text that takes no more than [`WORDS_LEN_MAX`].
struct Brief(String);

impl Write for Brief {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let room = WORDS_LEN_MAX - self.0.len();
        if part.len() <= room {
            self.0.push_str(part);
            return Ok(());
        }
        let end = (0..=room).rev().find(|at| part.is_char_boundary(*at)).unwrap_or(0);
        self.0.push_str(&part[..end]);
        Err(fmt::Error)
    }
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

const WORDS_LEN_MAX: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_parser_are_cut_where_they_are_many() {
        let malformed = |words: &str| DecodeError::malformed(&words).to_string();
        let whole = "a".repeat(WORDS_LEN_MAX);
        assert_eq!(malformed(&whole), whole);
        assert_eq!(malformed(&(whole.clone() + "b")), whole.clone() + "…");
        assert_eq!(malformed(&"☺".repeat(4_000)), "☺".repeat(WORDS_LEN_MAX / 3) + "…");
    }
}
