//! Whole HTTP responses for requests that reach no handler.

use bytes::Bytes;

use crate::{Error, RequestHead, RequestRest, ServerConfig};

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

/// The answer to a request whose path is no method's: `unimplemented`, or HTTP 404 where nothing else is understood.
pub fn answer_unrouted(head: &RequestHead<'_>) -> Answer {
    answer_error(head, &Error::unimplemented("there is no such method"))
}

/// The answer that says `error` in the protocol of the request, for middleware that stands before any exchange.
///
/// A request of no known protocol gets the error as JSON.
pub fn answer_error(head: &RequestHead<'_>, error: &Error) -> Answer {
    let _ = head;
    Answer {
        status: error.code().http_status(),
        headers: Vec::new(),
        body: Bytes::new(),
        error: Some(error.clone()),
        rest: RequestRest::Discard,
    }
}

/// Used by the exchanges.
pub(crate) fn refuse(_: &RequestHead<'_>, _: &ServerConfig) -> Answer {
    Answer { status: 415, headers: Vec::new(), body: Bytes::new(), error: None, rest: RequestRest::Discard }
}
