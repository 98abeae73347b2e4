//! One connection from its handshake to its close.

use std::collections::hash_map::RandomState;
use std::future::{Future, poll_fn};
use std::hash::BuildHasher;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioIo, TokioTimer};
use ringwire_service::Peer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use crate::detect::Version;
use crate::drain::{ConnectionGuard, Signal};
use crate::hook::{Hook, HttpService};
use crate::listener::Address;
use crate::meter::Meter;
use crate::options::{Deadlines, Limits};
use crate::progress::{Going, Next, Progress};
use crate::stream::{Starter, Streams};
use crate::tls::Tls;
use crate::transport::{self, Opened, Transport};

/// What all connections of a server share.
pub(crate) struct Config {
    pub(crate) limits: Limits,
    pub(crate) deadlines: Deadlines,
    pub(crate) tls: Option<Tls>,
}

/// Serves one connection until it ends, whoever ends it.
pub(crate) async fn serve<I, S>(
    io: I,
    address: Address,
    service: S,
    config: Arc<Config>,
    mut signal: Signal,
    guard: ConnectionGuard,
) where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: HttpService,
{
    let accepted = Instant::now();
    let open = transport::open(io, config.tls.as_ref());
    let bound = accepted + config.deadlines.handshake;
    // Whatever goes wrong before HTTP, there is no way to tell the peer that TLS has not told it already.
    let Some(Ok(opened)) = within(bound, signal.clone(), open).await else { return };
    let Opened { transport, version, certificates } = opened;

    let old_at = config.deadlines.age.map(|age| accepted + spread(age));
    let progress = Arc::new(Progress::new(version, accepted, old_at, guard));
    let hook = Hook {
        service,
        peer: Arc::new(Peer::new(address.into()).with_certificates(certificates)),
        body_stall_max: config.deadlines.body,
        progress: progress.clone(),
    };
    let meter = Meter::new(transport, progress.clone(), &config.limits, &config.deadlines);
    let http = pin!(Http::new(meter, hook, &config));
    let order = pin!(signal.draining());
    drive(http, order, &progress, &config).await;
}

/// Waits for the future until the bound, or until a draining server has waited long enough.
async fn within<F: Future>(bound: Instant, mut signal: Signal, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut order = pin!(async move {
        let until = signal.draining().await;
        tokio::time::sleep_until(until.min(Instant::now() + DRAIN_HANDSHAKE)).await;
    });
    let mut bound = pin!(tokio::time::sleep_until(bound));
    poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        if bound.as_mut().poll(cx).is_ready() || order.as_mut().poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        Poll::Pending
    })
    .await
}

/// Polls the connection, and does what is due beside it.
async fn drive<I, S>(
    mut http: Pin<&mut Http<I, S>>,
    mut order: Pin<&mut impl Future<Output = Instant>>,
    progress: &Progress,
    config: &Config,
) where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: HttpService,
{
    let Config { limits, deadlines, tls: _ } = config;
    let mut alarm = pin!(tokio::time::sleep_until(Instant::now() + deadlines.handshake));
    let mut going: Option<Going> = None;
    let mut drain_until = None;
    poll_fn(|cx| {
        loop {
            if http.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            if drain_until.is_none()
                && let Poll::Ready(until) = order.as_mut().poll(cx)
            {
                drain_until = Some(until);
                // A connection that was asked before keeps the earlier end.
                going = Some(match going {
                    Some(earlier) => Going { since: earlier.since, until: until.min(earlier.until) },
                    None => Going { since: Instant::now(), until },
                });
                http.as_mut().go();
                continue;
            }
            let now = Instant::now();
            match progress.next(now, going, limits, deadlines) {
                Next::Go => {
                    going = Some(Going { since: now, until: now + deadlines.grace });
                    http.as_mut().go();
                }
                Next::Cut => {
                    if drain_until.is_some_and(|until| until <= now) {
                        progress.cut_by_drain();
                    }
                    return Poll::Ready(());
                }
                Next::Wait { until } => {
                    // The alarm is only ever moved closer: what is due later is found when it rings for nothing.
                    if until < alarm.deadline() || alarm.is_elapsed() {
                        alarm.as_mut().reset(until);
                    }
                    if alarm.as_mut().poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                }
            }
        }
    })
    .await;
}

pin_project_lite::pin_project! {
    #[project = HttpProjection]
    enum Http<I, S>
    where
        S: HttpService,
        I: AsyncRead,
        I: AsyncWrite,
        I: Unpin,
        I: Send,
        I: 'static,
    {
        One { #[pin] connection: http1::UpgradeableConnection<Socket<I>, Hook<S>> },
        Two { #[pin] connection: http2::Connection<Socket<I>, Hook<S>, Starter>, streams: Streams },
    }
}

type Socket<I> = TokioIo<Meter<Transport<I>>>;

impl<I, S> Http<I, S>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: HttpService,
{
    fn new(meter: Meter<Transport<I>>, hook: Hook<S>, config: &Config) -> Self {
        let Config { limits, deadlines, tls: _ } = config;
        let io = TokioIo::new(meter);
        match hook.progress.version {
            Version::Http1 => {
                let mut builder = http1::Builder::new();
                builder
                    // Ours tells a slow head from an idle connection.
                    .header_read_timeout(None)
                    .max_header_size(limits.head_bytes_max as usize)
                    .max_buf_size(limits.send_buffer_max.max(HTTP1_BUFFER_MIN));
                Self::One { connection: builder.serve_connection(io, hook).with_upgrades() }
            }
            Version::Http2 => {
                let streams = Streams::new();
                let mut builder = http2::Builder::new(streams.starter(hook.progress.clone(), deadlines.send));
                builder
                    .timer(TokioTimer::new())
                    .max_concurrent_streams(limits.streams_max)
                    .max_header_list_size(limits.head_bytes_max)
                    .initial_stream_window_size(limits.stream_window)
                    .initial_connection_window_size(limits.connection_window)
                    .max_send_buf_size(limits.send_buffer_max)
                    .max_pending_accept_reset_streams(limits.pending_resets_max)
                    .max_local_error_reset_streams(limits.local_resets_max)
                    .keep_alive_interval(deadlines.keepalive)
                    .keep_alive_timeout(deadlines.keepalive_timeout);
                Self::Two { connection: builder.serve_connection(io, hook), streams }
            }
        }
    }

    /// Asks the peer to go: `Connection: close` with the next response, or GOAWAY.
    fn go(self: Pin<&mut Self>) {
        match self.project() {
            HttpProjection::One { connection } => connection.graceful_shutdown(),
            HttpProjection::Two { connection, .. } => connection.graceful_shutdown(),
        }
    }

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // What a peer did wrong, hyper has told it; a server has no use for it.
        match self.project() {
            HttpProjection::One { connection } => connection.poll(cx).map(drop),
            HttpProjection::Two { mut connection, streams } => loop {
                if connection.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(());
                }
                if !streams.poll_begun(cx) {
                    return Poll::Pending;
                }
            },
        }
    }
}

/// The age, ten per cent more or less.
fn spread(age: Duration) -> Duration {
    // A hasher with random keys is the random number that std gives.
    let random = RandomState::new().hash_one(0_u8) % 2001;
    age.mul_f64(0.9 + random as f64 / 10_000.0)
}

// Clients open connections ahead of need. One that has asked for nothing yet loses nothing, and must not hold up a drain
// for as long as a handshake may take; one whose request is under way has it here by then.
const DRAIN_HANDSHAKE: Duration = Duration::from_secs(1);
// The least that hyper takes.
const HTTP1_BUFFER_MIN: usize = 8192;
