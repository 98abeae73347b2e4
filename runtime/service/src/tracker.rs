//! Counts the calls that run, so that a server can wait for the last one before it goes.

use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};

/// Keeps a server from going while it is held. A running call holds one; [`Call::guard`](crate::Call::guard)
/// gives another to work that goes on after the answer.
///
/// It protects nothing from the call's own end: a cancelled call still drops its handler.
pub struct Guard(Arc<Tracker>);

impl Clone for Guard {
    fn clone(&self) -> Self {
        Self::new(&self.0)
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guard")
    }
}

impl Guard {
    pub(crate) fn new(tracker: &Arc<Tracker>) -> Self {
        tracker.held.fetch_add(1, Ordering::Relaxed);
        Self(tracker.clone())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // SeqCst, with `register`: either this sees that someone waits, or that one sees the count of zero.
        if self.0.held.fetch_sub(1, Ordering::SeqCst) == 1 && self.0.is_awaited.load(Ordering::SeqCst) {
            self.0.wake();
        }
    }
}

#[derive(Default)]
pub(crate) struct Tracker {
    held: AtomicUsize,
    /// Whether anyone has ever waited: most servers wait once, at their end.
    is_awaited: AtomicBool,
    waiting: Mutex<Vec<Waker>>,
}

impl Tracker {
    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::SeqCst)
    }

    /// Resolves at a moment when no guard is held.
    pub(crate) fn idle(&self) -> impl Future<Output = ()> + '_ {
        std::future::poll_fn(|cx| {
            // The waker goes in first: a guard dropped in between then finds it.
            self.register(cx.waker());
            if self.held() == 0 { Poll::Ready(()) } else { Poll::Pending }
        })
    }

    fn register(&self, waker: &Waker) {
        let mut waiting = self.lock();
        if !waiting.iter().any(|other| other.will_wake(waker)) {
            waiting.push(waker.clone());
        }
        drop(waiting);
        self.is_awaited.store(true, Ordering::SeqCst);
    }

    #[cold]
    fn wake(&self) {
        let waiting = std::mem::take(&mut *self.lock());
        waiting.into_iter().for_each(Waker::wake);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Waker>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::task::{Context, Wake};

    #[derive(Default)]
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    #[test]
    fn idle_waits_for_the_last_guard() {
        let tracker = Arc::new(Tracker::default());
        let first = Guard::new(&tracker);
        let second = first.clone();
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(woken.clone());
        let mut cx = Context::from_waker(&waker);
        let mut idle = pin!(tracker.idle());
        assert!(idle.as_mut().poll(&mut cx).is_pending());
        drop(first);
        assert!(!woken.0.load(Ordering::Relaxed));
        assert!(idle.as_mut().poll(&mut cx).is_pending());
        drop(second);
        assert!(woken.0.load(Ordering::Relaxed));
        assert!(idle.as_mut().poll(&mut cx).is_ready());
    }
}
