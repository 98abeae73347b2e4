//! The side that sends requests and receives responses.

use crate::body::Body;
use crate::chunked::Chunked;
use crate::connection::{Connection, Hooks, Outcome, Phase, Receive};
use crate::field::{Admit, Facts, FieldLines, LinesBefore, Progress};
use crate::send::{FieldSink, Send};
use crate::timer::Wait;
use crate::{Fault, Limits, start_line};
use ringwire_http::{
    Client, Event, Fields, HeadersMut, Method, Names, RequestLine, ResponseHead, StreamId, Version,
};
use std::time::Instant;

/// What a client remembers.
#[derive(Debug, Default)]
pub struct ClientState {
    /// A head of which not all lines have arrived.
    partial: Option<Box<PartialHead>>,
    /// The interim responses so far.
    interim: u32,
    request: Request,
}

/// What the meaning of a response depends on.
#[derive(Clone, Copy, Debug, Default)]
struct Request {
    is_head: bool,
    asks_tunnel: bool,
    asks_upgrade: bool,
}

#[derive(Debug)]
struct PartialHead {
    status: u16,
    version: Version,
    facts: Facts,
    lines: FieldLines,
}

impl Connection<Client> {
    /// A connection to a server. `names` are the names of fields that are classified.
    pub fn client(limits: Limits, names: &'static Names, now: Instant) -> Self {
        Self::new(limits, names, now, Wait::Nothing, ClientState::default())
    }

    /// Sends the head of a request; with `end`, all of it. `None` while another exchange runs, and once the connection closes.
    ///
    /// `host` is the authority's. The connection frames the body, as [`StreamMut::send_head`](crate::StreamMut::send_head) does.
    pub fn request(
        &mut self,
        line: RequestLine<'_>,
        end: bool,
        fields: impl FnOnce(&mut dyn HeadersMut),
    ) -> Option<StreamId> {
        if self.streams_available() == 0 {
            return None;
        }
        let mut sink = FieldSink::new(std::mem::take(&mut self.scratch));
        fields(&mut sink);
        let asks_tunnel = *line.method == Method::Connect;
        self.side.interim = 0;
        self.side.request =
            Request { is_head: *line.method == Method::Head, asks_tunnel, asks_upgrade: sink.upgrade };
        self.persists = !(sink.close || self.phase == Phase::Draining);
        let target = if asks_tunnel { line.authority } else { line.target };
        let buffer = self.out.buffer();
        for part in [line.method.as_str(), " ", target, " HTTP/1.1\r\nhost: ", line.authority, "\r\n"] {
            buffer.extend_from_slice(part.as_bytes());
        }
        buffer.extend_from_slice(&sink.text);
        match (sink.upgrade, self.persists) {
            (true, _) => buffer.extend_from_slice(b"connection: upgrade\r\n"),
            (false, false) => buffer.extend_from_slice(b"connection: close\r\n"),
            (false, true) => {}
        }
        sink.text.clear();
        self.scratch = sink.text;
        let stream = self.open();
        let expects_body = matches!(line.method, Method::Post | Method::Put | Method::Patch);
        if end && !expects_body {
            self.out.buffer().extend_from_slice(b"\r\n");
            self.send = Send::NoBody;
        } else {
            self.end_head(if end { Some(0) } else { sink.content_length });
        }
        if end {
            self.end_body();
        }
        Some(stream)
    }

    /// The number of requests that can be sent now: one, or none.
    pub fn streams_available(&self) -> usize {
        let is_available = self.phase == Phase::Open
            && self.stream.is_none()
            && matches!(self.receive, Receive::ExpectHead)
            && self.send == Send::Idle
            && self.input.is_empty()
            && !self.input_ended;
        usize::from(is_available)
    }

