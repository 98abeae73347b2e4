//! All targets of an origin that are spoken to in the same way: resolved, balanced, ejected.

use crate::balance::Balance;
use crate::connect::Lane;
use crate::endpoint::{Look, Needs, Target};
use crate::error::failed;
use crate::gate::{Shared, Waiting, read, write};
use crate::lease::Lease;
use crate::origin::Origin;
use crate::state::State;
use crate::{Address, Name};
use ringwire_transport::{BoxError, TransportError, TransportErrorKind};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock, Weak};
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until, timeout};

/// All targets of an origin that are spoken to in the same way.
pub(crate) struct Channel {
    shared: Arc<Shared>,
    lane: Lane,
    /// Its place among the channels of the pool.
    index: usize,
    targets: RwLock<Arc<[Arc<Target>]>>,
    turn: AtomicUsize,
    resolution: watch::Sender<Resolution>,
    is_resolving: AtomicBool,
    ask: Arc<Notify>,
    /// Held while deciding whether to eject.
    pub(crate) ejecting: Mutex<()>,
    me: Weak<Self>,
}

/// What is known of the addresses.
#[derive(Clone, Debug)]
enum Resolution {
    Unknown,
    Known,
    Failed(TransportError),
}

impl Channel {
    pub(crate) fn new(shared: Arc<Shared>, lane: Lane, index: usize) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            shared,
            lane,
            index,
            targets: RwLock::new(Arc::new([])),
            turn: AtomicUsize::new(0),
            resolution: watch::Sender::new(Resolution::Unknown),
            is_resolving: AtomicBool::new(false),
            ask: Arc::default(),
            ejecting: Mutex::default(),
            me: me.clone(),
        })
    }

    /// A place for a request on one of the targets.
    pub(crate) async fn acquire(&self, needs: Needs, waits: bool) -> Result<Lease, TransportError> {
        let mut failures = 0;
        loop {
            if self.shared.gate.is_closed() {
                return Err(self.closed());
            }
            let targets = read(&self.targets).clone();
            if targets.is_empty() {
                let _waiting = Waiting::new(&self.shared)?;
                self.resolved(waits).await?;
                continue;
            }
            let error = match self.pick(&targets) {
                Some(target) => match target.acquire(needs).await {
                    Ok(lease) => return Ok(lease),
                    Err(error) if error.kind() == TransportErrorKind::Overloaded => return Err(error),
                    // Its address is gone, or the pool is closed: the next look tells.
                    Err(error) if error.kind() == TransportErrorKind::Closed => {
                        failures += 1;
                        if failures > targets.len() {
                            return Err(error);
                        }
                        continue;
                    }
                    Err(error) => error,
                },
                None => self.last_error(&targets),
            };
            failures += 1;
            let rest = targets.iter().map(|target| target.look().rests_until).min().flatten();
            match rest {
                Some(until) if waits => {
                    let _waiting = Waiting::new(&self.shared)?;
                    self.until_usable(until).await;
                }
                Some(_) => return Err(error),
                // One of them may be better.
                None if failures < targets.len() => {}
                None => return Err(error),
            }
        }
    }

    fn pick<'a>(&self, targets: &'a [Arc<Target>]) -> Option<&'a Arc<Target>> {
        if let [one] = targets {
            return (one.is_usable() || one.is_connectable()).then_some(one);
        }
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let balance = self.shared.options.balance;
        let load = |at: usize| targets[at].in_flight();
        let best = balance
            .pick(targets.len(), turn, |at| targets[at].is_usable(), load)
            // An ejected target is better than none.
            .or_else(|| balance.pick(targets.len(), turn, |at| targets[at].is_connectable(), load));
        best.map(|at| &targets[at])
    }

    /// Waits until a target may be tried again, or there are others.
    async fn until_usable(&self, until: Instant) {
        let mut resolution = self.resolution.subscribe();
        tokio::select! {
            () = sleep_until(until) => {}
            _ = resolution.changed() => {}
        }
    }

    fn last_error(&self, targets: &[Arc<Target>]) -> TransportError {
        targets.iter().find_map(|target| target.look().last_error).unwrap_or_else(|| {
            TransportError::new(TransportErrorKind::Connect)
                .unprocessed()
                .with_peer(self.shared.origin.to_string())
        })
    }

    fn closed(&self) -> TransportError {
        TransportError::new(TransportErrorKind::Closed)
            .unprocessed()
            .with_peer(self.shared.origin.to_string())
    }

    /// How many targets there are, and how many of them are ejected.
    pub(crate) fn count_ejected(&self) -> (usize, usize) {
        let targets = read(&self.targets).clone();
        let now = Instant::now();
        (targets.len(), targets.iter().filter(|target| target.is_ejected(now)).count())
    }

    pub(crate) fn targets(&self) -> Arc<[Arc<Target>]> {
        read(&self.targets).clone()
    }

    /// A connection is being opened.
    pub(crate) fn connecting(&self) {
        self.shared.gate.connecting(self.index);
    }

    /// Says what state the channel is in now.
    pub(crate) fn changed(&self) {
        let looks: Vec<Look> = read(&self.targets).clone().iter().map(|target| target.look()).collect();
        let state = if looks.iter().any(|look| look.open > 0) {
            State::Ready
        } else if looks.iter().any(|look| look.connecting > 0) {
            State::Connecting
        } else if !looks.is_empty() && looks.iter().all(|look| look.rests_until.is_some()) {
            State::Failing
        } else {
            State::Idle
        };
        self.shared.gate.set_state(self.index, state);
    }

    /// Takes no more requests; those in flight go on.
    pub(crate) fn close(&self) {
        let targets = std::mem::replace(&mut *write(&self.targets), Arc::new([]));
        for target in targets.iter() {
            target.retire();
        }
        self.resolution.send_replace(Resolution::Failed(self.closed()));
        self.ask.notify_one();
    }
}

