//! The server's half of one RPC.
//!
//! The contract, in order:
//!
//! 1. [`accept`](ServerExchange::accept) the head. An `Err` is a whole answer: send it. A shell that keeps the [`Opening`] of a
//!    head begins with [`new`](ServerExchange::new).
//! 2. [`push`](ServerExchange::push) chunks of the body as they come; after each, call
//!    [`next_input`](ServerExchange::next_input) until it returns `Pending` or `End`. An `Err` of it is the
//!    outcome of the RPC: finish with it at once, whether the request has ended or not.
//! 3. [`send`](ServerExchange::send) messages. Before their bytes leave, so must the head:
//!    [`write_head`](ServerExchange::write_head) returns the HTTP status, or `None` where the head depends on
//!    the outcome; then nothing may leave before `finish`.
//! 4. [`finish`](ServerExchange::finish) once, with the outcome. It writes all that is left, the head too if
//!    it has not gone out.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use ringwire_compress::{Compress, Compression};
use ringwire_http::{Head, HeadersMut};
use ringwire_wire::Metadata;

use crate::cardinality::Cardinality;
use crate::protocol::{Opening, Protocol, Reply};
use crate::receive::{Cut, Framing, Receive, Side, unknown_flags};
use crate::transmit::Transmit;
use crate::{Answer, Error, Received, ServerConfig, Spec, StreamShape};

/// The server's half of one RPC.
#[derive(Debug)]
pub struct ServerExchange {
    shape: StreamShape,
    protocol: &'static Protocol,
    form: Form,
    timeout: Option<Duration>,
    receive: Receive,
    cardinality: Cardinality,
    failed: Option<Error>,
    transmit: Transmit,
    head_sent: bool,
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
    /// The client is still sending. Answer at once and in full, then tell it to stop: HTTP/2 resets the
    /// stream with NO_ERROR; HTTP/1 reads on for a bounded while, and closes if that does not reach the end.
    Discard,
}

impl ServerExchange {
    /// Begins an exchange for the method `spec`, or answers the request right away.
    ///
    /// # Panics
    /// The fields of the head were not classified with [`NAMES`](crate::NAMES).
    pub fn accept(head: &Head, spec: &Spec, config: &Arc<ServerConfig>) -> Result<Self, Box<Answer>> {
        let opening = Opening::read(head, spec, config)?;
        let timeout = opening.timeout(head, config)?;
        Ok(Self::new(&opening, timeout, spec, config))
    }

    /// Begins an exchange for the method `spec`, given what has been read from the head.
    #[inline]
    pub fn new(
        opening: &Opening,
        timeout: Option<Duration>,
        spec: &Spec,
        config: &Arc<ServerConfig>,
    ) -> Self {
        let Protocol { framing, is_text, .. } = *opening.protocol;
        let mut receive = Receive::new(Side::Server, framing, config.limits.receive_max);
        receive.set_text(is_text);
        receive.set_compression(opening.request_compression);
        if let Some(message) = &opening.message {
            receive.push(message.clone(), true);
        }
        let mut transmit = Transmit::new(framing, config.limits.send_max, is_text);
        transmit.set_one(spec.shape.has_one_response());
        transmit.set_compression(opening.response_compression, config.compression_policy);
        Self {
            shape: spec.shape,
            protocol: opening.protocol,
            form: Form { config: config.clone(), codec: opening.codec, media_type: opening.media_type },
            timeout,
            receive,
            cardinality: Cardinality::new(Side::Server, spec.shape.has_one_request()),
            failed: None,
            transmit,
            head_sent: false,
        }
    }

    /// The configuration.
    pub fn config(&self) -> &Arc<ServerConfig> {
        &self.form.config
    }

    /// Which codec the messages of this exchange are in: an index into the list of [`ServerConfig::new`].
    pub fn codec(&self) -> usize {
        self.form.codec
    }

