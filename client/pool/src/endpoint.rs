//! One target: its connections, who waits for one, and how it has been doing.
//!
//! The lock on `slow` comes before the others. Under it no lease is given or dropped and no task is spawned, because a lease
//! that is dropped, and a task of a runtime that has ended, take the lock themselves.

mod health;
mod opening;

use crate::channel::Channel;
use crate::connect::Lane;
use crate::eject::Health;
use crate::gate::{Shared, Waiting, lock, read, write};
use crate::http1::{Http1, Ready};
use crate::http2::Http2;
use crate::lease::Lease;
use crate::life::Wish;
use crate::{Address, HttpVersion};
use ringwire_transport::{TransportError, TransportErrorKind};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock, Weak};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// One target: an address, or all addresses of a name.
pub(crate) struct Target {
    pub(crate) name: Arc<str>,
    lane: Lane,
    shared: Arc<Shared>,
    channel: Weak<Channel>,
    http2: RwLock<Vec<Arc<Http2>>>,
    /// Without a request, the last used one last.
    http1: Mutex<Vec<Ready>>,
    in_flight: AtomicUsize,
    waiting: AtomicUsize,
    /// HTTP/1.1 connections that were given back and are not known to be clean yet.
    returning: AtomicUsize,
    is_growing: AtomicBool,
    /// There may be a reason in `slow` or in `health` to leave it alone.
    is_suspect: AtomicBool,
    has_failures: AtomicBool,
    slow: Mutex<Slow>,
    health: Mutex<Health>,
}

/// What is looked at only when there is no place at hand.
struct Slow {
    addresses: Arc<[Address]>,
    waiters: VecDeque<Waiter>,
    waiters_so_far: u64,
    connecting: usize,
    open: usize,
    failures: u32,
    /// Connections in a row that ended before their first answer.
    fruitless: u32,
    retry_at: Option<Instant>,
    last_error: Option<TransportError>,
    /// What TLS agreed on the last time.
    agreed: Option<Agreed>,
    is_retired: bool,
    keepalive: Option<Duration>,
    /// Where the last request that had to wait came from.
    runtime: Option<Handle>,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Agreed {
    Http1,
    Http2,
}

struct Waiter {
    id: u64,
    needs: Needs,
    give: oneshot::Sender<Result<Lease, TransportError>>,
}

/// What a request needs of its connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Needs {
    Any,
    Http2,
}

/// How a target looks from outside.
pub(crate) struct Look {
    pub(crate) open: usize,
    pub(crate) connecting: usize,
    pub(crate) in_flight: usize,
    pub(crate) rests_until: Option<Instant>,
    pub(crate) ejected: bool,
    pub(crate) last_error: Option<TransportError>,
}

impl Target {
    pub(crate) fn new(
        addresses: Arc<[Address]>,
        name: Arc<str>,
        lane: Lane,
        shared: Arc<Shared>,
        channel: Weak<Channel>,
    ) -> Self {
        let keepalive = shared.options.timings.keepalive;
        let slow = Slow {
            addresses,
            waiters: VecDeque::new(),
            waiters_so_far: 0,
            connecting: 0,
            open: 0,
            failures: 0,
            fruitless: 0,
            retry_at: None,
            last_error: None,
            agreed: None,
            is_retired: false,
            keepalive,
            runtime: None,
        };
        Self {
            name,
            lane,
            shared,
            channel,
            http2: RwLock::default(),
            http1: Mutex::default(),
            in_flight: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            returning: AtomicUsize::new(0),
            is_growing: AtomicBool::new(false),
            is_suspect: AtomicBool::new(false),
            has_failures: AtomicBool::new(false),
            slow: Mutex::new(slow),
            health: Mutex::default(),
        }
    }