/// Names and addresses.
impl Channel {
    /// Wants the addresses looked up again, when they next may be.
    pub(crate) fn ask_again(&self) {
        self.ask.notify_one();
        // The runtime of the task that would hear it may have ended.
        let has_name = matches!(&self.shared.origin, Origin::Host { name, .. } if name.address().is_none());
        if has_name && Handle::try_current().is_ok() {
            self.resolve();
        }
    }

    /// Waits until there are addresses.
    async fn resolved(&self, waits: bool) -> Result<(), TransportError> {
        let mut resolution = self.resolution.subscribe();
        loop {
            if self.shared.gate.is_closed() {
                return Err(self.closed());
            }
            match &*resolution.borrow_and_update() {
                Resolution::Known => return Ok(()),
                Resolution::Failed(error) if !waits => return Err(error.clone()),
                Resolution::Failed(_) | Resolution::Unknown => {}
            }
            self.resolve();
            // The sender is in `self`.
            let _ = resolution.changed().await;
        }
    }

    /// Makes sure that someone finds addresses and keeps them fresh.
    fn resolve(&self) {
        let (name, lone) = match &self.shared.origin {
            Origin::Unix(path) => (None, Some(Address::Unix(path.clone()))),
            Origin::Host { name, .. } => (Some(name), name.address().map(Address::Tcp)),
        };
        match (lone, name) {
            (Some(address), _) => self.found(vec![address]),
            (None, Some(name)) => {
                if self.is_resolving.swap(true, Ordering::AcqRel) {
                    self.ask.notify_one();
                } else {
                    let running = Resolving(self.me.clone());
                    tokio::spawn(keep_resolved(running, name.clone(), self.ask.clone()));
                    self.shared.gate.connecting(self.index);
                }
            }
            (None, None) => {}
        }
    }

