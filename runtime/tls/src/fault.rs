//! Reasons why TLS fails.

use std::fmt;

/// The reason why a TLS connection failed.
#[derive(Clone, Debug, PartialEq)]
pub enum TlsFault {
    /// The peer broke a rule of TLS, or the two sides could not agree.
    Protocol(rustls::Error),
    /// The handshake took longer than the limit.
    HandshakeTimeout,
    /// The handshake took more bytes than the limit.
    HandshakeTooLarge {
        /// The limit.
        limit: usize,
    },
    /// The connection ended within the handshake.
    Truncated,
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Protocol(error) => write!(f, "TLS failed: {error}"),
            Self::HandshakeTimeout => f.write_str("TLS handshake was not complete in time"),
            Self::HandshakeTooLarge { limit } => {
                write!(f, "TLS handshake exceeds the limit of {limit} bytes")
            }
            Self::Truncated => f.write_str("connection ended within the TLS handshake"),
        }
    }
}

impl std::error::Error for TlsFault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Protocol(error) => Some(error),
            Self::HandshakeTimeout | Self::HandshakeTooLarge { .. } | Self::Truncated => None,
        }
    }
}
