//! One shard: sockets, alarms and wake-ups of its connections, turn after turn.
//!
//! A turn gathers whatever has happened, lets every connection that it concerns act on it, and then sends: one send per
//! connection with something to send, all of them handed to the kernel together.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use ringwire_http::{Close, Output, SendQueue};
use tokio::time::Sleep;

use crate::date::Date;
use crate::driver::{Completion, Driver, Key, Reading};
use crate::handle::{Phase, ShardState};
use crate::listener::{Accepted, Address, Listening};
use crate::pause::Pause;
use crate::timers::Timers;
use crate::wakes::{CallWakers, Mark, Parked};

/// The connections of one shard, and what they share.
pub(crate) trait Sessions: Sized {
    type Session: Session<Self>;

    /// Begins to speak with a peer.
    fn open(&mut self, peer: Address, now: Instant) -> Self::Session;

    /// Ready when no work goes on that no connection waits for, so that a drained shard may go.
    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<()>;
}

/// One connection above its socket: bytes in, bytes out.
///
/// Each method may be followed by [`poll_output`](Self::poll_output), once per turn.
pub(crate) trait Session<S> {
    /// Takes bytes of the peer.
    fn handle_input(&mut self, sessions: &mut S, turn: &mut Turn<'_>, bytes: Bytes);
    /// Takes the news that the peer sends no more.
    fn handle_end(&mut self, sessions: &mut S, turn: &mut Turn<'_>);
    /// Takes the news that the connection is gone.
    fn handle_lost(&mut self, sessions: &mut S, turn: &mut Turn<'_>, how: Lost);
    /// Polls what has asked for it. The slot may be of a call that is gone.
    fn handle_wake(&mut self, sessions: &mut S, turn: &mut Turn<'_>, slot: u32);
    /// Polls a call whose time has come. The slot may be of a call that is gone.
    fn handle_alarm(&mut self, sessions: &mut S, turn: &mut Turn<'_>, slot: u32);
    /// Takes the time, at the deadline of the connection or before.
    fn handle_timeout(&mut self, sessions: &mut S, turn: &mut Turn<'_>);
    /// Asks the peer to go, and lets what runs finish.
    fn drain(&mut self, sessions: &mut S, turn: &mut Turn<'_>);
    /// Moves bytes to the queue, if that is empty, and says what the connection waits for. A queue that is not empty stands for
    /// bytes that have not left: then this only reports.
    fn poll_output(&mut self, sessions: &mut S, turn: &mut Turn<'_>, queue: &mut SendQueue) -> Output;
    /// The number of requests under way.
    fn requests(&self) -> usize;
}

/// The way in which a connection went.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Lost {
    /// It had ended by itself.
    Closed,
    /// Its transport failed.
    Broken,
    /// It had no more time to end.
    Cut,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the connection was closed before its end",
            Self::Broken => "the transport failed",
            Self::Cut => "the server drained, and had no more time",
        })
    }
}

impl std::error::Error for Lost {}

/// What a connection finds around it while it is looked at.
pub(crate) struct Turn<'a> {
    pub(crate) now: Instant,
    pub(crate) key: Key,
    pub(crate) wakers: &'a mut CallWakers,
    pub(crate) date: &'a mut Date,
    pub(crate) shard: &'a ShardState,
    timers: &'a mut Timers<Alarm>,
}

impl Turn<'_> {
    /// Rings for a call of this connection.
    pub(crate) fn arm(&mut self, armed: &mut Option<Instant>, at: Instant, slot: u32) {
        self.timers.arm(armed, at, Alarm::Call(self.key, slot));
    }

    /// Takes the alarm of a call back.
    pub(crate) fn disarm(&mut self, armed: &mut Option<Instant>, slot: u32) {
        self.timers.disarm(armed, Alarm::Call(self.key, slot));
    }
}

/// Settings of a shard.
#[derive(Clone, Debug)]
pub(crate) struct ShardOptions {
    pub(crate) connections_max: usize,
    pub(crate) busy_poll: Duration,
}

/// A shard: sockets, and the connections on them.
pub(crate) struct Shard<D, S: Sessions> {
    driver: D,
    sessions: S,
    options: ShardOptions,
    state: Arc<ShardState>,
    wakers: CallWakers,
    date: Date,
    connections: Vec<Option<Connection<S::Session>>>,
    open: usize,
    dirty: Vec<Key>,
    timers: Timers<Alarm>,
    /// Until when the listener rests, after an error.
    accept_at: Option<Instant>,
    accept_pause: Duration,
    /// When the operator was told last that nothing can be accepted.
    accept_told: Option<Instant>,
    is_listening: bool,
    drain_until: Option<Instant>,
    drain_at: Option<Instant>,
    sleep: Pin<Box<Sleep>>,
    queues: Vec<SendQueue>,
    completions: Vec<Completion>,
    marks: Vec<Mark>,
    active_at: Instant,
    pause: Pause,
}

struct Connection<S> {
    session: S,
    /// The bytes of a send that have not left.
    unsent: usize,
    reading: Reading,
    armed: Option<Instant>,
    is_dirty: bool,
    output_ended: bool,
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Alarm {
    Connection(Key),
    /// A call, by its slot.
    Call(Key, u32),
    Accept,
    Drain,
}

impl<D: Driver, S: Sessions> Shard<D, S> {
    /// A shard that serves what it accepts itself, if it is given a listener, and what others hand over to it.
    pub(crate) fn new(
        mut driver: D,
        sessions: S,
        options: ShardOptions,
        state: Arc<ShardState>,
        listening: Option<Listening>,
    ) -> io::Result<Self> {
        let is_listening = listening.is_some();
        if let Some(listening) = listening {
            driver.listen(listening)?;
        }
        Ok(Self {
            driver,
            sessions,
            options,
            wakers: CallWakers::new(state.wakes.clone()),
            date: Date::new(),
            state,
            connections: Vec::new(),
            open: 0,
            dirty: Vec::new(),
            timers: Timers::new(),
            accept_at: None,
            accept_pause: ACCEPT_PAUSE_MIN,
            accept_told: None,
            is_listening,
            drain_until: None,
            drain_at: None,
            sleep: Box::pin(tokio::time::sleep(Duration::ZERO)),
            queues: Vec::new(),
            completions: Vec::new(),
            marks: Vec::new(),
            active_at: now(),
            pause: Pause::new()?,
        })
    }

    /// Serves until the server has drained.
    pub(crate) async fn run(mut self) {
        poll_fn(|cx| self.poll(cx)).await;
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        for _ in 0..TURNS_PER_POLL {
            let now = now();
            if self.turn(now) {
                self.active_at = now;
                continue;
            }
            if self.is_over(cx, now) {
                return Poll::Ready(());
            }
            if self.park(cx, now).is_pending() {
                return Poll::Pending;
            }
        }
        // The runtime has other tasks: those that handlers have spawned.
        self.state.turn_ends();
        self.pause.begin(cx);
        Poll::Pending
    }

    /// Does what there is to do; says whether there was anything.
    fn turn(&mut self, now: Instant) -> bool {
        self.state.turn_begins(now);
        let mut completions = std::mem::take(&mut self.completions);
        let mut marks = std::mem::take(&mut self.marks);
        self.driver.turn(&mut completions);
        self.state.wakes.take(&mut marks);
        for mark in marks.drain(..) {
            match mark {
                Mark::Socket(woken) => self.driver.woken(woken, &mut completions),
                Mark::Call { key, slot } => {
                    self.with(key, now, |session, sessions, turn| session.handle_wake(sessions, turn, slot));
                }
                Mark::Control => self.control(now),
            }
        }
        self.state.tally(completions.len(), self.driver.tally());
        let mut any = !completions.is_empty();
        for completion in completions.drain(..) {
            self.complete(completion, now);
        }
        (self.completions, self.marks) = (completions, marks);
        while let Some(alarm) = self.timers.pop_due(now) {
            any = true;
            self.ring(alarm, now);
        }
        any |= !self.dirty.is_empty();
        self.flush(now);
        any
    }

    fn complete(&mut self, completion: Completion, now: Instant) {
        match completion {
            Completion::Accepted(accepted) => {
                self.accept_pause = ACCEPT_PAUSE_MIN;
                self.accepted(accepted, now);
            }
            Completion::AcceptFailed(error) => self.accept_failed(error, now),
            Completion::Received { key, bytes } => {
                self.state.count_received(bytes.len());
                self.with(key, now, |session, sessions, turn| session.handle_input(sessions, turn, bytes));
            }
            Completion::Ended { key } => self.with(key, now, Session::handle_end),
            Completion::Progress { key, unsent } => {
                if let Some(connection) = self.connection(key) {
                    connection.unsent = unsent;
                }
                self.touch(key);
            }
            Completion::Sent { key, queue } => {
                self.keep(queue);
                if let Some(connection) = self.connection(key) {
                    connection.unsent = 0;
                }
                self.touch(key);
            }
            Completion::Failed { key } => self.remove(key, Lost::Broken),
        }
    }

    fn connection(&mut self, key: Key) -> Option<&mut Connection<S::Session>> {
        self.connections.get_mut(key.index())?.as_mut()
    }

    /// Lets a connection act, and looks at its output at the end of the turn.
    fn with(&mut self, key: Key, now: Instant, act: impl FnOnce(&mut S::Session, &mut S, &mut Turn<'_>)) {
        self.act(key, now, act);
        self.touch(key);
    }

    fn act(&mut self, key: Key, now: Instant, act: impl FnOnce(&mut S::Session, &mut S, &mut Turn<'_>)) {
        let Some(Some(connection)) = self.connections.get_mut(key.index()) else { return };
        let mut turn = Turn {
            now,
            key,
            wakers: &mut self.wakers,
            date: &mut self.date,
            shard: &self.state,
            timers: &mut self.timers,
        };
        act(&mut connection.session, &mut self.sessions, &mut turn);
    }

    /// Looks at the output of a connection at the end of the turn.
    fn touch(&mut self, key: Key) {
        let Some(Some(connection)) = self.connections.get_mut(key.index()) else { return };
        if !std::mem::replace(&mut connection.is_dirty, true) {
            self.dirty.push(key);
        }
    }

    fn accepted(&mut self, accepted: Accepted, now: Instant) {
        if !self.state.count_accepted(self.options.connections_max) {
            return;
        }
        match self.state.least_loaded() {
            None => self.take_in(accepted, now),
            Some(other) => other.hand_over(accepted),
        }
    }

    /// Serves a connection that is counted already.
    fn take_in(&mut self, accepted: Accepted, now: Instant) {
        let peer = accepted.peer.clone();
        let Ok(key) = self.driver.open(accepted) else {
            self.state.count_closed(None);
            return;
        };
        let session = self.sessions.open(peer, now);
        if self.connections.len() <= key.index() {
            self.connections.resize_with(key.index() + 1, || None);
        }
        self.connections[key.index()] = Some(Connection {
            session,
            unsent: 0,
            reading: Reading::On,
            armed: None,
            is_dirty: false,
            output_ended: false,
        });
        self.open += 1;
        // Its first deadline is set with its first output.
        self.touch(key);
        if self.drain_until.is_some() {
            self.with(key, now, Session::drain);
        }
    }

    fn accept_failed(&mut self, error: io::Error, now: Instant) {
        use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
        if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted) {
            // It was about the connection that would have been accepted.
            return self.driver.accept_again();
        }
        // Mostly too many open files: trying again at once would only burn the CPU that could end some.
        self.timers.arm(&mut self.accept_at, now + self.accept_pause, Alarm::Accept);
        if self.accept_told.is_none_or(|told| told + ACCEPT_SILENCE <= now) {
            self.accept_told = Some(now);
            self.state.accept_failed(error);
        }
        self.accept_pause = (self.accept_pause * 2).min(ACCEPT_PAUSE_MAX);
    }

    fn ring(&mut self, alarm: Alarm, now: Instant) {
        match alarm {
            Alarm::Connection(key) => {
                let Some(connection) = self.connection(key) else { return };
                connection.armed = None;
                self.with(key, now, Session::handle_timeout);
            }
            Alarm::Call(key, slot) => {
                self.with(key, now, |session, sessions, turn| session.handle_alarm(sessions, turn, slot));
            }
            Alarm::Accept => {
                self.accept_at = None;
                self.driver.accept_again();
            }
            Alarm::Drain => {
                self.drain_at = None;
                self.cut();
            }
        }
    }

    /// Acts on what other threads have asked for.
    fn control(&mut self, now: Instant) {
        for accepted in self.state.take_inbox() {
            self.take_in(accepted, now);
        }
        match self.state.phase() {
            Phase::Serving => {}
            Phase::Draining { until } if self.drain_until.is_none() => {
                self.drain_until = Some(until);
                self.timers.arm(&mut self.drain_at, until, Alarm::Drain);
                if std::mem::replace(&mut self.is_listening, false) {
                    self.driver.unlisten();
                }
                for index in 0..self.connections.len() {
                    self.with(Key(index as u32), now, Session::drain);
                }
            }
            Phase::Draining { .. } => {}
            Phase::Drained => self.cut(),
        }
    }

    /// Closes every connection, whatever it is doing.
    fn cut(&mut self) {
        for index in 0..self.connections.len() {
            let key = Key(index as u32);
            self.remove(key, Lost::Cut);
        }
    }

    fn flush(&mut self, now: Instant) {
        let mut dirty = std::mem::take(&mut self.dirty);
        for key in dirty.drain(..) {
            self.flush_one(key, now);
        }
        debug_assert!(self.dirty.is_empty(), "flushing makes nothing dirty");
        self.dirty = dirty;
    }

    fn flush_one(&mut self, key: Key, now: Instant) {
        let Some(Some(connection)) = self.connections.get_mut(key.index()) else { return };
        connection.is_dirty = false;
        let is_sending = connection.unsent > 0;
        let mut queue =
            if is_sending { stand_in(connection.unsent) } else { self.queues.pop().unwrap_or_default() };
        let mut turn = Turn {
            now,
            key,
            wakers: &mut self.wakers,
            date: &mut self.date,
            shard: &self.state,
            timers: &mut self.timers,
        };
        let output = connection.session.poll_output(&mut self.sessions, &mut turn, &mut queue);
        if output.close == Close::Both {
            self.remove(key, Lost::Closed);
            return self.keep(queue);
        }
        if let Some(at) = output.deadline {
            self.timers.arm(&mut connection.armed, at, Alarm::Connection(key));
        }
        let reading = if output.read { Reading::On } else { Reading::Off };
        if std::mem::replace(&mut connection.reading, reading) != reading {
            self.driver.receive(key, reading);
        }
        if is_sending {
            return;
        }
        if !queue.is_empty() {
            connection.unsent = queue.len();
            self.state.count_sent(queue.len());
            return self.driver.send(key, queue);
        }
        if output.close == Close::Sending && !std::mem::replace(&mut connection.output_ended, true) {
            self.driver.end_output(key);
        }
        self.keep(queue);
    }

    /// Keeps an empty queue with its buffer for the next connection that has something to send.
    fn keep(&mut self, queue: SendQueue) {
        if self.queues.len() < QUEUES_KEPT && queue.is_empty() {
            self.queues.push(queue);
        }
    }

    fn remove(&mut self, key: Key, how: Lost) {
        let Some(connection) = self.connection(key) else { return };
        let cut = (how == Lost::Cut).then(|| connection.session.requests());
        // What its calls hold of the shard goes first.
        self.act(key, now(), |session, sessions, turn| session.handle_lost(sessions, turn, how));
        let Some(mut connection) = self.connections.get_mut(key.index()).and_then(Option::take) else {
            return;
        };
        self.timers.disarm(&mut connection.armed, Alarm::Connection(key));
        self.driver.close(key);
        self.open -= 1;
        drop(connection);
        self.state.count_closed(cut);
    }

    fn is_over(&mut self, cx: &mut Context<'_>, now: Instant) -> bool {
        match self.state.phase() {
            Phase::Serving => false,
            Phase::Drained => self.open == 0,
            Phase::Draining { until } => {
                self.drain_until.is_some()
                    && self.open == 0
                    && !self.state.has_inbox()
                    && (until <= now || self.sessions.poll_idle(cx).is_ready())
            }
        }
    }

    /// Sleeps until the next alarm, a wake-up or a completion. Ready if there is something already.
    fn park(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<()> {
        if now.saturating_duration_since(self.active_at) < self.options.busy_poll {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Some(at) = self.timers.next() {
            let at = tokio::time::Instant::from_std(at);
            if self.sleep.deadline() != at {
                self.sleep.as_mut().reset(at);
            }
            if self.sleep.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
        }
        if self.driver.park(cx).is_ready() || self.state.wakes.park(cx.waker()) == Parked::No {
            return Poll::Ready(());
        }
        self.state.turn_ends();
        Poll::Pending
    }
}

/// A queue in the place of one that the driver has, of the same length.
fn stand_in(unsent: usize) -> SendQueue {
    static BYTES: [u8; STAND_IN_MAX] = [0; STAND_IN_MAX];
    let mut queue = SendQueue::new();
    queue.push(Bytes::from_static(&BYTES[..unsent.min(STAND_IN_MAX)]));
    queue
}

/// The runtime's clock, which tests can hold.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

const TURNS_PER_POLL: u32 = 32;
const QUEUES_KEPT: usize = 64;
// Progress beyond it is not seen; no engine hands out as much at once.
const STAND_IN_MAX: usize = 512 * 1024;
const ACCEPT_PAUSE_MIN: Duration = Duration::from_millis(5);
// At a limit, accepting works and fails by turns.
const ACCEPT_SILENCE: Duration = Duration::from_secs(60);
const ACCEPT_PAUSE_MAX: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
