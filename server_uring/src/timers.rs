//! Alarms of the connections of one shard.

use std::collections::BTreeSet;
use std::time::Instant;

/// Alarms, soonest first. `K` names what is to be looked at, and has one alarm at most.
///
/// An alarm need not be moved when its time becomes later: it rings early, and is set again. So a connection that is busy all the
/// time touches nothing here.
#[derive(Debug)]
pub(crate) struct Timers<K> {
    alarms: BTreeSet<(Instant, K)>,
}

impl<K: Copy + Ord> Timers<K> {
    pub(crate) fn new() -> Self {
        Self { alarms: BTreeSet::new() }
    }

    /// Rings for `key` at `at` or before. `armed` is where the owner of the key remembers its alarm.
    pub(crate) fn arm(&mut self, armed: &mut Option<Instant>, at: Instant, key: K) {
        if armed.is_some_and(|armed| armed <= at) {
            return;
        }
        self.disarm(armed, key);
        self.alarms.insert((at, key));
        *armed = Some(at);
    }

    /// Takes the alarm of `key` back.
    pub(crate) fn disarm(&mut self, armed: &mut Option<Instant>, key: K) {
        if let Some(at) = armed.take() {
            self.alarms.remove(&(at, key));
        }
    }

    /// The time of the next alarm.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.alarms.first().map(|(at, _)| *at)
    }

    /// Takes an alarm that is due. The owner of the key forgets it.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<K> {
        if self.next()? > now {
            return None;
        }
        self.alarms.pop_first().map(|(_, key)| key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn alarms_ring_in_order_and_not_before_their_time() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut timers = Timers::new();
        for (seconds, key) in [(3, 'c'), (1, 'a'), (2, 'b'), (1, 'd')] {
            timers.arm(&mut None, at(seconds), key);
        }
        assert_eq!(timers.next(), Some(at(1)));
        assert_eq!(timers.pop_due(start), None);
        let due: Vec<_> = std::iter::from_fn(|| timers.pop_due(at(2))).collect();
        assert_eq!(due, ['a', 'd', 'b']);
        assert_eq!(timers.next(), Some(at(3)));
    }

    #[test]
    fn an_alarm_is_moved_closer_only_and_there_is_one() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let (mut timers, mut armed) = (Timers::new(), None);
        for (seconds, rings) in [(5, 5), (6, 5), (5, 5), (2, 2), (4, 2)] {
            timers.arm(&mut armed, at(seconds), 'a');
            assert_eq!((timers.next(), armed), (Some(at(rings)), Some(at(rings))));
            assert_eq!(timers.alarms.len(), 1);
        }
        timers.disarm(&mut armed, 'a');
        assert_eq!((timers.next(), armed), (None, None));
    }
}