    /// A place for a request: at once, or after those who came before.
    pub(crate) async fn acquire(self: &Arc<Self>, needs: Needs) -> Result<Lease, TransportError> {
        if self.waiting.load(Ordering::SeqCst) == 0
            && let Some((lease, is_full)) = self.try_acquire(needs)
        {
            if is_full {
                self.grow();
            }
            return Ok(lease);
        }
        if self.returning.load(Ordering::Relaxed) > 0 {
            // A connection that has just ended its request is clean in a moment. That is sooner than a new one is there.
            tokio::task::yield_now().await;
            if self.waiting.load(Ordering::SeqCst) == 0
                && let Some((lease, _)) = self.try_acquire(needs)
            {
                return Ok(lease);
            }
        }
        let _waiting = Waiting::new(&self.shared)?;
        let (give, given) = oneshot::channel();
        let queued = {
            let mut slow = lock(&self.slow);
            if slow.is_retired {
                return Err(TransportError::new(TransportErrorKind::Closed)
                    .unprocessed()
                    .with_peer(self.name.clone()));
            }
            if matches!(self.lane, Lane::Agreed(_, HttpVersion::Auto))
                && needs == Needs::Http2
                && slow.agreed == Some(Agreed::Http1)
                && slow.open > 0
            {
                return Err(self.misled());
            }
            slow.runtime = Some(Handle::current());
            slow.waiters_so_far += 1;
            let id = slow.waiters_so_far;
            slow.waiters.push_back(Waiter { id, needs, give });
            self.waiting.fetch_add(1, Ordering::SeqCst);
            Queued { target: self, id }
        };
        self.serve();
        let given = given.await;
        drop(queued);
        given.unwrap_or_else(|_| {
            Err(TransportError::new(TransportErrorKind::Closed).unprocessed().with_peer(self.name.clone()))
        })
    }

    /// A place that is there, and whether every connection is as busy as it should get.
    fn try_acquire(self: &Arc<Self>, needs: Needs) -> Option<(Lease, bool)> {
        if matches!(self.lane, Lane::Http1) {
            return Some((self.take_http1()?, false));
        }
        if let Some(found) = self.take_http2() {
            return Some(found);
        }
        match (needs, &self.lane) {
            (Needs::Any, Lane::Agreed(..)) | (Needs::Http2, Lane::Agreed(_, HttpVersion::Http1)) => {
                Some((self.take_http1()?, false))
            }
            (Needs::Any | Needs::Http2, _) => None,
        }
    }

    fn take_http2(self: &Arc<Self>) -> Option<(Lease, bool)> {
        let limits = &self.shared.options.limits;
        let connections = read(&self.http2);
        // Another request may take the place that was seen; the next look finds another.
        for _ in 0..ATTEMPTS {
            let free = connections.iter().map(|http2| (http2.in_flight(), http2));
            let (count, best) =
                free.filter(|(count, http2)| *count < http2.room()).min_by_key(|(c, _)| *c)?;
            if best.take_place() {
                let is_full =
                    count >= limits.streams_grow_at && connections.len() < limits.http2_connections_max;
                return Some((Lease::http2(self.clone(), best.clone()), is_full));
            }
        }
        None
    }

    fn take_http1(self: &Arc<Self>) -> Option<Lease> {
        loop {
            // Dropped outside the lock, if it is not sound.
            let ready = lock(&self.http1).pop()?;
            if ready.is_sound() {
                return Some(Lease::http1(self.clone(), ready));
            }
        }
    }

    /// Gives what places there are to those who wait, and opens connections for the rest.
    pub(crate) fn serve(self: &Arc<Self>) {
        while self.waiting.load(Ordering::SeqCst) > 0 {
            let mut slow = lock(&self.slow);
            let Some(front) = slow.waiters.front() else { return };
            match self.try_acquire(front.needs) {
                Some((lease, _)) => {
                    let waiter = slow.waiters.pop_front().expect("it was just seen");
                    self.waiting.fetch_sub(1, Ordering::SeqCst);
                    drop(slow);
                    // One who does not wait any more drops it, which gives the place back.
                    drop(waiter.give.send(Ok(lease)));
                }
                None => {
                    let mut openings = Vec::new();
                    let hopeless = self.open_for_waiters(&mut slow, &mut openings);
                    let runtime = slow.runtime.clone();
                    drop(slow);
                    self.refuse(hopeless);
                    openings.into_iter().for_each(|opening| opening.start(runtime.as_ref()));
                    return;
                }
            }
        }
    }

