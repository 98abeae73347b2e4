//! What one connection is waiting for, and since when.
//!
//! The socket and the requests report here; the connection's driver asks [`Progress::next`] what to do about it. That
//! one place owns every time-out, because neither hyper nor a response body is polled while its peer does nothing.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::time::Instant;

use crate::detect::Version;
use crate::drain::ConnectionGuard;
use crate::options::{Deadlines, Limits};
use crate::scan::{Scanner, Unfinished};
use crate::stream::Turn;

/// The state of one connection that its socket, its requests and its driver share.
#[derive(Debug)]
pub(crate) struct Progress {
    // Everything but the end of an HTTP/2 stream happens in the connection's own task, so this is all but uncontended.
    state: Mutex<State>,
    pub(crate) version: Version,
}

/// What the driver does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nothing before then.
    Wait { until: Instant },
    /// Ask the peer to go, and let requests in flight finish.
    Go,
    /// Close.
    Cut,
}

/// A peer was asked to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Going {
    pub(crate) since: Instant,
    /// Until when requests in flight have time.
    pub(crate) until: Instant,
}

impl Progress {
    pub(crate) fn new(
        version: Version,
        accepted: Instant,
        age: Option<Instant>,
        guard: ConnectionGuard,
    ) -> Self {
        let state = State {
            scanner: Scanner::new(),
            begun: Some((accepted, Awaited::Handshake)),
            blocked_since: None,
            idle_since: accepted,
            old_at: age,
            active: 0,
            served: 0,
            unread: false,
            request_open: false,
            turn: None,
            received_at: accepted,
            calm: Calm::default(),
            guard,
        };
        Self { state: Mutex::new(state), version }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no one panics while holding the state of a connection")
    }

    /// The peer sent something.
    pub(crate) fn received(&self, bytes: &[u8], now: Instant) {
        let mut state = self.state();
        state.received_at = now;
        match self.version {
            Version::Http1 => {
                if state.active == 0 && state.begun.is_none() {
                    state.begun = Some((now, Awaited::Head));
                }
            }
            Version::Http2 => {
                let ended = state.scanner.push(bytes);
                state.begun = match (state.scanner.unfinished(), state.begun) {
                    (Unfinished::Nothing, _) => None,
                    (Unfinished::Head, Some(begun)) if !ended => Some(begun),
                    (Unfinished::Head, _) => Some((now, Awaited::Head)),
                    (Unfinished::Data, _) => Some((now, Awaited::Data)),
                };
            }
        }
    }

    /// The socket takes no more bytes, since now or longer.
    pub(crate) fn blocked(&self, now: Instant) {
        self.state().blocked_since.get_or_insert(now);
    }

    /// The socket took bytes.
    pub(crate) fn sent(&self) {
        self.state().blocked_since = None;
    }

    /// A request's head is complete. The turn, on HTTP/2, is for the task that will serve it.
    pub(crate) fn request_started(self: &Arc<Self>, turn: Option<Arc<Turn>>) -> InFlight {
        let mut state = self.state();
        state.active += 1;
        state.served += 1;
        state.turn = turn;
        if self.version == Version::Http1 {
            state.begun = None;
        }
        state.guard.request_started();
        state.calm.request_started();
        let started = state.received_at;
        drop(state);
        InFlight { progress: self.clone(), started, is_whole: false }
    }

    /// The turn of the request that started last.
    pub(crate) fn take_turn(&self) -> Option<Arc<Turn>> {
        self.state().turn.take()
    }

    /// An HTTP/1 request has a body to be read, or has been read to its end.
    pub(crate) fn request_open(&self, open: bool) {
        self.state().request_open = open;
    }

    /// Whether an answer given now comes before the end of its HTTP/1 request was read. The connection cannot be used
    /// again then, and a peer that is not told so may send its next request into the close.
    pub(crate) fn answers_early(&self) -> bool {
        self.state().request_open
    }

    /// A request's body was given up before its end.
    pub(crate) fn left_unread(&self) {
        self.state().unread = true;
    }

    /// Whether closing now could destroy an answer: the kernel resets a connection that is closed with unread input.
    pub(crate) fn may_have_unread_input(&self) -> bool {
        let state = self.state();
        self.version == Version::Http2 || state.unread || state.begun.is_some()
    }

