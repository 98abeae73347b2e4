//! The error an RPC ends with. Lower layers have errors of their own; they become this one here, once.
//!
//! What travels is the code, the message, the details and the metadata. The source stays on this side, unless
//! [`Error::expose`] makes its text the message.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use ringwire_wire::metadata::{Fault, MetadataError};
use ringwire_wire::{Code, Metadata};

/// How an RPC failed.
///
/// `?` turns every [`std::error::Error`], boxed or not, into code `internal` with a generic message, so that the text of a
/// failure inside the server stays inside. Metadata that a peer has not sent, or not as it was asked for, becomes
/// `invalid_argument`. That conversion is why `Error` is no `std::error::Error` itself; [`Error::into_std`] is one.
#[derive(Clone)]
pub struct Error {
    // Boxed, so that a `Result` on the path without errors stays small.
    inner: Box<Inner>,
}

#[derive(Clone)]
struct Inner {
    code: Code,
    message: Cow<'static, str>,
    details: Vec<ErrorDetail>,
    metadata: Metadata,
    source: Option<Source>,
    origin: Origin,
}

/// A typed detail of an error: a message in its binary form, and the name of its type.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ErrorDetail {
    /// The full name of the message's type, such as `google.rpc.RetryInfo`: no URL, no prefix.
    pub type_name: String,
    /// The message, serialized.
    pub value: Bytes,
}

/// Who said that the RPC failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Origin {
    /// This side made the error: a handler, a limit, a broken connection.
    Local,
    /// The peer sent it.
    Peer,
}

/// An [`Error`] as a [`std::error::Error`]; `?` turns it back, nothing lost.
#[derive(Clone, Debug)]
pub struct StdError(pub Error);

/// What a lower layer or a handler reported, shared by the clones of an error.
pub type Source = Arc<dyn std::error::Error + Send + Sync>;

impl Error {
    /// An error with a code known at run time only.
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            inner: Box::new(Inner {
                code,
                message: message.into(),
                details: Vec::new(),
                metadata: Metadata::new(),
                source: None,
                origin: Origin::Local,
            }),
        }
    }

    /// What kind of failure it is.
    pub fn code(&self) -> Code {
        self.inner.code
    }

    /// The text that travels.
    pub fn message(&self) -> &str {
        &self.inner.message
    }

    /// The typed details, in order.
    pub fn details(&self) -> &[ErrorDetail] {
        &self.inner.details
    }

    /// What travels beside the error: trailers, or headers where the response has no trailers.
    ///
    /// An error that a peer sent has the headers and trailers of its response here. Handed on to another
    /// client, it goes without them.
    pub fn metadata(&self) -> &Metadata {
        &self.inner.metadata
    }

    /// The same, to be changed.
    pub fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.inner.metadata
    }

    /// What caused the error. It never travels.
    pub fn source(&self) -> Option<&(dyn std::error::Error + Send + Sync + 'static)> {
        self.inner.source.as_deref()
    }

    /// Whether the peer sent this error, or this side made it.
    pub fn origin(&self) -> Origin {
        self.inner.origin
    }

    /// Adds a detail in its binary form. `type_name` is the full name of its type, without a URL.
    #[must_use]
    pub fn with_detail_raw(mut self, type_name: impl Into<String>, value: impl Into<Bytes>) -> Self {
        self.inner.details.push(ErrorDetail { type_name: type_name.into(), value: value.into() });
        self
    }

    /// Sets what travels beside the error.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Metadata) -> Self {
        self.inner.metadata = metadata;
        self
    }

    /// Records the cause, for logs on this side; code and message stay.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.inner.source = Some(Arc::from(source.into()));
        self
    }

    /// The same error under another code.
    #[must_use]
    pub fn with_code(mut self, code: Code) -> Self {
        self.inner.code = code;
        self
    }

    /// The same error with another text.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.inner.message = message.into();
        self
    }

    /// Lets the text of the source travel as the message. Nothing changes where there is no source.
    #[must_use]
    pub fn expose(mut self) -> Self {
        if let Some(source) = &self.inner.source {
            self.inner.message = Cow::Owned(source.to_string());
        }
        self
    }

    /// This error as a [`std::error::Error`], for code that knows only those.
    pub fn into_std(self) -> StdError {
        StdError(self)
    }

    /// What may travel beside the error. Not what came with an error from another server: that server spoke
    /// to us, not to our client.
    pub(crate) fn outgoing_metadata(&self) -> &Metadata {
        match self.inner.origin {
            Origin::Local => &self.inner.metadata,
            Origin::Peer => const { &Metadata::new() },
        }
    }

    /// Marks the error as sent by the peer.
    pub(crate) fn sent_by_peer(mut self) -> Self {
        self.inner.origin = Origin::Peer;
        self
    }

    pub(crate) fn with_details(mut self, details: Vec<ErrorDetail>) -> Self {
        self.inner.details = details;
        self
    }
}

/// One constructor per code.
macro_rules! constructors {
    ($($name:ident, $code:ident, $doc:literal;)*) => {
        impl Error {$(
            #[doc = $doc]
            pub fn $name(message: impl Into<Cow<'static, str>>) -> Self {
                Self::new(Code::$code, message)
            }
        )*}
    };
}

