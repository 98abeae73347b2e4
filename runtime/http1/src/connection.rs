//! A connection: what is received, what is sent, and how it ends.

use crate::body::{Body, Piece};
use crate::input::Input;
use crate::send::{FieldSink, Send};
use crate::timer::{Timer, Wait};
use crate::{Fault, Limits, StreamMut};
use bytes::{Bytes, BytesMut};
use ringwire_http::{Close, Event, Names, Output, Pace, Reset, Role, SendQueue, StreamId, Version};
use std::time::Instant;

/// An HTTP/1 connection, for one of its sides.
///
/// ```
/// # use bytes::Bytes;
/// # use ringwire_http::{Event, HeadersMut, Names, SendQueue};
/// # use ringwire_http1::{Connection, Limits};
/// # let now = std::time::Instant::now();
/// let mut connection = Connection::server(Limits::default(), Names::HTTP, now);
/// connection.handle_input(now, Bytes::from("GET /greeting HTTP/1.1\r\nhost: localhost\r\n\r\n"));
/// let Some(Event::Head { stream, head, end: true }) = connection.poll_event() else { panic!() };
/// assert_eq!(head.path(), "/greeting");
///
/// let mut stream = connection.stream(stream).expect("a stream whose response is not complete is open");
/// stream.send_head(200, false, |fields| fields.append("content-type", b"text/plain"));
/// stream.send_data(Bytes::from("hello"), true);
///
/// let mut out = SendQueue::new();
/// connection.poll_output(now, &mut out);
/// let sent: Vec<u8> = out.chunks().flatten().copied().collect();
/// assert_eq!(sent, b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nhello");
/// ```
#[derive(Debug)]
pub struct Connection<R: Side> {
    pub(crate) limits: Limits,
    pub(crate) names: &'static Names,
    pub(crate) input: Input,
    pub(crate) input_ended: bool,
    /// What is to be sent and not yet given to the shell.
    pub(crate) out: SendQueue,
    /// Fields of a head or trailers whose first line is not known yet.
    pub(crate) scratch: BytesMut,
    pub(crate) receive: Receive,
    pub(crate) send: Send,
    /// The stream that is open, and the number of streams so far.
    pub(crate) stream: Option<StreamId>,
    pub(crate) streams: u32,
    /// The version of the peer's message.
    pub(crate) version: Version,
    /// Whether the connection can be used again after this exchange.
    pub(crate) persists: bool,
    pub(crate) phase: Phase,
    /// The bytes of the body that the application was given and has not released.
    unreleased: usize,
    /// The stream was told that there is no room.
    starved: bool,
    reset: Option<(StreamId, Reset)>,
    timer: Timer,
    /// The length of what the shell still had to send, and the pace at which it becomes less.
    unsent: (usize, Pace),
    outcome: Option<Outcome>,
    pub(crate) side: R::State,
}

/// What is expected of the peer.
#[derive(Debug)]
pub(crate) enum Receive {
    ExpectHead,
    Body(Body),
    /// The rest of a request that has been answered; so many bytes of it are gone.
    Discard(Body, u64),
    /// The message is complete.
    Nothing,
    /// The bytes of a tunnel.
    Tunnel,
    /// The peer has ended its half of a tunnel.
    TunnelEnd,
}

/// The life of a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Phase {
    Open,
    /// The exchange that runs is the last.
    Draining,
    /// Nothing more will be written, and so many bytes of the peer were thrown away since.
    Lingering(u64),
    /// Nothing more will be written, and the peer is not expected to send: it closes once all is sent.
    Leaving,
    Closed,
}

/// The reason why a connection ended, or is about to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The last exchange was completed, and this side closed.
    Finished,
    /// The peer closed between two messages, or while a response was awaited.
    PeerClosed,
    /// No request came for longer than the limit.
    Idle,
    /// This side reset a stream or closed the connection while it was in use.
    Aborted,
    /// The peer broke a rule or crossed a limit.
    Fault(Fault),
}

/// A side of an HTTP/1 connection: [`Server`](ringwire_http::Server) or [`Client`](ringwire_http::Client).
pub trait Side: Role + Hooks {}

impl<R: Role + Hooks> Side for R {}

/// What the two sides do differently.
pub trait Hooks: Role + Sized {
    /// What only this side remembers.
    type State: std::fmt::Debug;

    /// Reads the head of the next message; `None` if it is not whole.
    fn read_head(connection: &mut Connection<Self>) -> Result<Option<Event<Self::Head>>, Fault>;

    /// Whether a part of a head has been read.
    fn is_within_head(connection: &Connection<Self>) -> bool;

