//! Header compression for HTTP/2: <https://www.rfc-editor.org/rfc/rfc7541>.
//!
//! A [`Decoder`] turns a header block into [`Line`]s, whose names were classified when they entered its table. An [`Encoder`]
//! is a sink of fields that repeats itself in one byte.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::disallowed_methods, clippy::disallowed_types))]

mod decoder;
mod encoder;
mod field;
mod huffman;
mod integer;
mod statics;

pub use decoder::{DecodeError, Decoder};
pub use encoder::{Block, Encoder, status};
pub use field::{Line, LineName, Pseudo};

/// The size of a dynamic table unless SETTINGS say otherwise: <https://www.rfc-editor.org/rfc/rfc9113#section-6.5.2>.
pub const TABLE_SIZE: usize = 4096;

/// The size that every entry of a table, and of a header list, counts beyond its text:
/// <https://www.rfc-editor.org/rfc/rfc7541#section-4.1>.
pub const ENTRY_OVERHEAD: usize = 32;