constructors! {
    canceled, Canceled, "The caller gave up.";
    unknown, Unknown, "A failure without a code of its own.";
    invalid_argument, InvalidArgument, "The request is wrong, whatever the state of the system.";
    deadline_exceeded, DeadlineExceeded, "The time ran out before the end.";
    not_found, NotFound, "What was asked for does not exist.";
    already_exists, AlreadyExists, "What was to be made is there already.";
    permission_denied, PermissionDenied, "The caller is known, and may not.";
    resource_exhausted, ResourceExhausted, "A limit or a quota is used up.";
    failed_precondition, FailedPrecondition, "The system is not in the state that the operation needs.";
    aborted, Aborted, "A concurrent operation won; try the whole sequence again.";
    out_of_range, OutOfRange, "The operation went past the valid range.";
    unimplemented, Unimplemented, "The operation does not exist here.";
    internal, Internal, "An invariant is broken. The message travels; prefer `?` for text that must not.";
    unavailable, Unavailable, "The service cannot be reached now; trying again may help.";
    data_loss, DataLoss, "Data is lost or damaged beyond repair.";
    unauthenticated, Unauthenticated, "The caller gave no valid credentials.";
}

/// Every error of a program, boxed errors and those of `anyhow` among them.
impl<E: Into<BoxError>> From<E> for Error {
    #[cold]
    fn from(error: E) -> Self {
        let error = match error.into().downcast::<StdError>() {
            Ok(own) => return own.0,
            Err(error) => error,
        };
        match error.downcast_ref::<MetadataError>().map(|error| error.fault) {
            // The peer has not sent it, or not as it was asked for.
            Some(Fault::Absent | Fault::NotText | Fault::NotBase64) => {
                Self::invalid_argument(error.to_string()).with_source(error)
            }
            Some(Fault::Name | Fault::Reserved | Fault::Value | Fault::NotBinary) | None => {
                Self::internal(INTERNAL_MESSAGE).with_source(error)
            }
        }
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code().as_str())?;
        if self.message().is_empty() { Ok(()) } else { write!(f, ": {}", self.message()) }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Error");
        debug.field("code", &self.code()).field("message", &self.message());
        if !self.details().is_empty() {
            debug.field("details", &self.details());
        }
        if !self.metadata().is_empty() {
            debug.field("metadata", &self.metadata());
        }
        if let Some(source) = self.source() {
            debug.field("source", &source);
        }
        debug.finish_non_exhaustive()
    }
}

impl fmt::Display for StdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for StdError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source().map(|source| source as _)
    }
}

const INTERNAL_MESSAGE: &str = "internal error";

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> std::io::Error {
        std::io::Error::other("the password is hunter2")
    }

    #[test]
    fn foreign_errors_keep_their_text_here() {
        let error = Error::from(secret());
        assert_eq!((error.code(), error.message()), (Code::Internal, "internal error"));
        assert!(!error.to_string().contains("hunter2"));
        assert_eq!(error.source().unwrap().to_string(), "the password is hunter2");
    }

    #[test]
    fn exposed_errors_travel_with_their_text() {
        assert_eq!(Error::from(secret()).expose().message(), "the password is hunter2");
        assert_eq!(Error::not_found("no such ring").expose().message(), "no such ring");
    }

    #[test]
    fn std_wrapper_comes_back_whole() {
        fn twice() -> Result<(), Error> {
            Err(Error::not_found("no such ring").with_detail_raw("a.B", "x").into_std())?;
            Ok(())
        }
        let error = twice().unwrap_err();
        assert_eq!(error.to_string(), "not_found: no such ring");
        assert_eq!(error.details()[0].type_name, "a.B");
    }

    #[test]
    fn boxed_errors_convert_and_come_back_whole() {
        fn boxed(error: impl Into<BoxError>) -> Result<(), Error> {
            let boxed: BoxError = error.into();
            Err(boxed)?;
            Ok(())
        }
        let error = boxed(secret()).unwrap_err();
        assert_eq!(error.to_string(), "internal: internal error");
        assert!(error.source().unwrap().is::<std::io::Error>());
        assert_eq!(boxed(Error::aborted("again").into_std()).unwrap_err().to_string(), "aborted: again");
    }

    #[test]
    fn metadata_that_a_peer_did_not_send_is_its_fault() {
        fn taken(metadata: &Metadata, name: &str) -> Result<(), Error> {
            metadata.get_str(name)?;
            metadata.get_bin(name)?;
            Ok(())
        }
        let mut metadata = Metadata::new();
        metadata.append_received("x-bytes", b"\xff").unwrap();
        metadata.append_received("x-bin", b"?").unwrap();
        metadata.append_received("x-text", b"text").unwrap();
        let said = ["x-absent", "x-bytes", "x-bin", "x-text"]
            .map(|name| taken(&metadata, name).unwrap_err().to_string());
        assert_eq!(
            said,
            [
                "invalid_argument: metadata \"x-absent\" is absent",
                "invalid_argument: metadata \"x-bytes\" is not text",
                "invalid_argument: metadata \"x-bin\" is not base64",
                // The program has asked text for bytes.
                "internal: internal error",
            ]
        );
        let forged = metadata.append("grpc-status", "0").map_err(Error::from).unwrap_err();
        assert_eq!(forged.code(), Code::Internal);
    }

    #[test]
    fn an_error_is_one_word_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }
}