    /// What is waited for while a head is expected, and while a body is.
    fn wait(connection: &Connection<Self>) -> Wait;

    /// Goes on after a message was sent or received in full.
    fn settle(connection: &mut Connection<Self>);

    /// Ends the connection after a fault. The stream is gone already.
    fn conclude(connection: &mut Connection<Self>, fault: Fault);

    /// Sends the head of a message whose fields were written.
    ///
    /// # Panics
    /// A head is not due.
    fn send_head(connection: &mut Connection<Self>, status: u16, end: bool, fields: &FieldSink);
}

impl<R: Side> Connection<R> {
    pub(crate) fn new(
        limits: Limits,
        names: &'static Names,
        now: Instant,
        wait: Wait,
        side: R::State,
    ) -> Self {
        Self {
            limits,
            names,
            input: Input::default(),
            input_ended: false,
            out: SendQueue::new(),
            scratch: BytesMut::new(),
            receive: Receive::ExpectHead,
            send: Send::Idle,
            stream: None,
            streams: 0,
            version: Version::Http11,
            persists: true,
            phase: Phase::Open,
            unreleased: 0,
            starved: false,
            reset: None,
            timer: Timer::new(wait, now),
            unsent: (0, Pace::new(now)),
            outcome: None,
            side,
        }
    }

    /// Takes bytes that have arrived, cut in any way.
    pub fn handle_input(&mut self, now: Instant, bytes: Bytes) {
        match &mut self.phase {
            Phase::Open | Phase::Draining => {
                self.timer.on_input(now);
                self.input.push(bytes);
            }
            Phase::Lingering(discarded) => {
                let discarded = *discarded + bytes.len() as u64;
                self.linger(discarded);
            }
            Phase::Leaving | Phase::Closed => {}
        }
    }

    /// Takes note that the peer has closed its sending side, or that the transport is lost.
    ///
    /// A request whose response is not complete is cancelled: a client that closes has most often given up.
    pub fn handle_end(&mut self, _: Instant) {
        self.input_ended = true;
    }

