//! A bound on the bytes that all calls of a server hold at once.
//!
//! Limits bound one message; a thousand calls may each hold one. A call draws from the budget for what it has
//! received and not yet dropped, and for what it has written and the shell has not yet taken. A call that
//! finds the budget empty ends with `resource_exhausted`: waiting instead would let calls that each hold a
//! part wait for one another for ever. What it held goes back at once.

use ringwire_rpc::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The bytes that all calls of a server may hold at once. Clones share it.
///
/// The first 4 KiB of each call are not counted: small calls, the most by far, then never touch a counter
/// that all cores share. They are bounded by the number of calls, as the rest of a call's state is.
#[derive(Clone)]
pub struct Budget {
    shared: Arc<Shared>,
}

struct Shared {
    total: usize,
    held: AtomicUsize,
}

impl Budget {
    /// A budget of so many bytes.
    pub fn new(total: usize) -> Self {
        Self { shared: Arc::new(Shared { total, held: AtomicUsize::new(0) }) }
    }

    /// The bytes that calls hold now.
    pub fn held(&self) -> usize {
        self.shared.held.load(Ordering::Relaxed)
    }

    /// The bytes that calls may hold.
    pub fn total(&self) -> usize {
        self.shared.total
    }

    fn draw(&self, bytes: usize) -> Result<(), Exhausted> {
        let Shared { total, held } = &*self.shared;
        let fits = |held: usize| held.checked_add(bytes).filter(|sum| sum <= total);
        match held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits) {
            Ok(_) => Ok(()),
            Err(held) => Err(Exhausted { asked: bytes, held, total: *total }),
        }
    }

    fn give_back(&self, bytes: usize) {
        self.shared.held.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// One gibibyte.
impl Default for Budget {
    fn default() -> Self {
        Self::new(DEFAULT_TOTAL)
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budget").field("total", &self.total()).field("held", &self.held()).finish()
    }
}

/// What one call draws. Dropping it gives everything back.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Budget,
    drawn: usize,
}

impl Share {
    pub(crate) fn new(budget: &Budget) -> Self {
        Self { budget: budget.clone(), drawn: 0 }
    }

    /// Whether a call that holds at most this many bytes draws nothing, as it does now.
    #[inline]
    pub(crate) fn is_free(&self, bytes_max: usize) -> bool {
        self.drawn == 0 && bytes_max <= FREE_BYTES
    }

    /// Says how many bytes the call holds now. On an error its share is what it was.
    pub(crate) fn hold(&mut self, bytes: usize) -> Result<(), Exhausted> {
        let want = bytes.saturating_sub(FREE_BYTES);
        if want > self.drawn {
            self.budget.draw(want - self.drawn)?;
        } else if want < self.drawn {
            self.budget.give_back(self.drawn - want);
        }
        self.drawn = want;
        Ok(())
    }
}

impl Share {
    /// Hands all that was drawn, if anything was, to a new share.
    pub(crate) fn hand_over(&mut self) -> Option<Self> {
        let drawn = std::mem::take(&mut self.drawn);
        (drawn > 0).then(|| Self { budget: self.budget.clone(), drawn })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if self.drawn > 0 {
            self.budget.give_back(self.drawn);
        }
    }
}

/// The budget had no room.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Exhausted {
    asked: usize,
    held: usize,
    total: usize,
}

impl fmt::Display for Exhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { asked, held, total } = self;
        write!(f, "{asked} bytes more than the {held} in flight exceed the budget of {total}")
    }
}

impl std::error::Error for Exhausted {}

/// How much memory the server has is not the client's business, so that stays in the source.
#[cold]
pub(crate) fn exhausted(exhausted: Exhausted) -> Error {
    Error::resource_exhausted("the server holds too many bytes in flight").with_source(exhausted)
}

/// As much as a call's own state takes; see [`Budget`].
const FREE_BYTES: usize = 4 * 1024;
// A quarter of a small server's memory, and room for 256 messages of the largest size at once.
const DEFAULT_TOTAL: usize = 1024 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_draw_to_the_last_byte_and_give_back() {
        let budget = Budget::new(100);
        let mut first = Share::new(&budget);
        let mut second = Share::new(&budget);
        first.hold(FREE_BYTES + 60).unwrap();
        second.hold(FREE_BYTES + 40).unwrap();
        assert_eq!(budget.held(), 100);
        assert!(second.hold(FREE_BYTES + 41).is_err());
        assert_eq!(budget.held(), 100, "a refused share is what it was");
        first.hold(FREE_BYTES + 59).unwrap();
        second.hold(FREE_BYTES + 41).unwrap();
        drop(first);
        assert_eq!(budget.held(), 41);
        second.hold(0).unwrap();
        assert_eq!(budget.held(), 0);
    }

    #[test]
    fn small_calls_are_free() {
        let budget = Budget::new(0);
        let mut share = Share::new(&budget);
        share.hold(FREE_BYTES).unwrap();
        assert!(share.hold(FREE_BYTES + 1).is_err());
        assert!(share.hold(usize::MAX).is_err());
    }

    #[test]
    fn clients_do_not_learn_the_sizes() {
        let error = exhausted(Budget::new(7).draw(8).unwrap_err());
        assert_eq!(error.code(), ringwire_rpc::Code::ResourceExhausted);
        assert!(!error.message().contains('7'));
        assert!(error.source().unwrap().to_string().contains("budget of 7"));
    }
}
