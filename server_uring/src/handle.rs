//! The state that a server's shards share: the order to stop, the counts, and who is least loaded.

use std::collections::BTreeMap;
use std::fmt;
#[cfg(unix)]
use std::future::{Future, poll_fn};
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
#[cfg(unix)]
use std::task::Poll;
use std::time::{Duration, Instant};

use ringwire_service::{Code, Routes, Spec};
use tokio::sync::watch;

use crate::driver::Tally;
use crate::listener::Accepted;
use crate::notice::Notice;
use crate::shard::now;
use crate::wakes::{Mark, Wakes};

/// A running server, seen from outside: drains it, and tells how busy it is.
#[derive(Clone, Debug)]
pub struct Handle {
    server: Arc<ServerState>,
}

impl Handle {
    pub(crate) fn new(server: Arc<ServerState>) -> Self {
        Self { server }
    }

    /// Stops accepting, asks every peer to go, and lets requests in flight finish within
    /// [`Server::drain_timeout`](crate::Server::drain_timeout). A second call changes nothing.
    pub fn drain(&self) {
        self.server.drain();
    }

    /// Waits until the server has drained, and tells how that went.
    pub async fn drained(&self) -> Drained {
        let mut phase = self.server.phase.subscribe();
        // The sender lives in the state that this handle holds, so waiting ends with the phase alone.
        let _ = phase.wait_for(|phase| *phase == Phase::Drained).await;
        let sum = |count: fn(&Counts) -> &AtomicU64| self.server.sum(count);
        Drained {
            connections_finished: sum(|counts| &counts.connections_finished),
            connections_cut: sum(|counts| &counts.connections_cut),
            requests_cut: sum(|counts| &counts.requests_cut),
        }
    }

    /// The present load of the server, all shards together.
    pub fn load(&self) -> Load {
        let mut load = Load::default();
        for shard in self.server.counts() {
            let Load {
                connections,
                requests,
                connections_accepted,
                connections_refused,
                requests_accepted,
                requests_shed,
            } = &mut load;
            *connections += shard.connections.load(Ordering::Relaxed);
            *requests += shard.requests.load(Ordering::Relaxed) as usize;
            *connections_accepted += shard.connections_accepted.load(Ordering::Relaxed);
            *connections_refused += shard.connections_refused.load(Ordering::Relaxed);
            *requests_accepted += shard.requests_accepted.load(Ordering::Relaxed);
            *requests_shed += shard.requests_shed.load(Ordering::Relaxed);
        }
        load
    }

    /// The load of each shard.
    pub fn shards(&self) -> Vec<ShardLoad> {
        let load = |counts: &Arc<Counts>| {
            let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
            ShardLoad {
                connections: counts.connections.load(Ordering::Relaxed),
                requests: count(&counts.requests) as usize,
                requests_accepted: count(&counts.requests_accepted),
                requests_shed: count(&counts.requests_shed),
                responses: ResponseCounts(std::array::from_fn(|place| count(&counts.responses[place]))),
                bytes_received: count(&counts.bytes_received),
                receives: count(&counts.receives),
                bytes_sent: count(&counts.bytes_sent),
                sends: count(&counts.sends),
                turns: count(&counts.turns),
                completions: count(&counts.completions),
                completions_max: count(&counts.completions_max) as usize,
                ring_entries: count(&counts.ring_entries),
                buffers_out: count(&counts.buffers_out) as usize,
                buffers_exhausted: count(&counts.buffers_exhausted),
            }
        };
        self.server.counts().iter().map(load).collect()
    }
}

/// The present load of a server, and what it has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Load {
    /// Open connections.
    pub connections: usize,
    /// Requests whose response has not been handed to the connection whole.
    pub requests: usize,
    /// Connections since the start, refused ones included.
    pub connections_accepted: u64,
    /// Connections closed at once because the server was full.
    pub connections_refused: u64,
    /// Requests since the start.
    pub requests_accepted: u64,
    /// Those of them that were turned away because too many were in flight.
    pub requests_shed: u64,
}

