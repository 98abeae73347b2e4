//! Cancellation, as something to wait for.
//!
//! A cancelled call drops its handler, so a handler need not look. [`Cancelled`] is for what the handler started
//! elsewhere: a task, a thread, a query on another machine.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};

/// Resolves when its call ends before the handler has answered: the client went away, the deadline passed, or the
/// handler panicked. Stays pending when the handler answers, with success or with an error.
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
        match &mut *signal.lock() {
            State::Cancelled => return Poll::Ready(()),
            State::Answered => {}
            State::Open(wakers) => match self.place {
                Some(place) => wakers[place].clone_from(cx.waker()),
                None => {
                    self.place = Some(wakers.len());
                    wakers.push(cx.waker().clone());
                }
            },
        }
        Poll::Pending
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

/// The call's side. Dropping it cancels, unless the handler had answered. Free until somebody asks.
#[derive(Default)]
pub(crate) struct Canceller {
    signal: OnceLock<Arc<Signal>>,
}

impl Canceller {
    pub(crate) fn cancelled(&self) -> Cancelled {
        Cancelled { signal: self.signal.get_or_init(Arc::default).clone(), place: None }
    }

    /// From here on, nothing cancels.
    pub(crate) fn answered(&self) {
        if let Some(signal) = self.signal.get() {
            *signal.lock() = State::Answered;
        }
    }
}

impl Drop for Canceller {
    fn drop(&mut self) {
        let Some(signal) = self.signal.get() else { return };
        let mut state = signal.lock();
        let State::Open(wakers) = &mut *state else { return };
        let wakers = std::mem::take(wakers);
        *state = State::Cancelled;
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }
}

#[derive(Default)]
struct Signal(Mutex<State>);

enum State {
    Open(Vec<Waker>),
    Answered,
    Cancelled,
}

impl Signal {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for State {
    fn default() -> Self {
        Self::Open(Vec::new())
    }
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
}
