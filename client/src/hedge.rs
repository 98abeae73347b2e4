//! The same call made to more than one server, because the first is slow.

use crate::attempt::{Answered, Attempt};
use crate::call::Call;
use crate::retry::push_back;
use crate::{Error, Result, RetryBudget, clock};
use ringwire_call::Instant;
use ringwire_rpc::{Code, Idempotency, PushBack};
use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

/// When calls of methods without side effects are made again although the first is still under way. The first success
/// counts; the other attempts are cancelled.
#[derive(Clone, Debug)]
pub struct HedgePolicy {
    /// How often a call is made at most, the first time included.
    pub attempts_max: u32,
    /// How long to wait for an answer before the next attempt.
    pub delay: Duration,
    /// Which errors of one attempt leave the others a chance. They send the next attempt at once.
    pub codes: Vec<Code>,
    /// How many failures there may be among the calls of all who share it.
    pub budget: RetryBudget,
}

impl HedgePolicy {
    /// A second attempt after `delay`, in which `unavailable` is no end.
    pub fn after(delay: Duration) -> Self {
        Self { attempts_max: 2, delay, codes: vec![Code::Unavailable], budget: RetryBudget::default() }
    }
}

/// The policy of a call that has one, and that may be made more than once.
pub(crate) fn applies(call: &Call) -> Option<&HedgePolicy> {
    let is_free = call.spec.idempotency == Idempotency::NoSideEffects;
    call.hedge_policy().filter(|_| is_free)
}

/// Makes the attempts of a call. `start` begins one, after so many others.
pub(crate) async fn run(policy: &HedgePolicy, start: impl Fn(u32) -> Result<Attempt>) -> Result<Answered> {
    let mut race = Race {
        left: policy.attempts_max.max(1),
        sent: 0,
        policy,
        next: clock::now(),
        alarm: clock::Alarm::default(),
        running: Vec::new(),
    };
    poll_fn(|cx| race.poll(&start, cx)).await
}

/// The attempts of one call.
struct Race<'p> {
    policy: &'p HedgePolicy,
    running: Vec<Attempt>,
    /// How many more there may be.
    left: u32,
    sent: u32,
    /// When the next one is sent.
    next: Instant,
    alarm: clock::Alarm,
}

impl Race<'_> {
    fn poll(
        &mut self,
        start: &impl Fn(u32) -> Result<Attempt>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Answered>> {
        loop {
            if self.left > 0 && self.next <= clock::now() {
                self.send(start)?;
            }
            let mut at = 0;
            while let Some(running) = self.running.get_mut(at) {
                match running.poll(cx) {
                    Poll::Pending => at += 1,
                    Poll::Ready(Ok(first)) => {
                        self.policy.budget.succeeded();
                        return Poll::Ready(Ok(self.running.swap_remove(at).answered(first)));
                    }
                    Poll::Ready(Err(error)) => {
                        drop(self.running.swap_remove(at));
                        if !self.goes_on(&error) {
                            return Poll::Ready(Err(error));
                        }
                    }
                }
            }
            if self.left == 0 || self.alarm.poll(cx, self.next).is_pending() {
                return Poll::Pending;
            }
        }
    }

    fn send(&mut self, start: &impl Fn(u32) -> Result<Attempt>) -> Result<()> {
        self.left -= 1;
        if self.sent > 0 && !self.policy.budget.allows() {
            self.left = 0;
            return Ok(());
        }
        self.running.push(start(self.sent)?);
        self.sent += 1;
        match clock::now().checked_add(self.policy.delay) {
            Some(next) => self.next = next,
            None => self.left = 0,
        }
        Ok(())
    }

    /// Whether the failure of one attempt leaves the call a chance.
    fn goes_on(&mut self, error: &Error) -> bool {
        if !self.policy.codes.contains(&error.code()) {
            return false;
        }
        if !self.policy.budget.failed() {
            self.left = 0;
        }
        match push_back(error) {
            PushBack::Never => self.left = 0,
            PushBack::Silent => self.next = clock::now(),
            PushBack::After(wait) => self.next = clock::now() + wait,
        }
        self.left > 0 || !self.running.is_empty()
    }
}