/// The present load of one shard, and what it has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShardLoad {
    /// Open connections.
    pub connections: usize,
    /// Requests whose response has not been handed to the connection whole.
    pub requests: usize,
    /// Requests since the start.
    pub requests_accepted: u64,
    /// Those of them that were turned away because too many were in flight.
    pub requests_shed: u64,
    /// Responses since the start, by their codes.
    pub responses: ResponseCounts,
    /// Bytes received since the start.
    pub bytes_received: u64,
    /// Receives since the start.
    pub receives: u64,
    /// Bytes handed to sockets since the start.
    pub bytes_sent: u64,
    /// Sends since the start.
    pub sends: u64,
    /// Turns of the loop since the start.
    pub turns: u64,
    /// Things that had happened to sockets when a turn began, all turns together: by `turns`, the size of a batch.
    pub completions: u64,
    /// The largest batch.
    pub completions_max: usize,
    /// Entries into the kernel since the start. Only io_uring counts them.
    pub ring_entries: u64,
    /// Receive buffers that are in use now, of the 64 that a shard has on io_uring.
    pub buffers_out: usize,
    /// Receives that had to wait for a buffer since the start.
    pub buffers_exhausted: u64,
}

/// The number of responses by code. What is answered with an HTTP status alone, as tower services do, counts as the code that
/// a client would take it for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResponseCounts([u64; CODES]);

impl ResponseCounts {
    /// Responses that ended in success.
    pub fn ok(&self) -> u64 {
        self.0[0]
    }

    /// Responses that ended in this code. Requests that the client gave up count as [`Code::Canceled`].
    pub fn failed(&self, code: Code) -> u64 {
        self.0[code as usize]
    }
}

/// The outcome of draining.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drained {
    /// Connections that ended by themselves, since the start of the server.
    pub connections_finished: u64,
    /// Connections that were closed because the time-out had passed.
    pub connections_cut: u64,
    /// Requests that were in flight on those.
    pub requests_cut: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Serving,
    Draining { until: Instant },
    Drained,
}

/// The state of one server.
pub(crate) struct ServerState {
    phase: watch::Sender<Phase>,
    drain_timeout: Mutex<Duration>,
    notices: OnceLock<Box<dyn Fn(Notice) + Send + Sync>>,
    /// The procedures of a router, by the addresses of their methods.
    procedures: OnceLock<BTreeMap<usize, String>>,
    /// Set once serving begins.
    shards: OnceLock<Vec<Shared>>,
    started: Instant,
}

struct Shared {
    counts: Arc<Counts>,
    /// Gone once the shard has ended.
    state: Weak<ShardState>,
}

impl fmt::Debug for ServerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerState").field("phase", &*self.phase.borrow()).finish_non_exhaustive()
    }
}

impl ServerState {
    pub(crate) fn new(drain_timeout: Duration) -> Arc<Self> {
        let (phase, _) = watch::channel(Phase::Serving);
        Arc::new(Self {
            phase,
            drain_timeout: Mutex::new(drain_timeout),
            notices: OnceLock::new(),
            procedures: OnceLock::new(),
            shards: OnceLock::new(),
            started: now(),
        })
    }

    pub(crate) fn set_drain_timeout(&self, timeout: Duration) {
        *self.drain_timeout.lock().unwrap_or_else(PoisonError::into_inner) = timeout;
    }

    /// Sends notices there. The first call counts.
    pub(crate) fn set_notices(&self, take: Box<dyn Fn(Notice) + Send + Sync>) {
        let _ = self.notices.set(take);
    }

    /// Learns the names of the procedures that may block a shard.
    pub(crate) fn watch(&self, routes: &Routes) {
        let named = routes.methods().map(|spec| (address(spec), spec.procedure().to_string())).collect();
        let _ = self.procedures.set(named);
    }

    pub(crate) fn procedure(&self, address: usize) -> Option<String> {
        self.procedures.get()?.get(&address).cloned()
    }

    /// The states of so many shards. Called once.
    pub(crate) fn start(self: &Arc<Self>, shards: usize) -> Vec<Arc<ShardState>> {
        let states: Vec<_> =
            (0..shards).map(|index| Arc::new(ShardState::new(self.clone(), index))).collect();
        let shared =
            |state: &Arc<ShardState>| Shared { counts: state.counts.clone(), state: Arc::downgrade(state) };
        assert!(self.shards.set(states.iter().map(shared).collect()).is_ok(), "a server starts once");
        states
    }

    pub(crate) fn notice(&self, notice: Notice) {
        match self.notices.get() {
            Some(take) => take(notice),
            None if tracing::dispatcher::has_been_set() => tracing::warn!(target: "ringwire", "{notice}"),
            // Nobody takes what `tracing` is told, and an operator should know.
            None => drop(writeln!(io::stderr(), "ringwire: {notice}")),
        }
    }

    pub(crate) fn drain(&self) {
        let until = now() + *self.drain_timeout.lock().unwrap_or_else(PoisonError::into_inner);
        self.phase.send_if_modified(|phase| match phase {
            Phase::Serving => {
                *phase = Phase::Draining { until };
                true
            }
            Phase::Draining { .. } | Phase::Drained => false,
        });
        self.wake_all();
    }

