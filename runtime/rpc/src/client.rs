//! The client's half of one RPC.
//!
//! The contract, in order:
//!
//! 1. [`send`](ClientExchange::send) messages into a body buffer.
//! 2. [`write_head`](ClientExchange::write_head) before the first bytes of the body leave. A method with one
//!    request sends its message first: its head can depend on it, and may take it over into the query of a
//!    GET.
//! 3. Hand over the response: [`head`](ClientExchange::head), then [`push`](ClientExchange::push) and
//!    [`push_trailers`](ClientExchange::push_trailers); after each, call
//!    [`next_input`](ClientExchange::next_input) until it returns `Pending` or `End`. An `Err` of it is the
//!    outcome of the RPC.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use ringwire_compress::{Compress, Compression};
use ringwire_http::{Headers, HeadersMut, Token};
use ringwire_wire::{Metadata, Quoted};

use crate::cardinality::Cardinality;
use crate::protocol::{
    FrameKind, Outcome, PREVIOUS_ATTEMPTS, Protocol, Request, ResponseBody, ResponseHead, Tail,
};
use crate::receive::{Cut, Framing, Receive, Side, unknown_flags};
use crate::response::{ResponseMetadata, check_size};
use crate::transmit::Transmit;
use crate::{ClientConfig, Error, GetPolicy, Idempotency, Origin, Received, Spec};

/// The client's half of one RPC.
#[derive(Debug)]
pub struct ClientExchange<F> {
    spec: Spec,
    config: Arc<ClientConfig>,
    protocol: &'static Protocol,
    transmit: Transmit,
    receive: Receive,
    cardinality: Cardinality,
    stage: Stage,
    /// The HTTP status of a response whose body is an error, and not messages.
    error_status: Option<u16>,
    metadata: ResponseMetadata<F>,
    /// The outcome in an envelope at the end of the body.
    end: Option<Outcome>,
    has_body: bool,
}

/// What a call brings to its request head.
#[derive(Clone, Copy, Debug)]
pub struct CallHead<'a> {
    /// The path before the procedure: empty, or `/prefix`.
    pub prefix: &'a str,
    /// The custom headers.
    pub headers: &'a Metadata,
    /// How long the caller is willing to wait, from now. The server is told; waiting no longer is up to the
    /// shell.
    pub timeout: Option<Duration>,
}

/// The first line of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RequestLine {
    /// The method.
    pub method: &'static str,
    /// The path, with the query if there is one.
    pub target: Cow<'static, str>,
}

impl<F: Headers> ClientExchange<F> {
    /// Begins a call of the method `spec`.
    pub fn new(spec: &Spec, config: &Arc<ClientConfig>) -> Self {
        let protocol = config.protocol.carry(spec.shape);
        let mut transmit = Transmit::new(protocol.framing, config.limits.send_max, protocol.is_text);
        transmit.set_one(spec.shape.has_one_request());
        transmit.set_compression(config.compression, config.compression_policy);
        let mut receive = Receive::new(Side::Client, protocol.framing, config.limits.receive_max);
        // A body that is one message has no frames beside it, and errors have a limit of their own.
        if protocol.framing == Framing::Envelopes {
            receive.set_frame_max(config.limits.error_body_max);
        }
        Self {
            spec: *spec,
            config: config.clone(),
            protocol,
            transmit,
            receive,
            cardinality: Cardinality::new(Side::Client, spec.shape.has_one_response()),
            stage: Stage::ExpectHead,
            error_status: None,
            metadata: ResponseMetadata::of(protocol),
            end: None,
            has_body: false,
        }
    }

    /// The method.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// The configuration.
    pub fn config(&self) -> &Arc<ClientConfig> {
        &self.config
    }

    /// Chooses whether the messages sent from now on are compressed.
    pub fn set_compress(&mut self, wish: Compress) {
        self.transmit.set_wish(wish);
    }

