//! The server's half of one RPC.
//!
//! The contract, in order:
//!
//! 1. [`accept`](ServerExchange::accept) the head. An `Err` is a whole answer: send it.
//! 2. [`push`](ServerExchange::push) chunks of the body as they come; after each, call
//!    [`next_input`](ServerExchange::next_input) until it returns `Pending` or `End`. An `Err` of it is the outcome of
//!    the RPC: finish with it at once, whether the request has ended or not.
//! 3. [`send`](ServerExchange::send) messages. Before their bytes leave, so must the head:
//!    [`write_head`](ServerExchange::write_head) returns the HTTP status, or `None` where the head depends on the
//!    outcome; then nothing may leave before `finish`.
//! 4. [`finish`](ServerExchange::finish) once, with the outcome. It writes all that is left, the head too if it has not
//!    gone out.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use ringwire_compress::Compress;
use ringwire_http::{Headers, HeadersMut};
use ringwire_wire::Metadata;

use crate::answer::refuse;
use crate::{Answer, Error, Input, RequestHead, ServerConfig, Spec};

/// The server's half of one RPC.
#[derive(Debug)]
pub struct ServerExchange {
    spec: Spec,
    config: Arc<ServerConfig>,
}

/// How an RPC ends, and what the handler wants to travel with it.
#[derive(Clone, Copy, Debug)]
pub struct Ending<'a> {
    /// The outcome.
    pub outcome: Result<(), &'a Error>,
    /// The headers; not used where the head has gone out.
    pub headers: &'a Metadata,
    /// The trailers.
    pub trailers: &'a Metadata,
}

/// Where the end of a response goes.
pub struct Sinks<'a> {
    /// Gets the head, if it has not gone out.
    pub head: &'a mut dyn HeadersMut,
    /// Gets what is left of the body: the buffer that `send` appended to.
    pub body: &'a mut BytesMut,
    /// Gets the HTTP trailers, if there are any.
    pub trailers: &'a mut dyn HeadersMut,
}

/// What `finish` wrote.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct End {
    /// The HTTP status, if the head had not gone out: it is in the sink now.
    pub status: Option<u16>,
    /// Whether HTTP trailers follow the body: they are in the sink now.
    pub trailers: bool,
    /// What to do with the rest of the request.
    pub rest: RequestRest,
}

/// What to do with the part of a request that nobody will read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RequestRest {
    /// There is none.
    Ended,
    /// The client is still sending. Answer at once and in full, then tell it to stop: HTTP/2 resets the stream with
    /// NO_ERROR; HTTP/1 reads on for a bounded while, and closes if that does not reach the end.
    Discard,
}

impl ServerExchange {
    /// Begins an exchange for the method `spec`, or answers the request right away.
    pub fn accept(
        head: &RequestHead<'_>,
        spec: &Spec,
        config: &Arc<ServerConfig>,
    ) -> Result<Self, Box<Answer>> {
        let _ = Self { spec: *spec, config: config.clone() };
        Err(Box::new(refuse(head, config)))
    }

    /// The method.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Which codec the messages of this exchange are in: an index into the list of [`ServerConfig::new`].
    pub fn codec(&self) -> usize {
        0
    }

    /// The name of the protocol, for logs and metrics only: `connect`, `grpc` or `grpc-web`.
    pub fn protocol(&self) -> &'static str {
        ""
    }

    /// How long the client is willing to wait, counted from the head's arrival.
    pub fn timeout(&self) -> Option<Duration> {
        None
    }

    /// Takes a chunk of the request body; `end` marks the last one, and nothing follows it.
    pub fn push(&mut self, chunk: Bytes, end: bool) {
        let _ = (chunk, end, &mut self.spec);
    }

    /// Takes the trailers of the request, which end it.
    pub fn push_trailers(&mut self, trailers: &dyn Headers) {
        let _ = (trailers, &mut self.spec);
    }

    /// How many bytes were pushed and not yet taken as messages; a shell stops reading while this is large.
    pub fn buffered(&self) -> usize {
        0
    }

    /// Takes what the client said next.
    ///
    /// A method with one request gets its message when it is certain that no second one follows. After an error, the
    /// same error comes again.
    pub fn next_input(&mut self) -> Result<Input, Error> {
        let _ = &mut self.spec;
        Ok(Input::Pending)
    }

    /// Chooses whether the messages sent from now on are compressed, if the client understands any compression of ours.
    pub fn set_compress(&mut self, wish: Compress) {
        let _ = (wish, &mut self.spec);
    }

    /// Writes the head of the response, and returns its HTTP status.
    ///
    /// `None`, and nothing written, where the head cannot go before the outcome is known, or has gone already.
    pub fn write_head(&mut self, headers: &Metadata, head: &mut dyn HeadersMut) -> Option<u16> {
        let _ = (headers, head, &mut self.spec);
        None
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

    /// Ends the response: writes all that is left of it.
    pub fn finish(&mut self, ending: Ending<'_>, into: Sinks<'_>) -> End {
        let _ = (ending, into.body, &mut self.spec);
        End { status: Some(200), trailers: false, rest: RequestRest::Discard }
    }
}
