//! One target: its connections, who waits for one, and how it has been doing.
//!
//! The lock on `slow` comes before the others. Under it no lease is given or dropped and no task is spawned, because a lease
//! that is dropped, and a task of a runtime that has ended, take the lock themselves.

use crate::channel::Channel;
use crate::connect::{self, Lane, Opened};
use crate::eject::Health;
use crate::gate::{Shared, Waiting, lock, read, write};
use crate::http1::{Http1, Ready};
use crate::http2::Http2;
use crate::lease::Lease;
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
        let _waiting = Waiting::new(&self.shared)?;
        let (give, given) = oneshot::channel();
        let queued = {
            let mut slow = lock(&self.slow);
            if slow.is_retired {
                return Err(TransportError::new(TransportErrorKind::Closed)
                    .unprocessed()
                    .with_peer(self.name.clone()));
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
            (Needs::Any, Lane::Agreed(..)) => Some((self.take_http1()?, false)),
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

    /// Opens one more connection beside those that are busy.
    fn grow(self: &Arc<Self>) {
        if self.is_growing.load(Ordering::Relaxed) {
            return;
        }
        let mut slow = lock(&self.slow);
        let max = self.shared.options.limits.http2_connections_max;
        if slow.connecting == 0 && slow.open < max && !slow.is_retired && !slow.rests(Instant::now()) {
            let opening = self.open_one(&mut slow);
            drop(slow);
            opening.start(None);
        }
    }

    /// Opens as many connections as those who wait need; returns them all if there is no hope.
    fn open_for_waiters(
        self: &Arc<Self>,
        slow: &mut Slow,
        openings: &mut Vec<Opening>,
    ) -> Option<(TransportError, Vec<Waiter>)> {
        if slow.waiters.is_empty() {
            return None;
        }
        if slow.is_retired || slow.rests(Instant::now()) {
            if slow.open > 0 || slow.connecting > 0 {
                return None;
            }
            let error = match &slow.last_error {
                Some(error) if !slow.is_retired => error.clone(),
                Some(_) | None => {
                    TransportError::new(TransportErrorKind::Closed).unprocessed().with_peer(self.name.clone())
                }
            };
            return Some((error, self.take_waiters(slow, |_| true)));
        }
        let limits = &self.shared.options.limits;
        let is_http1 = match self.lane {
            Lane::Http1 | Lane::Agreed(_, HttpVersion::Http1) => true,
            Lane::Http2 => false,
            Lane::Agreed(..) => slow.agreed == Some(Agreed::Http1),
        };
        if is_http1 {
            while slow.connecting < slow.waiters.len()
                && slow.open + slow.connecting < limits.http1_connections_max
            {
                openings.push(self.open_one(slow));
            }
        } else if slow.connecting == 0 && slow.open < limits.http2_connections_max {
            openings.push(self.open_one(slow));
        }
        None
    }

    fn open_one(self: &Arc<Self>, slow: &mut Slow) -> Opening {
        slow.connecting += 1;
        self.is_growing.store(true, Ordering::Relaxed);
        Opening { target: Some(self.clone()), addresses: slow.addresses.clone(), keepalive: slow.keepalive }
    }

    fn opened(self: &Arc<Self>, address: Address, opened: Opened) {
        let mut slow = lock(&self.slow);
        slow.connecting -= 1;
        self.is_growing.store(slow.connecting > 0, Ordering::Relaxed);
        if slow.is_retired || !slow.addresses.contains(&address) {
            return;
        }
        slow.open += 1;
        slow.failures = 0;
        slow.retry_at = None;
        slow.last_error = None;
        let target = Arc::downgrade(self);
        match opened {
            Opened::Http2(opened) => {
                slow.agreed = Some(Agreed::Http2);
                let (http2, driver) = opened.start(address, &self.shared, target);
                write(&self.http2).push(http2);
                drop(slow);
                tokio::spawn(driver);
            }
            Opened::Http1(opened) => {
                slow.agreed = Some(Agreed::Http1);
                let misled = match self.lane {
                    Lane::Agreed(..) => self.take_waiters(&mut slow, |waiter| waiter.needs == Needs::Http2),
                    Lane::Http1 | Lane::Http2 => Vec::new(),
                };
                drop(slow);
                let (ready, driver) = opened.start(address, &self.shared, target);
                ready.connection.driven_by(tokio::spawn(driver).abort_handle());
                self.park(ready);
                let error = TransportError::new(TransportErrorKind::Handshake)
                    .unprocessed()
                    .with_peer(self.name.clone())
                    .with_source("the request needs HTTP/2, and the peer agrees on HTTP/1.1 only");
                self.refuse(Some((error, misled)));
            }
        }
    }

    fn not_opened(self: &Arc<Self>, error: TransportError) {
        let mut slow = lock(&self.slow);
        slow.connecting -= 1;
        self.is_growing.store(slow.connecting > 0, Ordering::Relaxed);
        self.rest(&mut slow, error.clone());
        let hopeless = if slow.open == 0 && slow.connecting == 0 {
            self.take_waiters(&mut slow, |_| true)
        } else {
            Vec::new()
        };
        drop(slow);
        self.refuse(Some((error, hopeless)));
        self.ask_again();
    }

    /// Leaves the target alone for a while.
    fn rest(&self, slow: &mut Slow, error: TransportError) {
        slow.failures = slow.failures.saturating_add(1);
        let delay = self.shared.options.backoff.delay(slow.failures, &self.shared.jitter);
        slow.retry_at = Some(Instant::now() + delay);
        slow.last_error = Some(error);
        self.is_suspect.store(true, Ordering::Release);
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

    /// A connection has become clean, and can carry the next request.
    pub(crate) fn park(self: &Arc<Self>, ready: Ready) {
        let is_wanted = {
            let slow = lock(&self.slow);
            !slow.is_retired && slow.addresses.contains(&ready.connection.address)
        };
        if !is_wanted {
            return;
        }
        let surplus = {
            let mut parked = lock(&self.http1);
            parked.push(ready);
            // The one that was used longest ago goes first.
            let max = self.shared.options.limits.http1_idle_max.max(1);
            (parked.len() > max).then(|| parked.remove(0))
        };
        drop(surplus);
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

    /// Whether it can be tried now.
    pub(crate) fn is_usable(&self) -> bool {
        if !self.is_suspect.load(Ordering::Acquire) {
            return true;
        }
        // What makes it suspect in between is seen below, or sets it again.
        self.is_suspect.store(false, Ordering::Release);
        let now = Instant::now();
        let is_usable = self.rests_until(now).is_none() && !lock(&self.health).is_ejected(now);
        if !is_usable {
            self.is_suspect.store(true, Ordering::Release);
        }
        is_usable
    }

    /// Whether it would take a connection, though it may have been ejected.
    pub(crate) fn is_connectable(&self) -> bool {
        self.rests_until(Instant::now()).is_none()
    }

    fn rests_until(&self, now: Instant) -> Option<Instant> {
        let slow = lock(&self.slow);
        if slow.open > 0 || slow.connecting > 0 {
            return None;
        }
        slow.retry_at.filter(|at| *at > now)
    }

    pub(crate) fn look(&self) -> Look {
        let now = Instant::now();
        let rests_until = self.rests_until(now);
        let ejected = lock(&self.health).is_ejected(now);
        let slow = lock(&self.slow);
        Look {
            open: slow.open,
            connecting: slow.connecting,
            in_flight: self.in_flight(),
            rests_until,
            ejected,
            last_error: slow.last_error.clone(),
        }
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub(crate) fn is_ejected(&self, now: Instant) -> bool {
        self.is_suspect.load(Ordering::Acquire) && lock(&self.health).is_ejected(now)
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

    /// It answered, and not for someone behind it that does not.
    pub(crate) fn succeeded(&self) {
        if self.has_failures.load(Ordering::Relaxed) {
            self.has_failures.store(false, Ordering::Relaxed);
            lock(&self.health).succeeded();
        }
    }

    /// It did not answer, or for someone behind it that does not.
    pub(crate) fn failed(&self) {
        let Some(ejection) = &self.shared.options.ejection else { return };
        self.has_failures.store(true, Ordering::Relaxed);
        let Some(channel) = self.channel.upgrade() else { return };
        // One at a time, so that two do not both become the last but one.
        let _turn = lock(&channel.ejecting);
        let (targets, ejected) = channel.count_ejected();
        let until =
            lock(&self.health).failed(Instant::now(), ejection, || ejection.leaves_enough(targets, ejected));
        if until.is_some() {
            self.is_suspect.store(true, Ordering::Release);
        }
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
        drop((http2, http1));
    }
}

impl Slow {
    fn rests(&self, now: Instant) -> bool {
        self.retry_at.is_some_and(|at| at > now)
    }
}

/// A connection that is being opened, until it is open or not; its runtime may go in between.
struct Opening {
    target: Option<Arc<Target>>,
    addresses: Arc<[Address]>,
    keepalive: Option<Duration>,
}

impl Opening {
    /// Connects in a task of its own: the request that wants it may be gone before.
    fn start(self, runtime: Option<&Handle>) {
        if let Some(channel) = self.target.as_ref().and_then(|target| target.channel.upgrade()) {
            channel.connecting();
        }
        let opening = async move {
            let Some(target) = &self.target else { return };
            let Target { shared, lane, name, .. } = &**target;
            let opened = connect::connect(shared, lane, &self.addresses, name, self.keepalive).await;
            self.done(opened);
        };
        // Who gives a place back need not be in a runtime.
        match (Handle::try_current(), runtime) {
            (Ok(runtime), _) => drop(runtime.spawn(opening)),
            (Err(_), Some(runtime)) => drop(runtime.spawn(opening)),
            (Err(_), None) => {}
        }
    }

    fn done(mut self, opened: Result<(Address, Opened), TransportError>) {
        let Some(target) = self.target.take() else { return };
        match opened {
            Ok((address, opened)) => target.opened(address, opened),
            Err(error) => target.not_opened(error),
        }
        target.serve();
        target.changed();
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        if let Some(target) = self.target.take() {
            let error = TransportError::new(TransportErrorKind::Connect)
                .unprocessed()
                .with_peer(target.name.clone())
                .with_source("the runtime that was connecting ended");
            target.not_opened(error);
            target.changed();
        }
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
