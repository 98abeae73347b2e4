//! What a server bounds, and for how long it waits: every default is safe on the open internet.

use std::time::Duration;

/// How much of anything one server, and one of its connections, may hold.
///
/// Limits on messages are the service's, per route; these are the connection's.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Open connections; one more is closed as soon as it is accepted.
    pub connections_max: usize,
    /// Concurrent streams of one HTTP/2 connection. Clients queue beyond it.
    pub streams_max: u32,
    /// Bytes of one request's head: HTTP/1 as received, HTTP/2 as RFC 9113 §6.5.2 counts a header list.
    pub head_bytes_max: u32,
    /// Requests after which a connection is asked to go. `None` is no limit.
    pub requests_per_connection_max: Option<u64>,
    /// Request bytes that may be in flight on one HTTP/2 stream.
    pub stream_window: u32,
    /// Request bytes that may be in flight on one HTTP/2 connection.
    pub connection_window: u32,
    /// Response bytes that wait in one HTTP/2 stream, or in one HTTP/1 connection, for the socket.
    pub send_buffer_max: usize,
    /// Streams that a peer opened and reset before they were served; one more ends the connection (CVE-2023-44487).
    pub pending_resets_max: usize,
    /// Streams that we had to reset for a peer's errors; one more ends the connection (CVE-2025-8671).
    pub local_resets_max: usize,
    /// Unread request bytes that are thrown away so that an early answer reaches the peer before the close.
    pub linger_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // A quarter of what a process may open where the limit is the usual 65,536 descriptors: handlers need some too.
            connections_max: 16_384,
            // 200 concurrent streams on one connection are ordinary; Go, whose clients queue at it, says 250.
            streams_max: 250,
            head_bytes_max: 16 * KIB,
            requests_per_connection_max: None,
            // High from the start: a window that only grows with measured delay makes short connections slow.
            stream_window: 1024 * KIB,
            connection_window: 1024 * KIB,
            send_buffer_max: 256 * 1024,
            pending_resets_max: 20,
            local_resets_max: 1024,
            linger_bytes_max: 1024 * 1024,
        }
    }
}

/// How long one connection may take for each thing that a peer can hold up.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deadlines {
    /// From accept to the first request head of HTTP/1, or to the SETTINGS of HTTP/2; TLS is included.
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
    /// What requests in flight get to finish once an idle, old or used-up connection was told to go.
    pub grace: Duration,
    /// Silence after which an HTTP/2 peer is asked whether it is still there. `None` never asks.
    pub keepalive: Option<Duration>,
    /// How long it may take to answer that.
    pub keepalive_timeout: Duration,
    /// What a peer gets to close its side: unread request bytes are thrown away for so long after an early answer, and a
    /// peer that was asked to go and has no request in flight gets no longer.
    pub linger: Duration,
}

impl Default for Deadlines {
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
            linger: Duration::from_secs(5),
        }
    }
}

const KIB: u32 = 1024;
