//! The reasons why a server does not serve.

use std::fmt;
use std::io;

use ringwire_service::RouterError;

/// A server could not be started.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServeError {
    /// The address could not be bound.
    Bind {
        /// The address, as it was given.
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
            Self::Bind { address, error } => write!(f, "cannot listen on {address}: {error}"),
            Self::Router(error) => write!(f, "the services do not fit together: {error}"),
            Self::Start(error) => write!(f, "the server cannot be started: {error}"),
        }
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
