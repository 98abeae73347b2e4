//! The client's half of one RPC.
//!
//! The contract, in order:
//!
//! 1. [`send`](ClientExchange::send) messages into a body buffer.
//! 2. [`write_head`](ClientExchange::write_head) before the first bytes of the body leave. A method with one request
//!    sends its message first: its head can depend on it, and may take it over into the query of a GET.
//! 3. Hand over the response: [`head`](ClientExchange::head), then [`push`](ClientExchange::push) and
//!    [`push_trailers`](ClientExchange::push_trailers); after each, call [`next_input`](ClientExchange::next_input) until
//!    it returns `Pending` or `End`. An `Err` of it is the outcome of the RPC.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use ringwire_compress::Compress;
use ringwire_http::{Headers, HeadersMut};
use ringwire_wire::Metadata;

use crate::{ClientConfig, Error, Input, Spec};

/// The client's half of one RPC.
#[derive(Debug)]
pub struct ClientExchange {
    spec: Spec,
    config: Arc<ClientConfig>,
    headers: Metadata,
}

/// What a call brings to its request head.
#[derive(Clone, Copy, Debug)]
pub struct CallHead<'a> {
    /// The path before the procedure: empty, or `/prefix`.
    pub prefix: &'a str,
    /// The custom headers.
    pub headers: &'a Metadata,
    /// How long the caller is willing to wait, from now. The server is told; waiting no longer is up to the shell.
    pub timeout: Option<Duration>,
}

/// The first line of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RequestLine {
    /// The method.
    pub method: &'static str,
    /// The path, with the query if there is one.
    pub target: String,
}

impl ClientExchange {
    /// Begins a call of the method `spec`.
    pub fn new(spec: &Spec, config: &Arc<ClientConfig>) -> Self {
        Self { spec: *spec, config: config.clone(), headers: Metadata::new() }
    }

    /// The method.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Chooses whether the messages sent from now on are compressed.
    pub fn set_compress(&mut self, wish: Compress) {
        let _ = (wish, &mut self.spec);
    }

    /// Appends one message to `out`, encoded in place by `encode`, which appends it and nothing else.
    ///
    /// On an error, `out` is as it was.
    pub fn send(
        &mut self,
        out: &mut BytesMut,
        encode: impl FnOnce(&mut BytesMut) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let _ = &mut self.spec;
        encode(out)
    }

    /// Writes the head of the request. `body` is the buffer that `send` appended to; a GET takes its message out of it.
    pub fn write_head(
        &mut self,
        call: CallHead<'_>,
        body: &mut BytesMut,
        head: &mut dyn HeadersMut,
    ) -> Result<RequestLine, Error> {
        let _ = (call, body, head, &self.config);
        Ok(RequestLine { method: "POST", target: self.spec.procedure.to_owned() })
    }

    /// Takes the head of the response.
    pub fn head(&mut self, status: u16, headers: &dyn Headers, end: bool) {
        let _ = (status, headers, end, &mut self.spec);
    }

    /// Takes a chunk of the response body; `end` marks the last one, and neither body nor trailers follow it.
    pub fn push(&mut self, chunk: Bytes, end: bool) {
        let _ = (chunk, end, &mut self.spec);
    }

    /// Takes the HTTP trailers of the response, which end it.
    pub fn push_trailers(&mut self, trailers: &dyn Headers) {
        let _ = (trailers, &mut self.spec);
    }

    /// How many bytes were pushed and not yet taken as messages; a shell stops reading while this is large.
    pub fn buffered(&self) -> usize {
        0
    }

    /// Takes what the server said next. `End` means that the RPC succeeded.
    ///
    /// A method with one response gives its message only when the outcome is known. After an error, the same error
    /// comes again.
    pub fn next_input(&mut self) -> Result<Input, Error> {
        let _ = &mut self.spec;
        Ok(Input::Pending)
    }

    /// The custom headers of the response, as far as they have come.
    pub fn headers(&self) -> &Metadata {
        &self.headers
    }

    /// The trailers of the response, complete once `next_input` has returned `End` or an error.
    pub fn trailers(&self) -> &Metadata {
        &self.headers
    }
}