    /// Appends one message to `out`, encoded in place by `encode`, which appends it and nothing else.
    ///
    /// On an error, `out` is as it was.
    pub fn send(
        &mut self,
        out: &mut BytesMut,
        encode: impl FnOnce(&mut BytesMut) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.transmit.message(out, encode)
    }

    /// Writes the head of the request. `body` is the buffer that `send` appended to; a GET takes its message
    /// out of it.
    pub fn write_head(
        &mut self,
        call: CallHead<'_>,
        body: &mut BytesMut,
        head: &mut dyn HeadersMut,
    ) -> Result<RequestLine, Error> {
        let query_target = self.query_target(call.prefix, body)?;
        let encoding = match self.protocol.framing {
            Framing::Envelopes => self.transmit.compression(),
            Framing::Whole => self.transmit.whole_compression(),
        };
        let request = Request {
            protocol: self.protocol,
            types: &self.config.codec,
            encoding: encoding.map(Compression::name),
            is_get: query_target.is_some(),
            user_agent: call.headers.get(USER_AGENT).unwrap_or(self.config.user_agent.as_bytes()),
        };
        self.protocol.client.write_request(&request, call.headers, head);
        let fields = &self.protocol.fields;
        if let Some(timeout) = call.timeout {
            self.write_timeout(timeout, head);
        }
        if let Some(offer) = self.config.compressions.accept_header() {
            head.append_known(fields.accept_encoding, offer.as_bytes());
        }
        if call.headers.get(USER_AGENT).is_none() {
            match &self.config.user_agent {
                Cow::Borrowed(name) => head.append_static(Token::USER_AGENT, name),
                Cow::Owned(name) => head.append_known(Token::USER_AGENT, name.as_bytes()),
            }
        }
        // From here on, a whole body cannot become a compressed one: its head has said that it is not.
        if self.protocol.framing == Framing::Whole && !self.transmit.has_sent() {
            self.transmit.set_compression(None, self.config.compression_policy);
        }
        Ok(match query_target {
            Some(target) => {
                self.transmit.take_back_whole(body);
                RequestLine { method: "GET", target: Cow::Owned(target) }
            }
            None if call.prefix.is_empty() => {
                RequestLine { method: "POST", target: Cow::Borrowed(self.spec.procedure) }
            }
            None => {
                let target = Cow::Owned([call.prefix, self.spec.procedure].concat());
                RequestLine { method: "POST", target }
            }
        })
    }

    /// Whether a head with these custom headers is the same for every call of its shape and configuration, but for path,
    /// time-out and attempts. Such a head can be kept: it is what [`write_head`](Self::write_head) writes without a time-out.
    pub fn has_usual_head(&self, headers: &Metadata) -> bool {
        headers.is_empty() && self.config.get == GetPolicy::Never && self.config.compression.is_none()
    }

    /// Appends the time that the caller is willing to wait, to a head that was written without.
    pub fn write_timeout(&self, timeout: Duration, head: &mut dyn HeadersMut) {
        let mut value = BytesMut::with_capacity(TIMEOUT_LEN_MAX);
        (self.protocol.write_timeout)(timeout, &mut value);
        head.append_known(self.protocol.fields.timeout, &value);
    }

    /// Appends the number of attempts of the same call that came before.
    pub fn write_previous_attempts(&self, previous: u32, head: &mut dyn HeadersMut) {
        head.append_known(PREVIOUS_ATTEMPTS, previous.to_string().as_bytes());
    }

    /// Takes the head of the response; `end` says that neither body nor trailers follow.
    pub fn head(&mut self, status: u16, headers: F, end: bool) {
        if !matches!(self.stage, Stage::ExpectHead) {
            return;
        }
        let read = check_size(&headers, self.config.limits.metadata_max).and_then(|()| {
            let read = self.read_head(status, &headers);
            self.metadata.set_head(headers);
            read
        });
        self.stage = match read {
            Ok(()) => Stage::ExpectBody,
            Err(error) => Stage::Failed(self.with_metadata(error)),
        };
        if end {
            self.receive.push(Bytes::new(), true);
        }
    }

