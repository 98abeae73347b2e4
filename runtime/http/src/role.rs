//! The two sides of a connection.

use crate::{Head, Method, ResponseHead, Scheme};

/// A side of a connection.
pub trait Role {
    /// The head that this side receives.
    type Head;
}

/// The side that receives requests.
#[derive(Debug)]
pub struct Server;

/// The side that sends requests.
#[derive(Debug)]
pub struct Client;

impl Role for Server {
    type Head = Head;
}

impl Role for Client {
    type Head = ResponseHead;
}

/// The first line of a request that a client sends, in the words of HTTP/1; pseudo-header fields in HTTP/2.
#[derive(Clone, Copy, Debug)]
pub struct RequestLine<'a> {
    /// The method.
    pub method: &'a Method,
    /// The scheme.
    pub scheme: Scheme,
    /// The host, and the port if it is not the scheme's own.
    pub authority: &'a str,
    /// The path, and the query if there is one.
    pub target: &'a str,
}
