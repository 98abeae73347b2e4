//! Targets that fail while others do not get a rest.

use std::time::Duration;
use tokio::time::Instant;

/// When a target is left out for a while, though it can be connected to.
///
/// Connections that break, streams that are reset, and the statuses 502, 503 and 504 are failures. One answer ends a row of them.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Ejection {
    /// So many failures in a row.
    pub failures: u32,
    /// The first time it is left out for so long; the second time in a row twice as long, then three times.
    pub time: Duration,
    /// And no longer than this.
    pub time_max: Duration,
    /// The share of targets in per cent that may be left out at once. The last one never is.
    pub share_max: u32,
}

impl Default for Ejection {
    fn default() -> Self {
        Self { failures: 5, time: Duration::from_secs(10), time_max: Duration::from_secs(300), share_max: 50 }
    }
}

/// How one target has been doing.
#[derive(Debug, Default)]
pub(crate) struct Health {
    failures: u32,
    ejections: u32,
    until: Option<Instant>,
}

impl Health {
    /// A row of failures ends.
    pub(crate) fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// Counts a failure; says until when the target is ejected for it.
    pub(crate) fn failed(
        &mut self,
        now: Instant,
        ejection: &Ejection,
        may_eject: impl FnOnce() -> bool,
    ) -> Option<Instant> {
        self.failures = self.failures.saturating_add(1);
        if self.failures < ejection.failures || self.is_ejected(now) || !may_eject() {
            return None;
        }
        // What a target did right since its last time counts as long as that time did.
        let calm = self.until.map_or(0, |until| whole_times(now - until, ejection.time));
        self.ejections = self.ejections.saturating_sub(calm).saturating_add(1);
        let until = now + ejection.time.saturating_mul(self.ejections).min(ejection.time_max);
        self.failures = 0;
        self.until = Some(until);
        self.until
    }

    pub(crate) fn is_ejected(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until)
    }
}

impl Ejection {
    /// Whether one more of `targets` may be left out when `ejected` are.
    pub(crate) fn leaves_enough(&self, targets: usize, ejected: usize) -> bool {
        let max = (targets * self.share_max as usize / 100).max(1).min(targets.saturating_sub(1));
        ejected < max
    }
}

fn whole_times(duration: Duration, unit: Duration) -> u32 {
    u32::try_from(duration.as_nanos() / unit.as_nanos().max(1)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eject(health: &mut Health, now: Instant) -> u64 {
        let ejection = Ejection::default();
        for _ in 1..ejection.failures {
            assert_eq!(health.failed(now, &ejection, || true), None);
        }
        let until = health.failed(now, &ejection, || true).unwrap();
        assert!(health.is_ejected(now) && !health.is_ejected(until));
        (until - now).as_secs()
    }

    #[test]
    fn the_time_grows_with_each_ejection_and_shrinks_with_calm() {
        let mut health = Health::default();
        let mut now = Instant::now();
        for expected in [10, 20, 30, 40] {
            let time = eject(&mut health, now);
            assert_eq!(time, expected);
            now += Duration::from_secs(time);
        }
        now += Duration::from_secs(20);
        assert_eq!(eject(&mut health, now), 30);
        now += Duration::from_secs(3600);
        assert_eq!(eject(&mut health, now), 10);
    }

    #[test]
    fn the_time_has_a_maximum() {
        let mut health = Health { ejections: 1000, ..Health::default() };
        assert_eq!(eject(&mut health, Instant::now()), 300);
    }

    #[test]
    fn an_answer_ends_the_row() {
        let mut health = Health::default();
        let (now, ejection) = (Instant::now(), Ejection::default());
        for _ in 0..20 {
            for _ in 1..ejection.failures {
                assert_eq!(health.failed(now, &ejection, || true), None);
            }
            health.succeeded();
        }
    }

    #[test]
    fn a_share_of_targets_and_never_the_last() {
        let ejection = Ejection::default();
        let most = |targets| (0..=targets).find(|out| !ejection.leaves_enough(targets, *out)).unwrap();
        assert_eq!([0, 1, 2, 3, 4, 10].map(most), [0, 0, 1, 1, 2, 5]);
        let all = Ejection { share_max: 100, ..ejection };
        let most = |targets| (0..=targets).find(|out| !all.leaves_enough(targets, *out)).unwrap();
        assert_eq!([1, 2, 3].map(most), [0, 1, 2]);
    }
}
