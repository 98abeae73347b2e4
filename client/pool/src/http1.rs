//! One HTTP/1.1 connection: one request at a time, and kept only when the last one left it clean.

use crate::endpoint::Target;
use crate::error::{Failed, kind_of};
use crate::gate::Shared;
use crate::life::{Life, Wish};
use crate::upload::Upload;
use crate::wire::{Tap, Wire};
use crate::{Address, Io};
use http::{HeaderMap, Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use ringwire_transport::{BoxError, TransportError, TransportErrorKind};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::task::Poll;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

/// One HTTP/1.1 connection, without the right to send on it.
pub(crate) struct Http1 {
    pub(crate) address: Address,
    pub(crate) peer: Arc<str>,
    pub(crate) life: Arc<Life>,
    wire: Arc<Wire>,
    back: mpsc::UnboundedSender<Ready>,
    task: OnceLock<AbortHandle>,
    is_retired: AtomicBool,
    /// What the peer said in `Keep-Alive: timeout=`, less a margin, in milliseconds.
    idle_max: AtomicU64,
}

/// A connection and the right to send on it.
pub(crate) struct Ready {
    pub(crate) connection: Arc<Http1>,
    sender: SendRequest<Upload>,
    /// The first request can be sent before hyper has asked for one.
    is_fresh: bool,
    returning: Option<Returning>,
}

/// A connection that is on its way back, for as long as it lives.
struct Returning(Weak<Target>);

/// A connection that is open.
pub(crate) struct Opened {
    sender: SendRequest<Upload>,
    connection: Pin<Box<Connection<TokioIo<Tap>, Upload>>>,
    wire: Arc<Wire>,
}

/// Sets up HTTP/1.1, which begins with the first request.
pub(crate) async fn handshake(io: Box<dyn Io>, shared: &Shared) -> Result<Opened, BoxError> {
    let limits = &shared.options.limits;
    let wire = Arc::new(Wire::default());
    let head_bytes_max = limits.head_bytes_max as usize;
    let mut builder = Builder::new();
    builder
        .max_header_size(head_bytes_max)
        // It bounds what is read ahead as well as what waits to be written.
        .max_buf_size(limits.send_buffer_max.max(head_bytes_max).max(BUFFER_MIN));
    let (sender, connection) = builder.handshake(TokioIo::new(Tap::http1(io, wire.clone()))).await?;
    Ok(Opened { sender, connection: Box::pin(connection), wire })
}

impl Opened {
    /// The connection and the right to send on it, and what drives it until it ends.
    pub(crate) fn start(
        self,
        address: Address,
        shared: &Shared,
        target: Weak<Target>,
        life: Arc<Life>,
    ) -> (Ready, impl Future<Output = ()> + Send + use<>) {
        let (back, returned) = mpsc::unbounded_channel();
        let http1 = Arc::new(Http1 {
            peer: address.to_string().into(),
            address,
            life,
            wire: self.wire,
            back,
            task: OnceLock::new(),
            is_retired: AtomicBool::new(false),
            idle_max: AtomicU64::new(u64::MAX),
        });
        let timings = &shared.options.timings;
        let old_at = timings.age.map(|age| Instant::now() + shared.jitter.spread(age, 0.1));
        let (life, wire) = (http1.life.clone(), http1.wire.clone());
        let ended = Ended { http1: Arc::downgrade(&http1), target, life, wire, outcome: None };
        let driver = drive(self.connection, ended, returned, old_at, timings.http1_idle);
        (Ready { connection: http1, sender: self.sender, is_fresh: true, returning: None }, driver)
    }
}

/// Drives a connection, and takes back the right to send on it when it has become clean again.
async fn drive(
    mut connection: Pin<Box<Connection<TokioIo<Tap>, Upload>>>,
    mut ended: Ended,
    mut returned: mpsc::UnboundedReceiver<Ready>,
    old_at: Option<Instant>,
    idle: Duration,
) {
    let mut waiting: Option<Ready> = None;
    let mut idle_at: Option<Instant> = Some(Instant::now() + idle);
    let mut is_old = false;
    let mut alarm = pin!(sleep_until(Instant::now() + idle));
    poll_fn(|cx| {
        loop {
            if let Poll::Ready(outcome) = connection.as_mut().poll(cx) {
                ended.outcome = Some(outcome);
                return Poll::Ready(());
            }
            if waiting.is_none()
                && let Poll::Ready(Some(ready)) = returned.poll_recv(cx)
            {
                waiting = Some(ready);
            }
            if let Some(ready) = &mut waiting {
                match ready.sender.poll_ready(cx) {
                    Poll::Pending => {}
                    Poll::Ready(Err(error)) => {
                        // What is only closed has ended in order.
                        ended.outcome = Some(if error.is_closed() { Ok(()) } else { Err(error) });
                        return Poll::Ready(());
                    }
                    Poll::Ready(Ok(())) => {
                        let mut ready = waiting.take().expect("it was just polled");
                        ready.returning = None;
                        idle_at = Some(Instant::now() + idle.min(ready.connection.idle_max()));
                        match ended.target.upgrade() {
                            Some(target) => target.park(ready),
                            // Nobody is left who could use it.
                            None => drop(ready),
                        }
                    }
                }
            }
            let due = [idle_at, old_at.filter(|_| !is_old)].into_iter().flatten().min();
            let Some(due) = due else { return Poll::Pending };
            if alarm.deadline() != due {
                alarm.as_mut().reset(due);
            }
            if alarm.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            let now = Instant::now();
            is_old |= old_at.is_some_and(|old_at| old_at <= now);
            let (Some(target), Some(http1)) = (ended.target.upgrade(), ended.http1.upgrade()) else {
                idle_at = None;
                is_old = true;
                continue;
            };
            ended.life.wish(if is_old { Wish::Age } else { Wish::Idle });
            if is_old {
                http1.retire();
            }
            if is_old || idle_at.is_some_and(|idle_at| idle_at <= now) {
                idle_at = None;
                target.unpark(&http1);
            }
        }
    })
    .await;
}

/// Tells the target that a connection is gone, also when its runtime went and took the driver along.
struct Ended {
    http1: Weak<Http1>,
    target: Weak<Target>,
    life: Arc<Life>,
    wire: Arc<Wire>,
    outcome: Option<hyper::Result<()>>,
}

impl Drop for Ended {
    fn drop(&mut self) {
        self.life.ended(self.outcome.as_ref(), &self.wire);
        let Some(target) = self.target.upgrade() else { return };
        target.http1_ended(self.http1.upgrade().as_ref());
    }
}

impl Http1 {
    /// Remembers the task that drives it.
    pub(crate) fn driven_by(&self, task: AbortHandle) {
        // There is one caller: whoever spawned it.
        let _ = self.task.set(task);
    }

    /// It gets no more requests.
    pub(crate) fn retire(&self) {
        self.is_retired.store(true, Ordering::Relaxed);
    }

    /// Ends the connection and what is in flight on it.
    pub(crate) fn cut(&self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }

    fn idle_max(&self) -> Duration {
        Duration::from_millis(self.idle_max.load(Ordering::Relaxed))
    }

    /// Keeps what the peer says of how long it will wait.
    fn heed(&self, headers: &HeaderMap) {
        let Some(said) = headers.get("keep-alive").and_then(|value| value.to_str().ok()) else { return };
        let timeout = said.split(',').find_map(|part| part.trim().strip_prefix("timeout="));
        let Some(seconds) = timeout.and_then(|timeout| timeout.parse::<u64>().ok()) else { return };
        // A request on its way when the peer closes is lost, so ours is the shorter time.
        let ours = seconds.saturating_mul(1000).saturating_sub(KEEP_ALIVE_MARGIN_MS);
        self.idle_max.store(ours.max(KEEP_ALIVE_MARGIN_MS / 2), Ordering::Relaxed);
    }
}

impl Returning {
    fn new(target: &Arc<Target>) -> Self {
        target.returning();
        Self(Arc::downgrade(target))
    }
}

impl Drop for Returning {
    fn drop(&mut self) {
        if let Some(target) = self.0.upgrade() {
            target.returned();
        }
    }
}

impl Ready {
    /// Whether a request can be sent on it now.
    pub(crate) fn is_sound(&self) -> bool {
        let is_open = if self.is_fresh { !self.sender.is_closed() } else { self.sender.is_ready() };
        is_open && !self.connection.is_retired.load(Ordering::Relaxed)
    }

    /// Gives the right to send to the driver, which parks the connection once it is clean.
    pub(crate) fn give_back(mut self, target: &Arc<Target>) {
        self.returning = Some(Returning::new(target));
        // Without a driver there is no connection either.
        let _ = self.connection.back.clone().send(self);
    }

    /// Sends a request.
    pub(crate) async fn send(&mut self, request: Request<Upload>) -> Result<Response<Incoming>, Failed> {
        let Self { connection, sender, is_fresh, returning: _ } = self;
        *is_fresh = false;
        let written = connection.wire.written();
        let sending = request.body().sending();
        let mut failed = match sender.try_send_request(request).await {
            Ok(response) => {
                connection.heed(response.headers());
                return Ok(response);
            }
            Err(failed) => failed,
        };
        let unsent = failed.take_message().map(Box::new);
        let cause = failed.into_error();
        // Bytes that never left were never read.
        let is_unprocessed = unsent.is_some() || connection.wire.written() == written;
        let error = match sending.take_error() {
            Some(own) => TransportError::new(TransportErrorKind::Lost).with_source(own),
            None => TransportError::new(kind_of(&cause)).with_source(cause),
        };
        let error = error.with_peer(connection.peer.clone());
        Err(Failed { error: if is_unprocessed { error.unprocessed() } else { error }, unsent })
    }
}

// The least that hyper takes.
const BUFFER_MIN: usize = 8192;
const KEEP_ALIVE_MARGIN_MS: u64 = 1000;
