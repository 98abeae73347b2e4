//! The connection: its state, its life, and its times.

use crate::frame::{self, FRAME_MAX_DEFAULT, PREFACE, STREAM_MAX, WINDOW_DEFAULT, WINDOW_MAX, kind, setting};
use crate::guard::{Bucket, Timer, Timers};
use crate::heads::Heads;
use crate::outcome::Checked;
use crate::receive::{Block, Reading, flow_control};
use crate::send::BEFORE_BLOCK;
use crate::streams::{Ended, Finish, Key, Recv, Send, Streams};
use crate::{ErrorCode, Limits, Outcome, Side, StreamMut, Wait};
use bytes::{Buf, Bytes};
use ringwire_hpack::Encoder;
use ringwire_http::{
    Client, Close, Event, HeadersMut, Method, Names, Output, Pace, RequestLine, Reset, SendQueue, Server,
    StreamId,
};
use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;
use std::time::{Duration, Instant};

/// One side of an HTTP/2 connection.
///
/// ```
/// # use ringwire_http::{Client, Event, Method, Names, RequestLine, Scheme, SendQueue, Server};
/// # use ringwire_http2::{Connection, Limits};
/// # use std::time::Instant;
/// let now = Instant::now();
/// let mut client = Connection::client(Limits::default(), Names::HTTP, now);
/// let mut server = Connection::server(Limits::default(), Names::HTTP, now);
/// let line = RequestLine { method: &Method::Get, scheme: Scheme::Http, authority: "a.example", target: "/b" };
/// let id = client.request(line, true, |_| {}).expect("a new connection has room");
///
/// let mut wire = SendQueue::new();
/// client.poll_output(now, &mut wire);
/// server.handle_input(now, wire.chunks().collect::<Vec<_>>().concat().into());
/// let Some(Event::Head { stream, head, end: true }) = server.poll_event() else { panic!("no request") };
/// assert_eq!((stream, head.path()), (id, "/b"));
/// server.stream(stream).expect("an open stream").send_head(204, true, |_| {});
/// ```
pub struct Connection<R: Side> {
    pub(crate) limits: Limits,
    pub(crate) names: &'static Names,
    /// The latest time that the shell has said.
    pub(crate) now: Instant,
    pub(crate) life: Life,
    outcome: Option<Outcome>,
    pub(crate) events: VecDeque<Event<R::Head>>,
    pub(crate) streams: Streams,
    /// The highest stream that the client has opened.
    pub(crate) stream_last: u32,
    /// The last stream that the server has said it will look at.
    goaway_received: Option<u32>,

    pub(crate) input: Bytes,
    /// The beginning of a frame, as far as it has come.
    pub(crate) partial: Vec<u8>,
    pub(crate) reading: Reading,
    /// A header block that CONTINUATION frames go on with.
    pub(crate) block: Option<Block>,
    pub(crate) heads: Heads,
    pub(crate) recv_window: i32,
    recv_window_size: u32,
    /// Bytes that have arrived, and that the peer has not been told of.
    recv_arrived: u32,
    /// Bytes that have arrived, and wait for the application.
    recv_withheld: u32,
    pub(crate) unreleased: usize,
    window_updated: Instant,
    settings_sent: Option<Instant>,
    round_trip: Option<Duration>,

    pub(crate) queue: SendQueue,
    pub(crate) encoder: Encoder,
    /// The block that is being encoded, behind room for what comes before it: the header of its frame, and a status.
    pub(crate) scratch: Vec<u8>,
    pub(crate) peer: PeerSettings,
    pub(crate) send_window: i32,
    /// Streams with something to send, in the order of their turns.
    pub(crate) ready: VecDeque<Key>,
    pub(crate) wants_room: Vec<Key>,
    /// Bytes that the shell had not sent when it last asked, and the pace at which they become fewer.
    unsent: usize,
    pace: Pace,
    send_overdue: bool,

