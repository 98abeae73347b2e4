//! Whole HTTP responses for requests that reach no handler.

use bytes::Bytes;

use crate::{Error, RequestRest};

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
