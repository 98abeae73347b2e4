//! The side that receives requests and sends responses.

use crate::authority::is_authority;
use crate::body::Body;
use crate::connection::{Connection, Hooks, Outcome, Phase, Receive};
use crate::field::{Admit, Expectation, Facts, FieldLines, LinesBefore, Progress, Seen};
use crate::send::{Decimal, FieldSink, Send};
use crate::timer::Wait;
use crate::{Fault, Limits, start_line, target};
use bytes::BytesMut;
use ringwire_http::{Event, Fields, Head, HeadersMut, Method, Names, Scheme, Server, Token, Version};
use std::time::Instant;

/// What a server remembers.
#[derive(Debug, Default)]
pub struct ServerState {
    /// A head of which not all lines have arrived.
    partial: Option<Box<PartialHead>>,
    /// The last request's head, for one that consists of the same bytes, or of almost the same.
    previous: Previous,
    skipped_blank_line: bool,
    request: Request,
}

/// What a response depends on.
#[derive(Clone, Copy, Debug, Default)]
struct Request {
    is_head: bool,
    asks_tunnel: bool,
    asks_upgrade: bool,
    /// The client sends the body once it is told to.
    awaits_continue: bool,
}

#[derive(Debug)]
struct PartialHead {
    method: Method,
    target: Box<str>,
    /// The authority that the target names.
    authority: Option<Box<str>>,
    scheme: Option<Scheme>,
    version: Version,
    facts: Facts,
    lines: FieldLines,
}

/// The last head that arrived as a whole.
#[derive(Debug, Default)]
struct Previous {
    lines: LinesBefore,
    /// Absent while another head is read into its buffers.
    head: Option<Head>,
    facts: Facts,
}

impl Connection<Server> {
    /// A connection that a client has opened. `names` are the names of fields that are classified.
    pub fn server(limits: Limits, names: &'static Names, now: Instant) -> Self {
        Self::new(limits, names, now, Wait::Head, ServerState::default())
    }

    /// Begins an exchange.
    fn begin(&mut self, head: Head, facts: &Facts) -> Event<Head> {
        let version = head.version();
        let is_http11 = version == Version::Http11;
        let body = Body::of_request(facts);
        self.version = version;
        self.persists = !facts.close && (is_http11 || facts.keep_alive);
        self.side.skipped_blank_line = false;
        self.side.request = Request {
            is_head: *head.method() == Method::Head,
            asks_tunnel: *head.method() == Method::Connect,
            asks_upgrade: is_http11 && facts.upgrade && facts.has_upgrade,
            awaits_continue: is_http11 && facts.expectation.is_some() && body.is_some(),
        };
        let stream = self.open();
        let end = body.is_none() && !self.side.request.asks_tunnel;
        self.receive = body.map_or(Receive::Nothing, Receive::Body);
        self.send = Send::Head;
        Event::Head { stream, head, end }
    }

    /// Whether the client waits for 100 before it sends the body.
    fn awaits_continue(&self) -> bool {
        self.side.request.awaits_continue && self.input.is_empty() && !self.body_has_begun()
    }

    fn send_interim(&mut self, status: u16, fields: &FieldSink) {
        // A client of HTTP/1.0 would take it for the response: RFC 9110 section 15.2.
        let is_awaited = match status {
            100 => self.awaits_continue(),
            _ => self.version == Version::Http11,
        };
        if status == 100 {
            self.side.request.awaits_continue = false;
        }
        if is_awaited {
            self.status_line(status);
            let buffer = self.out.buffer();
            buffer.extend_from_slice(&fields.text);
            buffer.extend_from_slice(b"\r\n");
        }
    }

    fn status_line(&mut self, status: u16) {
        let buffer = self.out.buffer();
        if status == 200 {
            buffer.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
            return;
        }
        buffer.extend_from_slice(b"HTTP/1.1 ");
        buffer.extend_from_slice(Decimal::new(u64::from(status)).digits());
        buffer.extend_from_slice(b" ");
        buffer.extend_from_slice(reason(status).as_bytes());
        buffer.extend_from_slice(b"\r\n");
    }
}

