//! Wake-ups of a shard: who called for it, from whichever thread.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

use crate::driver::{Key, Woken};

/// The parts of a shard that have asked to be looked at.
///
/// The shard's own waker is kept only while it is parked, so that a wake-up in the middle of a turn costs a push.
#[derive(Debug, Default)]
pub(crate) struct Wakes {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    marks: Vec<Mark>,
    parked: Option<Waker>,
}

/// A part of a shard.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mark {
    /// A socket of the driver.
    Socket(Woken),
    /// A call of a connection. Either may be gone by now, and another in its place: waking for nothing costs one poll.
    Call { key: Key, slot: u32 },
    /// The control of the shard: connections handed over, or the order to stop.
    Control,
}

impl Wakes {
    /// Asks the shard to look at one of its parts.
    pub(crate) fn push(&self, mark: Mark) {
        let parked = {
            let mut waiting = self.waiting();
            waiting.marks.push(mark);
            waiting.parked.take()
        };
        if let Some(waker) = parked {
            waker.wake();
        }
    }

    /// Moves the marks to `into`, which is empty.
    pub(crate) fn take(&self, into: &mut Vec<Mark>) {
        std::mem::swap(&mut self.waiting().marks, into);
    }

    /// Keeps the waker until the next push, unless something was pushed already.
    pub(crate) fn park(&self, waker: &Waker) -> Parked {
        let mut waiting = self.waiting();
        if !waiting.marks.is_empty() {
            return Parked::No;
        }
        match &mut waiting.parked {
            Some(parked) => parked.clone_from(waker),
            None => waiting.parked = Some(waker.clone()),
        }
        Parked::Yes
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a shard may park.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Parked {
    Yes,
    No,
}

/// The waker of one call, used again for call after call as long as nobody has kept a clone.
#[derive(Debug)]
pub(crate) struct CallWaker {
    target: Arc<Target>,
    waker: Waker,
}

#[derive(Debug)]
struct Target {
    wakes: Arc<Wakes>,
    /// The key and the slot.
    place: AtomicU64,
}

impl Wake for Target {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let place = self.place.load(Ordering::Relaxed);
        let (key, slot) = ((place >> 32) as u32, place as u32);
        self.wakes.push(Mark::Call { key: Key(key), slot });
    }
}

impl CallWaker {
    pub(crate) fn waker(&self) -> &Waker {
        &self.waker
    }
}

/// The wakers that no call uses.
#[derive(Debug)]
pub(crate) struct CallWakers {
    wakes: Arc<Wakes>,
    free: Vec<CallWaker>,
}

impl CallWakers {
    pub(crate) fn new(wakes: Arc<Wakes>) -> Self {
        Self { wakes, free: Vec::new() }
    }

    /// A waker of this call.
    pub(crate) fn take(&mut self, key: Key, slot: u32) -> CallWaker {
        let place = u64::from(key.0) << 32 | u64::from(slot);
        if let Some(waker) = self.free.pop() {
            waker.target.place.store(place, Ordering::Relaxed);
            return waker;
        }
        let target = Arc::new(Target { wakes: self.wakes.clone(), place: AtomicU64::new(place) });
        CallWaker { waker: Waker::from(target.clone()), target }
    }

    /// Takes the waker of a call that has ended.
    pub(crate) fn put(&mut self, waker: CallWaker) {
        // One count is ours, the other the waker's own. A clone that someone has kept must not wake a later call for ever.
        if Arc::strong_count(&waker.target) == 2 && self.free.len() < FREE_MAX {
            self.free.push(waker);
        }
    }
}

// As many as one burst of calls uses; more would only be kept.
const FREE_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn marks(wakes: &Wakes) -> Vec<Mark> {
        let mut marks = Vec::new();
        wakes.take(&mut marks);
        marks
    }

    #[test]
    fn a_parked_shard_is_woken_once_and_a_running_one_not_at_all() {
        let (wakes, count) = (Arc::new(Wakes::default()), Arc::new(Count::default()));
        let root = Waker::from(count.clone());
        wakes.push(Mark::Control);
        assert_eq!(wakes.park(&root), Parked::No);
        assert_eq!(marks(&wakes), [Mark::Control]);
        assert_eq!(wakes.park(&root), Parked::Yes);
        wakes.push(Mark::Control);
        wakes.push(Mark::Control);
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        assert_eq!(marks(&wakes), [Mark::Control, Mark::Control]);
    }

    #[test]
    fn a_call_is_named_by_its_waker() {
        let wakes = Arc::new(Wakes::default());
        let mut wakers = CallWakers::new(wakes.clone());
        let waker = wakers.take(Key(7), u32::MAX);
        waker.waker().wake_by_ref();
        assert_eq!(marks(&wakes), [Mark::Call { key: Key(7), slot: u32::MAX }]);
    }

    #[test]
    fn a_waker_is_used_again_unless_a_clone_is_kept() {
        let wakes = Arc::new(Wakes::default());
        let mut wakers = CallWakers::new(wakes.clone());
        let waker = wakers.take(Key(1), 1);
        let kept = waker.waker().clone();
        wakers.put(waker);
        let other = wakers.take(Key(2), 2);
        kept.wake();
        assert_eq!(marks(&wakes), [Mark::Call { key: Key(1), slot: 1 }]);
        let first = Arc::as_ptr(&other.target);
        wakers.put(other);
        assert_eq!(Arc::as_ptr(&wakers.take(Key(3), 3).target), first);
    }
}
