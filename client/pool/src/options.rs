//! What a pool bounds, how long it waits, and how it finds its way: every default is safe.

use crate::{Backoff, Balance, Dial, Dns, Ejection, Resolve, Sockets, Tls};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Which HTTP a pool speaks.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum HttpVersion {
    /// With TLS, what ALPN agrees on. Without, HTTP/2 for requests whose version says so ([`http::Version::HTTP_2`]: gRPC and
    /// streams that go both ways need it) and HTTP/1.1 for the rest, each on connections of their own.
    #[default]
    Auto,
    /// HTTP/1.1 for every request.
    Http1,
    /// HTTP/2 for every request, without TLS by prior knowledge.
    Http2,
}

/// An extension of a request: whether it waits for a target that is failing, whatever [`PoolOptions::wait_for_ready`] says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct WaitForReady(pub bool);

/// How much of anything a pool may hold.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// HTTP/2 connections to one target.
    pub http2_connections_max: usize,
    /// HTTP/1.1 connections to one target; each carries one request at a time.
    pub http1_connections_max: usize,
    /// HTTP/1.1 connections to one target that are kept without a request.
    pub http1_idle_max: usize,
    /// Requests in flight on each HTTP/2 connection at which one more connection is opened.
    pub streams_grow_at: usize,
    /// Requests in flight on one HTTP/2 connection, if its peer does not say less.
    pub streams_max: usize,
    /// Requests of the whole pool that may wait for a connection. One more is refused.
    pub waiting_max: usize,
    /// Bytes of a response's head, and of its trailers.
    pub head_bytes_max: u32,
    /// Response bytes that may be in flight on one HTTP/2 stream.
    pub stream_window: u32,
    /// Response bytes that may be in flight on one HTTP/2 connection.
    pub connection_window: u32,
    /// Request bytes that wait in one HTTP/2 stream, or in one HTTP/1 connection, for the socket.
    pub send_buffer_max: usize,
}

/// How long a pool waits for anything.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Timings {
    /// For TCP, or whatever the dialer opens; all addresses of a target together.
    pub connect: Duration,
    /// Before the next address of a target is tried beside the one that has not answered (RFC 8305).
    pub stagger: Duration,
    /// For TLS, and for the peer's first HTTP/2 SETTINGS; both together.
    pub handshake: Duration,
    /// How long an HTTP/1.1 connection is kept without a request; less if the peer says less in `Keep-Alive`.
    pub http1_idle: Duration,
    /// How long an HTTP/2 connection is kept without a request, or beside others that could do its work.
    pub http2_idle: Duration,
    /// Age at which a connection gets no more requests, ten per cent more or less. `None` is no limit.
    pub age: Option<Duration>,
    /// Silence after which an HTTP/2 peer is asked (PING) whether it is still there. `None` never asks.
    ///
    /// A gRPC server may take it amiss and say GOAWAY with ENHANCE_YOUR_CALM; that target is then asked far less often.
    pub keepalive: Option<Duration>,
    /// How long it may take to answer that.
    pub keepalive_timeout: Duration,
    /// Whether a peer is asked while no request is in flight.
    pub keepalive_while_idle: bool,
    /// How long resolved addresses are good, ten per cent more or less.
    pub resolve: Duration,
    /// The least time between two resolutions, however often connections fail.
    pub resolve_min: Duration,
    /// How long one resolution may take.
    pub resolve_timeout: Duration,
}

/// How a pool does its work.
#[derive(Clone)]
pub struct PoolOptions {
    pub(crate) http: HttpVersion,
    pub(crate) tls: Option<Tls>,
    pub(crate) balance: Balance,
    pub(crate) limits: Limits,
    pub(crate) timings: Timings,
    pub(crate) backoff: Backoff,
    pub(crate) ejection: Option<Ejection>,
    pub(crate) wait_for_ready: bool,
    pub(crate) resolver: Arc<dyn Resolve>,
    pub(crate) dialer: Arc<dyn Dial>,
    pub(crate) seed: Option<u64>,
}

impl PoolOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self {
            http: HttpVersion::default(),
            tls: None,
            balance: Balance::default(),
            limits: Limits::default(),
            timings: Timings::default(),
            backoff: Backoff::default(),
            ejection: Some(Ejection::default()),
            wait_for_ready: false,
            resolver: Arc::new(Dns),
            dialer: Arc::new(Sockets::default()),
            seed: None,
        }
    }

    /// Which HTTP to speak.
    #[must_use]
    pub fn http(mut self, http: HttpVersion) -> Self {
        self.http = http;
        self
    }

    /// Whom to trust. An `https` origin without it trusts what the platform trusts; other origins do without TLS.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// How to spread requests over several addresses.
    #[must_use]
    pub fn balance(mut self, balance: Balance) -> Self {
        self.balance = balance;
        self
    }

    /// How much of anything to hold.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How long to wait for anything.
    #[must_use]
    pub fn timings(mut self, timings: Timings) -> Self {
        self.timings = timings;
        self
    }

    /// How long to leave a host alone that failed.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// When to leave out a target that fails while others do not. `None` never does.
    #[must_use]
    pub fn ejection(mut self, ejection: Option<Ejection>) -> Self {
        self.ejection = ejection;
        self
    }

    /// Whether requests wait while every target is failing, as long as their callers do, instead of failing at once.
    #[must_use]
    pub fn wait_for_ready(mut self, wait: bool) -> Self {
        self.wait_for_ready = wait;
        self
    }

    /// Where addresses come from, unless the origin is one.
    #[must_use]
    pub fn resolver(mut self, resolver: impl Resolve) -> Self {
        self.resolver = Arc::new(resolver);
        self
    }

    /// What opens connections.
    #[must_use]
    pub fn dialer(mut self, dialer: impl Dial) -> Self {
        self.dialer = Arc::new(dialer);
        self
    }

    /// The address to connect from; short for a dialer of [`Sockets`] with it.
    #[must_use]
    pub fn local_address(self, address: std::net::IpAddr) -> Self {
        self.dialer(Sockets { local_address: Some(address), ..Sockets::default() })
    }

    /// Where the jitter begins, for tests that repeat.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            http2_connections_max: 8,
            http1_connections_max: 256,
            http1_idle_max: 32,
            // One connection is one task on one core. It batches best with many streams, and so many keep a core busy.
            streams_grow_at: 32,
            streams_max: 1000,
            waiting_max: 1024,
            // Details of a gRPC error travel in trailers.
            head_bytes_max: 64 * KIB,
            stream_window: 2048 * KIB,
            connection_window: 5120 * KIB,
            send_buffer_max: 256 * 1024,
        }
    }
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            stagger: Duration::from_millis(250),
            handshake: Duration::from_secs(10),
            // Below the 60 s after which common balancers close.
            http1_idle: Duration::from_secs(50),
            http2_idle: Duration::from_secs(300),
            age: None,
            keepalive: Some(Duration::from_secs(20)),
            keepalive_timeout: Duration::from_secs(10),
            keepalive_while_idle: false,
            resolve: Duration::from_secs(30),
            resolve_min: Duration::from_secs(1),
            resolve_timeout: Duration::from_secs(10),
        }
    }
}

impl fmt::Debug for PoolOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolOptions")
            .field("http", &self.http)
            .field("balance", &self.balance)
            .field("limits", &self.limits)
            .field("timings", &self.timings)
            .finish_non_exhaustive()
    }
}

const KIB: u32 = 1024;
