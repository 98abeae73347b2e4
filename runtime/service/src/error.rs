//! Errors of the layers below as RPC errors, and typed details.

use bytes::BytesMut;
use ringwire_message::{DecodeError, DecodeLimits, Encode, EncodeError, Message, Proto};
use ringwire_rpc::Error;
use std::any::Any;
use std::fmt;

/// Typed details of an error. In scope wherever an error is given one.
pub trait ErrorDetails: Sized {
    /// Adds a message that says more than the text: `google.rpc.RetryInfo` for example.
    #[must_use]
    fn with_detail<M: Message, K>(self, message: &impl Encode<M, K>) -> Self;

    /// The first detail that is an `M`.
    fn detail<M: Message>(&self) -> Option<M>;
}

impl ErrorDetails for Error {
    fn with_detail<M: Message, K>(self, message: &impl Encode<M, K>) -> Self {
        let mut value = BytesMut::new();
        match message.encode(&Proto, usize::MAX, &mut value) {
            Ok(()) => self.with_detail_raw(M::FULL_NAME, value),
            // Only a message of more than 2 GiB gets here, and the error itself matters more.
            Err(_) => self,
        }
    }

    fn detail<M: Message>(&self) -> Option<M> {
        let detail = self.details().iter().find(|detail| detail.type_name == M::FULL_NAME)?;
        M::owned(&Proto, detail.value.clone(), &DecodeLimits::DEFAULT).ok()
    }
}

#[cold]
pub(crate) fn decode_failed(error: DecodeError) -> Error {
    let text = error.to_string();
    match error {
        DecodeError::TooManyElements { .. } | DecodeError::TooManyUnknownFields { .. } => {
            Error::resource_exhausted(text)
        }
        _ => Error::invalid_argument(text),
    }
}

#[cold]
pub(crate) fn encode_failed(error: EncodeError) -> Error {
    match error {
        EncodeError::TooLarge { .. } => Error::resource_exhausted(error.to_string()),
        // What a message holds is not for the client to learn from an error.
        _ => error.into(),
    }
}

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
