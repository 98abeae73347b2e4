//! The reasons why a server does not serve.

use std::fmt;
use std::io;

use ringwire_service::RouterError;

/// A server could not be started. Its text says what to do, and so does its `Debug` form, which a `main` that returns it prints.
#[non_exhaustive]
pub enum ServeError {
    /// The address could not be bound.
    Bind {
        /// The address: `127.0.0.1:8080`, `unix:/run/greet.sock`.
        address: String,
        /// The refusal of the operating system, such as a port that is taken.
        error: io::Error,
    },
    /// The services do not fit together.
    Router(RouterError),
    /// A shard could not be started: the operating system refused a thread, a ring or a listener.
    Start(io::Error),
}

impl ServeError {
    /// The same once more: an error of the operating system cannot be cloned.
    pub(crate) fn again(&self) -> Self {
        let again = |error: &io::Error| match error.raw_os_error() {
            Some(code) => io::Error::from_raw_os_error(code),
            None => io::Error::new(error.kind(), error.to_string()),
        };
        match self {
            Self::Bind { address, error } => Self::Bind { address: address.clone(), error: again(error) },
            Self::Start(error) => Self::Start(again(error)),
            Self::Router(error) => Self::Start(io::Error::other(error.to_string())),
        }
    }
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bind { address, error } => {
                write!(f, "cannot listen on {address}: {error}")?;
                f.write_str(match error.kind() {
                    io::ErrorKind::AddrInUse => {
                        ": another program listens there; stop it, or choose another address"
                    }
                    io::ErrorKind::AddrNotAvailable => {
                        ": no interface of this machine has that address; 0.0.0.0 means all of them"
                    }
                    io::ErrorKind::PermissionDenied => {
                        ": choose a port from 1024 on, or a folder that this user may write to"
                    }
                    io::ErrorKind::NotFound => ": the folder of the socket must be there",
                    _ => "",
                })
            }
            Self::Router(error) => error.fmt(f),
            Self::Start(error) => write!(f, "the server cannot be started: {error}"),
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
            Self::Bind { error, .. } | Self::Start(error) => Some(error),
            Self::Router(error) => Some(error),
        }
    }
}

impl From<RouterError> for ServeError {
    fn from(error: RouterError) -> Self {
        Self::Router(error)
    }
}
