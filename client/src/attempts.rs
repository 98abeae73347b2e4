//! The attempts of a call with one request: as many as its policies allow. The first is mostly the last.

use crate::attempt::{Answered, Attempt};
use crate::call::Call;
use crate::flow::Bounds;
use crate::message::Sendable;
use crate::retry::{self, Verdict};
use crate::{Error, Result, clock, hedge};
use bytes::Bytes;
use ringwire_call::Instant;
use std::future::poll_fn;
use std::task::Poll;

/// A call with one request, and what its attempts have in common.
pub(crate) struct Attempts<'m> {
    pub(crate) call: Call,
    message: &'m dyn Sendable,
    /// The message as interceptors have replaced it: they see it once, not once per attempt.
    replaced: Option<Bytes>,
}

impl<'m> Attempts<'m> {
    pub(crate) fn new(call: Call, message: &'m dyn Sendable) -> Self {
        Self { call, message, replaced: None }
    }

    /// Makes the call.
    pub(crate) async fn run(&mut self) -> Result<Answered> {
        let coding = self.call.coding();
        if let Some(hooks) = self.call.watchers.hooks() {
            self.replaced = self.message.show(&coding, hooks)?;
        }
        if let Some(policy) = hedge::applies(&self.call) {
            let start = |previous| self.start(previous);
            return hedge::run(policy, start).await;
        }
        self.repeat(retry::State::default()).await
    }

    /// Makes the call again, if that is allowed after this error of its first attempt.
    pub(crate) async fn again(&self, error: Error) -> Result<Answered> {
        let mut retry = retry::State::default();
        self.wait(retry.after(&self.call, &error), error).await?;
        self.repeat(retry).await
    }

    async fn repeat(&self, mut retry: retry::State) -> Result<Answered> {
        loop {
            match self.attempt(retry.attempts()).await {
                Ok(answered) => {
                    retry::succeeded(&self.call);
                    return Ok(answered);
                }
                Err(error) => self.wait(retry.after(&self.call, &error), error).await?,
            }
        }
    }

    async fn attempt(&self, previous: u32) -> Result<Answered> {
        let mut attempt = self.start(previous)?;
        let first = poll_fn(|cx| attempt.poll(cx)).await?;
        Ok(attempt.answered(first))
    }

    fn start(&self, previous: u32) -> Result<Attempt> {
        let mut attempt = Attempt::new(&self.call);
        attempt.start(&self.call, self.message, self.replaced.as_ref(), previous)?;
        Ok(attempt)
    }

    /// Waits until the next attempt, or gives the error back if there is none.
    async fn wait(&self, verdict: Verdict, error: Error) -> Result<()> {
        match verdict {
            Verdict::GiveUp => Err(error),
            Verdict::Again => Ok(()),
            Verdict::AgainAt(at) if self.call.deadline.is_some_and(|deadline| deadline <= at) => Err(error),
            Verdict::AgainAt(at) => self.wait_until(at).await,
        }
    }

    async fn wait_until(&self, at: Instant) -> Result<()> {
        let mut alarm = clock::Alarm::default();
        let mut bounds = Bounds::of(&self.call);
        poll_fn(|cx| match alarm.poll(cx, at) {
            Poll::Ready(()) => Poll::Ready(Ok(())),
            Poll::Pending => bounds.poll(cx).map(Err),
        })
        .await
    }
}