    /// Takes a chunk of the response body; `end` marks the last one, and neither body nor trailers follow it.
    pub fn push(&mut self, chunk: Bytes, end: bool) {
        self.has_body |= !chunk.is_empty();
        self.receive.push(chunk, end);
    }

    /// Takes the HTTP trailers of the response, which end it.
    pub fn push_trailers(&mut self, trailers: F) {
        match check_size(&trailers, self.config.limits.metadata_max) {
            Ok(()) => self.metadata.set_http_trailers(trailers),
            Err(error) => self.fail(error),
        }
        self.receive.push(Bytes::new(), true);
    }

    /// How many bytes were pushed and not yet handed out, for a budget. Read on while `next_input` is
    /// `Pending`, however many they are: a message may not be whole yet.
    pub fn buffered(&self) -> usize {
        self.receive.buffered() + self.cardinality.held()
    }

    /// Takes what the server said next. `End` means that the RPC succeeded.
    ///
    /// A method with one response gives its message only when the outcome is known. After an error, the same
    /// error comes again.
    pub fn next_input(&mut self) -> Result<Received, Error> {
        match &self.stage {
            Stage::ExpectHead => Ok(Received::Pending),
            Stage::Failed(error) => Err(error.clone()),
            Stage::Succeeded => Ok(Received::End),
            Stage::ExpectBody => self.read_input().map_err(|error| {
                let error = self.with_metadata(error);
                self.fail(error.clone());
                error
            }),
        }
    }

    /// The headers of the response, those of the protocol among them, as far as they have come.
    pub fn headers(&self) -> &Metadata {
        self.metadata.headers()
    }

    /// The trailers of the response, complete once `next_input` has returned `End` or an error.
    pub fn trailers(&self) -> &Metadata {
        self.metadata.trailers()
    }

    /// Takes the headers and the trailers out, when the call is over.
    pub fn take_metadata(&mut self) -> ResponseMetadata<F> {
        std::mem::replace(&mut self.metadata, ResponseMetadata::of(self.protocol))
    }

    /// Path and query, if the call is to travel as a GET.
    fn query_target(&self, prefix: &str, body: &BytesMut) -> Result<Option<String>, Error> {
        let url_max = match self.config.get {
            GetPolicy::UpTo { url_max } | GetPolicy::Only { url_max } => url_max,
            GetPolicy::Never => return Ok(None),
        };
        let Some(message) = self.transmit.whole_message(body) else {
            return Ok(None);
        };
        let encoding = self.transmit.whole_compression().map(Compression::name);
        let mut query = BytesMut::new();
        let is_query = self.spec.idempotency == Idempotency::NoSideEffects
            && self.protocol.client.write_query(self.config.codec(), encoding, message, &mut query);
        if !is_query {
            return Ok(None);
        }
        let target = [prefix, self.spec.procedure, "?", &String::from_utf8_lossy(&query)].concat();
        if target.len() <= url_max {
            return Ok(Some(target));
        }
        match self.config.get {
            GetPolicy::Only { .. } => Err(Error::resource_exhausted(format!(
                "path and query of {} bytes are longer than the limit of {url_max} bytes",
                target.len()
            ))),
            GetPolicy::UpTo { .. } | GetPolicy::Never => Ok(None),
        }
    }

    fn read_head(&mut self, status: u16, headers: &dyn Headers) -> Result<(), Error> {
        let head = ResponseHead { protocol: self.protocol, status, headers };
        let body = self.protocol.client.read_head(&head, &self.config.codec)?;
        let encoding = self.find_encoding(headers);
        match body {
            ResponseBody::Messages { text } => self.receive.set_text(text),
            ResponseBody::Error => {
                let limit = self.config.limits.error_body_max;
                self.receive = Receive::new(Side::Client, Framing::Whole, limit);
                self.error_status = Some(status);
                if encoding.is_err() {
                    return Err(self.protocol.client.read_error(b"", status));
                }
            }
        }
        self.receive.set_compression(encoding?);
        Ok(())
    }

