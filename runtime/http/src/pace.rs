//! The pace at which a peer takes what is sent.

use std::time::{Duration, Instant};

/// The pace at which a peer takes what is sent: some of it within each timeout, and over each timeout enough.
///
/// ```
/// # use ringwire_http::Pace;
/// # use std::time::{Duration, Instant};
/// let (now, minute) = (Instant::now(), Duration::from_secs(60));
/// let mut pace = Pace::new(now);
/// pace.take(100, now + minute / 2);
/// assert!(!pace.is_slow(now + minute, minute, 100));
/// // Nothing has come since half a minute before.
/// assert!(pace.is_slow(now + minute * 3 / 2, minute, 100));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    begun: Instant,
    taken: u64,
    last: Instant,
}

impl Pace {
    /// A peer that has taken nothing yet.
    pub fn new(now: Instant) -> Self {
        Self { begun: now, taken: 0, last: now }
    }

    /// Takes note that the peer has taken so many bytes.
    pub fn take(&mut self, bytes: usize, now: Instant) {
        self.taken += bytes as u64;
        self.last = now;
    }

    /// Whether the peer has taken nothing for `timeout`, or fewer than `min` bytes over a `timeout`. Where it has taken
    /// enough, the count begins anew.
    pub fn is_slow(&mut self, now: Instant, timeout: Duration, min: u64) -> bool {
        if now.saturating_duration_since(self.last) >= timeout {
            return true;
        }
        if now.saturating_duration_since(self.begun) < timeout {
            return false;
        }
        let is_slow = self.taken < min;
        if !is_slow {
            (self.begun, self.taken) = (now, 0);
        }
        is_slow
    }

    /// The time at which [`is_slow`](Self::is_slow) is worth asking; `None` if that is beyond what the clock can show.
    pub fn due(&self, timeout: Duration) -> Option<Instant> {
        self.last.min(self.begun).checked_add(timeout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Takes so many bytes each second, of which 32 are enough, for ten seconds at most; returns the second at which that is
    /// too slow.
    fn check(bytes: impl Fn(u32) -> usize, want: Option<u32>) {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let slow = (1..=10).find(|&second| {
            let now = start + SECOND * second;
            if bytes(second) > 0 {
                pace.take(bytes(second), now);
            }
            pace.is_slow(now, SECOND * 3, 32)
        });
        assert_eq!(slow, want);
    }

    #[test]
    fn peers_are_slow_that_take_too_little_or_nothing() {
        check(|_| 0, Some(3));
        check(|_| 1, Some(3));
        check(|_| 10, Some(3));
        check(|_| 11, None);
        check(|second| if second == 1 { 31 } else { 0 }, Some(3));
        check(|second| if second == 1 { 32 } else { 0 }, Some(4));
        check(|second| if second % 3 == 0 { 32 } else { 0 }, None);
    }

    #[test]
    fn the_time_to_ask_is_never_late() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        assert_eq!(pace.due(SECOND), Some(start + SECOND));
        pace.take(9, start + SECOND / 2);
        assert_eq!(pace.due(SECOND), Some(start + SECOND));
        assert!(!pace.is_slow(start + SECOND, SECOND, 9));
        assert_eq!(pace.due(SECOND), Some(start + SECOND * 3 / 2));
        assert_eq!(pace.due(Duration::MAX), None);
    }
}
