//! What all parts of one pool share: its options, its random numbers, and how many requests it has taken in.

use crate::jitter::Jitter;
use crate::options::PoolOptions;
use crate::origin::Origin;
use crate::state::State;
use ringwire_call::Observer;
use ringwire_transport::{TransportError, TransportErrorKind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::sync::{Notify, watch};

/// What all parts of one pool share.
pub(crate) struct Shared {
    pub(crate) origin: Origin,
    pub(crate) options: PoolOptions,
    pub(crate) jitter: Jitter,
    pub(crate) gate: Gate,
    /// Who is told of connections.
    pub(crate) observer: OnceLock<Arc<dyn Observer>>,
}

/// How many requests a pool has taken in.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    in_flight: AtomicUsize,
    waiting: AtomicUsize,
    is_closed: AtomicBool,
    emptied: Notify,
    states: Mutex<[State; 2]>,
    state: watch::Sender<State>,
}

/// A request that waits for a connection, for as long as it lives.
pub(crate) struct Waiting(Arc<Shared>);

impl Gate {
    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::SeqCst)
    }

    pub(crate) fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
        self.tell(&lock(&self.states));
    }

    /// The state of the pool, now and later.
    pub(crate) fn states(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    /// A channel is in this state.
    pub(crate) fn set_state(&self, channel: usize, state: State) {
        let mut states = lock(&self.states);
        states[channel] = state;
        self.tell(&states);
    }

    /// A channel begins to connect.
    pub(crate) fn connecting(&self, channel: usize) {
        let mut states = lock(&self.states);
        if states[channel] != State::Ready {
            states[channel] = State::Connecting;
        }
        self.tell(&states);
    }

    fn tell(&self, states: &[State; 2]) {
        // What a request can hope for: the best of what the channels are in.
        let order = [State::Ready, State::Connecting, State::Failing];
        let best = order.into_iter().find(|state| states.contains(state)).unwrap_or(State::Idle);
        let state = if self.is_closed() { State::Closed } else { best };
        self.state.send_if_modified(|before| std::mem::replace(before, state) != state);
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::SeqCst)
    }

    pub(crate) fn enter(&self) {
        self.in_flight.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn leave(&self) {
        if self.in_flight.fetch_sub(1, Ordering::SeqCst) == 1 && self.is_closed() {
            self.emptied.notify_waiters();
        }
    }

    /// Waits until a closed pool has no request left.
    pub(crate) async fn empty(&self) {
        loop {
            let mut emptied = std::pin::pin!(self.emptied.notified());
            emptied.as_mut().enable();
            if self.in_flight.load(Ordering::SeqCst) == 0 {
                return;
            }
            emptied.await;
        }
    }
}

impl Waiting {
    /// One more that waits, if the limit allows it.
    pub(crate) fn new(shared: &Arc<Shared>) -> Result<Self, TransportError> {
        let one_more = Self(shared.clone());
        if shared.gate.waiting.fetch_add(1, Ordering::Relaxed) >= shared.options.limits.waiting_max {
            return Err(TransportError::new(TransportErrorKind::Overloaded)
                .unprocessed()
                .with_peer(shared.origin.to_string()));
        }
        Ok(one_more)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.gate.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Locks; what a panicking holder left behind is whole, because no holder here calls foreign code.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// As [`lock`], to read.
pub(crate) fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

/// As [`lock`], to write.
pub(crate) fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
