//! Random numbers, from a seed that tests choose.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A sequence of numbers that differ between pools. They decide when, never what; nothing secret rests on them.
#[derive(Debug)]
pub(crate) struct Jitter(AtomicU64);

impl Jitter {
    /// From a seed, or from the keys that std gives its hashers.
    pub(crate) fn new(seed: Option<u64>) -> Self {
        Self(AtomicU64::new(seed.unwrap_or_else(|| RandomState::new().hash_one(0_u8))))
    }

    /// The duration, up to this share of it more or less.
    pub(crate) fn spread(&self, duration: Duration, share: f64) -> Duration {
        let unit = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        duration.mul_f64(1.0 + share.clamp(0.0, 1.0) * (2.0 * unit - 1.0))
    }

    /// SplitMix64.
    fn next(&self) -> u64 {
        let mut mixed = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_stays_in_its_bounds_and_repeats_with_its_seed() {
        let (one, same) = (Jitter::new(Some(7)), Jitter::new(Some(7)));
        let second = Duration::from_secs(1);
        let spread: Vec<_> = (0..1000).map(|_| one.spread(second, 0.2)).collect();
        assert!(spread.iter().all(|spread| (800..=1200).contains(&spread.as_millis())));
        assert!(spread.iter().any(|spread| spread.as_millis() < 850));
        assert!(spread.iter().any(|spread| spread.as_millis() > 1150));
        assert!(spread.iter().all(|spread| same.spread(second, 0.2) == *spread));
    }
}