impl Hooks for Server {
    type State = ServerState;

    fn read_head(connection: &mut Connection<Self>) -> Result<Option<Event<Head>>, Fault> {
        if connection.room() == 0 {
            return Ok(None);
        }
        let Connection { input, side, limits, names, .. } = connection;
        if side.partial.is_none() {
            // One empty line before a request is ignored: RFC 9112 section 2.2.
            if !side.skipped_blank_line && input.bytes().starts_with(b"\r\n") {
                input.advance(2);
                side.skipped_blank_line = true;
            }
            if let Previous { lines, head: Some(head), facts } = &side.previous
                && input.bytes().starts_with(&lines.text)
            {
                input.advance(lines.text.len());
                let (head, facts) = (head.clone(), *facts);
                return Ok(Some(connection.begin(head, &facts)));
            }
        }
        let (mut partial, first_len) = match side.partial.take() {
            Some(partial) => {
                side.previous.lines.clear();
                (*partial, 0)
            }
            None if input.bytes() == b"\r" && !side.skipped_blank_line => return Ok(None),
            None => match PartialHead::begin(input.bytes(), limits, names, &mut side.previous)? {
                Some(begun) => begun,
                None => return Ok(None),
            },
        };
        let Previous { lines, head: previous, facts: previous_facts } = &mut side.previous;
        match partial.read(&input.bytes()[first_len..], limits, lines)? {
            Progress::Partial(len) => {
                input.advance(first_len + len);
                side.partial = Some(Box::new(partial));
                Ok(None)
            }
            Progress::Whole(len) => {
                let len = first_len + len;
                let (head, facts) = partial.finish()?;
                // A head that began in an earlier read is seldom of a client in a hurry.
                if first_len > 0 && len <= PREVIOUS_MAX {
                    lines.text.clear();
                    lines.text.extend_from_slice(&input.bytes()[..len]);
                    lines.first_len = first_len;
                    *previous = Some(head.clone());
                    *previous_facts = facts;
                } else {
                    lines.clear();
                }
                input.advance(len);
                Ok(Some(connection.begin(head, &facts)))
            }
        }
    }

    fn is_within_head(connection: &Connection<Self>) -> bool {
        connection.side.partial.is_some()
    }

    fn wait(connection: &Connection<Self>) -> Wait {
        match connection.receive {
            Receive::Body(Body::Length(_)) => Wait::MeasuredBody,
            Receive::Body(Body::Chunked(_) | Body::UntilEnd) => Wait::Body,
            Receive::ExpectHead
                if connection.streams > 0
                    && connection.input.is_empty()
                    && !Self::is_within_head(connection) =>
            {
                Wait::Idle
            }
            Receive::ExpectHead => Wait::Head,
            Receive::Discard(..) | Receive::Nothing | Receive::Tunnel | Receive::TunnelEnd => Wait::Nothing,
        }
    }

    fn settle(connection: &mut Connection<Self>) {
        if connection.send != Send::Idle {
            return;
        }
        connection.stream = None;
        if !connection.persists {
            connection.finish(Outcome::Finished);
            return;
        }
        connection.receive = match std::mem::replace(&mut connection.receive, Receive::Nothing) {
            Receive::Body(body) => Receive::Discard(body, 0),
            Receive::ExpectHead
            | Receive::Discard(..)
            | Receive::Nothing
            | Receive::Tunnel
            | Receive::TunnelEnd => Receive::ExpectHead,
        };
    }