    fn take_waiters(&self, slow: &mut Slow, which: impl Fn(&Waiter) -> bool) -> Vec<Waiter> {
        let (taken, left): (Vec<_>, Vec<_>) = std::mem::take(&mut slow.waiters).into_iter().partition(which);
        slow.waiters = left.into();
        self.waiting.store(slow.waiters.len(), Ordering::SeqCst);
        taken
    }

    fn refuse(&self, hopeless: Option<(TransportError, Vec<Waiter>)>) {
        let Some((error, waiters)) = hopeless else { return };
        for waiter in waiters {
            // One who does not wait any more does not want to know.
            drop(waiter.give.send(Err(error.clone())));
        }
    }

    /// A connection was given back, and will be clean soon.
    pub(crate) fn returning(&self) {
        self.returning.fetch_add(1, Ordering::Relaxed);
    }

    /// A connection that was given back is clean now, or gone.
    pub(crate) fn returned(&self) {
        self.returning.fetch_sub(1, Ordering::Relaxed);
    }

    /// A connection has become clean, and can carry the next request.
    pub(crate) fn park(self: &Arc<Self>, ready: Ready) {
        let is_wanted = {
            let slow = lock(&self.slow);
            !slow.is_retired && slow.addresses.contains(&ready.connection.address)
        };
        if !is_wanted {
            ready.connection.life.wish(Wish::Drain);
            return;
        }
        let surplus = {
            let mut parked = lock(&self.http1);
            parked.push(ready);
            // The one that was used longest ago goes first.
            let max = self.shared.options.limits.http1_idle_max.max(1);
            (parked.len() > max).then(|| parked.remove(0))
        };
        if let Some(surplus) = surplus {
            surplus.connection.life.wish(Wish::Idle);
        }
        self.serve();
    }

    /// Drops the right to send on a connection that is not in use, which closes it.
    pub(crate) fn unpark(&self, http1: &Arc<Http1>) {
        let mut parked = lock(&self.http1);
        let found = parked.iter().position(|ready| Arc::ptr_eq(&ready.connection, http1));
        let found = found.map(|at| parked.remove(at));
        drop(parked);
        drop(found);
    }

    /// Gives a connection no more requests; says whether it got any until now.
    pub(crate) fn remove_http2(self: &Arc<Self>, http2: &Arc<Http2>) -> bool {
        let removed = self.take_out(|other| Arc::ptr_eq(other, http2), |_| true);
        if removed.is_empty() {
            return false;
        }
        self.serve();
        self.changed();
        true
    }

    /// Gives it no more requests if the others could have carried all there were lately.
    pub(crate) fn remove_if_superfluous(&self, http2: &Arc<Http2>) -> bool {
        let removed = self.take_out(
            |other| Arc::ptr_eq(other, http2),
            |connections| {
                let peaks = connections
                    .iter()
                    .map(|other| if Arc::ptr_eq(other, http2) { other.take_peak() } else { other.peak() });
                // Half full, so that the next small peak does not open it again.
                let others = connections.len().saturating_sub(1);
                peaks.sum::<usize>() <= others * self.shared.options.limits.streams_grow_at / 2
            },
        );
        !removed.is_empty()
    }

    /// Takes connections out of the list, if it may be.
    fn take_out(
        &self,
        which: impl Fn(&Arc<Http2>) -> bool,
        may: impl FnOnce(&[Arc<Http2>]) -> bool,
    ) -> Vec<Arc<Http2>> {
        let mut slow = lock(&self.slow);
        let mut connections = write(&self.http2);
        if !may(&connections) {
            return Vec::new();
        }
        let (removed, kept): (Vec<_>, Vec<_>) =
            std::mem::take(&mut *connections).into_iter().partition(which);
        *connections = kept;
        slow.open -= removed.len();
        removed
    }

    /// An HTTP/1.1 connection is gone.
    pub(crate) fn http1_ended(self: &Arc<Self>, http1: Option<&Arc<Http1>>) {
        if let Some(http1) = http1 {
            self.unpark(http1);
        }
        lock(&self.slow).open -= 1;
        self.serve();
        self.changed();
    }