    /// Notes that the connection was closed because time to drain was over.
    pub(crate) fn cut_by_drain(&self) {
        let mut state = self.state();
        let active = state.active;
        state.guard.cut(active);
    }

    /// What to do now. `going` is set once the peer was asked to go.
    pub(crate) fn next(
        &self,
        now: Instant,
        going: Option<Going>,
        limits: &Limits,
        deadlines: &Deadlines,
    ) -> Next {
        let state = self.state();
        // While the socket is blocked, HTTP/2 may stop reading too: what has begun to arrive is then our fault.
        let stalled_at = match (state.blocked_since, state.begun) {
            (Some(since), _) => Some(since + deadlines.send),
            (None, Some((since, Awaited::Handshake))) => Some(since + deadlines.handshake),
            (None, Some((since, Awaited::Head))) => Some(since + deadlines.head),
            (None, Some((since, Awaited::Data))) => Some(since + deadlines.body),
            (None, None) => None,
        };
        if state.calm.is_lost || stalled_at.is_some_and(|at| at <= now) {
            return Next::Cut;
        }
        // A request that ends in its own task wakes no one here. The connection cannot have been idle for long enough before
        // the time that this gives, and then `idle_since` is exact.
        let idle_since = if state.active > 0 { now } else { state.idle_since };
        let due_at = match going {
            Some(going) => {
                // With nothing in flight, one round trip is all that a peer needs to go.
                let due_at = going.until.min(idle_since.max(going.since) + deadlines.linger);
                if due_at <= now {
                    return Next::Cut;
                }
                due_at
            }
            None => {
                let idle_at = idle_since + deadlines.idle;
                let due_at = state.old_at.map_or(idle_at, |at| at.min(idle_at));
                let used_up = limits.requests_per_connection_max.is_some_and(|max| state.served >= max);
                if used_up || due_at <= now {
                    return Next::Go;
                }
                due_at
            }
        };
        Next::Wait { until: stalled_at.map_or(due_at, |at| at.min(due_at)) }
    }
}

/// A request in flight, until its response was handed over whole or was given up.
#[derive(Debug)]
pub(crate) struct InFlight {
    progress: Arc<Progress>,
    started: Instant,
    is_whole: bool,
}

impl InFlight {
    /// The response was handed over whole.
    pub(crate) fn finish(&mut self) {
        self.is_whole = true;
    }
}

impl InFlight {
    /// See [`Progress::answers_early`].
    pub(crate) fn answers_early(&self) -> bool {
        self.progress.answers_early()
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut state = self.progress.state();
        state.active -= 1;
        if state.active == 0 || !self.is_whole {
            let now = Instant::now();
            state.idle_since = now;
            if !self.is_whole && now - self.started < PREMATURE {
                state.calm.given_up += 1;
            }
        }
        state.guard.request_ended();
    }
}

#[derive(Debug)]
struct State {
    scanner: Scanner,
    begun: Option<(Instant, Awaited)>,
    blocked_since: Option<Instant>,
    idle_since: Instant,
    old_at: Option<Instant>,
    active: usize,
    served: u64,
    unread: bool,
    /// HTTP/1: the request's body has not been read to its end.
    request_open: bool,
    turn: Option<Arc<Turn>>,
    received_at: Instant,
    calm: Calm,
    guard: ConnectionGuard,
}

/// Whether a peer wants answers to what it asks. Who resets request after request makes work at no cost of its own
/// (CVE-2023-44487); h2 counts only those that were reset before anyone served them.
#[derive(Debug, Default)]
struct Calm {
    requests: u32,
    given_up: u32,
    is_lost: bool,
}

impl Calm {
    fn request_started(&mut self) {
        self.requests += 1;
        if self.requests == CALM_WINDOW {
            self.is_lost |= self.given_up > CALM_WINDOW / 2;
            self.requests = 0;
            self.given_up = 0;
        }
    }
}

/// What the peer has begun and not finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    Handshake,
    Head,
    Data,
}

// Clients cancel for good reasons, many at a time when something else is slow: only a peer that has given up on most of so
// many requests, each almost at once, has none.
const CALM_WINDOW: u32 = 500;
const PREMATURE: Duration = Duration::from_secs(1);