    /// Ends everything that still runs.
    pub(crate) fn finish(&self) {
        self.phase.send_replace(Phase::Drained);
        self.wake_all();
    }

    /// Waits for the order to drain, and tells until when there is time.
    pub(crate) async fn draining(&self) -> Instant {
        match self.phase.subscribe().wait_for(|phase| *phase != Phase::Serving).await.as_deref() {
            Ok(Phase::Draining { until }) => *until,
            Ok(Phase::Serving | Phase::Drained) | Err(_) => now(),
        }
    }

    fn wake_all(&self) {
        for state in self.states() {
            state.wakes.push(Mark::Control);
        }
    }

    pub(crate) fn states(&self) -> impl Iterator<Item = Arc<ShardState>> + '_ {
        self.shards.get().into_iter().flatten().filter_map(|shared| shared.state.upgrade())
    }

    fn counts(&self) -> Vec<Arc<Counts>> {
        self.shards.get().into_iter().flatten().map(|shared| shared.counts.clone()).collect()
    }

    fn sum(&self, count: fn(&Counts) -> &AtomicU64) -> u64 {
        self.counts().iter().map(|counts| count(counts).load(Ordering::Relaxed)).sum()
    }

    fn connections(&self) -> usize {
        let shards = self.shards.get().into_iter().flatten();
        shards.map(|shared| shared.counts.connections.load(Ordering::Relaxed)).sum()
    }
}

/// The side of a shard that other threads see.
pub(crate) struct ShardState {
    server: Arc<ServerState>,
    pub(crate) index: usize,
    pub(crate) wakes: Arc<Wakes>,
    inbox: Mutex<Vec<Accepted>>,
    counts: Arc<Counts>,
    /// Milliseconds from the server's start to that of the turn, plus one; 0 while the shard is parked.
    turn_began_ms: AtomicU64,
    /// The address of the method whose handler was polled last.
    running: AtomicUsize,
}

#[derive(Default)]
struct Counts {
    // Written by whichever shard accepts.
    connections: AtomicUsize,
    // From here on written by the shard alone.
    requests: AtomicU64,
    connections_accepted: AtomicU64,
    connections_refused: AtomicU64,
    connections_finished: AtomicU64,
    connections_cut: AtomicU64,
    requests_accepted: AtomicU64,
    requests_shed: AtomicU64,
    /// By the numbers of their codes; 0 is success.
    responses: [AtomicU64; CODES],
    bytes_received: AtomicU64,
    receives: AtomicU64,
    completions: AtomicU64,
    completions_max: AtomicU64,
    ring_entries: AtomicU64,
    buffers_out: AtomicU64,
    buffers_exhausted: AtomicU64,
    requests_cut: AtomicU64,
    bytes_sent: AtomicU64,
    sends: AtomicU64,
    turns: AtomicU64,
}

impl ShardState {
    fn new(server: Arc<ServerState>, index: usize) -> Self {
        Self {
            server,
            index,
            wakes: Arc::default(),
            inbox: Mutex::default(),
            counts: Arc::default(),
            turn_began_ms: AtomicU64::new(0),
            running: AtomicUsize::new(0),
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        *self.server.phase.borrow()
    }

    /// Counts one more connection, unless the server is full.
    pub(crate) fn count_accepted(&self, connections_max: usize) -> bool {
        add(&self.counts.connections_accepted, 1);
        if self.server.connections() >= connections_max {
            add(&self.counts.connections_refused, 1);
            return false;
        }
        self.counts.connections.fetch_add(1, Ordering::Relaxed);
        true
    }

    /// The shard that has clearly less to do than this one. The connection that is counted here is then counted there.
    pub(crate) fn least_loaded(&self) -> Option<Arc<Self>> {
        let own = self.counts.connections.load(Ordering::Relaxed) - 1;
        let load = |state: &Arc<Self>| state.counts.connections.load(Ordering::Relaxed);
        let least = self.server.states().min_by_key(load)?;
        let connections = load(&least);
        if own <= connections + connections / 8 || least.index == self.index {
            return None;
        }
        self.counts.connections.fetch_sub(1, Ordering::Relaxed);
        least.counts.connections.fetch_add(1, Ordering::Relaxed);
        Some(least)
    }

    pub(crate) fn hand_over(&self, accepted: Accepted) {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner).push(accepted);
        self.wakes.push(Mark::Control);
    }