    pub(crate) timers: Timers,
    input_last: Instant,
    /// The time at which the shell asked first after the last stream had ended.
    idle_since: Option<Instant>,
    resets: Bucket,
    pub(crate) control_frames: Bucket,
    replies: u32,
    /// The bytes of the peer that were discarded since everything is said.
    discarded: usize,
    role: PhantomData<R>,
}

/// The life of a connection.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Life {
    /// Streams come and go.
    Open,
    /// The first GOAWAY is sent; the peer may not know of it yet.
    Draining(Outcome),
    /// The last GOAWAY is sent. Streams above the number are not looked at.
    Drained(Outcome, u32),
    /// Everything is said. What the peer still sends is discarded, so that it can read the last bytes.
    Lingering,
    /// The end.
    Closed,
}

/// The settings of the peer.
#[derive(Debug)]
pub(crate) struct PeerSettings {
    pub(crate) initial_window: u32,
    pub(crate) frame_max: usize,
    pub(crate) streams_max: u32,
}

impl Connection<Server> {
    /// The server's side. Field names are classified by `names`.
    pub fn server(limits: Limits, names: &'static Names, now: Instant) -> Self {
        let mut connection = Self::new(limits, names, now);
        let settings = [
            (setting::MAX_CONCURRENT_STREAMS, connection.limits.streams_max),
            (setting::INITIAL_WINDOW_SIZE, connection.limits.stream_window),
            (setting::MAX_FRAME_SIZE, connection.limits.frame_max),
            (setting::MAX_HEADER_LIST_SIZE, connection.limits.header_list_max),
        ];
        connection.put_settings(&settings);
        connection
    }
}

impl Connection<Client> {
    /// The client's side. Field names are classified by `names`.
    pub fn client(limits: Limits, names: &'static Names, now: Instant) -> Self {
        let mut connection = Self::new(limits, names, now);
        connection.queue.buffer().extend_from_slice(PREFACE);
        let settings = [
            (setting::ENABLE_PUSH, 0),
            (setting::INITIAL_WINDOW_SIZE, connection.limits.stream_window),
            (setting::MAX_FRAME_SIZE, connection.limits.frame_max),
            (setting::MAX_HEADER_LIST_SIZE, connection.limits.header_list_max),
        ];
        connection.put_settings(&settings);
        connection
    }

    /// Sends the head of a request; `end` if neither body nor trailers follow. Returns `None` if no stream can be opened now.
    pub fn request(
        &mut self,
        line: RequestLine<'_>,
        end: bool,
        fields: impl FnOnce(&mut dyn HeadersMut),
    ) -> Option<StreamId> {
        if self.streams_available() == 0 {
            return None;
        }
        self.stream_last = if self.stream_last == 0 { 1 } else { self.stream_last + 2 };
        let mut block = self.begin_block();
        block.method(line.method);
        if *line.method != Method::Connect {
            block.scheme(line.scheme);
            block.path(line.target);
        }
        block.authority(line.authority);
        fields(&mut block);
        let key = self.open(self.stream_last, Recv::Head, if end { Send::Ended } else { Send::Body });
        self.streams.at(key).bodiless = *line.method == Method::Head;
        self.put_block(key.id, end, None);
        Some(StreamId(key.id))
    }

    /// The number of requests that can be opened now.
    pub fn streams_available(&self) -> usize {
        if !matches!(self.life, Life::Open)
            || self.goaway_received.is_some()
            || self.stream_last >= STREAM_MAX
        {
            return 0;
        }
        (self.peer.streams_max as usize).saturating_sub(self.streams.len())
    }
}