    /// The name of the protocol, for logs and metrics only;
    /// [`ClientProtocol::name`](crate::ClientProtocol::name) lists them.
    pub fn protocol(&self) -> &'static str {
        self.protocol.name
    }

    /// How long the client is willing to wait, counted from the head's arrival.
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// Takes a chunk of the request body; `end` marks the last one, and nothing follows it.
    #[inline]
    pub fn push(&mut self, chunk: Bytes, end: bool) {
        self.receive.push(chunk, end);
    }

    /// Takes the end of the request. If it has trailers, they are not read: no protocol gives them a meaning.
    #[inline]
    pub fn push_end(&mut self) {
        self.receive.end();
    }

    /// How many bytes were pushed and not yet handed out, for a budget. Read on while `next_input` is
    /// `Pending`, however many they are: a message may not be whole yet.
    #[inline]
    pub fn buffered(&self) -> usize {
        self.receive.buffered() + self.cardinality.held()
    }

    /// Takes what the client said next.
    ///
    /// A method with one request gets its message when it is certain that no second one follows. After an
    /// error, the same error comes again.
    #[inline]
    pub fn next_input(&mut self) -> Result<Received, Error> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        self.read_input().inspect_err(|error| {
            self.failed = Some(error.clone());
            self.receive.abandon();
        })
    }

    /// Chooses whether the messages sent from now on are compressed, if the client understands any
    /// compression of ours.
    pub fn set_compress(&mut self, wish: Compress) {
        self.transmit.set_wish(wish);
    }

    /// Writes the head of the response, and returns its HTTP status.
    ///
    /// `None`, and nothing written, where the head cannot go before the outcome is known, or has gone
    /// already.
    pub fn write_head(&mut self, headers: &Metadata, head: &mut dyn HeadersMut) -> Option<u16> {
        if self.head_sent || self.protocol.framing == Framing::Whole {
            return None;
        }
        self.protocol.write_head(&self.form.reply(self.protocol, &self.transmit, false), headers, head);
        self.head_sent = true;
        Some(HTTP_OK)
    }

    /// Appends one message to `out`, encoded in place by `encode`, which appends it and nothing else.
    ///
    /// On an error, `out` is as it was.
    #[inline]
    pub fn send(
        &mut self,
        out: &mut BytesMut,
        encode: impl FnOnce(&mut BytesMut) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.transmit.message(out, encode)
    }

    /// Ends the response: writes all that is left of it.
    #[inline]
    pub fn finish(&mut self, ending: Ending<'_>, mut into: Sinks<'_>) -> End {
        let reply = self.form.reply(self.protocol, &self.transmit, self.head_sent);
        let missing = self.missing_response(ending.outcome);
        let ending = Ending { outcome: missing.as_ref().map_or(ending.outcome, Err), ..ending };
        let finished = self.protocol.server.finish(&reply, &ending, &mut self.transmit, &mut into);
        self.head_sent = true;
        let rest = if self.receive.has_ended() { RequestRest::Ended } else { RequestRest::Discard };
        self.receive.abandon();
        End { status: finished.status, trailers: finished.trailers, rest }
    }

    #[inline]
    fn read_input(&mut self) -> Result<Received, Error> {
        loop {
            let frame = match self.receive.next()? {
                Cut::Frame(frame) => frame,
                Cut::Pending => return Ok(Received::Pending),
                Cut::End => return Ok(self.cardinality.end()?.map_or(Received::End, Received::Message)),
            };
            if frame.flags.special() != 0 {
                return Err(unknown_flags(frame.flags));
            }
            let message = self.receive.decode(frame)?;
            if self.receive.is_over() {
                return self.cardinality.last(message).map(Received::Message);
            }
            if let Some(message) = self.cardinality.message(message)? {
                return Ok(Received::Message(message));
            }
        }
    }

    /// The error in place of a success without the one response that the method promises.
    #[inline]
    fn missing_response(&self, outcome: Result<(), &Error>) -> Option<Error> {
        let is_missing = outcome.is_ok() && self.shape.has_one_response() && !self.transmit.has_sent();
        is_missing.then(|| Error::internal("the method ended without its response"))
    }
}

/// The form of the response: what its head says whatever its outcome.
#[derive(Debug)]
struct Form {
    config: Arc<ServerConfig>,
    codec: usize,
    media_type: usize,
}

impl Form {
    #[inline]
    fn reply(&self, protocol: &'static Protocol, transmit: &Transmit, head_sent: bool) -> Reply<'_> {
        Reply {
            protocol,
            media_type: &self.config.codecs[self.codec].entries()[self.media_type].media_type,
            encoding: transmit.compression().map(Compression::name),
            varies: self.config.compressions.accept_header().is_some(),
            head_sent,
        }
    }
}

const HTTP_OK: u16 = 200;
