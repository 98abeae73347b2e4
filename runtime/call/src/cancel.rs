//! Cancellation, as something to wait for.
//!
//! A cancelled call drops its handler, so a handler need not look. [`Cancelled`] is for what the handler
//! started elsewhere: a task, a thread, a query on another machine.

use crate::Instant;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};

/// Resolves when its call ends before the handler has answered: the client went away, the deadline passed, or
/// the handler panicked. Stays pending when the handler answers, with success or with an error.
pub struct Cancelled {
    signal: Arc<Signal>,
    /// Where this future's waker stands in the list, once it has been polled.
    place: Option<usize>,
}

impl Cancelled {
    /// Whether the call has been cancelled.
    pub fn is_cancelled(&self) -> bool {
        matches!(*self.signal.lock(), State::Cancelled)
    }
}

impl Future for Cancelled {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let signal = self.signal.clone();
        let mut state = signal.lock();
        let waiting = match &mut *state {
            State::Cancelled => return Poll::Ready(()),
            State::Answered => return Poll::Pending,
            State::Open(waiting) => waiting,
        };
        let place = self.place.unwrap_or_else(|| free_place(waiting));
        self.place = Some(place);
        let before = waiting[place].replace(cx.waker().clone());
        // Unlocked first: the last waker of a task drops the task, which may hold another of these.
        drop(state);
        drop(before);
        Poll::Pending
    }
}

/// Gives its place up, so that a handler may ask in a loop.
impl Drop for Cancelled {
    fn drop(&mut self) {
        let Some(place) = self.place else { return };
        let mut state = self.signal.lock();
        let State::Open(waiting) = &mut *state else { return };
        let before = waiting[place].take();
        drop(state);
        drop(before);
    }
}

impl Clone for Cancelled {
    fn clone(&self) -> Self {
        Self { signal: self.signal.clone(), place: None }
    }
}

impl fmt::Debug for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancelled").field("is_cancelled", &self.is_cancelled()).finish_non_exhaustive()
    }
}

/// A call that a handler answers, in which it makes others.
pub trait ParentCall {
    /// When the time of the call runs out.
    fn deadline(&self) -> Option<Instant>;

    /// Resolves if the call ends before its handler has answered.
    fn cancelled(&self) -> Cancelled;
}

/// The call's side. Dropping it cancels, unless the handler had answered. Free until somebody asks.
#[derive(Default)]
pub struct Canceller {
    signal: OnceLock<Arc<Signal>>,
}

impl Canceller {
    /// A future that resolves when the call is cancelled.
    pub fn cancelled(&self) -> Cancelled {
        Cancelled { signal: self.signal.get_or_init(Arc::default).clone(), place: None }
    }

    /// From here on, nothing cancels; nor does this, once something has.
    #[inline]
    pub fn answered(&self) {
        if let Some(signal) = self.signal.get() {
            signal.settle(State::Answered);
        }
    }

    /// Cancels the call, unless it was answered.
    #[inline]
    pub fn cancel(&self) {
        if let Some(signal) = self.signal.get() {
            signal.settle(State::Cancelled).into_iter().flatten().for_each(Waker::wake);
        }
    }
}

impl fmt::Debug for Canceller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Canceller")
    }
}

impl Drop for Canceller {
    fn drop(&mut self) {
        self.cancel();
    }
}

#[derive(Default)]
struct Signal(Mutex<State>);

enum State {
    /// Who waits, each in a place of its own.
    Open(Vec<Option<Waker>>),
    Answered,
    Cancelled,
}

impl Signal {
    /// Settles how the call has ended, unless that is settled, and gives back who waited for it.
    fn settle(&self, end: State) -> Vec<Option<Waker>> {
        let mut state = self.lock();
        match &mut *state {
            State::Open(waiting) => {
                let waiting = std::mem::take(waiting);
                *state = end;
                waiting
            }
            State::Answered | State::Cancelled => Vec::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for State {
    fn default() -> Self {
        Self::Open(Vec::new())
    }
}

fn free_place(waiting: &mut Vec<Option<Waker>>) -> usize {
    waiting.iter().position(Option::is_none).unwrap_or_else(|| {
        waiting.push(None);
        waiting.len() - 1
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn dropping_wakes_everyone_who_waits_once() {
        let canceller = Canceller::default();
        let count = Arc::new(Count::default());
        let waker = Waker::from(count.clone());
        let mut cx = Context::from_waker(&waker);
        let mut first = canceller.cancelled();
        let mut second = first.clone();
        for _ in 0..3 {
            assert!(Pin::new(&mut first).poll(&mut cx).is_pending());
            assert!(Pin::new(&mut second).poll(&mut cx).is_pending());
        }
        drop(canceller);
        assert_eq!(count.0.load(Ordering::Relaxed), 2);
        assert!(Pin::new(&mut first).poll(&mut cx).is_ready());
        assert!(second.is_cancelled());
    }

    #[test]
    fn an_answered_call_is_never_cancelled() {
        let canceller = Canceller::default();
        let mut cancelled = canceller.cancelled();
        canceller.answered();
        drop(canceller);
        assert!(Pin::new(&mut cancelled).poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert!(!cancelled.is_cancelled());
    }

    #[test]
    fn who_asks_in_a_loop_takes_one_place() {
        let canceller = Canceller::default();
        let mut cx = Context::from_waker(Waker::noop());
        let mut other = canceller.cancelled();
        assert!(Pin::new(&mut other).poll(&mut cx).is_pending());
        for _ in 0..10 {
            assert!(Pin::new(&mut canceller.cancelled()).poll(&mut cx).is_pending());
        }
        let State::Open(waiting) = &*other.signal.lock() else { panic!("nobody has cancelled") };
        assert_eq!(waiting.len(), 2);
    }
}