    fn conclude(connection: &mut Connection<Self>, fault: Fault) {
        let is_silent = match fault {
            Fault::SendTimeout => {
                connection.end(Phase::Closed, Outcome::Fault(fault));
                return;
            }
            Fault::Truncated => true,
            Fault::HeadTimeout => connection.input.is_empty() && !Self::is_within_head(connection),
            Fault::RequestLine
            | Fault::StatusLine
            | Fault::Method
            | Fault::Target
            | Fault::TargetTooLong { .. }
            | Fault::Version
            | Fault::FieldLine
            | Fault::HeadTooLarge { .. }
            | Fault::TooManyFields { .. }
            | Fault::Host
            | Fault::ContentLength
            | Fault::TransferEncoding
            | Fault::UnknownCoding
            | Fault::TwoLengths
            | Fault::Expectation
            | Fault::Chunk
            | Fault::Response
            | Fault::BodyTimeout => false,
        };
        match connection.send {
            Send::Idle | Send::Head => {
                if !is_silent && !matches!(connection.receive, Receive::Discard(..)) {
                    connection.status_line(fault.status());
                    connection
                        .out
                        .buffer()
                        .extend_from_slice(b"connection: close\r\ncontent-length: 0\r\n\r\n");
                }
                // A client that was given its time for a head has none left.
                if fault == Fault::HeadTimeout {
                    connection.end(Phase::Leaving, Outcome::Fault(fault));
                } else {
                    connection.finish(Outcome::Fault(fault));
                }
            }
            // A response that was begun must not look complete.
            Send::Framing | Send::Length(_) | Send::Chunked | Send::UntilEnd | Send::NoBody => {
                connection.end(Phase::Closed, Outcome::Fault(fault));
            }
        }
    }

    fn send_head(connection: &mut Connection<Self>, status: u16, end: bool, fields: &FieldSink) {
        assert!(connection.send == Send::Head, "a response has one head");
        let request = connection.side.request;
        let may_upgrade = request.asks_upgrade && matches!(connection.receive, Receive::Nothing);
        match status {
            101 if may_upgrade => {}
            // The client would take what follows for another protocol.
            101 => return Self::send_head(connection, 500, true, &FieldSink::new(BytesMut::new())),
            100..=199 => return connection.send_interim(status, fields),
            _ => {}
        }
        let is_tunnel = status == 101 || (request.asks_tunnel && (200..300).contains(&status));
        let is_long = matches!(connection.receive, Receive::Body(Body::Length(left)) if left > connection.limits.drain_max);
        connection.persists &=
            !(fields.close || connection.awaits_continue() || request.asks_tunnel || is_long);
        let is_http10 = connection.version == Version::Http10;
        let has_body = !(request.is_head || matches!(status, 204 | 205 | 304));
        let is_unframed = is_http10 && has_body && !end && fields.content_length.is_none();
        connection.persists &= !(is_unframed || connection.phase == Phase::Draining);

        connection.status_line(status);
        let persists = connection.persists;
        let buffer = connection.out.buffer();
        buffer.extend_from_slice(&fields.text);
        let options: &[u8] = match (fields.upgrade, persists) {
            _ if is_tunnel && status != 101 => b"",
            (true, _) if is_tunnel => b"connection: upgrade\r\n",
            (true, true) => b"connection: upgrade\r\n",
            (true, false) => b"connection: upgrade, close\r\n",
            (false, false) if !is_tunnel => b"connection: close\r\n",
            (false, true) if is_http10 => b"connection: keep-alive\r\n",
            (false, _) => b"",
        };
        buffer.extend_from_slice(options);
        if is_tunnel {
            buffer.extend_from_slice(b"\r\n");
            connection.persists = false;
            connection.receive = Receive::Tunnel;
            connection.send = Send::UntilEnd;
        } else if !has_body {
            // The length is that of a body that is not sent; 204 has none: RFC 9110 section 8.6.
            let length = match status {
                204 => None,
                205 => Some(0),
                _ => fields.content_length,
            };
            match length {
                Some(length) => crate::send::write_length(buffer, length),
                None => buffer.extend_from_slice(b"\r\n"),
            }
            connection.send = Send::NoBody;
        } else if is_unframed {
            buffer.extend_from_slice(b"\r\n");
            connection.send = Send::UntilEnd;
        } else {
            let length = if end { Some(0) } else { fields.content_length };
            connection.end_head(length);
        }
        if end {
            connection.end_body();
        }
    }
}

