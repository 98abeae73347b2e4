//! What one compression is, and how it fails.
//!
//! Both directions take a whole message: that is what an envelope or a unary body carries, and it lets a coder
//! be reset and used again instead of living as long as a stream.

use std::fmt;

use bytes::BytesMut;

/// One named compression: gzip, zstd, or an application's own.
///
/// Values are shared by every call as `&'static dyn Compression`, so that choosing one costs no reference count.
/// A unit struct is such a value by itself; a compression with state of its own, such as a dictionary, lives in a
/// `static` or is leaked once at start.
pub trait Compression: fmt::Debug + Send + Sync {
    /// The name on the wire, in lower case: a content coding of HTTP, or a name that both peers agreed on.
    fn name(&self) -> &'static str;

    /// Appends the compressed form of `input` to `out`.
    fn compress(&self, input: &[u8], level: Level, out: &mut BytesMut);

    /// Appends the bytes that `input` stands for to `out`: `limit` of them at most.
    ///
    /// An empty `input` stands for no bytes: peers send a compressed empty message as nothing at all. Otherwise the
    /// whole of `input` must be well formed: a stream that stops early or is followed by anything else is
    /// [`Corrupt`](DecompressError::Corrupt). On an error `out` holds what it held before.
    fn decompress(&self, input: &[u8], limit: usize, out: &mut BytesMut) -> Result<(), DecompressError>;
}

/// How much work a compression should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Level {
    /// What the compression takes to be right for messages; the documentation of each says which it is.
    #[default]
    Default,
    /// A level on the compression's own scale, such as 1 to 9 for gzip; the nearest it has, when it has no such level.
    Exact(i32),
}

/// Why a message could not be decompressed. Either way the peer is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecompressError {
    /// The input is malformed, stops early, or is followed by something else.
    Corrupt,
    /// The input stands for more bytes than the caller allowed.
    TooLarge {
        /// What the caller allowed.
        limit: usize,
    },
}

impl fmt::Display for DecompressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Corrupt => f.write_str("compressed data is corrupt"),
            Self::TooLarge { limit } => write!(f, "message is larger than {limit} bytes once decompressed"),
        }
    }
}

impl std::error::Error for DecompressError {}
