//! What went wrong below the RPC, as facts.

use crate::BoxError;
use ringwire_http::Reset;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// Why a request has no response, or a response no end.
#[derive(Clone, Debug)]
pub struct TransportError {
    kind: TransportErrorKind,
    is_unprocessed: bool,
    peer: Option<Arc<str>>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// What failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// The name has no address.
    Resolve,
    /// No address took the connection.
    Connect,
    /// The connection was there, and TLS or HTTP did not begin on it.
    Handshake,
    /// The peer broke HTTP.
    Protocol,
    /// The peer reset the stream, for this reason.
    Reset(Reset),
    /// The connection ended before the response did.
    Lost,
    /// There are more requests waiting than there may be.
    Overloaded,
    /// The transport was shut down.
    Closed,
}

/// Where a response came from; an extension of the response.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PeerAddr(pub Arc<str>);

impl TransportErrorKind {
    /// The reset of a stream whose end is no longer wanted.
    pub const CANCEL: Self = Self::Reset(Reset::Cancelled);
}

impl TransportError {
    /// An error of this kind, after which nothing is known of what the peer has done.
    pub fn new(kind: TransportErrorKind) -> Self {
        Self { kind, is_unprocessed: false, peer: None, source: None }
    }

    /// An error that came through code that boxes errors: found again, or of this kind.
    pub fn from_boxed(error: BoxError, kind: TransportErrorKind) -> Self {
        match error.downcast::<Self>() {
            Ok(error) => *error,
            Err(error) => Self::new(kind).with_source(error),
        }
    }

    /// Says that no handler has seen the request, so that it can be sent again whatever it does.
    #[must_use]
    pub fn unprocessed(mut self) -> Self {
        self.is_unprocessed = true;
        self
    }

    /// Says with whom it went wrong.
    #[must_use]
    pub fn with_peer(mut self, peer: impl Into<Arc<str>>) -> Self {
        self.peer = Some(peer.into());
        self
    }

    /// Says why.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into().into());
        self
    }

    /// What failed.
    pub fn kind(&self) -> TransportErrorKind {
        self.kind
    }

    /// Whether no handler can have seen the request.
    pub fn is_unprocessed(&self) -> bool {
        self.is_unprocessed
    }

    /// With whom it went wrong, where that is known: `127.0.0.1:8080`, `greet.example:443`.
    pub fn peer(&self) -> Option<&str> {
        self.peer.as_deref()
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TransportErrorKind::Resolve => f.write_str("cannot resolve the name")?,
            TransportErrorKind::Connect => f.write_str("cannot connect")?,
            TransportErrorKind::Handshake => f.write_str("the handshake failed")?,
            TransportErrorKind::Protocol => f.write_str("the peer broke the protocol")?,
            TransportErrorKind::Reset(reset) => {
                f.write_str("the peer reset the stream: ")?;
                write_reset(reset, f)?;
            }
            TransportErrorKind::Lost => f.write_str("the connection was lost")?,
            TransportErrorKind::Overloaded => f.write_str("too many requests are waiting")?,
            TransportErrorKind::Closed => f.write_str("the transport is closed")?,
        }
        match &self.peer {
            Some(peer) => write!(f, " ({peer})"),
            None => Ok(()),
        }
    }
}

fn write_reset(reset: Reset, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(match reset {
        Reset::NoError => "no error",
        Reset::Cancelled => "cancelled",
        Reset::Refused => "the request was refused unseen",
        Reset::Malformed => "this side broke HTTP",
        Reset::FlowControl => "this side exceeded flow control",
        Reset::Excessive => "this side costs too much",
        Reset::Http11Required => "HTTP/1.1 is required",
        Reset::Internal => "internal error",
        Reset::Disconnected => "the connection ended",
        Reset::Other(code) => return write!(f, "code {code}"),
    })
}

impl Error for TransportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_survives_being_boxed() {
        let error = TransportError::new(TransportErrorKind::Reset(Reset::Refused))
            .unprocessed()
            .with_peer("[::1]:80");
        let found = TransportError::from_boxed(Box::new(error), TransportErrorKind::Lost);
        assert_eq!(found.kind(), TransportErrorKind::Reset(Reset::Refused));
        assert!(found.is_unprocessed());
        assert_eq!(found.to_string(), "the peer reset the stream: the request was refused unseen ([::1]:80)");
    }

    #[test]
    fn a_foreign_error_becomes_the_source() {
        let foreign = std::io::Error::other("cable cut");
        let error = TransportError::from_boxed(Box::new(foreign), TransportErrorKind::Lost);
        assert_eq!(error.kind(), TransportErrorKind::Lost);
        assert!(!error.is_unprocessed());
        assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("cable cut"));
    }
}
