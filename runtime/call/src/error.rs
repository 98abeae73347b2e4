//! Typed details of errors, and the errors of messages as errors of an RPC.

use bytes::BytesMut;
use ringwire_message::{DecodeError, DecodeLimits, Encode, EncodeError, Message, Proto};
use ringwire_rpc::Error;

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

/// The error of a server whose client sent bytes that are no such message.
#[cold]
pub fn decode_failed(error: DecodeError) -> Error {
    let text = error.to_string();
    match error {
        DecodeError::TooManyElements { .. } | DecodeError::TooManyUnknownFields { .. } => {
            Error::resource_exhausted(text)
        }
        _ => Error::invalid_argument(text),
    }
}

/// The error of a server whose response cannot be encoded.
#[cold]
pub fn encode_failed(error: EncodeError) -> Error {
    match error {
        EncodeError::TooLarge { .. } => Error::resource_exhausted(error.to_string()),
        // What a message holds is not for the client to learn from an error.
        _ => error.into(),
    }
}