    pub(crate) fn take_inbox(&self) -> Vec<Accepted> {
        std::mem::take(&mut self.inbox.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn has_inbox(&self) -> bool {
        !self.inbox.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Counts a connection that has ended, or was cut with so many requests in flight.
    pub(crate) fn count_closed(&self, cut: Option<usize>) {
        match cut {
            None => add(&self.counts.connections_finished, 1),
            Some(requests) => {
                add(&self.counts.connections_cut, 1);
                add(&self.counts.requests_cut, requests as u64);
            }
        }
        self.counts.connections.fetch_sub(1, Ordering::Relaxed);
    }

    /// The number of requests in flight.
    pub(crate) fn requests(&self) -> usize {
        self.counts.requests.load(Ordering::Relaxed) as usize
    }

    pub(crate) fn request_started(&self, is_shed: bool) {
        add(&self.counts.requests, 1);
        add(&self.counts.requests_accepted, 1);
        add(&self.counts.requests_shed, u64::from(is_shed));
    }

    pub(crate) fn request_answered(&self, code: Option<Code>) {
        add(&self.counts.responses[code.map_or(0, |code| code as usize)], 1);
    }

    pub(crate) fn request_ended(&self) {
        let requests = self.counts.requests.load(Ordering::Relaxed);
        self.counts.requests.store(requests - 1, Ordering::Relaxed);
    }

    pub(crate) fn count_sent(&self, bytes: usize) {
        add(&self.counts.bytes_sent, bytes as u64);
        add(&self.counts.sends, 1);
    }

    pub(crate) fn count_received(&self, bytes: usize) {
        add(&self.counts.bytes_received, bytes as u64);
        add(&self.counts.receives, 1);
    }

    /// Counts the things that had happened when a turn began, and the effort of the driver.
    pub(crate) fn tally(&self, completions: usize, Tally { entries, starved, buffers_out }: Tally) {
        let counts = &self.counts;
        add(&counts.completions, completions as u64);
        if completions as u64 > counts.completions_max.load(Ordering::Relaxed) {
            counts.completions_max.store(completions as u64, Ordering::Relaxed);
        }
        counts.ring_entries.store(entries, Ordering::Relaxed);
        counts.buffers_exhausted.store(starved, Ordering::Relaxed);
        counts.buffers_out.store(u64::from(buffers_out), Ordering::Relaxed);
    }

    pub(crate) fn accept_failed(&self, error: io::Error) {
        self.server.notice(Notice::AcceptFailed { error });
    }

    pub(crate) fn turn_begins(&self, now: Instant) {
        add(&self.counts.turns, 1);
        let since = now.saturating_duration_since(self.server.started).as_millis() as u64;
        self.turn_began_ms.store(since + 1, Ordering::Relaxed);
    }

    pub(crate) fn turn_ends(&self) {
        self.turn_began_ms.store(0, Ordering::Relaxed);
    }

    /// Notes whose handler is about to be polled.
    pub(crate) fn runs(&self, spec: Option<&'static Spec>) {
        self.running.store(spec.map_or(0, address), Ordering::Relaxed);
    }

    /// How long the present turn has taken, and the address of the method that was polled last in it.
    pub(crate) fn busy(&self, now: Instant) -> Option<(Duration, usize)> {
        let began = self.turn_began_ms.load(Ordering::Relaxed).checked_sub(1)?;
        let now = now.saturating_duration_since(self.server.started);
        Some((now.saturating_sub(Duration::from_millis(began)), self.running.load(Ordering::Relaxed)))
    }
}

/// Success and the codes of errors.
const CODES: usize = Code::ALL.len() + 1;

/// A number that stands for a method, for a thread that has the list of all methods.
pub(crate) fn address(spec: &'static Spec) -> usize {
    std::ptr::from_ref(spec) as usize
}

/// Adds to a count that this thread alone writes: without the cost of a locked instruction.
fn add(count: &AtomicU64, more: u64) {
    count.store(count.load(Ordering::Relaxed) + more, Ordering::Relaxed);
}

/// Waits for the signal by which an operator or an orchestrator stops a process: SIGTERM, or Ctrl-C.
#[cfg(unix)]
pub async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupted = std::pin::pin!(interrupted());
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            poll_fn(|cx| match terminate.poll_recv(cx) {
                Poll::Ready(_) => Poll::Ready(()),
                Poll::Pending => interrupted.as_mut().poll(cx),
            })
            .await;
        }
        Err(_) => interrupted.await,
    }
}

/// Waits for the signal by which an operator stops a process: Ctrl-C.
#[cfg(not(unix))]
pub async fn terminated() {
    interrupted().await;
}

async fn interrupted() {
    // Where signals cannot be had, a server stops some other way; it must not stop at once.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
