//! Whether a call that failed is made again, and when.
//!
//! Two reasons are told apart. A call that no handler can have seen is sent once more at once, whatever it does and
//! whatever the policy. All else is up to the [`RetryPolicy`], and is only done where twice is as good as once.

use crate::call::Call;
use crate::error::transport_error;
use crate::{DeadlineReached, Error, clock};
use ringwire_call::Instant;
use ringwire_rpc::{Code, Idempotency, PushBack};
use ringwire_transport::{TransportError, TransportErrorKind};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// When calls that failed are made again: those of methods that the schema calls idempotent or free of side effects,
/// and those that no handler can have seen. Streams are made again only until the server has begun to answer, and
/// streams of requests never.
#[derive(Clone, Debug)]
pub struct RetryPolicy {
    /// How often a call is made at most, the first time included.
    pub attempts_max: u32,
    /// The first wait, which becomes longer with each attempt. Each is made up to a fifth shorter or longer, so that
    /// clients that failed together do not come back together.
    pub backoff_initial: Duration,
    /// The longest wait.
    pub backoff_max: Duration,
    /// How much longer each wait is than the one before it.
    pub backoff_factor: f64,
    /// Which errors are worth it.
    pub codes: Vec<Code>,
    /// How many failures there may be among the calls of all who share it.
    pub budget: RetryBudget,
}

impl Default for RetryPolicy {
    /// Three attempts, for `unavailable` alone.
    fn default() -> Self {
        Self {
            attempts_max: 3,
            backoff_initial: Duration::from_millis(100),
            backoff_max: Duration::from_secs(5),
            backoff_factor: 2.0,
            codes: vec![Code::Unavailable],
            budget: RetryBudget::default(),
        }
    }
}

impl RetryPolicy {
    /// The wait before the retry that comes after `retries` of them, before it is jittered.
    fn backoff(&self, retries: u32) -> Duration {
        let factor = self.backoff_factor.powf(f64::from(retries));
        let wait = Duration::try_from_secs_f64(self.backoff_initial.as_secs_f64() * factor);
        wait.unwrap_or(self.backoff_max).min(self.backoff_max)
    }
}

/// Keeps retries from making an outage worse. Each failure takes a token, each success gives a part of one back, and
/// while no more than half of them are there, nothing is retried. Clones share their tokens.
#[derive(Clone, Debug)]
pub struct RetryBudget {
    tokens: Arc<Tokens>,
}

/// In thousandths.
#[derive(Debug)]
struct Tokens {
    max: u32,
    per_success: u32,
    left: AtomicU32,
}

impl Default for RetryBudget {
    /// A hundred tokens, of which ten successes give one back.
    fn default() -> Self {
        Self::new(100, 0.1)
    }
}

impl RetryBudget {
    /// A budget of so many tokens, all of them there.
    pub fn new(tokens_max: u32, per_success: f32) -> Self {
        let max = tokens_max.saturating_mul(TOKEN);
        // Saturates, as casts of floats do.
        let per_success = (per_success * TOKEN as f32) as u32;
        Self { tokens: Arc::new(Tokens { max, per_success, left: AtomicU32::new(max) }) }
    }

    /// A call succeeded.
    pub(crate) fn succeeded(&self) {
        let Tokens { max, per_success, left } = &*self.tokens;
        if left.load(Ordering::Relaxed) < *max {
            let _ = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                Some(left.saturating_add(*per_success).min(*max))
            });
        }
    }

    /// A call failed; says whether another attempt is within the budget.
    pub(crate) fn failed(&self) -> bool {
        let Tokens { max, left, .. } = &*self.tokens;
        let take = |left: u32| Some(left.saturating_sub(TOKEN));
        let before = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        before.unwrap_or_default().saturating_sub(TOKEN) > max / 2
    }

    /// Whether another attempt is within the budget.
    pub(crate) fn allows(&self) -> bool {
        self.tokens.left.load(Ordering::Relaxed) > self.tokens.max / 2
    }
}

/// How far one call is with its attempts.
#[derive(Debug, Default)]
pub(crate) struct State {
    attempts: u32,
    /// How many there were since the server last said when to come back.
    in_a_row: u32,
    was_replayed: bool,
}

/// Tells the budget of a call's policy that the call has succeeded.
pub(crate) fn succeeded(call: &Call) {
    if let Some(policy) = call.retry_policy() {
        policy.budget.succeeded();
    }
}

/// What to do with a call that failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    GiveUp,
    Again,
    AgainAt(Instant),
}

