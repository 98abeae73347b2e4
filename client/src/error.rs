//! Errors of the layers below as errors of an RPC.

use crate::Error;
use ringwire_message::{DecodeError, EncodeError};
use ringwire_rpc::{Code, MetadataError};
use ringwire_transport::{Reset, TransportError, TransportErrorKind};
use std::fmt;
#[cfg(not(target_arch = "wasm32"))]
use std::sync::Arc;

/// The reason why a channel cannot be made. Its `Debug` form is its text too, which a `main` that returns it prints.
#[derive(Clone)]
#[non_exhaustive]
pub enum ChannelError {
    /// The text is no origin.
    Origin {
        /// The text.
        origin: String,
        /// The fault in it.
        reason: String,
    },
    /// The connections cannot be made as the options want them.
    #[cfg(not(target_arch = "wasm32"))]
    Connections(Arc<ringwire_pool::PoolError>),
    /// A header of every call cannot be one.
    Header(MetadataError),
}

impl fmt::Display for ChannelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Origin { origin, reason } => write!(f, "{origin:?} is no origin: {reason}"),
            #[cfg(not(target_arch = "wasm32"))]
            Self::Connections(error) => error.fmt(f),
            Self::Header(error) => error.fmt(f),
        }
    }
}

impl fmt::Debug for ChannelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ChannelError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Origin { .. } => None,
            #[cfg(not(target_arch = "wasm32"))]
            Self::Connections(error) => Some(&**error),
            Self::Header(error) => Some(error),
        }
    }
}

/// The source of the error of a call whose time ran out by the client's own clock. A server that says so itself
/// is told by [`Error::origin`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DeadlineReached;

/// The source of the error of a send to a server that has ended the call. Why it did is what the receiving end
/// says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct EndedByServer;

/// What the failure of a transport means for the call.
#[cold]
pub(crate) fn transport_failed(error: TransportError) -> Error {
    let code = match error.kind() {
        TransportErrorKind::Protocol => Code::Internal,
        TransportErrorKind::Reset(code) => reset(code),
        TransportErrorKind::Overloaded => Code::ResourceExhausted,
        // A name without an address, a port without a listener, a lost connection: it may be there again soon.
        _ => Code::Unavailable,
    };
    Error::new(code, error.to_string()).with_source(error)
}

/// The failure of the transport that an error comes from, if it does.
pub(crate) fn transport_error(error: &Error) -> Option<&TransportError> {
    error.source()?.downcast_ref()
}

/// The code of a call whose stream was reset:
/// <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#errors>.
fn reset(reset: Reset) -> Code {
    match reset {
        Reset::Refused | Reset::Disconnected => Code::Unavailable,
        Reset::Cancelled => Code::Canceled,
        Reset::Excessive => Code::ResourceExhausted,
        Reset::Other(INADEQUATE_SECURITY) => Code::PermissionDenied,
        Reset::Http11Required | Reset::Other(STREAM_CLOSED) => Code::Unknown,
        Reset::NoError | Reset::Malformed | Reset::FlowControl | Reset::Internal | Reset::Other(_) => {
            Code::Internal
        }
    }
}

#[cold]
pub(crate) fn deadline_reached() -> Error {
    Error::deadline_exceeded("the deadline of the call has passed").with_source(DeadlineReached)
}

#[cold]
pub(crate) fn ended_by_server() -> Error {
    Error::canceled("the server has ended the call").with_source(EndedByServer)
}

#[cold]
pub(crate) fn canceled_around() -> Error {
    Error::canceled("the call that this one was made within has ended")
}

#[cold]
pub(crate) fn abandoned() -> Error {
    Error::canceled("the sending end was dropped before `close_send`")
}

/// The server sent what is no such message.
#[cold]
pub(crate) fn decode_failed(error: DecodeError) -> Error {
    let text = error.to_string();
    match error {
        DecodeError::TooManyElements { .. } | DecodeError::TooManyUnknownFields { .. } => {
            Error::resource_exhausted(text)
        }
        _ => Error::internal(text).with_source(error),
    }
}

#[cold]
pub(crate) fn encode_failed(error: EncodeError) -> Error {
    let text = error.to_string();
    match error {
        EncodeError::TooLarge { .. } => Error::resource_exhausted(text),
        _ => Error::internal(text).with_source(error),
    }
}

/// The caller asked for what cannot be sent.
#[cold]
pub(crate) fn bad_argument(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::invalid_argument(error.to_string()).with_source(error)
}

impl fmt::Display for DeadlineReached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the deadline passed on the client's clock")
    }
}

impl std::error::Error for DeadlineReached {}

impl fmt::Display for EndedByServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server has ended the call")
    }
}

impl std::error::Error for EndedByServer {}

// RFC 9113, section 7. Later versions have neither.
const STREAM_CLOSED: u32 = 0x5;
const INADEQUATE_SECURITY: u32 = 0xc;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: TransportErrorKind, code: Code) {
        let error = transport_failed(TransportError::new(kind).with_peer("[::1]:80"));
        assert_eq!(error.code(), code, "{kind:?}");
        assert!(error.message().ends_with("([::1]:80)"), "{error}");
        assert_eq!(transport_error(&error).expect("it is the source").kind(), kind);
    }

    #[test]
    fn failures_to_reach_a_server_are_unavailable() {
        use TransportErrorKind::*;
        for kind in [Resolve, Connect, Handshake, Lost, Closed] {
            check(kind, Code::Unavailable);
        }
        check(Overloaded, Code::ResourceExhausted);
        check(Protocol, Code::Internal);
    }

    #[test]
    fn resets_have_the_codes_of_the_table() {
        for (reset, code) in [
            (Reset::NoError, Code::Internal),
            (Reset::Malformed, Code::Internal),
            (Reset::Internal, Code::Internal),
            (Reset::FlowControl, Code::Internal),
            (Reset::Other(4), Code::Internal),
            (Reset::Other(5), Code::Unknown),
            (Reset::Other(6), Code::Internal),
            (Reset::Refused, Code::Unavailable),
            (Reset::Cancelled, Code::Canceled),
            (Reset::Other(9), Code::Internal),
            (Reset::Other(10), Code::Internal),
            (Reset::Excessive, Code::ResourceExhausted),
            (Reset::Other(12), Code::PermissionDenied),
            (Reset::Http11Required, Code::Unknown),
            (Reset::Other(14), Code::Internal),
            (Reset::Disconnected, Code::Unavailable),
        ] {
            check(TransportErrorKind::Reset(reset), code);
        }
        check(TransportErrorKind::Reset(Reset::Other(u32::MAX)), Code::Internal);
    }
}
