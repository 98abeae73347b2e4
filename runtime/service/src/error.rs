//! Errors that a handler causes without returning one.

use ringwire_rpc::Error;
use std::any::Any;
use std::fmt;

/// A handler panicked. The client learns that the call failed; the text stays here, as the error's source.
#[cold]
pub(crate) fn panicked(panic: &(dyn Any + Send)) -> Error {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a value that is no text");
    Error::internal("internal error").with_source(Panicked(text.to_owned()))
}

/// The source of the error that a panicking handler ends its call with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Panicked(
    /// What the panic said.
    pub String,
);

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the handler panicked: {}", self.0)
    }
}

impl std::error::Error for Panicked {}

/// A handler's, or an interceptor's, broken promise. The client learns nothing but that the call failed.
#[cold]
pub(crate) fn broken(promise: &'static str) -> Error {
    Error::internal("internal error").with_source(promise)
}
