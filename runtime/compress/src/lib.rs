//! Named compressions whose output is bounded by construction.
//!
//! The contract: a [`Compression`] turns one whole message into one whole message, appending to a buffer that
//! the caller owns, and never appends more than the caller's limit. A [`Compressions`] is the ordered set that a
//! server or a channel offers; a [`CompressionPolicy`] says which messages are worth the work.

#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::disallowed_methods, clippy::disallowed_types))]

pub use compression::{Compression, DecompressError, Level};
pub use compressions::{Compressions, UnknownEncoding};
pub use gzip::Gzip;
pub use policy::{Compress, CompressionPolicy};
#[cfg(not(target_arch = "wasm32"))]
pub use zstd::Zstd;

pub mod coder;
mod compression;
mod compressions;
mod gzip;
mod policy;
#[cfg(not(target_arch = "wasm32"))]
mod zstd;

/// The name of no compression at all; every peer understands it.
pub const IDENTITY: &str = "identity";