    fn find_encoding(&self, headers: &dyn Headers) -> Result<Option<&'static dyn Compression>, Error> {
        let name = headers.known(self.protocol.fields.encoding).unwrap_or_default();
        if name.is_empty() {
            return Ok(None);
        }
        let known = std::str::from_utf8(name).ok().and_then(|name| self.config.compressions.find(name).ok());
        known.ok_or_else(|| Error::internal(format!("response has the unknown encoding {}", Quoted(name))))
    }

    fn read_input(&mut self) -> Result<Received, Error> {
        if let Some(status) = self.error_status {
            return self.read_error(status);
        }
        loop {
            let frame = match self.receive.next()? {
                Cut::Frame(frame) => frame,
                Cut::Pending => return Ok(Received::Pending),
                Cut::End => return self.read_outcome(),
            };
            if self.end.is_some() {
                return Err(Error::internal("the response goes on after its end of stream"));
            }
            match self.protocol.client.frame_kind(frame.flags) {
                Some(FrameKind::Message) => {
                    let message = self.receive.decode(frame)?;
                    if let Some(message) = self.cardinality.message(message)? {
                        return Ok(Received::Message(message));
                    }
                }
                Some(FrameKind::End) => {
                    let payload = self.receive.decode_within(frame, self.config.limits.error_body_max)?;
                    self.end = Some(self.protocol.client.read_end(payload)?);
                }
                None => return Err(unknown_flags(frame.flags)),
            }
        }
    }

    fn read_outcome(&mut self) -> Result<Received, Error> {
        let outcome = self.protocol.client.outcome(Tail {
            headers: self.metadata.head().map_or(&NO_FIELDS as _, |head| head as _),
            trailers: self.metadata.http_trailers().map(|trailers| trailers as _),
            end: self.end.take(),
            has_body: self.has_body,
        });
        self.metadata.set_trailers(outcome.trailers);
        outcome.result?;
        let message = self.cardinality.end()?;
        self.stage = Stage::Succeeded;
        Ok(message.map_or(Received::End, Received::Message))
    }

    /// Reads the body of a response that failed. What is wrong with the body is less than what it stands for.
    fn read_error(&mut self, status: u16) -> Result<Received, Error> {
        let body = match self.receive.next() {
            Ok(Cut::Pending) => return Ok(Received::Pending),
            Ok(Cut::Frame(frame)) => self.receive.decode(frame).unwrap_or_default(),
            Ok(Cut::End) | Err(_) => Bytes::new(),
        };
        self.metadata.end_early();
        Err(self.protocol.client.read_error(&body, status))
    }

    fn fail(&mut self, error: Error) {
        self.metadata.end_early();
        self.receive.abandon();
        self.stage = Stage::Failed(error);
    }

    /// Gives an error of the peer what came beside it.
    fn with_metadata(&self, error: Error) -> Error {
        match error.origin() {
            Origin::Local => error,
            Origin::Peer => {
                let mut metadata = self.headers().clone();
                metadata.extend(self.trailers());
                error.with_metadata(metadata)
            }
        }
    }
}

/// How far the response has come.
#[derive(Debug)]
enum Stage {
    ExpectHead,
    ExpectBody,
    /// The server has said how the RPC ended: with success.
    Succeeded,
    Failed(Error),
}

const NO_FIELDS: [(&str, &str); 0] = [];
const USER_AGENT: &str = Token::USER_AGENT.as_str();
// Ten digits, or eight and a unit.
const TIMEOUT_LEN_MAX: usize = 10;
