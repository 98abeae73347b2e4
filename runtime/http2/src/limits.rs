//! The bounds of a connection, each with its reason.

use std::time::Duration;

/// The bounds of a connection. The defaults suit a server in front of the public.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Streams that the peer may have open at once. Each costs a slot here and a handler above. Default: 100, as proxies expect.
    pub streams_max: u32,
    /// The size of a header list: the text of all its fields, and 32 bytes for each. A request beyond it is answered with 431.
    /// Default: 16 KiB, twice what most servers have come to accept.
    pub header_list_max: u32,
    /// CONTINUATION frames of one header block. A block within the bound above needs one; a flood of them costs time and ends
    /// nowhere. Default: 8.
    pub continuations_max: u32,
    /// The largest payload of a frame that the peer may send. DATA is handed on as it comes; other frames are held until they
    /// are whole. 16,384 to 16,777,215; default: 16,384, which every peer can do.
    pub frame_max: u32,
    /// The window of a stream at first: what the peer may send before the application has read anything. At least 65,535;
    /// default: 1 MiB.
    pub stream_window: u32,
    /// The window of a stream at most, which a stream gets if the application is fast and the way is long. Default: 16 MiB.
    pub stream_window_max: u32,
    /// The window of the connection at first. It opens again as soon as bytes arrive, so that no stream can block the others.
    /// At least 65,535; default: 1 MiB.
    pub connection_window: u32,
    /// The window of the connection at most. Default: 16 MiB.
    pub connection_window_max: u32,
    /// Bytes of all streams that the application has not released. Beyond it the window of the connection waits for the
    /// application, too. Default: 32 MiB: a few streams at their largest window.
    pub unreleased_max: usize,
    /// Bytes of a stream that wait to be sent; beyond it a stream has no room. Default: 256 KiB, what a fast network takes in
    /// a few milliseconds.
    pub send_buffer: usize,
    /// Streams that come to nothing: those that the peer resets, and those that this side resets because the peer broke a rule
    /// within them or opened too many. Each may have started a handler for nothing, whoever ends it; a stream that ends well
    /// earns one back. A header list that is too large counts as eight for every `header_list_max` bytes that were looked at.
    /// Default: 100, as a client whose calls have all run out of time resets as many at once, and 50 a second.
    pub resets: Allowance,
    /// Frames that carry neither a message nor news: PING, SETTINGS, PRIORITY, WINDOW_UPDATE, unknown ones, empty DATA. Every
    /// stream, and every frame with data in either direction, earns ten of them, so that chatter that serves messages is
    /// never too much. Default: 1,000, and 100 a second.
    pub control_frames: Allowance,
    /// Replies, such as those to PING, that wait because the peer does not read. Default: 1,000.
    pub replies_max: u32,
    /// The time for the preface and the first SETTINGS of the peer. Default: 10 s.
    pub preface_timeout: Duration,
    /// The time for the acknowledgement of SETTINGS. Default: 10 s.
    pub settings_ack_timeout: Duration,
    /// The time for the rest of a frame, or of a header block, once it has begun. Default: 10 s.
    pub frame_timeout: Duration,
    /// Bytes a second at which the payload of a frame has to come; a long frame gets so much more time. Default: 256, less
    /// than any radio.
    pub bytes_per_second_min: u32,
    /// The time in which a peer must take some of what is sent: from the transport, or by opening windows. Default: 60 s.
    pub send_timeout: Duration,
    /// Bytes a second that the peer must take over each `send_timeout`, of the transport and of each stream whose window is
    /// too small for what is sent. Without it, a byte a minute holds a full buffer for ever. Default: 32, a fraction of what
    /// people read.
    pub send_rate_min: u32,
    /// The time without any input after which the peer is sent a PING. Default: 60 s. `None`: never.
    pub ping_interval: Option<Duration>,
    /// The time for the answer to a PING. Default: 20 s.
    pub ping_timeout: Duration,
    /// The time without a stream after which the connection drains. Default: 10 min. `None`: never.
    pub idle_timeout: Option<Duration>,
    /// The age at which the connection drains, so that load moves to new servers. Default: `None`, since streams may be long.
    pub age_max: Option<Duration>,
    /// The time that streams have to end once the connection drains. Default: 60 s.
    pub drain_timeout: Duration,
}

/// A count that refills with time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Allowance {
    /// The most that can be used at once.
    pub burst: u32,
    /// What is added every second.
    pub per_second: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            streams_max: 100,
            header_list_max: 16 * 1024,
            continuations_max: 8,
            frame_max: 16_384,
            stream_window: MIB,
            stream_window_max: 16 * MIB,
            connection_window: MIB,
            connection_window_max: 16 * MIB,
            unreleased_max: 32 * MIB as usize,
            send_buffer: 256 * 1024,
            resets: Allowance { burst: 100, per_second: 50 },
            control_frames: Allowance { burst: 1000, per_second: 100 },
            replies_max: 1000,
            preface_timeout: Duration::from_secs(10),
            settings_ack_timeout: Duration::from_secs(10),
            frame_timeout: Duration::from_secs(10),
            bytes_per_second_min: 256,
            send_timeout: Duration::from_secs(60),
            send_rate_min: 32,
            ping_interval: Some(Duration::from_secs(60)),
            ping_timeout: Duration::from_secs(20),
            idle_timeout: Some(Duration::from_secs(600)),
            age_max: None,
            drain_timeout: Duration::from_secs(60),
        }
    }
}

const MIB: u32 = 1024 * 1024;
