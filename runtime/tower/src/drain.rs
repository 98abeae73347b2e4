//! Draining: the order to stop, who has heard it, and what was still open when time ran out.

#[cfg(unix)]
use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
#[cfg(unix)]
use std::task::Poll;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

/// A running server, seen from outside: drain it, and ask it how busy it is.
#[derive(Clone, Debug)]
pub struct Handle {
    state: Arc<State>,
}

impl Handle {
    pub(crate) fn new(bound: Duration) -> Self {
        let (phase, _) = watch::channel(Phase::Serving);
        Self { state: Arc::new(State { phase, bound, changed: Notify::new(), tally: Tally::default() }) }
    }

    /// Stops accepting, asks every peer to go, and lets requests in flight finish within the bound that
    /// [`Server::drain`](crate::Server::drain) set. A second call changes nothing.
    pub fn drain(&self) {
        let until = Instant::now() + self.state.bound;
        self.state.phase.send_if_modified(|phase| match phase {
            Phase::Serving => {
                *phase = Phase::Draining { until };
                true
            }
            Phase::Draining { .. } | Phase::Drained => false,
        });
    }

    /// Waits until the server has drained, and says how that went.
    pub async fn drained(&self) -> Drained {
        let mut phase = self.state.phase.subscribe();
        // The sender lives in the state that this handle holds, so waiting ends with the phase alone.
        let _ = phase.wait_for(|phase| *phase == Phase::Drained).await;
        let tally = &self.state.tally;
        Drained {
            connections_finished: tally.connections_finished.load(Ordering::Relaxed),
            connections_cut: tally.connections_cut.load(Ordering::Relaxed),
            requests_cut: tally.requests_cut.load(Ordering::Relaxed),
        }
    }

    /// What the server is doing now.
    pub fn load(&self) -> Load {
        let tally = &self.state.tally;
        Load {
            connections: tally.connections.load(Ordering::Relaxed),
            requests: tally.requests.load(Ordering::Relaxed),
            connections_accepted: tally.connections_accepted.load(Ordering::Relaxed),
            connections_refused: tally.connections_refused.load(Ordering::Relaxed),
            requests_accepted: tally.requests_accepted.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn signal(&self) -> Signal {
        Signal { phase: self.state.phase.subscribe() }
    }

    /// Notes that everything has ended, or that no one waits for it any longer.
    pub(crate) fn finish(&self) {
        self.state.phase.send_replace(Phase::Drained);
    }

    /// Counts a connection for as long as the guard lives; `None` where one more would be too many.
    pub(crate) fn connection(&self, connections_max: usize) -> Option<ConnectionGuard> {
        let tally = &self.state.tally;
        tally.connections_accepted.fetch_add(1, Ordering::Relaxed);
        // Only the accept loop adds, so the check and the addition need not be one step.
        if tally.connections.load(Ordering::Relaxed) >= connections_max {
            tally.connections_refused.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        tally.connections.fetch_add(1, Ordering::Relaxed);
        Some(ConnectionGuard { state: self.state.clone(), cut: false })
    }

    /// Waits until no connection is open.
    pub(crate) async fn idle(&self) {
        loop {
            let changed = self.state.changed.notified();
            if self.state.tally.connections.load(Ordering::Acquire) == 0 {
                return;
            }
            changed.await;
        }
    }
}

/// What a server is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
}

/// How draining went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drained {
    /// Connections that ended by themselves, since the start of the server.
    pub connections_finished: u64,
    /// Connections that were closed because the bound had passed.
    pub connections_cut: u64,
    /// Requests that were in flight on those.
    pub requests_cut: u64,
}

/// The order to stop, as a connection hears it.
#[derive(Clone)]
pub(crate) struct Signal {
    phase: watch::Receiver<Phase>,
}

impl Signal {
    /// Waits for the order, and says until when there is time.
    pub(crate) async fn draining(&mut self) -> Instant {
        match self.phase.wait_for(|phase| *phase != Phase::Serving).await.as_deref() {
            Ok(Phase::Draining { until }) => *until,
            Ok(Phase::Serving | Phase::Drained) | Err(_) => Instant::now(),
        }
    }
}

/// One open connection in the tally.
#[derive(Debug)]
pub(crate) struct ConnectionGuard {
    state: Arc<State>,
    cut: bool,
}

impl ConnectionGuard {
    pub(crate) fn cut(&mut self, requests: usize) {
        self.cut = true;
        self.state.tally.requests_cut.fetch_add(requests as u64, Ordering::Relaxed);
    }

    pub(crate) fn request_started(&self) {
        self.state.tally.requests.fetch_add(1, Ordering::Relaxed);
        self.state.tally.requests_accepted.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn request_ended(&self) {
        self.state.tally.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        let tally = &self.state.tally;
        let ended = if self.cut { &tally.connections_cut } else { &tally.connections_finished };
        ended.fetch_add(1, Ordering::Relaxed);
        if tally.connections.fetch_sub(1, Ordering::Release) == 1 {
            self.state.changed.notify_waiters();
        }
    }
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

#[derive(Debug)]
struct State {
    phase: watch::Sender<Phase>,
    bound: Duration,
    changed: Notify,
    tally: Tally,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Serving,
    Draining { until: Instant },
    Drained,
}

#[derive(Debug, Default)]
struct Tally {
    connections: AtomicUsize,
    requests: AtomicUsize,
    connections_accepted: AtomicU64,
    connections_refused: AtomicU64,
    connections_finished: AtomicU64,
    connections_cut: AtomicU64,
    requests_accepted: AtomicU64,
    requests_cut: AtomicU64,
}
