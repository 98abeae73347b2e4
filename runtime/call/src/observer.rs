//! One seam for logs, metrics and traces: an observer is told of calls, attempts and connections.

use crate::Instant;
use ringwire_http::Head;
use ringwire_rpc::{Error, Spec};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Told of what happens to calls and connections: of refused calls too. It knows no logger; adapters to those are packages.
///
/// It is called where the thing happens, on a path that serves calls: it must neither block nor panic. Where none is
/// registered, nothing is collected for it.
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
    /// A connection to a server was opened, could not be opened, or has ended.
    ClientConnection(&'a Connection<'a>),
    /// A connection from a client was opened, could not be opened, or has ended.
    ServerConnection(&'a Connection<'a>),
}

impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn on(&self, event: &Observed<'_>) {
        (**self).on(event);
    }
}

/// The name of a call or of a connection in all events that are told of it: no other one in this process has it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ObservedId(u64);

impl ObservedId {
    /// A name that was not given before. Only what is observed needs one.
    pub fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// The number behind the name.
    pub fn as_u64(self) -> u64 {
        self.0
    }
}

impl fmt::Display for ObservedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
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
    /// The call.
    pub id: ObservedId,
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
    /// The call, as in its [`CallBegun`].
    pub id: ObservedId,
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
    /// The bytes and messages that arrived, in all attempts together.
    pub received: Traffic,
    /// The bytes and messages that were sent, in all attempts together.
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
    /// The call, as in its [`CallBegun`].
    pub call: ObservedId,
    /// The method.
    pub spec: &'static Spec,
    /// How many attempts of the same call came before.
    pub previous: u32,
    /// The outcome. An attempt that is overtaken by another one, or whose call is given up, is cancelled; none is refused.
    pub outcome: CallOutcome<'a>,
    /// The time that it took.
    pub duration: Duration,
}

/// A change of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Connection<'a> {
    /// The connection: [`Opened`](ConnectionChange::Opened) and [`Ended`](ConnectionChange::Ended) have the same.
    pub id: ObservedId,
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
    /// It is open, its handshake done, and can carry calls. Its end follows, whatever happens.
    Opened,
    /// It could not be opened, or its handshake failed. Nothing follows.
    Failed(&'a (dyn std::error::Error + 'static)),
    /// It is gone.
    Ended {
        /// The reason.
        reason: ConnectionEnd<'a>,
        /// How long it was open.
        open: Duration,
    },
}

/// Why a connection has ended.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ConnectionEnd<'a> {
    /// The peer closed it in order.
    Peer,
    /// It was idle for too long, or one too many.
    Idle,
    /// It was old enough.
    Age,
    /// This end takes no more calls, here or at that address.
    Drain,
    /// A call on it was given up where its version of HTTP has no other way to say so, or the runtime that drove it ended.
    Cancelled,
    /// It broke: by the network, or because the peer broke a rule or a limit.
    Broken(&'a (dyn std::error::Error + 'static)),
}
