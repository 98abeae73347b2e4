//! Allowances in use, and times that are waited for.

use crate::Allowance;
use std::time::{Duration, Instant};

/// What is left of an [`Allowance`].
#[derive(Debug)]
pub(crate) struct Bucket {
    allowance: Allowance,
    left: u32,
    refilled: Instant,
}

impl Bucket {
    pub(crate) fn new(allowance: Allowance, now: Instant) -> Self {
        Self { allowance, left: allowance.burst, refilled: now }
    }

    /// Takes so many; `false` if there are fewer.
    pub(crate) fn take(&mut self, count: u32, now: Instant) -> bool {
        if self.left < count {
            self.refill(now);
        }
        let Some(left) = self.left.checked_sub(count) else { return false };
        self.left = left;
        true
    }

    /// Gives some back.
    #[inline]
    pub(crate) fn earn(&mut self, count: u32) {
        self.left = self.left.saturating_add(count).min(self.allowance.burst);
    }

    fn refill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.refilled);
        let earned = passed.as_millis().saturating_mul(u128::from(self.allowance.per_second)) / 1000;
        if earned > 0 {
            self.earn(u32::try_from(earned).unwrap_or(u32::MAX));
            self.refilled = now;
        }
    }
}

/// Something that a connection waits for, or does, at a time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Timer {
    Preface,
    SettingsAck,
    Frame,
    Keepalive,
    PingAck,
    /// The transport takes what is sent.
    Send,
    /// The peer opens the windows.
    Windows,
    Idle,
    Age,
    /// The second GOAWAY of a drain.
    DrainStep,
    Drain,
    Linger,
}

/// The times of all timers.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    at: [Option<Instant>; TIMERS],
    /// No timer is earlier. It may be too early itself: what is cleared does not move it.
    next: Option<Instant>,
}

impl Timers {
    pub(crate) fn set(&mut self, timer: Timer, at: Instant) {
        self.at[timer as usize] = Some(at);
        if self.next.is_none_or(|next| at < next) {
            self.next = Some(at);
        }
    }

    pub(crate) fn set_after(&mut self, timer: Timer, now: Instant, wait: Option<Duration>) {
        // A wait beyond what the clock can show is one without an end.
        match wait.and_then(|wait| now.checked_add(wait)) {
            Some(at) => self.set(timer, at),
            None => self.clear(timer),
        }
    }

    pub(crate) fn clear(&mut self, timer: Timer) {
        self.at[timer as usize] = None;
    }

    pub(crate) fn is_set(&self, timer: Timer) -> bool {
        self.at[timer as usize].is_some()
    }

    pub(crate) fn clear_all(&mut self) {
        *self = Self::default();
    }

    /// The time to ask for what is due. It may be early.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.next
    }

    /// Takes a timer that is due, and works out the next time if there is none.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Timer> {
        if self.next.is_none_or(|next| next > now) {
            return None;
        }
        for timer in ALL {
            if self.at[timer as usize].is_some_and(|at| at <= now) {
                self.clear(timer);
                return Some(timer);
            }
        }
        self.next = self.at.iter().flatten().min().copied();
        None
    }
}

const TIMERS: usize = 12;
const ALL: [Timer; TIMERS] = [
    Timer::Preface,
    Timer::SettingsAck,
    Timer::Frame,
    Timer::Keepalive,
    Timer::PingAck,
    Timer::Send,
    Timer::Windows,
    Timer::Idle,
    Timer::Age,
    Timer::DrainStep,
    Timer::Drain,
    Timer::Linger,
];

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_bucket_empties_refills_and_never_overflows() {
        let start = Instant::now();
        let mut bucket = Bucket::new(Allowance { burst: 3, per_second: 2 }, start);
        let mut taken = |at: Instant| (0..10).take_while(|_| bucket.take(1, at)).count();
        assert_eq!(taken(start), 3);
        assert_eq!(taken(start + SECOND / 4), 0);
        assert_eq!(taken(start + SECOND / 2), 1);
        assert_eq!(taken(start + SECOND), 1);
        assert_eq!(taken(start + 100 * SECOND), 3);
        bucket.earn(2);
        assert!(!bucket.take(3, start + 100 * SECOND));
        assert!(bucket.take(2, start + 100 * SECOND));
        bucket.earn(u32::MAX);
        assert_eq!(bucket.left, 3);
    }

    #[test]
    fn timers_are_due_in_time_and_once() {
        let start = Instant::now();
        let mut timers = Timers::default();
        assert_eq!((timers.next(), timers.take_due(start)), (None, None));
        timers.set(Timer::Idle, start + 2 * SECOND);
        timers.set(Timer::Frame, start + SECOND);
        timers.set_after(Timer::Age, start, Some(3 * SECOND));
        timers.set_after(Timer::Linger, start, Some(Duration::MAX));
        assert_eq!(timers.next(), Some(start + SECOND));
        assert_eq!(timers.take_due(start + SECOND / 2), None);
        timers.clear(Timer::Frame);
        assert_eq!(timers.take_due(start + SECOND), None);
        assert_eq!(timers.next(), Some(start + 2 * SECOND));
        let due = start + 3 * SECOND;
        assert_eq!([(); 3].map(|()| timers.take_due(due)), [Some(Timer::Idle), Some(Timer::Age), None]);
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn every_timer_has_its_place() {
        assert!(ALL.iter().enumerate().all(|(place, timer)| *timer as usize == place));
    }
}
