//! The time that a connection has waited for its peer.

use crate::Limits;
use std::time::{Duration, Instant};

/// What a connection waits for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Wait {
    /// Nothing of the peer's.
    Nothing,
    /// The next request.
    Idle,
    /// The rest of a head, or the first of a connection.
    Head,
    /// More of a body.
    Body,
    /// More of a body whose length was announced.
    MeasuredBody,
    /// The rest of a request that has been answered.
    Discard,
    /// The peer's end, after the last response.
    Linger,
}

/// The time that a connection has waited for its peer.
#[derive(Debug)]
pub(crate) struct Timer {
    wait: Wait,
    /// The start of the wait, or the last input in a wait for a body.
    since: Instant,
    /// The time before `since` in which this body was awaited, and what came of it.
    awaited: Duration,
    received: u64,
}

impl Timer {
    pub(crate) fn new(wait: Wait, now: Instant) -> Self {
        Self { wait, since: now, awaited: Duration::ZERO, received: 0 }
    }

    /// A message begins: its body has not been awaited yet.
    pub(crate) fn restart_body(&mut self) {
        self.awaited = Duration::ZERO;
        self.received = 0;
    }

    /// Bytes of the peer have arrived.
    pub(crate) fn on_input(&mut self, now: Instant) {
        match self.wait {
            Wait::Body | Wait::MeasuredBody => {
                self.awaited += now.saturating_duration_since(self.since);
                self.since = now;
            }
            Wait::Nothing | Wait::Idle | Wait::Head | Wait::Discard | Wait::Linger => {}
        }
    }

    /// Bytes of a body were among them.
    pub(crate) fn on_body(&mut self, len: usize) {
        self.received += len as u64;
    }

    pub(crate) fn body_has_begun(&self) -> bool {
        self.received > 0
    }

    /// Sets what is waited for from now on, unless it is that already.
    pub(crate) fn set(&mut self, wait: Wait, now: Instant) {
        if self.wait == wait {
            return;
        }
        if matches!(self.wait, Wait::Body | Wait::MeasuredBody) {
            self.awaited += now.saturating_duration_since(self.since);
        }
        self.wait = wait;
        self.since = now;
    }

    pub(crate) fn wait(&self) -> Wait {
        self.wait
    }

    /// The time at which the wait has been too long.
    pub(crate) fn deadline(&self, limits: &Limits) -> Option<Instant> {
        let longest = match self.wait {
            Wait::Nothing => return None,
            Wait::Idle => limits.idle_timeout,
            Wait::Head => limits.head_timeout,
            Wait::Body => limits.body_timeout,
            Wait::MeasuredBody => limits.body_timeout.min(self.measured(limits)),
            Wait::Discard | Wait::Linger => limits.linger_timeout,
        };
        self.since.checked_add(longest)
    }

    /// The time from `since` on in which the body stays above its least rate.
    fn measured(&self, limits: &Limits) -> Duration {
        if limits.body_rate_min == 0 {
            return Duration::MAX;
        }
        let paid =
            Duration::from_millis(self.received.saturating_mul(1000) / u64::from(limits.body_rate_min));
        limits.body_rate_grace.saturating_add(paid).saturating_sub(self.awaited)
    }
}