impl State {
    /// How many attempts there were, for the server to know.
    pub(crate) fn attempts(&self) -> u32 {
        self.attempts
    }

    pub(crate) fn after(&mut self, call: &Call, error: &Error) -> Verdict {
        let transport = transport_error(error);
        if !self.was_replayed && transport.is_some_and(was_lost_on_the_way) {
            self.was_replayed = true;
            return Verdict::Again;
        }
        let is_unprocessed = transport.is_some_and(TransportError::is_unprocessed);
        let is_safe = is_unprocessed || call.spec.idempotency != Idempotency::Unknown;
        let Some(policy) = call.retry_policy().filter(|_| is_safe) else { return Verdict::GiveUp };
        if !policy.codes.contains(&error.code()) || is_own_deadline(error) {
            return Verdict::GiveUp;
        }
        let push_back = push_back(error);
        let has_budget = policy.budget.failed();
        self.attempts += 1;
        if !has_budget || self.attempts >= policy.attempts_max {
            return Verdict::GiveUp;
        }
        let wait = match push_back {
            PushBack::Never => return Verdict::GiveUp,
            PushBack::After(wait) => {
                self.in_a_row = 0;
                wait
            }
            PushBack::Silent => {
                let wait = policy.backoff(self.in_a_row);
                self.in_a_row += 1;
                jittered(wait)
            }
        };
        clock::now().checked_add(wait).map_or(Verdict::GiveUp, Verdict::AgainAt)
    }
}

/// The server's word on another attempt. A wait that is too long means that there is none.
pub(crate) fn push_back(error: &Error) -> PushBack {
    match PushBack::of(error) {
        PushBack::After(wait) if wait > PUSH_BACK_MAX => PushBack::Never,
        said => said,
    }
}

/// The request cannot have been seen, and the way to the server is not what is broken.
fn was_lost_on_the_way(error: &TransportError) -> bool {
    let on_the_way = matches!(error.kind(), TransportErrorKind::Reset(_) | TransportErrorKind::Lost);
    on_the_way && error.is_unprocessed()
}

fn is_own_deadline(error: &Error) -> bool {
    error.source().is_some_and(|source| source.is::<DeadlineReached>())
}

/// A wait, up to a fifth shorter or longer.
fn jittered(wait: Duration) -> Duration {
    // The seeds of hash maps are all the randomness that a jitter needs.
    let random = RandomState::new().build_hasher().finish() as f64 / u64::MAX as f64;
    Duration::try_from_secs_f64(wait.as_secs_f64() * (0.8 + 0.4 * random)).unwrap_or(wait)
}

const TOKEN: u32 = 1000;
/// If the server asks for a longer wait, its error is returned.
const PUSH_BACK_MAX: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;
    use ringwire_rpc::Metadata;

    #[test]
    fn a_server_may_ask_for_a_minute_and_no_longer() {
        for (ms, said) in [
            ("59999", PushBack::After(Duration::from_millis(59_999))),
            ("60000", PushBack::After(Duration::from_secs(60))),
            ("60001", PushBack::Never),
        ] {
            let mut metadata = Metadata::new();
            metadata.append_received("grpc-retry-pushback-ms", ms.as_bytes()).unwrap();
            assert_eq!(push_back(&Error::unavailable("").with_metadata(metadata)), said, "{ms}");
        }
    }

    #[test]
    fn waits_grow_up_to_a_bound() {
        let policy = RetryPolicy::default();
        let waits = [0, 1, 2, 5, 6, 1000, u32::MAX].map(|retries| policy.backoff(retries).as_millis());
        assert_eq!(waits, [100, 200, 400, 3200, 5000, 5000, 5000]);
        for _ in 0..1000 {
            let wait = jittered(Duration::from_secs(10)).as_secs_f64();
            assert!((8.0..=12.0).contains(&wait), "{wait}");
        }
    }

    #[test]
    fn a_budget_ends_at_half_of_its_tokens() {
        let budget = RetryBudget::new(4, 0.5);
        assert_eq!([budget.failed(), budget.failed(), budget.failed()], [true, false, false]);
        assert!(!budget.allows());
        for _ in 0..3 {
            budget.succeeded();
        }
        assert!(budget.allows(), "two and a half tokens are more than half of four");
        for _ in 0..100 {
            budget.succeeded();
        }
        assert_eq!([budget.failed(), budget.failed()], [true, false], "no more than four are kept");
    }
}
