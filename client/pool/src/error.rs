//! Why there is no pool, and what hyper's errors mean.

use ringwire_transport::{BoxError, Reset, TransportError, TransportErrorKind};
use std::error::Error;
use std::{fmt, io};

/// Why a pool cannot be made.
#[derive(Debug)]
#[non_exhaustive]
pub enum PoolError {
    /// Not `http://host[:port]`, `https://host[:port]` or `unix:/path`.
    Origin {
        /// What was given.
        origin: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// TLS cannot be had as the options want it.
    Tls(io::Error),
}

/// A request that failed on a connection.
pub(crate) struct Failed {
    pub(crate) error: TransportError,
    /// The request, if nothing of it was sent.
    pub(crate) unsent: Option<Box<http::Request<crate::upload::Upload>>>,
}

/// What failed, from what hyper says of a response or of its body.
pub(crate) fn kind_of(error: &hyper::Error) -> TransportErrorKind {
    if let Some(error) = find::<h2::Error>(error) {
        return kind_of_http2(error);
    }
    if error.is_parse() {
        return TransportErrorKind::Protocol;
    }
    // A body whose framing is wrong, such as a chunk without a length.
    match find::<io::Error>(error).map(io::Error::kind) {
        Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) => TransportErrorKind::Protocol,
        _ => TransportErrorKind::Lost,
    }
}

/// Whether the peer says that no handler has seen the request.
///
/// It does so by REFUSED_STREAM, and by a GOAWAY whose last stream is below this one; h2 gives the error of a GOAWAY to no other
/// stream. Its own REFUSED_STREAM, for a response head that is too large, says nothing of the kind.
pub(crate) fn is_refused(error: &hyper::Error) -> bool {
    find::<h2::Error>(error).is_some_and(|error| {
        error.is_remote() && (error.is_go_away() || error.reason() == Some(h2::Reason::REFUSED_STREAM))
    })
}

fn kind_of_http2(error: &h2::Error) -> TransportErrorKind {
    match error.reason() {
        // What the library resets or ends by itself, it does for an error of the peer.
        _ if error.is_library() => TransportErrorKind::Protocol,
        Some(reason) if !error.is_go_away() => TransportErrorKind::Reset(reset(reason)),
        Some(_) | None => TransportErrorKind::Lost,
    }
}

/// An error code of HTTP/2 in words that every version has.
fn reset(reason: h2::Reason) -> Reset {
    match reason {
        h2::Reason::NO_ERROR => Reset::NoError,
        h2::Reason::PROTOCOL_ERROR => Reset::Malformed,
        h2::Reason::INTERNAL_ERROR => Reset::Internal,
        h2::Reason::FLOW_CONTROL_ERROR => Reset::FlowControl,
        h2::Reason::REFUSED_STREAM => Reset::Refused,
        h2::Reason::CANCEL => Reset::Cancelled,
        h2::Reason::ENHANCE_YOUR_CALM => Reset::Excessive,
        h2::Reason::HTTP_1_1_REQUIRED => Reset::Http11Required,
        other => Reset::Other(other.into()),
    }
}

/// The first error of this type in the chain.
fn find<E: Error + 'static>(error: &hyper::Error) -> Option<&E> {
    let mut next = error.source();
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// An error of this kind, with whom and why.
pub(crate) fn failed(kind: TransportErrorKind, peer: &str, source: impl Into<BoxError>) -> TransportError {
    TransportError::new(kind).with_peer(peer).with_source(source)
}

impl fmt::Display for PoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Origin { origin, reason } => write!(f, "{origin:?} is no origin: {reason}"),
            Self::Tls(error) => write!(f, "TLS cannot be set up: {error}"),
        }
    }
}

impl Error for PoolError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Origin { .. } => None,
            Self::Tls(error) => Some(error),
        }
    }
}
