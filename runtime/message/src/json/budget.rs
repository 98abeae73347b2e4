//! What is left of the limits while one JSON message is decoded.

use crate::{DecodeError, DecodeLimits, UnknownFields};
use serde::de::Error;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// The budget of one decode, shared by everything that it decodes.
pub(super) struct Budget {
    limits: DecodeLimits,
    depth: Cell<u32>,
    stack_left: Cell<usize>,
    memory_left: Cell<usize>,
    crossed: RefCell<Option<DecodeError>>,
}

impl Budget {
    pub(super) fn new(limits: &DecodeLimits) -> Self {
        Self {
            limits: *limits,
            depth: Cell::new(0),
            stack_left: Cell::new(limits.json_stack_max),
            memory_left: Cell::new(limits.element_memory_max),
            crossed: RefCell::new(None),
        }
    }

    /// Reads an object, or an array in an array, into a value of `size` bytes: one level deeper while `inner` runs.
    pub(super) fn nested<T, E: Error>(
        &self,
        size: usize,
        inner: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let (depth, stack) = (self.depth.get(), self.stack_left.get());
        // The outermost message is not nested, so it may be entered with a limit of 0.
        if depth > self.limits.depth_max {
            return Err(self.cross(DecodeError::TooDeep { limit: self.limits.depth_max }));
        }
        let Some(stack_left) = stack.checked_sub(LEVEL_STACK + FRAMES * size) else {
            return Err(self.cross(DecodeError::TooDeep { limit: depth.saturating_sub(1) }));
        };
        self.depth.set(depth + 1);
        self.stack_left.set(stack_left);
        let result = inner();
        self.depth.set(depth);
        self.stack_left.set(stack);
        result
    }

    /// Pays for one element of `size` bytes.
    #[inline]
    pub(super) fn element<E: Error>(&self, size: usize) -> Result<(), E> {
        match self.memory_left.get().checked_sub(size) {
            Some(left) => {
                self.memory_left.set(left);
                Ok(())
            }
            None => Err(self.cross(DecodeError::TooManyElements { limit: self.limits.element_memory_max })),
        }
    }

    #[inline]
    pub(super) fn rejects_unknown_fields(&self) -> bool {
        self.limits.json_unknown_fields == UnknownFields::Reject
    }

    /// The limit that was crossed, if one was: serde's errors carry text only.
    pub(super) fn crossed(&self) -> Option<DecodeError> {
        self.crossed.borrow_mut().take()
    }

    #[cold]
    fn cross<E: Error>(&self, limit: DecodeError) -> E {
        let error = E::custom(&limit);
        *self.crossed.borrow_mut() = Some(limit);
        error
    }
}

/// Makes a budget the one of this thread, as long as it lives: what is inside an `Any` is decoded by a function
/// that buffa calls with nothing but the value.
pub(super) struct Scope {
    budget: Rc<Budget>,
    outer: Option<Rc<Budget>>,
}

impl Scope {
    pub(super) fn enter(budget: Budget) -> Self {
        let budget = Rc::new(budget);
        let outer = CURRENT.replace(Some(budget.clone()));
        Self { budget, outer }
    }

    pub(super) fn budget(&self) -> &Budget {
        &self.budget
    }

    /// The budget of the decode that this thread is in; a new one if it is in none.
    pub(super) fn current() -> Rc<Budget> {
        CURRENT.with_borrow(Clone::clone).unwrap_or_else(|| Rc::new(Budget::new(&DecodeLimits::DEFAULT)))
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        CURRENT.replace(self.outer.take());
    }
}

// What one level takes of the stack, rounded up from measurements: serde returns values through a chain of calls,
// each of which has room for a copy.
const LEVEL_STACK: usize = if cfg!(debug_assertions) { 7 * 1024 } else { 1024 };
const FRAMES: usize = if cfg!(debug_assertions) { 16 } else { 8 };

thread_local! {
    static CURRENT: RefCell<Option<Rc<Budget>>> = const { RefCell::new(None) };
}
