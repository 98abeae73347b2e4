//! Bounds on what a peer may cost.

use std::time::Duration;

/// Bounds on what a peer may cost. Crossing one ends the message, or the connection, with a [`Fault`](crate::Fault).
#[derive(Clone, Debug)]
pub struct Limits {
    /// The most bytes of a head, its first line included, and of trailers. 16 KiB is room for tokens and cookies; a server
    /// that allows more holds more for each connection before anything is known of its peer. Answered with 431.
    pub head_max: usize,
    /// The most fields of a head, and of trailers. Browsers and proxies send fewer than 50. Answered with 431.
    pub fields_max: usize,
    /// The most bytes of a request target. RFC 9112 recommends 8,000 for a request line. Answered with 414.
    pub target_max: usize,
    /// The most bytes of the line before a chunk. A size takes 16, and extensions are ignored.
    pub chunk_line_max: usize,
    /// The most bytes of chunk extensions in one message, which cost reading and say nothing.
    pub chunk_extensions_max: usize,
    /// The bytes of a body that the application may be given and not have released. Beyond it, the connection does not want
    /// input.
    pub unreleased_max: usize,
    /// The most interim responses (1xx) before a response. Servers send one or two.
    pub interim_max: u32,
    /// The bytes of pipelined requests that are held while a request is answered. Beyond it, the connection does not want
    /// input.
    pub pipelined_max: usize,
    /// The most bytes of a request that are read and thrown away after its response, so that the connection can be used
    /// again. Beyond it, the connection closes.
    pub drain_max: u64,
    /// The most bytes that are read and thrown away between the last response and the close. A socket that is closed
    /// with unread bytes resets the connection, and the peer may lose the response.
    pub linger_max: u64,
    /// The longest time of that reading.
    pub linger_timeout: Duration,
    /// The longest time from the first byte of a head to its last, and from the start of a connection to its first head.
    pub head_timeout: Duration,
    /// The longest time between the end of a response and the next request.
    pub idle_timeout: Duration,
    /// The longest time without a byte of a body that is awaited.
    pub body_timeout: Duration,
    /// The fewest bytes of a body in a second, over the time in which the body is awaited. A body that announced its length
    /// is all there, so that a slow one only holds resources. Bodies of unknown length are streams, which may be silent for as
    /// long as `body_timeout`, and are not measured. 0 measures none.
    pub body_rate_min: u32,
    /// The time in which `body_rate_min` is not looked at: a network may be slow to begin.
    pub body_rate_grace: Duration,
    /// The longest time in which the peer takes too few of the bytes that are to be sent.
    pub send_timeout: Duration,
    /// The fewest bytes a second that the peer takes over each `send_timeout`. Without it, a byte a minute would hold what is
    /// unsent for ever. 32 is a fraction of what people read.
    pub send_rate_min: u32,
}

impl Limits {
    /// The bytes that the peer must take in a `send_timeout`.
    pub(crate) fn send_min(&self) -> u64 {
        self.send_timeout.as_secs().saturating_mul(self.send_rate_min.into()).max(1)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_max: 16 * 1024,
            fields_max: 100,
            target_max: 8 * 1024,
            chunk_line_max: 256,
            chunk_extensions_max: 16 * 1024,
            unreleased_max: 1024 * 1024,
            interim_max: 16,
            pipelined_max: 64 * 1024,
            drain_max: 256 * 1024,
            linger_max: 1024 * 1024,
            linger_timeout: Duration::from_secs(5),
            head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            body_timeout: Duration::from_secs(60),
            body_rate_min: 240,
            body_rate_grace: Duration::from_secs(10),
            send_timeout: Duration::from_secs(60),
            send_rate_min: 32,
        }
    }
}
