//! The head of an HTTP request, borrowed from whichever HTTP implementation read it.

use std::fmt;

use ringwire_http::Headers;

/// The head of an HTTP request.
#[derive(Clone, Copy)]
pub struct RequestHead<'a> {
    /// The method, in upper case: `POST`.
    pub method: &'a str,
    /// The path, without the query, as it travelled.
    pub path: &'a str,
    /// What follows the `?`, if there is one.
    pub query: Option<&'a str>,
    /// The header fields.
    pub headers: &'a dyn Headers,
    /// The version of HTTP.
    pub version: Version,
}

/// The version of HTTP that carries an exchange.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Version {
    /// HTTP/1.0 and HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
    /// HTTP/3.
    Http3,
}

impl<'a> RequestHead<'a> {
    /// A head whose `target` is a path with an optional query.
    pub fn new(method: &'a str, target: &'a str, headers: &'a dyn Headers, version: Version) -> Self {
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        Self { method, path, query, headers, version }
    }
}

impl fmt::Debug for RequestHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHead")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("query", &self.query)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}
