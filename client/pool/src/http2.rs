//! One HTTP/2 connection: many requests at once.

use crate::endpoint::Target;
use crate::error::{Failed, is_refused, kind_of};
use crate::gate::{Shared, lock};
use crate::life::{Life, Wish};
use crate::upload::{Current, Upload};
use crate::wire::{Tap, Wire};
use crate::{Address, Io};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http2::{Builder, Connection, SendRequest};
use hyper::rt::Executor;
use hyper_util::rt::{TokioIo, TokioTimer};
use ringwire_transport::{BoxError, TransportError, TransportErrorKind};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::task::Poll;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// One HTTP/2 connection, as requests see it.
pub(crate) struct Http2 {
    pub(crate) address: Address,
    pub(crate) peer: Arc<str>,
    pub(crate) life: Arc<Life>,
    sender: SendRequest<Upload>,
    wire: Arc<Wire>,
    current: Arc<Current>,
    in_flight: AtomicUsize,
    /// The most in flight since it was last asked whether it is superfluous.
    peak: AtomicUsize,
    has_answered: AtomicBool,
    born: Instant,
    /// Milliseconds after its birth at which its last request ended.
    used_at: AtomicU64,
    streams_max: usize,
}

/// A connection on which the peer has begun to speak.
pub(crate) struct Opened {
    sender: SendRequest<Upload>,
    connection: Pin<Box<Connection<TokioIo<Tap>, Upload, Spawner>>>,
    wire: Arc<Wire>,
    spawner: Spawner,
}

/// Shakes hands, and waits for the peer's SETTINGS: until then nobody knows whether it speaks HTTP/2, or how many streams it
/// takes.
pub(crate) async fn handshake(
    io: Box<dyn Io>,
    shared: &Shared,
    keepalive: Option<Duration>,
) -> Result<Opened, BoxError> {
    let (limits, timings) = (&shared.options.limits, &shared.options.timings);
    let wire = Arc::new(Wire::default());
    let spawner = Spawner::default();
    let mut builder = Builder::new(spawner.clone());
    builder
        .timer(TokioTimer::new())
        .initial_stream_window_size(limits.stream_window)
        .initial_connection_window_size(limits.connection_window)
        .max_header_list_size(limits.head_bytes_max)
        .max_send_buf_size(limits.send_buffer_max)
        .keep_alive_interval(keepalive)
        .keep_alive_timeout(timings.keepalive_timeout)
        .keep_alive_while_idle(timings.keepalive_while_idle);
    let (sender, connection) = builder.handshake(TokioIo::new(Tap::http2(io, wire.clone()))).await?;
    let mut connection = Box::pin(connection);
    while !wire.is_settled() {
        tokio::select! {
            biased;
            () = wire.changed.notified() => {}
            ended = &mut connection => {
                ended?;
                return Err("the peer closed the connection before it said SETTINGS".into());
            }
        }
    }
    if wire.is_going() {
        return Err("the peer said GOAWAY at once".into());
    }
    Ok(Opened { sender, connection, wire, spawner })
}

impl Opened {
    /// The connection as requests see it, and what drives it until it ends.
    pub(crate) fn start(
        self,
        address: Address,
        shared: &Shared,
        target: Weak<Target>,
        life: Arc<Life>,
    ) -> (Arc<Http2>, impl Future<Output = ()> + Send + use<>) {
        let Self { sender, connection, wire, spawner } = self;
        let http2 = Arc::new(Http2 {
            peer: address.to_string().into(),
            address,
            life,
            sender,
            wire: wire.clone(),
            current: spawner.current,
            in_flight: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
            has_answered: AtomicBool::new(false),
            born: Instant::now(),
            used_at: AtomicU64::new(0),
            streams_max: shared.options.limits.streams_max.max(1),
        });
        let timings = &shared.options.timings;
        let old_at = timings.age.map(|age| http2.born + shared.jitter.spread(age, 0.1));
        let life = http2.life.clone();
        let ended = Ended { http2: Arc::downgrade(&http2), wire, target, life, outcome: None };
        let driver = drive(connection, ended, old_at, timings.http2_idle);
        (http2, driver)
    }
}

/// Drives a connection, and takes it from its target when it is old, idle, superfluous, told to go, or at its end.
async fn drive(
    mut connection: Pin<Box<Connection<TokioIo<Tap>, Upload, Spawner>>>,
    mut ended: Ended,
    old_at: Option<Instant>,
    idle: Duration,
) {
    let (http2, wire, target) = (ended.http2.clone(), ended.wire.clone(), ended.target.clone());
    let mut check_at = Instant::now() + idle;
    let mut alarm = pin!(sleep_until(old_at.map_or(check_at, |old_at| old_at.min(check_at))));
    let mut going = pin!(wire.changed.notified());
    let mut is_kept = true;
    poll_fn(|cx| {
        loop {
            // What a connection dies of, its requests are told.
            if let Poll::Ready(outcome) = connection.as_mut().poll(cx) {
                ended.outcome = Some(outcome);
                return Poll::Ready(());
            }
            if !is_kept {
                return Poll::Pending;
            }
            let is_told = going.as_mut().poll(cx).is_ready();
            if is_told {
                going.set(wire.changed.notified());
            }
            let is_due = alarm.as_mut().poll(cx).is_ready();
            if !is_told && !is_due {
                return Poll::Pending;
            }
            let (Some(target), Some(http2)) = (target.upgrade(), http2.upgrade()) else {
                is_kept = false;
                continue;
            };
            let now = Instant::now();
            let is_old = old_at.is_some_and(|old_at| old_at <= now);
            if wire.is_going() || is_old {
                if !wire.is_going() {
                    http2.life.wish(Wish::Age);
                }
                target.remove_http2(&http2);
                is_kept = false;
                continue;
            }
            if is_told {
                // A peer that takes more streams than before.
                target.serve();
            }
            if check_at <= now {
                match http2.idle_since().map(|since| since + idle) {
                    Some(idle_at) if idle_at > now => check_at = idle_at,
                    Some(_) => {
                        http2.life.wish(Wish::Idle);
                        target.remove_http2(&http2);
                        is_kept = false;
                        continue;
                    }
                    None => check_at = now + idle,
                }
                if target.remove_if_superfluous(&http2) {
                    http2.life.wish(Wish::Idle);
                    is_kept = false;
                    continue;
                }
            }
            alarm.as_mut().reset(old_at.map_or(check_at, |old_at| old_at.min(check_at)));
        }
    })
    .await;
}

