//! The bounds of a server: every default is safe on the open internet.

use std::sync::Arc;
use std::time::Duration;

use ringwire_service::Observer;

use crate::session::Config;
use crate::tls::ServerTls;
use ringwire_tls::TlsLimits;
use {ringwire_http1 as http1, ringwire_http2 as http2};

/// How much of anything one server, and one of its connections, may hold.
///
/// Limits on messages are the service's, per route; these are the connection's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerLimits {
    /// Open connections; one more is closed as soon as it is accepted.
    pub connections_max: usize,
    /// Concurrent streams of one HTTP/2 connection. Clients queue beyond it.
    pub streams_max: u32,
    /// Bytes of one request's head: HTTP/1 as received, HTTP/2 as RFC 9113 section 6.5.2 counts a header list.
    pub head_bytes_max: u32,
    /// Requests after which a connection is asked to go. `None` is no limit.
    pub requests_per_connection_max: Option<u64>,
    /// Requests in flight on one connection. One more is answered `unavailable`, and told when to try again; beyond
    /// `streams_max`, clients wait by themselves.
    pub connection_requests_max: usize,
    /// Requests in flight on all connections together, shared evenly among the shards. One more is answered `unavailable`, and
    /// told when to try again: [`ServerTimeouts::push_back`].
    pub requests_max: usize,
    /// Request bytes that may be in flight on one HTTP/2 stream, at first.
    pub stream_window: u32,
    /// Request bytes that may be in flight on one HTTP/2 connection, at first.
    pub connection_window: u32,
    /// Response bytes that wait in one HTTP/2 stream for the peer.
    pub send_buffer_max: usize,
    /// Unread request bytes that are thrown away so that an early answer reaches the peer before the close.
    pub linger_bytes_max: usize,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            // A quarter of what a process may open where the limit is the usual 65,536 descriptors: handlers need some too.
            connections_max: 16_384,
            // 200 concurrent streams on one connection are ordinary; Go, whose clients queue at it, says 250.
            streams_max: 250,
            head_bytes_max: 16 * KIB,
            requests_per_connection_max: None,
            connection_requests_max: 250,
            // Calls that wait take some kilobytes each.
            requests_max: 65_536,
            // High from the start: a window that only grows with measured delay makes short connections slow.
            stream_window: 1024 * KIB,
            connection_window: 1024 * KIB,
            send_buffer_max: 256 * 1024,
            // A client that sends one message of twice the default limit at once still reads why it was refused.
            linger_bytes_max: 8 * 1024 * 1024,
        }
    }
}

/// How long one connection may take for each thing that a peer can hold up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerTimeouts {
    /// From accept to the first request head of HTTP/1, or to the preface of HTTP/2; TLS is included.
    pub handshake: Duration,
    /// From the first byte of a request head, or of any HTTP/2 frame or header block, to its last.
    pub head: Duration,
    /// Silence within a request body whose length was declared. Open-ended bodies may be conversations: for them the
    /// deadline of the call decides.
    pub body: Duration,
    /// A response that the peer does not take: no byte left the socket, or no window was opened for a stream.
    pub send: Duration,
    /// A connection without a request. It is told to go, and closed.
    pub idle: Duration,
    /// Age at which a connection is told to go, spread by ten per cent either way so that a fleet of clients does not
    /// come back at once. `None` is no limit.
    pub age: Option<Duration>,
    /// The time that requests in flight get once an idle, old or used-up connection was told to go.
    pub grace: Duration,
    /// Silence after which an HTTP/2 peer is asked whether it is still there. `None` never asks.
    pub keepalive: Option<Duration>,
    /// The time for the answer to that.
    pub keepalive_timeout: Duration,
    /// The time after which a client that was turned away should try again.
    pub push_back: Duration,
    /// The time that a peer gets to close its side after the last response of a connection.
    pub linger: Duration,
}

impl Default for ServerTimeouts {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(10),
            body: Duration::from_secs(60),
            send: Duration::from_secs(60),
            idle: Duration::from_secs(300),
            age: None,
            grace: Duration::from_secs(30),
            keepalive: Some(Duration::from_secs(60)),
            keepalive_timeout: Duration::from_secs(20),
            push_back: Duration::from_secs(1),
            linger: Duration::from_secs(5),
        }
    }
}

/// What the engines are told.
pub(crate) fn config(
    limits: &ServerLimits,
    timeouts: &ServerTimeouts,
    drain: Duration,
    tls: Option<&ServerTls>,
    observer: Option<Arc<dyn Observer>>,
) -> Config {
    let tls_limits = TlsLimits { handshake_timeout: timeouts.handshake, ..TlsLimits::default() };
    Config {
        http1: http1::Limits {
            head_max: limits.head_bytes_max as usize,
            // The message of a GET is in its target.
            target_max: limits.head_bytes_max as usize,
            linger_max: limits.linger_bytes_max as u64,
            linger_timeout: timeouts.linger,
            head_timeout: timeouts.head,
            idle_timeout: timeouts.idle,
            // An exchange knows which bodies are uploads and which are conversations, whose silence is in order. The rate holds
            // for bodies whose length was announced, once an exchange has had its time to end one that stops.
            body_timeout: NEVER,
            body_rate_grace: timeouts.body.saturating_add(timeouts.head),
            send_timeout: timeouts.send,
            ..http1::Limits::default()
        },
        http2: http2::Limits {
            streams_max: limits.streams_max,
            header_list_max: limits.head_bytes_max,
            stream_window: limits.stream_window,
            connection_window: limits.connection_window,
            send_buffer: limits.send_buffer_max,
            preface_timeout: timeouts.handshake,
            frame_timeout: timeouts.head,
            send_timeout: timeouts.send,
            ping_interval: timeouts.keepalive,
            ping_timeout: timeouts.keepalive_timeout,
            idle_timeout: Some(timeouts.idle),
            // The session spreads the age, and bounds the grace; the shard bounds the drain of a server.
            age_max: None,
            drain_timeout: timeouts.grace.max(drain),
            ..http2::Limits::default()
        },
        tls: tls.map(|tls| (tls.config.clone(), tls_limits)),
        names: &ringwire_rpc::NAMES,
        handshake: timeouts.handshake,
        requests_max: limits.requests_per_connection_max,
        age: timeouts.age,
        in_flight_max: limits.connection_requests_max,
        push_back: timeouts.push_back,
        grace: timeouts.grace,
        observer,
    }
}

const KIB: u32 = 1024;
const NEVER: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