impl<R: Side> Connection<R> {
    fn new(mut limits: Limits, names: &'static Names, now: Instant) -> Self {
        // Before the peer knows our settings it may use the defaults.
        limits.stream_window = limits.stream_window.clamp(WINDOW_DEFAULT, WINDOW_MAX);
        limits.stream_window_max = limits.stream_window_max.clamp(limits.stream_window, WINDOW_MAX);
        limits.connection_window = limits.connection_window.clamp(WINDOW_DEFAULT, WINDOW_MAX);
        limits.connection_window_max =
            limits.connection_window_max.clamp(limits.connection_window, WINDOW_MAX);
        limits.frame_max = limits.frame_max.clamp(FRAME_MAX_DEFAULT as u32, FRAME_LIMIT);
        let mut timers = Timers::default();
        timers.set_after(Timer::Preface, now, Some(limits.preface_timeout));
        timers.set_after(Timer::SettingsAck, now, Some(limits.settings_ack_timeout));
        timers.set_after(Timer::Keepalive, now, limits.ping_interval);
        timers.set_after(Timer::Age, now, limits.age_max);
        Self {
            names,
            now,
            life: Life::Open,
            outcome: None,
            events: VecDeque::new(),
            streams: Streams::default(),
            stream_last: 0,
            goaway_received: None,
            input: Bytes::new(),
            partial: Vec::new(),
            reading: if R::IS_SERVER { Reading::Preface } else { Reading::Settings },
            block: None,
            heads: Heads::new(names, limits.header_list_max),
            recv_window: limits.connection_window as i32,
            recv_window_size: limits.connection_window,
            recv_arrived: 0,
            recv_withheld: 0,
            unreleased: 0,
            window_updated: now,
            settings_sent: None,
            round_trip: None,
            queue: SendQueue::new(),
            encoder: Encoder::new(names),
            scratch: vec![0; BEFORE_BLOCK],
            peer: PeerSettings {
                initial_window: WINDOW_DEFAULT,
                frame_max: FRAME_MAX_DEFAULT,
                streams_max: limits.streams_max,
            },
            send_window: WINDOW_DEFAULT as i32,
            ready: VecDeque::new(),
            wants_room: Vec::new(),
            unsent: 0,
            pace: Pace::new(now),
            idle_since: None,
            send_overdue: false,
            timers,
            input_last: now,
            resets: Bucket::new(limits.resets, now),
            control_frames: Bucket::new(limits.control_frames, now),
            replies: 0,
            discarded: 0,
            role: PhantomData,
            limits,
        }
    }

    fn put_settings(&mut self, settings: &[(u16, u32)]) {
        let mut payload = Vec::with_capacity(settings.len() * 6);
        for (name, value) in settings {
            payload.extend_from_slice(&name.to_be_bytes());
            payload.extend_from_slice(&value.to_be_bytes());
        }
        let increment = self.recv_window_size - WINDOW_DEFAULT;
        let out = self.queue.buffer();
        frame::put(out, kind::SETTINGS, 0, 0, &payload);
        if increment > 0 {
            frame::put(out, kind::WINDOW_UPDATE, 0, 0, &increment.to_be_bytes());
        }
    }

    /// Takes bytes of the peer, cut in any way. Bodies become slices of them: an application that keeps a small piece for
    /// long copies it.
    pub fn handle_input(&mut self, now: Instant, bytes: Bytes) {
        self.now = now;
        self.input_last = now;
        if self.has_ended() {
            self.discarded += bytes.len();
            if self.discarded > DISCARDED_MAX {
                self.life = Life::Closed;
            }
            return;
        }
        if self.input.is_empty() {
            self.input = bytes;
        } else {
            self.join_input(&bytes);
        }
    }

    #[cold]
    fn join_input(&mut self, bytes: &[u8]) {
        self.input = [&self.input[..], bytes].concat().into();
    }

    /// Takes the end of the transport: the peer has closed its sending side, or the transport has failed. Streams that are
    /// open end with [`Reset::Disconnected`].
    pub fn handle_end(&mut self, now: Instant) {
        self.now = now;
        let outcome = match &self.life {
            // A peer that was asked to go has gone.
            Life::Draining(asked) | Life::Drained(asked, _) if self.streams.is_empty() => asked.clone(),
            Life::Open | Life::Draining(_) | Life::Drained(..) => Outcome::Disconnected,
            Life::Lingering | Life::Closed => Outcome::Disconnected,
        };
        self.finish(outcome, Life::Closed);
    }

