//! Rules of HTTP/1 that peers break, and limits that they cross.

use ringwire_http::Reset;
use std::fmt;

/// The rule of HTTP/1 that the peer broke, or the limit that it crossed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// The request line is not one.
    RequestLine,
    /// The status line is not one.
    StatusLine,
    /// The method is longer than any that a server knows.
    Method,
    /// The request target is in none of the four forms, or not in one that its method allows.
    Target,
    /// The request target is longer than the limit.
    TargetTooLong {
        /// The limit.
        limit: usize,
    },
    /// The version is neither HTTP/1.1 nor HTTP/1.0.
    Version,
    /// A field line is not a name, a colon, a value, and CR LF; or it is folded.
    FieldLine,
    /// The head, or the trailers, are larger than the limit.
    HeadTooLarge {
        /// The limit.
        limit: usize,
    },
    /// There are more fields than the limit.
    TooManyFields {
        /// The limit.
        limit: usize,
    },
    /// `host` is missing, there twice, or no authority.
    Host,
    /// `content-length` is no number, or there twice.
    ContentLength,
    /// `transfer-encoding` is not `chunked` alone, or is in a message that may not have it.
    TransferEncoding,
    /// `transfer-encoding` names a coding that is not known.
    UnknownCoding,
    /// The message has both `content-length` and `transfer-encoding`.
    TwoLengths,
    /// `expect` names what is not known.
    Expectation,
    /// The line before a chunk is malformed, or longer than the limit, or no CR LF ends the chunk.
    Chunk,
    /// A response arrived that no request had asked for, or one that switches protocols unasked.
    Response,
    /// The connection ended within a message.
    Truncated,
    /// The head did not arrive in time.
    HeadTimeout,
    /// The body did not arrive in time.
    BodyTimeout,
    /// The peer did not take in time what was sent.
    SendTimeout,
}

impl Fault {
    /// The status with which a server answers.
    pub const fn status(self) -> u16 {
        match self {
            Self::RequestLine
            | Self::StatusLine
            | Self::Target
            | Self::FieldLine
            | Self::Host
            | Self::ContentLength
            | Self::TransferEncoding
            | Self::TwoLengths
            | Self::Chunk
            | Self::Response
            | Self::Truncated => 400,
            Self::HeadTimeout | Self::BodyTimeout | Self::SendTimeout => 408,
            Self::TargetTooLong { .. } => 414,
            Self::Expectation => 417,
            Self::HeadTooLarge { .. } | Self::TooManyFields { .. } => 431,
            Self::Method | Self::UnknownCoding => 501,
            Self::Version => 505,
        }
    }
}

impl Fault {
    /// The reason that the application is told.
    pub(crate) const fn reset(self) -> Reset {
        match self {
            Self::Method
            | Self::TargetTooLong { .. }
            | Self::HeadTooLarge { .. }
            | Self::TooManyFields { .. }
            | Self::BodyTimeout => Reset::Excessive,
            Self::Truncated | Self::HeadTimeout | Self::SendTimeout => Reset::Disconnected,
            Self::RequestLine
            | Self::StatusLine
            | Self::Target
            | Self::Version
            | Self::FieldLine
            | Self::Host
            | Self::ContentLength
            | Self::TransferEncoding
            | Self::UnknownCoding
            | Self::TwoLengths
            | Self::Expectation
            | Self::Chunk
            | Self::Response => Reset::Malformed,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RequestLine => f.write_str("malformed request line"),
            Self::StatusLine => f.write_str("malformed status line"),
            Self::Method => f.write_str("unknown method of more than 32 bytes"),
            Self::Target => f.write_str("malformed request target"),
            Self::TargetTooLong { limit } => {
                write!(f, "request target exceeds the limit of {limit} bytes")
            }
            Self::Version => f.write_str("version is neither HTTP/1.1 nor HTTP/1.0"),
            Self::FieldLine => f.write_str("malformed field line"),
            Self::HeadTooLarge { limit } => write!(f, "head exceeds the limit of {limit} bytes"),
            Self::TooManyFields { limit } => write!(f, "head exceeds the limit of {limit} fields"),
            Self::Host => f.write_str("host is missing, repeated or malformed"),
            Self::ContentLength => f.write_str("content-length is repeated or malformed"),
            Self::TransferEncoding => f.write_str("transfer-encoding is repeated, malformed or misplaced"),
            Self::UnknownCoding => f.write_str("transfer-encoding names an unknown coding"),
            Self::TwoLengths => f.write_str("message has both content-length and transfer-encoding"),
            Self::Expectation => f.write_str("unknown expectation"),
            Self::Chunk => f.write_str("malformed chunk"),
            Self::Response => f.write_str("unexpected response"),
            Self::Truncated => f.write_str("connection ended within a message"),
            Self::HeadTimeout => f.write_str("head did not arrive in time"),
            Self::BodyTimeout => f.write_str("body did not arrive in time"),
            Self::SendTimeout => f.write_str("peer did not take what was sent in time"),
        }
    }
}

impl std::error::Error for Fault {}