    fn finish_head(&mut self, partial: PartialHead) -> Result<Event<ResponseHead>, Fault> {
        let PartialHead { status, version, facts, lines } = partial;
        let stream = self.stream.expect("a response that is read answers a request");
        let request = self.side.request;
        let is_interim = (100..200).contains(&status) && status != 101;
        if is_interim {
            self.side.interim += 1;
            if self.side.interim > self.limits.interim_max {
                return Err(Fault::Response);
            }
        }
        let is_http11 = version == Version::Http11;
        let has_no_body = request.is_head || matches!(status, 100..=199 | 204 | 304);
        let body = if status == 101 {
            if !request.asks_upgrade {
                return Err(Fault::Response);
            }
            Receive::Tunnel
        } else if request.asks_tunnel && (200..300).contains(&status) {
            Receive::Tunnel
        } else if has_no_body {
            Receive::Nothing
        } else {
            facts.check_framing(is_http11)?;
            match (facts.coding, facts.content_length) {
                (Some(_), _) => Receive::Body(Body::Chunked(Chunked::new())),
                (None, Some(0)) => Receive::Nothing,
                (None, Some(length)) => Receive::Body(Body::Length(length)),
                (None, None) => Receive::Body(Body::UntilEnd),
            }
        };
        let head = ResponseHead { status, version, fields: lines.fields };
        if is_interim {
            return Ok(Event::Head { stream, head, end: false });
        }
        self.version = version;
        let can_persist = !facts.close && (is_http11 || facts.keep_alive);
        self.persists &= can_persist && !matches!(body, Receive::Tunnel | Receive::Body(Body::UntilEnd));
        if matches!(body, Receive::Tunnel) {
            self.flush_head();
            self.send = Send::UntilEnd;
        }
        let end = matches!(body, Receive::Nothing);
        self.receive = body;
        if end {
            Client::settle(self);
        }
        Ok(Event::Head { stream, head, end })
    }
}

impl Hooks for Client {
    type State = ClientState;

    fn read_head(connection: &mut Connection<Self>) -> Result<Option<Event<ResponseHead>>, Fault> {
        let Connection { input, side, limits, names, stream, .. } = connection;
        if stream.is_none() {
            // Bytes that no request has asked for would be taken for the response to the next one.
            return if input.is_empty() { Ok(None) } else { Err(Fault::Response) };
        }
        let (mut partial, first_len) = match side.partial.take() {
            Some(partial) => (*partial, 0),
            None => match PartialHead::begin(input.bytes(), limits, names)? {
                Some(begun) => begun,
                None => return Ok(None),
            },
        };
        match partial.read(&input.bytes()[first_len..], limits)? {
            Progress::Partial(len) => {
                input.advance(first_len + len);
                side.partial = Some(Box::new(partial));
                Ok(None)
            }
            Progress::Whole(len) => {
                input.advance(first_len + len);
                connection.finish_head(partial).map(Some)
            }
        }
    }

    fn is_within_head(connection: &Connection<Self>) -> bool {
        connection.side.partial.is_some()
    }

    /// A client waits for as long as its caller does; only a head that was begun must be completed.
    fn wait(connection: &Connection<Self>) -> Wait {
        let is_begun = Self::is_within_head(connection) || !connection.input.is_empty();
        if matches!(connection.receive, Receive::ExpectHead) && is_begun { Wait::Head } else { Wait::Nothing }
    }

    fn settle(connection: &mut Connection<Self>) {
        let is_over = match connection.receive {
            Receive::Nothing => true,
            Receive::TunnelEnd => connection.send == Send::Idle,
            Receive::ExpectHead | Receive::Body(_) | Receive::Discard(..) | Receive::Tunnel => false,
        };
        if !is_over {
            return;
        }
        connection.stream = None;
        // The server has answered before the end of the request, whose rest it may not read. A body of a given length that is
        // all sent has ended, whether or not the application has said so.
        let is_early = !matches!(connection.send, Send::Idle | Send::Length(0));
        connection.send = Send::Idle;
        if is_early || !connection.persists {
            connection.end(Phase::Closed, Outcome::Finished);
        } else {
            connection.receive = Receive::ExpectHead;
        }
    }

    fn conclude(connection: &mut Connection<Self>, fault: Fault) {
        connection.end(Phase::Closed, Outcome::Fault(fault));
    }

    fn send_head(_: &mut Connection<Self>, _: u16, _: bool, _: &FieldSink) {
        panic!("the head of a request is sent by `request`");
    }
}

impl PartialHead {
    /// Reads the status line; `None` if it is not whole. Returns its length too.
    fn begin(bytes: &[u8], limits: &Limits, names: &'static Names) -> Result<Option<(Self, usize)>, Fault> {
        let Some(line) = start_line::status(bytes, limits)? else { return Ok(None) };
        let head = Self {
            status: line.status,
            version: line.version,
            facts: Facts::default(),
            lines: FieldLines::new(Fields::new(names), line.len),
        };
        Ok(Some((head, line.len)))
    }

    fn read(&mut self, bytes: &[u8], limits: &Limits) -> Result<Progress, Fault> {
        let Self { facts, lines, .. } = self;
        lines.read(bytes, limits, &mut LinesBefore::default(), |token, value, _| {
            facts.note(token, value)?;
            Ok(Admit::Keep)
        })
    }
}
