//! A place for one waker.

use std::task::Waker;

/// At most one waker that waits for something. Registering the same waker again costs no clone.
#[derive(Debug, Default)]
pub struct WakerSlot(Option<Waker>);

impl WakerSlot {
    /// A slot in which nobody waits.
    pub const fn new() -> Self {
        Self(None)
    }

    /// Keeps this waker, in place of the one before it.
    pub fn register(&mut self, waker: &Waker) {
        match &mut self.0 {
            Some(kept) => kept.clone_from(waker),
            None => self.0 = Some(waker.clone()),
        }
    }

    /// Takes the waker out, to be woken where no lock is held.
    pub fn take(&mut self) -> Option<Waker> {
        self.0.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::Wake;

    #[derive(Default)]
    struct Count(AtomicU32);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn the_last_waker_registered_is_taken_once() {
        let counts = [Arc::new(Count::default()), Arc::new(Count::default())];
        let wakers = counts.clone().map(Waker::from);
        let mut slot = WakerSlot::new();
        assert!(slot.take().is_none());
        slot.register(&wakers[0]);
        slot.register(&wakers[1]);
        slot.take().expect("the last one").wake();
        assert_eq!(counts.map(|count| count.0.load(Ordering::Relaxed)), [0, 1]);
        assert!(slot.take().is_none());
    }
}
