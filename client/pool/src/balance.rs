//! Which of several targets gets the next request.

/// How requests are spread over the addresses of an origin.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Balance {
    /// All addresses are one target: each connection goes to the first that answers, tried as RFC 8305 says.
    #[default]
    PickFirst,
    /// Each address in turn.
    RoundRobin,
    /// The address with the fewest requests in flight.
    LeastLoaded,
}

impl Balance {
    /// The order to try `count` targets in, of which some may be unusable: the index of the best that is usable.
    ///
    /// `turn` is different each time, so that equals take turns.
    pub(crate) fn pick(
        self,
        count: usize,
        turn: usize,
        is_usable: impl Fn(usize) -> bool,
        load: impl Fn(usize) -> usize,
    ) -> Option<usize> {
        let mut usable = (0..count).map(|step| turn.wrapping_add(step) % count).filter(|at| is_usable(*at));
        match self {
            Self::PickFirst | Self::RoundRobin => usable.next(),
            Self::LeastLoaded => usable.min_by_key(|at| load(*at)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(balance: Balance, loads: &[Option<usize>], turns: usize, expected: &[Option<usize>]) {
        let picked: Vec<_> = (0..turns)
            .map(|turn| {
                let usable = |at: usize| loads[at].is_some();
                balance.pick(loads.len(), turn, usable, |at: usize| loads[at].unwrap_or_default())
            })
            .collect();
        assert_eq!(picked, expected);
    }

    #[test]
    fn round_robin_takes_turns_and_leaves_out_the_unusable() {
        let all = [Some(9), Some(0), Some(0)];
        check(Balance::RoundRobin, &all, 4, &[Some(0), Some(1), Some(2), Some(0)]);
        check(Balance::RoundRobin, &[Some(0), None, Some(0)], 3, &[Some(0), Some(2), Some(2)]);
        check(Balance::RoundRobin, &[None, None], 2, &[None, None]);
        check(Balance::RoundRobin, &[], 1, &[None]);
    }

    #[test]
    fn least_loaded_takes_the_least_and_equals_take_turns() {
        check(Balance::LeastLoaded, &[Some(2), Some(1), Some(3)], 3, &[Some(1), Some(1), Some(1)]);
        check(Balance::LeastLoaded, &[Some(1), Some(1)], 3, &[Some(0), Some(1), Some(0)]);
        check(Balance::LeastLoaded, &[Some(1), None], 2, &[Some(0), Some(0)]);
    }
}