    /// Ends waits that have been too long. A call that comes early does nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.timer.deadline(&self.limits).is_none_or(|deadline| now < deadline) {
            return;
        }
        match self.timer.wait() {
            Wait::Nothing => {}
            Wait::Idle => self.end(Phase::Leaving, Outcome::Idle),
            Wait::Head => self.fail(Fault::HeadTimeout),
            Wait::Body | Wait::MeasuredBody => self.fail(Fault::BodyTimeout),
            Wait::Discard => self.finish(Outcome::Finished),
            Wait::Linger => self.phase = Phase::Closed,
        }
    }

    /// The next event. Bytes are read here, so that an application that does not ask slows its peer down.
    pub fn poll_event(&mut self) -> Option<Event<R::Head>> {
        loop {
            if let Some((stream, reset)) = self.reset.take() {
                return Some(Event::Reset { stream, reset });
            }
            if matches!(self.phase, Phase::Lingering(_) | Phase::Leaving | Phase::Closed) {
                return None;
            }
            if let Some(stream) = self.stream.filter(|_| self.starved && self.room() > 0) {
                self.starved = false;
                return Some(Event::Room { stream });
            }
            let step = match self.receive {
                Receive::ExpectHead => self.read_head(),
                Receive::Body(_) => self.read_body(),
                Receive::Discard(..) => self.discard(),
                Receive::Nothing if self.input_ended => {
                    self.abort(Reset::Disconnected, Outcome::PeerClosed);
                    Ok(Step::Again)
                }
                Receive::Nothing | Receive::TunnelEnd => return None,
                Receive::Tunnel => Ok(self.read_tunnel()),
            };
            match step {
                Ok(Step::Event(event)) => return Some(event),
                Ok(Step::Again) => {}
                Ok(Step::Wait) => return None,
                Err(fault) => self.fail(fault),
            }
        }
    }

    /// Moves bytes that are to be sent into `out`, if `out` is empty. If it is not, this only sees whether the peer takes
    /// enough.
    ///
    /// Where bytes were moved, [`poll_event`](Self::poll_event) may have more to say.
    pub fn poll_output(&mut self, now: Instant, out: &mut SendQueue) -> Output {
        let (unsent, pace) = &mut self.unsent;
        if out.len() < *unsent {
            pace.take(*unsent - out.len(), now);
            *unsent = out.len();
        }
        let (timeout, min) = (self.limits.send_timeout, self.limits.send_min());
        let is_slow = !out.is_empty() && pace.is_slow(now, timeout, min);
        if out.is_empty() {
            self.flush_head();
            if !self.out.is_empty() {
                std::mem::swap(out, &mut self.out);
            }
            self.unsent = (out.len(), Pace::new(now));
        }
        let lingers = match self.phase {
            Phase::Open | Phase::Draining | Phase::Closed => true,
            Phase::Lingering(_) => !self.input_ended,
            Phase::Leaving => false,
        };
        if !lingers && out.is_empty() {
            self.phase = Phase::Closed;
        }
        let stalled_at = if out.is_empty() { None } else { self.unsent.1.due(timeout) };
        if is_slow && self.phase != Phase::Closed {
            self.fail(Fault::SendTimeout);
        }
        self.timer.set(self.wait(out), now);
        let deadline = self.timer.deadline(&self.limits);
        Output {
            deadline: [deadline, stalled_at].into_iter().flatten().min(),
            read: self.wants_input(),
            close: match self.phase {
                Phase::Open | Phase::Draining => Close::No,
                // More is to be sent than `out` has had room for.
                Phase::Lingering(_) | Phase::Leaving if !self.out.is_empty() => Close::No,
                Phase::Lingering(_) | Phase::Leaving => Close::Sending,
                Phase::Closed => Close::Both,
            },
        }
    }

    /// The stream of this number; `None` if it is gone.
    pub fn stream(&mut self, id: StreamId) -> Option<StreamMut<'_, R>> {
        (self.stream == Some(id)).then(|| StreamMut::new(self, id))
    }

    /// Completes the exchange that runs, then closes.
    pub fn drain(&mut self, _now: Instant) {
        if self.phase == Phase::Open {
            self.phase = Phase::Draining;
            self.persists = false;
            if self.is_between_messages() {
                self.end(Phase::Leaving, Outcome::Finished);
            }
        }
    }

    /// Closes at once. A stream that is open is reset.
    pub fn close(&mut self, _now: Instant) {
        let outcome = if self.is_between_messages() { Outcome::Finished } else { Outcome::Aborted };
        self.abort(Reset::Disconnected, outcome);
    }

    /// Whether no stream is open.
    pub fn is_idle(&self) -> bool {
        self.stream.is_none()
    }

    /// The reason why the connection has ended, or is about to.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref()
    }

    fn read_head(&mut self) -> Result<Step<R::Head>, Fault> {
        match R::read_head(self)? {
            Some(event) => Ok(Step::Event(event)),
            None if !self.input_ended => Ok(Step::Wait),
            None if !self.is_between_messages() => Err(Fault::Truncated),
            None => {
                self.finish(Outcome::PeerClosed);
                Ok(Step::Again)
            }
        }
    }

    fn read_body(&mut self) -> Result<Step<R::Head>, Fault> {
        let Receive::Body(body) = &mut self.receive else { return Ok(Step::Again) };
        if self.unreleased >= self.limits.unreleased_max {
            return Ok(Step::Wait);
        }
        let stream = self.stream.expect("the stream of a body that is read is open");
        let event = match body.read(&mut self.input, &self.limits, self.names)? {
            Some(Piece::Data { data, end }) => {
                self.unreleased += data.len();
                self.timer.on_body(data.len());
                Event::Data { stream, data, end }
            }
            Some(Piece::Trailers(fields)) => Event::Trailers { stream, fields },
            None if !self.input_ended => return Ok(Step::Wait),
            None if matches!(body, Body::UntilEnd) => Event::Data { stream, data: Bytes::new(), end: true },
            None => return Err(Fault::Truncated),
        };
        if matches!(event, Event::Data { end: true, .. } | Event::Trailers { .. }) {
            self.receive = Receive::Nothing;
            R::settle(self);
        }
        Ok(Step::Event(event))
    }

    fn discard(&mut self) -> Result<Step<R::Head>, Fault> {
        let Receive::Discard(body, discarded) = &mut self.receive else { return Ok(Step::Again) };
        match body.read(&mut self.input, &self.limits, self.names)? {
            Some(Piece::Data { data, end }) => {
                *discarded += data.len() as u64;
                if *discarded > self.limits.drain_max {
                    self.finish(Outcome::Finished);
                } else if end {
                    self.receive = Receive::Nothing;
                    R::settle(self);
                }
            }
            Some(Piece::Trailers(_)) => {
                self.receive = Receive::Nothing;
                R::settle(self);
            }
            None if self.input_ended => self.finish(Outcome::PeerClosed),
            None => return Ok(Step::Wait),
        }
        Ok(Step::Again)
    }

    fn read_tunnel(&mut self) -> Step<R::Head> {
        if self.unreleased >= self.limits.unreleased_max || (self.input.is_empty() && !self.input_ended) {
            return Step::Wait;
        }
        let stream = self.stream.expect("a tunnel is a stream that is open");
        let data = self.input.take(u64::MAX);
        self.unreleased += data.len();
        if self.input_ended {
            self.receive = Receive::TunnelEnd;
        }
        Step::Event(Event::Data { stream, data, end: self.input_ended })
    }

    /// Ends the connection over a fault of the peer's.
    pub(crate) fn fail(&mut self, fault: Fault) {
        self.outcome.get_or_insert(Outcome::Fault(fault));
        if let Some(stream) = self.stream.take() {
            self.reset = Some((stream, fault.reset()));
        }
        R::conclude(self, fault);
    }

    /// Ends the connection at once; a stream that is open hears of it.
    pub(crate) fn abort(&mut self, reset: Reset, outcome: Outcome) {
        if let Some(stream) = self.stream.take() {
            self.reset = Some((stream, reset));
        }
        self.end(Phase::Closed, outcome);
    }

    /// Closes in order: the peer can still read what was sent.
    pub(crate) fn finish(&mut self, outcome: Outcome) {
        let unread = self.input.len() as u64;
        self.end(Phase::Lingering(0), outcome);
        if matches!(self.phase, Phase::Lingering(_)) {
            self.linger(unread);
        }
    }

    fn linger(&mut self, discarded: u64) {
        let is_within = discarded <= self.limits.linger_max;
        self.phase = if is_within { Phase::Lingering(discarded) } else { Phase::Closed };
    }

    pub(crate) fn end(&mut self, phase: Phase, outcome: Outcome) {
        self.outcome.get_or_insert(outcome);
        if self.phase != Phase::Closed {
            self.phase = phase;
        }
        self.stream = None;
        self.input.clear();
    }

    fn is_between_messages(&self) -> bool {
        matches!(self.receive, Receive::ExpectHead)
            && self.stream.is_none()
            && self.input.is_empty()
            && !R::is_within_head(self)
    }

    pub(crate) fn body_has_begun(&self) -> bool {
        self.timer.body_has_begun()
    }

    /// Takes note of what was written: once the room is used up, the stream hears when there is some again.
    pub(crate) fn note_room(&mut self) {
        self.starved |= self.room() == 0;
    }

    /// The bytes that the stream may add to what is to be sent.
    pub(crate) fn room(&self) -> usize {
        SEND_MAX.saturating_sub(self.out.len())
    }

    pub(crate) fn release(&mut self, len: usize) {
        self.unreleased = self.unreleased.saturating_sub(len);
    }

    /// Begins a stream.
    pub(crate) fn open(&mut self) -> StreamId {
        self.streams = self.streams.wrapping_add(1);
        let stream = StreamId(self.streams);
        self.stream = Some(stream);
        self.unreleased = 0;
        self.starved = self.room() == 0;
        self.timer.restart_body();
        stream
    }

    fn wants_input(&self) -> bool {
        match self.phase {
            _ if self.input_ended => false,
            Phase::Lingering(_) | Phase::Leaving => true,
            Phase::Closed => false,
            Phase::Open | Phase::Draining => match self.receive {
                Receive::ExpectHead => self.room() > 0 || self.input.is_empty(),
                Receive::Body(_) | Receive::Tunnel => self.unreleased < self.limits.unreleased_max,
                Receive::Discard(..) => true,
                Receive::Nothing | Receive::TunnelEnd => self.input.len() < self.limits.pipelined_max,
            },
        }
    }

    fn wait(&self, out: &SendQueue) -> Wait {
        match self.phase {
            Phase::Lingering(_) if out.is_empty() => Wait::Linger,
            Phase::Lingering(_) | Phase::Leaving | Phase::Closed => Wait::Nothing,
            Phase::Open | Phase::Draining => match self.receive {
                Receive::ExpectHead if self.room() == 0 => Wait::Nothing,
                Receive::Body(_) if self.unreleased >= self.limits.unreleased_max => Wait::Nothing,
                Receive::ExpectHead | Receive::Body(_) => R::wait(self),
                Receive::Discard(..) => Wait::Discard,
                Receive::Nothing | Receive::Tunnel | Receive::TunnelEnd => Wait::Nothing,
            },
        }
    }
}

/// The end of an attempt to read.
enum Step<H> {
    Event(Event<H>),
    /// The state has changed.
    Again,
    /// The peer, or the application, has to do something.
    Wait,
}

/// The most bytes that a stream adds before it waits for them to leave.
pub(crate) const SEND_MAX: usize = 64 * 1024;
