//! Events of a connection, in words that every version of HTTP shares.

use crate::Fields;
use bytes::Bytes;

/// The number of an exchange on its connection: the stream identifier of HTTP/2, the count of requests in HTTP/1.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct StreamId(pub u32);

/// An event on one stream. `H` is the head that this role receives: [`Head`](crate::Head) on a server,
/// [`ResponseHead`](crate::ResponseHead) on a client.
#[derive(Clone, Debug)]
pub enum Event<H> {
    /// The head of a message. On a client, interim responses (1xx) come before the final one.
    Head {
        /// The stream.
        stream: StreamId,
        /// The head.
        head: H,
        /// Whether the message ends here: neither body nor trailers follow.
        end: bool,
    },
    /// A piece of the body.
    Data {
        /// The stream.
        stream: StreamId,
        /// The bytes, without any framing.
        data: Bytes,
        /// Whether the message ends here.
        end: bool,
    },
    /// The trailers, which end the message.
    Trailers {
        /// The stream.
        stream: StreamId,
        /// The trailer fields.
        fields: Fields,
    },
    /// The stream takes more to send: its room was used up, and is not any more.
    Room {
        /// The stream.
        stream: StreamId,
    },
    /// The stream has ended before its message did, or while a response was still being sent. No event of this stream
    /// follows.
    Reset {
        /// The stream.
        stream: StreamId,
        /// The reason.
        reset: Reset,
    },
}

/// The reason why a stream ended early. HTTP/2 and HTTP/3 have codes for these; HTTP/1 closes the connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reset {
    /// Nothing is wrong: a complete response was sent, and the rest of the request is not needed.
    NoError,
    /// The receiver no longer needs the stream.
    Cancelled,
    /// The server has not looked at the request, so that it may be sent again.
    Refused,
    /// The peer broke a rule of HTTP.
    Malformed,
    /// The peer sent more than flow control allows.
    FlowControl,
    /// The peer costs more than a limit allows.
    Excessive,
    /// The server requires HTTP/1.1 for this request.
    Http11Required,
    /// The sender of the reset failed.
    Internal,
    /// The connection ended, or was lost, before the stream did.
    Disconnected,
    /// A code of HTTP/2 or HTTP/3 that has no word here.
    Other(u32),
}