impl PartialHead {
    /// Reads the request line; `None` if it is not whole. Returns its length too. The buffers of the head before are used
    /// again.
    fn begin(
        bytes: &[u8],
        limits: &Limits,
        names: &'static Names,
        previous: &mut Previous,
    ) -> Result<Option<(Self, usize)>, Fault> {
        let Previous { lines, head: before, .. } = previous;
        let names_path = |head: &&Head| head.scheme().is_none() && *head.method() != Method::Connect;
        if before.as_ref().filter(names_path).is_some()
            && bytes.starts_with(&lines.text[..lines.first_len])
            && let Some(head) = before.take()
        {
            let version = head.version();
            let (method, target, fields) = head
                .into_parts()
                .unwrap_or_else(|head| (head.method().clone(), head.target().into(), Fields::new(names)));
            let head = Self::new(method, target, version, fields, bytes.len(), lines.first_len);
            return Ok(Some((head, lines.first_len)));
        }
        let Some(line) = start_line::request(bytes, limits)? else { return Ok(None) };
        let target = target::parse(&line.method, line.target)?;
        let fields = match before.take().map(Head::into_parts) {
            Some(Ok((_, _, fields))) => fields,
            Some(Err(_)) | None => Fields::new(names),
        };
        let path_and_query = target.path_and_query.into();
        let head = Self {
            authority: target.authority.map(Into::into),
            scheme: target.scheme,
            ..Self::new(line.method, path_and_query, line.version, fields, bytes.len(), line.len)
        };
        Ok(Some((head, line.len)))
    }

    fn new(
        method: Method,
        target: Box<str>,
        version: Version,
        mut fields: Fields,
        len: usize,
        first_len: usize,
    ) -> Self {
        fields.clear();
        // Names with a token take no room, so that this is enough for most heads and not much more.
        fields.reserve(FIELDS_USUAL, (len - first_len).min(VALUES_USUAL));
        let lines = FieldLines::new(fields, first_len);
        Self { method, target, authority: None, scheme: None, version, facts: Facts::default(), lines }
    }

    fn read(&mut self, bytes: &[u8], limits: &Limits, before: &mut LinesBefore) -> Result<Progress, Fault> {
        let Self { facts, lines, scheme, method, .. } = self;
        let is_in_target = scheme.is_some() || *method == Method::Connect;
        lines.read(bytes, limits, before, |token, value, seen| {
            facts.note(token, value)?;
            if token.index() != HOST {
                return Ok(Admit::Keep);
            }
            let is_valid = seen == Seen::Before || value.is_empty() || is_authority(value);
            if facts.has_host || !is_valid {
                return Err(Fault::Host);
            }
            facts.has_host = true;
            // The authority of the target takes the place of this one: RFC 9112 section 3.2.2.
            Ok(if is_in_target { Admit::Drop } else { Admit::Keep })
        })
    }

    /// Judges a head that is whole.
    fn finish(mut self) -> Result<(Head, Facts), Fault> {
        let facts = self.facts;
        let is_http11 = self.version == Version::Http11;
        if is_http11 && !facts.has_host {
            return Err(Fault::Host);
        }
        facts.check_framing(is_http11)?;
        if self.method == Method::Connect && Body::of_request(&facts).is_some() {
            return Err(Fault::ContentLength);
        }
        if is_http11 && facts.expectation == Some(Expectation::Unknown) {
            return Err(Fault::Expectation);
        }
        if let Some(authority) = &self.authority {
            self.lines.fields.append_known(Token::HOST, authority.as_bytes());
        }
        let mut head = Head::new(self.method, self.target, self.version, self.lines.fields);
        if let Some(authority) = self.authority {
            head = head.with_authority(authority);
        }
        if let Some(scheme) = self.scheme {
            head = head.with_scheme(scheme);
        }
        Ok((head, facts))
    }
}

/// The reason phrase, which only people read.
const fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        103 => "Early Hints",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        205 => "Reset Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        426 => "Upgrade Required",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        499 => "Client Closed Request",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}

const HOST: usize = Token::HOST.index();
/// The longest head that is kept. A larger one would make idle connections dear.
const PREVIOUS_MAX: usize = 4096;
/// Room that is made at once for the fields of a head, and for their values.
const FIELDS_USUAL: usize = 12;
const VALUES_USUAL: usize = 512;