/// Tells the target that a connection is gone, also when its runtime went and took the driver along.
struct Ended {
    http2: Weak<Http2>,
    wire: Arc<Wire>,
    target: Weak<Target>,
    life: Arc<Life>,
    outcome: Option<hyper::Result<()>>,
}

impl Drop for Ended {
    fn drop(&mut self) {
        self.life.ended(self.outcome.as_ref(), &self.wire);
        let Some(target) = self.target.upgrade() else { return };
        if self.wire.is_annoyed() {
            target.annoyed();
        }
        if let Some(http2) = self.http2.upgrade() {
            target.http2_ended(&http2);
        }
    }
}

impl Http2 {
    /// Requests in flight.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::SeqCst)
    }

    /// How many there may be now.
    pub(crate) fn room(&self) -> usize {
        if self.wire.is_going() || self.sender.is_closed() {
            return 0;
        }
        self.wire.streams_max().min(self.streams_max)
    }

    /// Takes a place for one more request, if there is one.
    pub(crate) fn take_place(&self) -> bool {
        let room = self.room();
        let taken = self.in_flight.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |count| {
            if count < room { Some(count + 1) } else { None }
        });
        let Ok(before) = taken else { return false };
        if before >= self.peak.load(Ordering::Relaxed) {
            self.peak.store(before + 1, Ordering::Relaxed);
        }
        true
    }

    /// Gives a place back.
    pub(crate) fn leave_place(&self) {
        if self.in_flight.fetch_sub(1, Ordering::SeqCst) == 1 {
            let age = u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.used_at.store(age, Ordering::Relaxed);
        }
    }

    /// The most in flight since the last time this was asked.
    pub(crate) fn take_peak(&self) -> usize {
        self.peak.swap(self.in_flight(), Ordering::Relaxed)
    }

    /// As [`Http2::take_peak`], for someone who only looks.
    pub(crate) fn peak(&self) -> usize {
        self.peak.load(Ordering::Relaxed)
    }

    /// Since when there is no request.
    fn idle_since(&self) -> Option<Instant> {
        let used_at = Duration::from_millis(self.used_at.load(Ordering::Relaxed));
        (self.in_flight() == 0).then(|| self.born + used_at)
    }

    /// Whether it ever answered.
    pub(crate) fn has_answered(&self) -> bool {
        self.has_answered.load(Ordering::Relaxed)
    }

    /// Where an [`Upload`] on this connection announces itself.
    pub(crate) fn current(&self) -> Arc<Current> {
        self.current.clone()
    }

    /// Sends a request for which there is a place.
    pub(crate) async fn send(&self, request: Request<Upload>) -> Result<Response<Incoming>, Failed> {
        let written = self.wire.written();
        let sending = request.body().sending();
        let mut failed = match self.sender.clone().try_send_request(request).await {
            Ok(response) => {
                self.has_answered.store(true, Ordering::Relaxed);
                return Ok(response);
            }
            Err(failed) => failed,
        };
        let unsent = failed.take_message().map(Box::new);
        let cause = failed.into_error();
        // Bytes that never left were never read.
        let is_unprocessed = unsent.is_some() || is_refused(&cause) || self.wire.written() == written;
        let error = TransportError::new(kind_of(&cause)).with_peer(self.peer.clone());
        let error = match sending.take_error() {
            Some(own) => {
                TransportError::new(TransportErrorKind::CANCEL).with_peer(self.peer.clone()).with_source(own)
            }
            None => error.with_source(cause),
        };
        Err(Failed { error: if is_unprocessed { error.unprocessed() } else { error }, unsent })
    }
}

/// Runs what hyper hands it as tasks, and remembers which of them must be stopped with what.
#[derive(Clone, Default)]
pub(crate) struct Spawner {
    current: Arc<Current>,
    has_begun: Arc<AtomicBool>,
}

impl<F> Executor<F> for Spawner
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, future: F) {
        let task = tokio::spawn(future);
        // The connection comes first, before there is any request.
        if self.has_begun.swap(true, Ordering::Relaxed)
            && let Some(sending) = lock(&self.current).take()
            && !sending.is_done()
        {
            sending.sent_by(task.abort_handle());
        }
    }
}