    /// Does what is due. A call that comes early does nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.now = now;
        while let Some(timer) = self.timers.take_due(now) {
            self.handle_timer(timer);
        }
    }

    fn handle_timer(&mut self, timer: Timer) {
        match timer {
            Timer::Preface => self.fail(Outcome::TimedOut(Wait::Preface)),
            Timer::SettingsAck => self.fail(Outcome::TimedOut(Wait::SettingsAck)),
            Timer::Frame => self.fail(Outcome::TimedOut(Wait::Frame)),
            Timer::PingAck => self.fail(Outcome::TimedOut(Wait::Ping)),
            Timer::Drain => self.fail(Outcome::TimedOut(Wait::Drain)),
            Timer::Keepalive => self.keep_alive(),
            Timer::Send => self.check_progress(),
            Timer::Windows => self.reset_blocked(),
            Timer::Idle => self.check_idle(),
            Timer::Age => self.begin_drain(Outcome::Aged),
            Timer::DrainStep => self.end_drain(),
            Timer::Linger => self.life = Life::Closed,
        }
    }

    fn keep_alive(&mut self) {
        let Some(interval) = self.limits.ping_interval else { return };
        let silent = self.now.saturating_duration_since(self.input_last);
        if silent < interval {
            return self.timers.set_after(Timer::Keepalive, self.input_last, Some(interval));
        }
        frame::put(self.queue.buffer(), kind::PING, 0, 0, PING_KEEPALIVE);
        self.timers.set_after(Timer::PingAck, self.now, Some(self.limits.ping_timeout));
        self.timers.set_after(Timer::Keepalive, self.now, Some(interval.max(self.limits.ping_timeout)));
    }

    /// Ends the connection in peace: no new streams are taken, those that are open may end.
    pub fn drain(&mut self, now: Instant) {
        self.now = now;
        self.begin_drain(Outcome::Closed);
    }

    /// Section 6.8: the first GOAWAY names no stream, so that none is lost that is on its way; the second one does.
    fn begin_drain(&mut self, outcome: Outcome) {
        if !matches!(self.life, Life::Open) {
            return;
        }
        self.timers.clear(Timer::Idle);
        self.timers.clear(Timer::Age);
        self.timers.set_after(Timer::Drain, self.now, Some(self.limits.drain_timeout));
        self.life = Life::Draining(outcome);
        if R::IS_SERVER {
            self.put_goaway(STREAM_MAX, ErrorCode::NO_ERROR, "");
            frame::put(self.queue.buffer(), kind::PING, 0, 0, PING_DRAIN);
            self.timers.set_after(Timer::DrainStep, self.now, Some(DRAIN_STEP));
        } else {
            self.end_drain();
        }
    }

    /// Sends the last GOAWAY of a drain.
    fn end_drain(&mut self) {
        let Life::Draining(outcome) = &self.life else { return };
        let last = if R::IS_SERVER { self.stream_last } else { 0 };
        self.life = Life::Drained(outcome.clone(), last);
        self.timers.clear(Timer::DrainStep);
        self.put_goaway(last, ErrorCode::NO_ERROR, "");
    }

    /// Ends the connection now. Streams that are open end with [`Reset::Disconnected`].
    pub fn close(&mut self, now: Instant) {
        self.now = now;
        self.fail(Outcome::Closed);
    }

    /// Whether nothing more is read.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.life, Life::Lingering | Life::Closed)
    }

    /// Whether no stream is open.
    pub fn is_idle(&self) -> bool {
        self.streams.is_empty()
    }

    /// The reason why the connection has ended; `None` before that.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref()
    }

    /// The open stream of this number.
    #[inline]
    pub fn stream(&mut self, id: StreamId) -> Option<StreamMut<'_, R>> {
        let key = self.streams.find(id.0)?;
        Some(StreamMut::new(self, key))
    }

    /// Moves bytes that are to be sent to `out`, if it is empty, and says what the connection waits for.
    ///
    /// Call it whenever `out` has been emptied: there may be more.
    pub fn poll_output(&mut self, now: Instant, out: &mut SendQueue) -> Output {
        self.now = now;
        if out.is_empty() {
            if !self.ready.is_empty() {
                self.pump();
            }
            self.send_overdue = false;
            if self.queue.is_empty() {
                self.timers.clear(Timer::Send);
            } else {
                std::mem::swap(&mut self.queue, out);
                self.replies = 0;
                if self.settings_sent.is_none() {
                    self.settings_sent = Some(now);
                }
                self.expect_progress(out.len());
            }
            if !self.wants_room.is_empty() {
                self.offer_room();
            }
        } else {
            self.look_at_progress(out.len());
        }
        self.end_if_drained();
        if self.idle_since.is_none() && self.streams.is_empty() {
            self.idle_since = Some(now);
        }
        if !self.timers.is_set(Timer::Idle) && matches!(self.life, Life::Open) {
            self.timers.set_after(Timer::Idle, now, self.limits.idle_timeout);
        }
        if let Life::Lingering = self.life {
            if out.is_empty() && !self.timers.is_set(Timer::Linger) {
                self.timers.set_after(Timer::Linger, now, Some(CLOSE_GRACE));
            } else if !out.is_empty() && !self.timers.is_set(Timer::Send) {
                self.expect_progress(out.len());
            }
        }
        let close = match self.life {
            Life::Open | Life::Draining(_) | Life::Drained(..) => Close::No,
            // More is to be sent than `out` has had room for.
            Life::Lingering if !self.queue.is_empty() => Close::No,
            Life::Lingering => Close::Sending,
            Life::Closed => Close::Both,
        };
        Output { deadline: self.timers.next(), read: true, close }
    }

    /// The bytes that the peer must take in a `send_timeout`.
    fn send_min(&self) -> u64 {
        self.limits.send_timeout.as_secs().saturating_mul(self.limits.send_rate_min.into()).max(1)
    }

    /// Begins to wait until the peer takes what is unsent. The timer is not moved each time: it looks again when it is due.
    fn expect_progress(&mut self, unsent: usize) {
        self.unsent = unsent;
        self.pace = Pace::new(self.now);
        self.send_overdue = false;
        if !self.timers.is_set(Timer::Send) {
            self.timers.set_after(Timer::Send, self.now, Some(self.limits.send_timeout));
        }
    }

    /// Only the shell knows whether it has sent anything since: `poll_output` asks.
    fn check_progress(&mut self) {
        match self.pace.due(self.limits.send_timeout).filter(|due| *due > self.now) {
            Some(later) => self.timers.set(Timer::Send, later),
            None => self.send_overdue = true,
        }
    }

    fn look_at_progress(&mut self, unsent: usize) {
        if unsent < self.unsent {
            self.pace.take(self.unsent - unsent, self.now);
            self.unsent = unsent;
        }
        if !std::mem::take(&mut self.send_overdue) {
            return;
        }
        if self.pace.is_slow(self.now, self.limits.send_timeout, self.send_min()) {
            self.finish(Outcome::TimedOut(Wait::Send), Life::Closed);
        } else if let Some(later) = self.pace.due(self.limits.send_timeout) {
            self.timers.set(Timer::Send, later);
        }
    }

    /// The timer is not moved with each stream: it looks again when it is due, and `poll_output` sets it anew.
    fn check_idle(&mut self) {
        let Some(since) = self.idle_since.filter(|_| self.streams.is_empty()) else { return };
        let due = self.limits.idle_timeout.and_then(|timeout| since.checked_add(timeout));
        match due.filter(|due| *due > self.now) {
            Some(later) => self.timers.set(Timer::Idle, later),
            None => self.begin_drain(Outcome::Idle),
        }
    }

    #[inline]
    fn end_if_drained(&mut self) {
        if !self.streams.is_empty() || !self.queue.is_empty() {
            return;
        }
        let outcome = match &self.life {
            Life::Drained(outcome, _) => outcome.clone(),
            // The server takes no more streams, and those it took have ended.
            Life::Open if self.goaway_received.is_some() && !R::IS_SERVER => Outcome::Closed,
            Life::Open | Life::Draining(_) | Life::Lingering | Life::Closed => return,
        };
        self.finish(outcome, Life::Lingering);
    }

    /// Ends the connection with a GOAWAY.
    pub(crate) fn fail(&mut self, outcome: Outcome) {
        if self.has_ended() {
            return;
        }
        let (code, debug) = outcome.goaway();
        let last = if R::IS_SERVER { self.stream_last } else { 0 };
        self.put_goaway(last, code, debug);
        self.finish(outcome, Life::Lingering);
    }

    fn finish(&mut self, outcome: Outcome, life: Life) {
        if let Life::Closed = self.life {
            return;
        }
        self.life = life;
        self.outcome.get_or_insert(outcome);
        while let Some(key) = self.streams.last() {
            self.events.push_back(Event::Reset { stream: StreamId(key.id), reset: Reset::Disconnected });
            self.streams.remove(key, Ended::ResetHere);
        }
        self.ready.clear();
        self.wants_room.clear();
        self.input.clear();
        self.partial = Vec::new();
        self.reading = Reading::Header;
        self.block = None;
        self.timers.clear_all();
    }

    fn put_goaway(&mut self, last: u32, code: ErrorCode, debug: &str) {
        let payload = [&last.to_be_bytes()[..], &code.0.to_be_bytes(), debug.as_bytes()].concat();
        frame::put(self.queue.buffer(), kind::GOAWAY, 0, 0, &payload);
    }

    /// Takes the peer's GOAWAY.
    pub(crate) fn handle_goaway(&mut self, last: u32, code: ErrorCode, debug: &[u8]) {
        self.goaway_received = Some(last);
        if code != ErrorCode::NO_ERROR {
            let debug = String::from_utf8_lossy(&debug[..debug.len().min(DEBUG_KEPT)]).into();
            self.outcome.get_or_insert(Outcome::Gone { code, debug });
        }
        if R::IS_SERVER {
            return;
        }
        while let Some(key) = self.streams.last().filter(|key| key.id > last) {
            self.events.push_back(Event::Reset { stream: StreamId(key.id), reset: Reset::Refused });
            self.remove(key, Ended::ResetHere);
        }
    }

    /// Takes the answer to a PING.
    pub(crate) fn handle_ping_ack(&mut self, payload: &[u8]) {
        if payload == PING_KEEPALIVE {
            self.timers.clear(Timer::PingAck);
        } else if payload == PING_DRAIN {
            self.end_drain();
        }
    }

    pub(crate) fn handle_settings_ack(&mut self) {
        self.timers.clear(Timer::SettingsAck);
        if self.round_trip.is_none() {
            self.round_trip = self.settings_sent.map(|sent| self.now.saturating_duration_since(sent));
        }
    }

    /// Counts a reply that waits until the peer reads.
    pub(crate) fn count_reply(&mut self) -> Checked<()> {
        self.replies += 1;
        if self.replies > self.limits.replies_max {
            return Err(Outcome::Excess(crate::Guard::Replies).into());
        }
        Ok(())
    }

    /// Counts a frame that carries neither a message nor news.
    pub(crate) fn count_control_frame(&mut self) -> Checked<()> {
        if self.control_frames.take(1, self.now) {
            Ok(())
        } else {
            Err(Outcome::Excess(crate::Guard::ControlFrames).into())
        }
    }

    /// Opens a stream.
    #[inline(always)]
    pub(crate) fn open(&mut self, id: u32, recv: Recv, send: Send) -> Key {
        self.control_frames.earn(FRAMES_EARNED);
        let key = self.streams.insert(id, self.now);
        let stream = self.streams.at(key);
        stream.recv = recv;
        stream.send = send;
        stream.recv_window = self.limits.stream_window as i32;
        stream.recv_window_size = self.limits.stream_window;
        stream.unreleased = 0;
        stream.released = 0;
        stream.window_updated = self.now;
        stream.send_window = self.peer.initial_window as i32;
        stream.content_left = None;
        stream.bodiless = false;
        stream.is_ready = false;
        stream.wants_room = false;
        stream.is_blocked = false;
        stream.pace = None;
        key
    }

    /// Ends a stream.
    #[inline(never)]
    pub(crate) fn remove(&mut self, key: Key, ended: Ended) {
        self.end_stream(key, ended);
    }

    #[inline(always)]
    pub(crate) fn end_stream(&mut self, key: Key, ended: Ended) {
        let unreleased = self.streams.at(key).unreleased;
        self.streams.remove(key, ended);
        self.idle_since = None;
        if unreleased > 0 {
            self.release_connection(unreleased);
        }
        if ended == Ended::Whole {
            self.resets.earn(1);
        }
    }

    /// Resets a stream, and tells nobody here.
    pub(crate) fn put_reset(&mut self, id: u32, code: ErrorCode) {
        frame::put(self.queue.buffer(), kind::RST_STREAM, 0, id, &code.0.to_be_bytes());
    }

    /// Resets an open stream because of the peer.
    #[cold]
    pub(crate) fn fault(&mut self, key: Key, code: ErrorCode) -> Checked<()> {
        let reset = match code {
            ErrorCode::STREAM_CLOSED => Reset::Malformed,
            other => other.into(),
        };
        self.events.push_back(Event::Reset { stream: StreamId(key.id), reset });
        self.remove(key, Ended::ResetHere);
        self.refuse(key.id, code)
    }

    /// Resets a stream that is not open.
    #[cold]
    pub(crate) fn refuse(&mut self, id: u32, code: ErrorCode) -> Checked<()> {
        self.put_reset(id, code);
        self.count_resets(1)
    }

    /// Counts streams that came to nothing.
    pub(crate) fn count_resets(&mut self, count: u32) -> Checked<()> {
        if self.resets.take(count, self.now) {
            Ok(())
        } else {
            Err(Outcome::Excess(crate::Guard::Resets).into())
        }
    }

    /// Counts a header list that is too large, by the bytes that were looked at.
    pub(crate) fn count_large_list(&mut self, bytes: usize) -> Checked<()> {
        let count = bytes.saturating_mul(LIST_RESETS) / (self.limits.header_list_max as usize).max(1);
        self.count_resets(u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// Takes bytes off the connection's window, and opens it again: no stream may block the others. Beyond a bound the
    /// application has to release some first.
    #[inline]
    pub(crate) fn take_window(&mut self, len: usize) -> Checked<()> {
        let len = len as u32;
        self.recv_window -= len as i32;
        if self.recv_window < 0 {
            return Err(flow_control("DATA beyond the window of the connection"));
        }
        if self.unreleased > self.limits.unreleased_max {
            self.recv_withheld += len;
        } else {
            self.recv_arrived += len;
            self.update_window();
        }
        Ok(())
    }

    /// Takes note of bytes that the application has released.
    #[inline]
    pub(crate) fn release_connection(&mut self, len: u32) {
        self.unreleased -= len as usize;
        if self.recv_withheld > 0 && self.unreleased <= self.limits.unreleased_max {
            self.recv_arrived += std::mem::take(&mut self.recv_withheld);
            self.update_window();
        }
    }

    #[inline]
    fn update_window(&mut self) {
        if self.recv_arrived >= self.recv_window_size / 2 {
            self.open_window();
        }
    }

    #[cold]
    fn open_window(&mut self) {
        let size = self.grown(self.recv_window_size, self.limits.connection_window_max, self.window_updated);
        let increment = self.recv_arrived + (size - self.recv_window_size);
        self.recv_window_size = size;
        self.recv_window += increment as i32;
        self.recv_arrived = 0;
        self.window_updated = self.now;
        frame::put(self.queue.buffer(), kind::WINDOW_UPDATE, 0, 0, &increment.to_be_bytes());
    }

    /// The size of a window whose half was used up since `updated`: if that took no more than two round trips, the window is
    /// what holds the peer back.
    pub(crate) fn grown(&self, size: u32, max: u32, updated: Instant) -> u32 {
        let Some(round_trip) = self.round_trip else { return size };
        let took = self.now.saturating_duration_since(updated);
        if took <= round_trip * 2 { size.saturating_mul(2).min(max) } else { size }
    }

    /// Resets the streams whose windows the peer has kept shut, or all but shut, for too long.
    fn reset_blocked(&mut self) {
        let (now, timeout, min) = (self.now, self.limits.send_timeout, self.send_min());
        let mut next = None;
        let keys: Vec<Key> = self.streams.keys().collect();
        for key in keys {
            let stream = self.streams.at(key);
            let Some(pace) = &mut stream.pace else { continue };
            if pace.is_slow(now, timeout, min) && stream.is_blocked {
                self.events.push_back(Event::Reset { stream: StreamId(key.id), reset: Reset::Excessive });
                self.remove(key, Ended::ResetHere);
                self.put_reset(key.id, ErrorCode::ENHANCE_YOUR_CALM);
                continue;
            }
            if !stream.is_blocked {
                // It waits for its turn.
                *pace = Pace::new(now);
            }
            next = next.into_iter().chain(pace.due(timeout)).min();
        }
        if let Some(next) = next {
            self.timers.set(Timer::Windows, next);
        }
    }

    /// Tells the streams that waited for room that they have some.
    #[cold]
    fn offer_room(&mut self) {
        let mut waiting = std::mem::take(&mut self.wants_room);
        waiting.retain(|key| {
            let room = self.room(*key);
            let Some(stream) = self.streams.get(*key) else { return false };
            let finished = !matches!(stream.queue.finish, Finish::Open);
            if room == 0 || finished {
                return !finished;
            }
            stream.wants_room = false;
            self.events.push_back(Event::Room { stream: StreamId(key.id) });
            false
        });
        self.wants_room = waiting;
    }
}

/// The state only: fields and bodies may be secrets.
impl<R: Side> fmt::Debug for Connection<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("life", &self.life)
            .field("streams", &self.streams.len())
            .field("outcome", &self.outcome)
            .field("input", &self.input.remaining())
            .finish_non_exhaustive()
    }
}

/// The largest payload of a frame that RFC 9113 knows.
const FRAME_LIMIT: u32 = 16_777_215;
const PING_KEEPALIVE: &[u8] = b"\0alive\0\0";
const PING_DRAIN: &[u8] = b"\0drain\0\0";
/// The second GOAWAY comes after a round trip, and after this in any case.
const DRAIN_STEP: Duration = Duration::from_secs(5);
/// The time in which the peer can read the last bytes before the transport closes.
const CLOSE_GRACE: Duration = Duration::from_secs(1);
/// What a peer may send in that time: as much as it may have under way at first.
const DISCARDED_MAX: usize = 4 * 1024 * 1024;
/// Frames that a stream, or a frame with data, earns: one WINDOW_UPDATE for the stream, one for the connection, a PING to
/// measure by, and room for a careless peer.
pub(crate) const FRAMES_EARNED: u32 = 10;
/// The resets that as many bytes count as as a header list may have, if it is too large.
const LIST_RESETS: usize = 8;
/// The debug text of a peer that is kept.
const DEBUG_KEPT: usize = 256;
