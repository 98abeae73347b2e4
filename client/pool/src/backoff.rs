//! How long a host that failed is left alone.

use crate::jitter::Jitter;
use std::time::Duration;

/// Waiting times that grow with each failure in a row.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Backoff {
    /// After the first failure.
    pub first: Duration,
    /// What each further failure multiplies it by.
    pub factor: f64,
    /// The longest, before jitter.
    pub max: Duration,
    /// The share by which each is longer or shorter at random, so that a fleet of clients does not come back at once.
    pub jitter: f64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            // A restart in place is over in less; a host that is gone costs a few attempts, and then one in 20 s.
            first: Duration::from_millis(100),
            factor: 1.6,
            max: Duration::from_secs(20),
            jitter: 0.2,
        }
    }
}

impl Backoff {
    /// The time to wait after so many failures in a row.
    pub(crate) fn delay(&self, failures: u32, jitter: &Jitter) -> Duration {
        let growth = self.factor.max(1.0).powi(i32::try_from(failures.saturating_sub(1)).unwrap_or(i32::MAX));
        let seconds = (self.first.as_secs_f64() * growth).min(self.max.as_secs_f64());
        jitter.spread(Duration::from_secs_f64(seconds), self.jitter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_grows_to_its_maximum() {
        let backoff = Backoff {
            first: Duration::from_millis(100),
            factor: 2.0,
            max: Duration::from_secs(1),
            jitter: 0.0,
        };
        let jitter = Jitter::new(Some(0));
        let delays: Vec<_> = [1, 2, 3, 4, 5, 6, 1000, u32::MAX]
            .map(|failures| backoff.delay(failures, &jitter).as_millis())
            .into();
        assert_eq!(delays, [100, 200, 400, 800, 1000, 1000, 1000, 1000]);
    }

    #[test]
    fn jitter_moves_it_both_ways_and_no_further() {
        let backoff = Backoff::default();
        let jitter = Jitter::new(Some(1));
        let delays: Vec<_> = (0..100).map(|_| backoff.delay(1, &jitter).as_millis()).collect();
        assert!(delays.iter().all(|delay| (80..=120).contains(delay)), "{delays:?}");
        assert!(delays.iter().any(|delay| *delay < 100) && delays.iter().any(|delay| *delay > 100));
    }
}
