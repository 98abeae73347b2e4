//! One seam for logs, metrics and traces: an observer is told of calls, attempts and connections.

use crate::Instant;
use ringwire_http::Head;
use ringwire_rpc::{Error, Spec};
use std::net::SocketAddr;
use std::time::Duration;

/// Told of what happens to calls and connections: of refused calls too. It knows no logger; adapters to those are packages.
///
/// It is called where the thing happens, on a path that serves calls: it must not block. Where none is registered, nothing is
/// collected for it.
pub trait Observer: Send + Sync + 'static {
    /// Takes note of one event.
    fn on(&self, event: &Observed<'_>);
}

/// An event that an [`Observer`] is told of.
#[derive(Debug)]
#[non_exhaustive]
pub enum Observed<'a> {
    /// A call has begun. Its [`CallEnded`](Self::CallEnded) follows, whatever happens.
    CallBegun(&'a CallBegun<'a>),
    /// A call has ended.
    CallEnded(&'a CallEnded<'a>),
    /// An attempt of a client's call has ended. A call without retries has one.
    Attempt(&'a Attempt<'a>),
    /// A connection of a client to a server was opened, lost or closed.
    ClientConnection(&'a Connection<'a>),
    /// A connection of a client at this server was opened, lost or closed.
    ServerConnection(&'a Connection<'a>),
}

/// The end of a call at which an event happens.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum CallSide {
    /// The call is handled here.
    Server,
    /// The call is made here.
    Client,
}

/// The beginning of a call.
#[derive(Clone, Copy, Debug)]
pub struct CallBegun<'a> {
    /// Whether the call is handled or made here.
    pub side: CallSide,
    /// The method; `None` if the path is no method's.
    pub spec: Option<&'static Spec>,
    /// The path of the request.
    pub path: &'a str,
    /// The head of the request, on a server.
    pub head: Option<&'a Head>,
    /// The time at which it began.
    pub at: Instant,
}

/// The end of a call.
#[derive(Clone, Copy, Debug)]
pub struct CallEnded<'a> {
    /// Whether the call was handled or made here.
    pub side: CallSide,
    /// The method; `None` if the path is no method's.
    pub spec: Option<&'static Spec>,
    /// The path of the request.
    pub path: &'a str,
    /// The name of the protocol, if the call got that far.
    pub protocol: Option<&'static str>,
    /// The name of the codec, if the call got that far.
    pub codec: Option<&'static str>,
    /// The outcome.
    pub outcome: CallOutcome<'a>,
    /// The bytes and messages that arrived; not known of a call that was cancelled, and zero.
    pub received: Traffic,
    /// The bytes and messages that were sent; not known of a call that was cancelled, and zero.
    pub sent: Traffic,
    /// The time at which the call began.
    pub begun: Instant,
    /// The time from the beginning to the head of the response; `None` if there was none.
    pub first_byte: Option<Duration>,
    /// The time from the beginning to the end.
    pub duration: Duration,
}

/// How a call ended.
#[derive(Clone, Copy, Debug)]
pub enum CallOutcome<'a> {
    /// With success.
    Ok,
    /// With an error. The cause of one that is `internal` is its [source](Error::source).
    Failed(&'a Error),
    /// With an error, before any code of the application ran.
    Refused(&'a Error),
    /// With an HTTP status and no words of a protocol, before any code of the application ran.
    RefusedByHttp(u16),
    /// Not at all: the peer, or the caller, gave up.
    Cancelled,
}

/// What was moved in one direction.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Traffic {
    /// Bytes of the body, as they travel.
    pub bytes: u64,
    /// Messages.
    pub messages: u64,
}

/// An attempt of a client's call.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// The method.
    pub spec: &'static Spec,
    /// How many attempts of the same call came before.
    pub previous: u32,
    /// The outcome; success if `None`.
    pub error: Option<&'a Error>,
    /// The time that it took.
    pub duration: Duration,
}

/// A change of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Connection<'a> {
    /// The other end, if it has an address of the network.
    pub peer: Option<SocketAddr>,
    /// The origin, such as `https://example.org`, on a client.
    pub origin: Option<&'a str>,
    /// The change.
    pub change: ConnectionChange<'a>,
}

/// What became of a connection.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ConnectionChange<'a> {
    /// It is open, and can carry calls.
    Opened,
    /// It could not be opened, or was lost.
    Failed(&'a (dyn std::error::Error + 'static)),
    /// It was closed as one of its ends wished.
    Closed,
}
