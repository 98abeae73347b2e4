//! Whole HTTP responses for requests that reach no handler.

use bytes::Bytes;

use crate::{Error, RequestHead, RequestRest, protocol};

/// A whole HTTP response, in the protocol of whoever asked. It has no trailers.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The header fields, `content-length` not among them.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, often empty.
    pub body: Bytes,
    /// What the answer says, for observers; `None` where only HTTP was at fault.
    pub error: Option<Error>,
    /// What to do with the rest of the request.
    pub rest: RequestRest,
}

/// The answer to a request whose path is no method's: `unimplemented` in the protocol of the request, and
/// HTTP 404 where the protocol leaves paths to HTTP.
pub fn answer_unrouted(head: &RequestHead<'_>) -> Answer {
    protocol::answer_unrouted(head)
}

/// The answer that says `error` in the protocol of the request, for middleware that stands before any
/// exchange.
///
/// A request of no known protocol gets the error as JSON.
pub fn answer_error(head: &RequestHead<'_>, error: &Error) -> Answer {
    protocol::answer_error(head, error)
}
