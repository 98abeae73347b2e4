//! The seam between calls and connections: one HTTP request in, one response out.
//!
//! What is above knows RPCs and no sockets; what is below knows sockets and no RPCs. Dropping the future of
//! [`Transport::send`], or the body of its response, cancels the request on the wire.

#![forbid(unsafe_code)]

mod body;
mod error;
mod transport;

pub use body::{RequestBody, ResponseBody};
pub use error::{PeerAddr, TransportError, TransportErrorKind};
/// The reason of [`TransportErrorKind::Reset`].
pub use ringwire_http::Reset;
pub use transport::{Tower, Transport};

/// An error of any type.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