    /// An HTTP/2 connection is gone. Whoever takes connections in a row and answers nothing on them is left alone like one that
    /// takes none.
    pub(crate) fn http2_ended(self: &Arc<Self>, http2: &Arc<Http2>) {
        let mut slow = lock(&self.slow);
        slow.fruitless = if http2.has_answered() || http2.peak() == 0 { 0 } else { slow.fruitless + 1 };
        if slow.fruitless > 1 {
            slow.failures = slow.fruitless - 1;
            let error = TransportError::new(TransportErrorKind::Lost)
                .unprocessed()
                .with_peer(self.name.clone())
                .with_source("the last connection ended before its first answer");
            self.rest(&mut slow, error);
        }
        drop(slow);
        if self.remove_http2(http2) {
            self.ask_again();
        }
    }

    /// What failed may be elsewhere now.
    fn ask_again(&self) {
        if let Some(channel) = self.channel.upgrade() {
            channel.ask_again();
        }
    }

    fn changed(&self) {
        if let Some(channel) = self.channel.upgrade() {
            channel.changed();
        }
    }

    /// The peer does not like to be asked whether it is there.
    pub(crate) fn annoyed(&self) {
        let mut slow = lock(&self.slow);
        slow.keepalive = slow.keepalive.map(|interval| (interval * 2).max(CALM));
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// A request got a place.
    pub(crate) fn enter(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        self.shared.gate.enter();
    }

    /// A request gave its place back.
    pub(crate) fn leave(self: &Arc<Self>) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.shared.gate.leave();
        self.serve();
    }

    /// Replaces the addresses; connections to others get no more requests.
    pub(crate) fn set_addresses(self: &Arc<Self>, addresses: Arc<[Address]>) {
        lock(&self.slow).addresses = addresses.clone();
        let gone = self.take_out(|http2| !addresses.contains(&http2.address), |_| true);
        let parked: Vec<_> = {
            let mut parked = lock(&self.http1);
            let (kept, gone) = std::mem::take(&mut *parked)
                .into_iter()
                .partition(|ready| addresses.contains(&ready.connection.address));
            *parked = kept;
            gone
        };
        drained(&gone, &parked);
        drop((gone, parked));
        self.serve();
    }

    /// Closes what is not in use, and takes no more requests. Those in flight go on.
    pub(crate) fn retire(self: &Arc<Self>) {
        let mut slow = lock(&self.slow);
        slow.is_retired = true;
        let waiters = self.take_waiters(&mut slow, |_| true);
        drop(slow);
        let closed =
            TransportError::new(TransportErrorKind::Closed).unprocessed().with_peer(self.name.clone());
        self.refuse(Some((closed, waiters)));
        let http2 = self.take_out(|_| true, |_| true);
        let http1 = std::mem::take(&mut *lock(&self.http1));
        drained(&http2, &http1);
        drop((http2, http1));
    }
}

/// Notes that these connections end because this end takes no more requests for them.
fn drained(http2: &[Arc<Http2>], http1: &[Ready]) {
    let lives = http2.iter().map(|http2| &http2.life);
    for life in lives.chain(http1.iter().map(|ready| &ready.connection.life)) {
        life.wish(Wish::Drain);
    }
}

impl Slow {
    fn rests(&self, now: Instant) -> bool {
        self.retry_at.is_some_and(|at| at > now)
    }
}

/// A waiter in the queue, which it leaves when its request is dropped.
struct Queued<'a> {
    target: &'a Target,
    id: u64,
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        let mut slow = lock(&self.target.slow);
        // It was taken out by whoever gave it its place.
        if let Ok(at) = slow.waiters.binary_search_by_key(&self.id, |waiter| waiter.id) {
            let gone = slow.waiters.remove(at);
            self.target.waiting.fetch_sub(1, Ordering::SeqCst);
            drop(slow);
            drop(gone);
        }
    }
}

const ATTEMPTS: usize = 4;
// What gRPC servers allow unless configured otherwise: one PING in five minutes.
const CALM: Duration = Duration::from_secs(310);
