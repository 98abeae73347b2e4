//! The reasons why a connection ends.

use crate::ErrorCode;
use std::fmt;

/// The reason why a connection has ended, or is about to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The shell closed or drained it.
    Closed,
    /// No stream was open for as long as [`Limits::idle_timeout`](crate::Limits::idle_timeout) allows.
    Idle,
    /// It was as old as [`Limits::age_max`](crate::Limits::age_max) allows.
    Aged,
    /// The transport ended.
    Disconnected,
    /// The peer ended it, with this code and text.
    Gone {
        /// The code of its GOAWAY.
        code: ErrorCode,
        /// The beginning of its debug text.
        debug: Box<str>,
    },
    /// The peer broke a rule.
    Violation {
        /// The code that the peer is sent.
        code: ErrorCode,
        /// The rule, which the peer is sent as debug text.
        rule: &'static str,
    },
    /// The peer costs more than a limit allows.
    Excess(Guard),
    /// The peer took too long.
    TimedOut(Wait),
}

/// A value, unless the connection ends here. Endings are rare, so that they lie on the heap and what is returned stays small.
pub(crate) type Checked<T> = Result<T, Box<Outcome>>;

/// A limit of what a peer may cost.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Guard {
    /// Streams that came to nothing: [`Limits::resets`](crate::Limits::resets).
    Resets,
    /// Frames that carry neither a message nor news: [`Limits::control_frames`](crate::Limits::control_frames).
    ControlFrames,
    /// Replies that the peer does not read: [`Limits::replies_max`](crate::Limits::replies_max).
    Replies,
    /// CONTINUATION frames of one header block: [`Limits::continuations_max`](crate::Limits::continuations_max).
    Continuations,
    /// The bytes of one header block: four times [`Limits::header_list_max`](crate::Limits::header_list_max).
    HeaderBlock,
}

/// Something that the peer has to do in time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Wait {
    /// To send its preface and SETTINGS.
    Preface,
    /// To acknowledge SETTINGS.
    SettingsAck,
    /// To complete a frame or a header block.
    Frame,
    /// To answer a PING.
    Ping,
    /// To take what is sent.
    Send,
    /// To end its streams while the connection drains.
    Drain,
}

impl Outcome {
    /// The code and the debug text for the peer.
    pub(crate) fn goaway(&self) -> (ErrorCode, &'static str) {
        match self {
            Self::Closed | Self::Disconnected | Self::Gone { .. } => (ErrorCode::NO_ERROR, ""),
            Self::Idle => (ErrorCode::NO_ERROR, "idle"),
            Self::Aged => (ErrorCode::NO_ERROR, "age"),
            Self::Violation { code, rule } => (*code, rule),
            Self::Excess(guard) => (ErrorCode::ENHANCE_YOUR_CALM, guard.text()),
            Self::TimedOut(Wait::SettingsAck) => {
                (ErrorCode::SETTINGS_TIMEOUT, "settings were not acknowledged in time")
            }
            Self::TimedOut(Wait::Drain) => (ErrorCode::NO_ERROR, Wait::Drain.text()),
            Self::TimedOut(wait) => (ErrorCode::ENHANCE_YOUR_CALM, wait.text()),
        }
    }
}

impl std::error::Error for Outcome {}

impl Guard {
    fn text(self) -> &'static str {
        match self {
            Self::Resets => "too_many_resets",
            Self::ControlFrames => "too_many_control_frames",
            Self::Replies => "too_many_unread_replies",
            Self::Continuations => "too_many_continuations",
            Self::HeaderBlock => "header_block_too_large",
        }
    }
}

impl Wait {
    fn text(self) -> &'static str {
        match self {
            Self::Preface => "preface_timeout",
            Self::SettingsAck => "settings_ack_timeout",
            Self::Frame => "frame_timeout",
            Self::Ping => "ping_timeout",
            Self::Send => "send_timeout",
            Self::Drain => "drain_timeout",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the connection was closed"),
            Self::Idle => f.write_str("the connection was idle for too long"),
            Self::Aged => f.write_str("the connection reached its age"),
            Self::Disconnected => f.write_str("the transport ended"),
            Self::Gone { code, debug } => {
                write!(f, "the peer ended the connection: {code} {}", debug.escape_debug())
            }
            Self::Violation { code, rule } => write!(f, "the peer broke a rule: {code}, {rule}"),
            Self::Excess(guard) => write!(f, "the peer costs too much: {}", guard.text()),
            Self::TimedOut(wait) => write!(f, "the peer took too long: {}", wait.text()),
        }
    }
}
