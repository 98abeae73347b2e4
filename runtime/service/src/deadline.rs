//! How long calls may take.
//!
//! No clock is read here: whoever drives a call says what time it is, and asks when to come again.

use crate::Instant;
use std::time::Duration;

/// How long the calls of a server, or of one service, may take.
///
/// A call that runs out of time ends with `deadline_exceeded`, and its handler is dropped where it waits.
/// That holds for unary calls and for streams, while the request is still arriving as well as between two
/// messages.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct DeadlinePolicy {
    /// What a call gets at least, however little its client asks for.
    pub min: Option<Duration>,
    /// What a call gets at most, whether its client asks for more or for nothing. Wins over `min`.
    pub max: Option<Duration>,
    /// What a call gets whose client asks for nothing.
    pub default: Option<Duration>,
    /// The longest time in which a stream passes no message in either direction: the bound on a silent
    /// client, on one that does not read, and on a handler that is stuck. Unary calls do not know it.
    pub message_gap: Option<Duration>,
}

impl DeadlinePolicy {
    /// The time that a call gets whose client asked for `asked`; `None` is no bound.
    pub fn timeout(&self, asked: Option<Duration>) -> Option<Duration> {
        let granted = asked.or(self.default).or(self.max)?;
        let granted = granted.max(self.min.unwrap_or_default());
        Some(granted.min(self.max.unwrap_or(granted)))
    }
}

/// The time of one call.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Timer {
    pub(crate) deadline: Option<Instant>,
    gap: Option<Gap>,
}

#[derive(Clone, Copy, Debug)]
struct Gap {
    longest: Duration,
    ends: Option<Instant>,
}

/// What ran out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Expired {
    Deadline,
    MessageGap,
}

impl Timer {
    pub(crate) fn new(policy: &DeadlinePolicy, asked: Option<Duration>, now: Instant) -> Self {
        // A time beyond what the clock can say is no bound.
        let deadline = policy.timeout(asked).and_then(|timeout| now.checked_add(timeout));
        Self { deadline, gap: None }
    }

    /// From here on, the gap between messages counts too.
    pub(crate) fn watch_messages(&mut self, policy: &DeadlinePolicy, now: Instant) {
        self.gap = policy.message_gap.map(|longest| Gap { longest, ends: now.checked_add(longest) });
    }

    pub(crate) fn message_passed(&mut self, now: Instant) {
        if let Some(gap) = &mut self.gap {
            gap.ends = now.checked_add(gap.longest);
        }
    }

    pub(crate) fn expired(&self, now: Instant) -> Option<Expired> {
        if self.deadline.is_some_and(|deadline| now >= deadline) {
            return Some(Expired::Deadline);
        }
        let ends = self.gap?.ends?;
        (now >= ends).then_some(Expired::MessageGap)
    }

    /// When the next of the two runs out.
    pub(crate) fn next(&self) -> Option<Instant> {
        let gap = self.gap.and_then(|gap| gap.ends);
        match (self.deadline, gap) {
            (Some(deadline), Some(gap)) => Some(deadline.min(gap)),
            (deadline, gap) => deadline.or(gap),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Option<Duration> {
        Some(Duration::from_millis(ms))
    }

    #[test]
    fn what_the_client_asks_for_is_bounded() {
        let none = DeadlinePolicy::default();
        let bounded = DeadlinePolicy { min: ms(10), max: ms(100), default: ms(50), message_gap: None };
        let defaulted = DeadlinePolicy { default: ms(5), min: ms(10), ..none };
        let capped = DeadlinePolicy { max: ms(100), ..none };
        let crossed = DeadlinePolicy { min: ms(200), max: ms(100), ..none };
        for (policy, asked, want) in [
            (none, None, None),
            (none, ms(0), ms(0)),
            (none, ms(7), ms(7)),
            (bounded, None, ms(50)),
            (bounded, ms(9), ms(10)),
            (bounded, ms(10), ms(10)),
            (bounded, ms(100), ms(100)),
            (bounded, ms(101), ms(100)),
            (defaulted, None, ms(10)),
            (capped, None, ms(100)),
            (crossed, ms(1), ms(100)),
        ] {
            assert_eq!(policy.timeout(asked), want, "{policy:?} asked for {asked:?}");
        }
    }

    #[test]
    fn the_earlier_of_the_two_runs_out() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let policy = DeadlinePolicy { message_gap: ms(10), ..DeadlinePolicy::default() };
        let mut timer = Timer::new(&policy, ms(25), start);
        assert_eq!(timer.next(), Some(at(25)));
        timer.watch_messages(&policy, start);
        assert_eq!(timer.next(), Some(at(10)));
        assert_eq!(timer.expired(at(9)), None);
        assert_eq!(timer.expired(at(10)), Some(Expired::MessageGap));
        timer.message_passed(at(9));
        assert_eq!(timer.expired(at(18)), None);
        timer.message_passed(at(18));
        assert_eq!(timer.next(), Some(at(25)));
        assert_eq!(timer.expired(at(25)), Some(Expired::Deadline));
    }

    #[test]
    fn a_time_beyond_the_clock_is_no_bound() {
        let forever = Some(Duration::MAX);
        let policy = DeadlinePolicy { message_gap: forever, ..DeadlinePolicy::default() };
        let mut timer = Timer::new(&policy, forever, Instant::now());
        timer.watch_messages(&policy, Instant::now());
        assert_eq!(timer.next(), None);
        assert_eq!(timer.expired(Instant::now()), None);
    }
}
