//! Errors of a server that cannot serve.

use std::fmt;
use std::io;
use std::sync::Arc;

use ringwire_service::RouterError;

/// The reason why a server cannot serve. Its text says what to do, and so does its `Debug` form, which a `main` that returns it
/// prints.
#[derive(Clone)]
#[non_exhaustive]
pub enum ServeError {
    /// The server cannot listen on this address.
    Listen {
        /// The address: `127.0.0.1:8080`, `unix:/run/greet.sock`.
        address: String,
        /// The error of the operating system.
        source: Arc<io::Error>,
    },
    /// The router does not fit together.
    Router(RouterError),
}

impl ServeError {
    pub(crate) fn listen(address: impl fmt::Display, source: io::Error) -> Self {
        Self::Listen { address: address.to_string(), source: Arc::new(source) }
    }
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Router(error) => error.fmt(f),
            Self::Listen { address, source } => {
                write!(f, "cannot listen on {address}: {source}")?;
                match source.kind() {
                    io::ErrorKind::AddrInUse => {
                        f.write_str(": another program listens there; stop it, or choose another address")
                    }
                    io::ErrorKind::AddrNotAvailable => f.write_str(
                        ": no interface of this machine has that address; 0.0.0.0 means all of them",
                    ),
                    io::ErrorKind::PermissionDenied => {
                        f.write_str(": choose a port from 1024 on, or a folder that this user may write to")
                    }
                    io::ErrorKind::NotFound => f.write_str(": the folder of the socket must be there"),
                    _ => Ok(()),
                }
            }
        }
    }
}

impl fmt::Debug for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ServeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Listen { source, .. } => Some(source),
            Self::Router(error) => Some(error),
        }
    }
}

impl From<RouterError> for ServeError {
    fn from(error: RouterError) -> Self {
        Self::Router(error)
    }
}