    /// These are the addresses now.
    fn found(&self, addresses: Vec<Address>) {
        let mut seen = HashSet::new();
        let addresses: Vec<_> =
            addresses.into_iter().filter(|address| seen.insert(address.clone())).collect();
        let mut targets = write(&self.targets);
        let before = targets.clone();
        if self.shared.gate.is_closed() {
            return;
        }
        let after: Arc<[_]> = match self.shared.options.balance {
            Balance::PickFirst => {
                let all: Arc<[Address]> = addresses.into();
                match &*before {
                    [one] => {
                        *targets = before.clone();
                        drop(targets);
                        one.set_addresses(all);
                        self.resolution.send_replace(Resolution::Known);
                        return;
                    }
                    _ => Arc::new([self.target(all, self.shared.origin.to_string().into())]),
                }
            }
            Balance::RoundRobin | Balance::LeastLoaded => {
                let old = |address: &Address| {
                    let name = address.to_string();
                    before.iter().find(|target| *target.name == *name).cloned()
                };
                let of = |address: Address| {
                    old(&address).unwrap_or_else(|| {
                        let name = address.to_string().into();
                        self.target(Arc::new([address]), name)
                    })
                };
                addresses.into_iter().map(of).collect()
            }
        };
        *targets = after.clone();
        drop(targets);
        for gone in before.iter().filter(|target| !after.iter().any(|kept| Arc::ptr_eq(kept, target))) {
            gone.retire();
        }
        self.resolution.send_replace(Resolution::Known);
        self.changed();
    }

    fn target(&self, addresses: Arc<[Address]>, name: Arc<str>) -> Arc<Target> {
        Arc::new(Target::new(addresses, name, self.lane.clone(), self.shared.clone(), self.me.clone()))
    }

    fn not_found(&self, name: &Name, error: BoxError) {
        let error = failed(TransportErrorKind::Resolve, &name.to_string(), error).unprocessed();
        self.resolution.send_replace(Resolution::Failed(error));
        if read(&self.targets).is_empty() {
            self.shared.gate.set_state(self.index, State::Failing);
        }
    }
}

/// The task that resolves, for as long as it runs; its runtime may end before the pool.
struct Resolving(Weak<Channel>);

impl Drop for Resolving {
    fn drop(&mut self) {
        if let Some(channel) = self.0.upgrade() {
            channel.is_resolving.store(false, Ordering::Release);
            // Whoever waits starts it again.
            channel.resolution.send_if_modified(|resolution| {
                if matches!(resolution, Resolution::Failed(_)) {
                    *resolution = Resolution::Unknown;
                }
                true
            });
        }
    }
}

/// Looks the name up when it is asked to, and on a clock once it is known.
async fn keep_resolved(running: Resolving, name: Name, ask: Arc<Notify>) {
    let mut failures = 0;
    loop {
        let Some(shared) = running.0.upgrade().map(|channel| channel.shared.clone()) else { return };
        let timings = &shared.options.timings;
        let asked_at = Instant::now();
        let answer = timeout(timings.resolve_timeout, shared.options.resolver.resolve(&name)).await;
        let Some(channel) = running.0.upgrade() else { return };
        if shared.gate.is_closed() {
            return;
        }
        // Whoever asked until now has the answer.
        tokio::select! {
            biased;
            () = ask.notified() => {}
            () = std::future::ready(()) => {}
        }
        match answer {
            Ok(Ok(addresses)) if !addresses.is_empty() => {
                failures = 0;
                channel.found(addresses);
            }
            failure => {
                failures += 1;
                let error = match failure {
                    Ok(Ok(_)) => "the name has no address".into(),
                    Ok(Err(error)) => error,
                    Err(_) => "the resolver took too long".into(),
                };
                channel.not_found(&name, error);
            }
        }
        let is_known = !read(&channel.targets).is_empty();
        drop(channel);
        if failures > 0 {
            let again_at =
                asked_at.max(Instant::now()) + shared.options.backoff.delay(failures, &shared.jitter);
            drop(shared);
            sleep_until(again_at).await;
            if !is_known {
                let Some(channel) = running.0.upgrade() else { return };
                // The next request asks again, and waits for the answer.
                channel.resolution.send_if_modified(|resolution| {
                    *resolution = Resolution::Unknown;
                    true
                });
                drop(channel);
                ask.notified().await;
            }
        } else {
            let soon_at = asked_at + timings.resolve_min;
            let again_at = asked_at + shared.jitter.spread(timings.resolve, 0.1);
            drop(shared);
            tokio::select! {
                () = sleep_until(again_at) => {}
                () = ask.notified() => sleep_until(soon_at).await,
            }
        }
    }
}
