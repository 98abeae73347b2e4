//! The I/O of one shard: the little that a shard asks of the operating system, so that two drivers can give it.

use std::io;
use std::task::{Context, Poll};

use bytes::Bytes;
use ringwire_http::SendQueue;

use crate::listener::{Accepted, Listening};

/// The number of an open connection within its shard. A number is used again only after [`Driver::close`] and once the
/// operating system has let go of the connection.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct Key(pub(crate) u32);

impl Key {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// The sockets of one shard.
///
/// Every method returns at once. What comes of it is a [`Completion`], collected by [`turn`](Self::turn).
pub(crate) trait Driver {
    /// Accepts from this listener until [`unlisten`](Self::unlisten). After an error it accepts again once
    /// [`accept_again`](Self::accept_again) is called.
    fn listen(&mut self, listening: Listening) -> io::Result<()>;

    /// Goes on accepting after [`Completion::AcceptFailed`].
    fn accept_again(&mut self);

    /// Closes the listener. Connections that the kernel has established by then are still accepted.
    fn unlisten(&mut self);

    /// Takes a connection in, and receives from it.
    fn open(&mut self, accepted: Accepted) -> io::Result<Key>;

    /// Sends all of the queue, which is not empty. One send at a time: the next one after [`Completion::Sent`].
    fn send(&mut self, key: Key, queue: SendQueue);

    /// Stops receiving, or begins again. Bytes under way when it stops are still received.
    fn receive(&mut self, key: Key, reading: Reading);

    /// Ends the stream of bytes to the peer; receiving goes on.
    fn end_output(&mut self, key: Key);

    /// Closes the connection. No completion with this key follows.
    fn close(&mut self, key: Key);

    /// Looks into one connection, which [`Wakes`](crate::wakes::Wakes) has named. Of use to a driver of wakers only.
    fn woken(&mut self, woken: Woken, completions: &mut Vec<Completion>);

    /// Hands everything over to the operating system, and collects what has happened, without waiting.
    fn turn(&mut self, completions: &mut Vec<Completion>);

    /// The effort so far.
    fn tally(&self) -> Tally {
        Tally::default()
    }

    /// Waits until a turn is worth while. Ready at once if it is already.
    fn park(&mut self, cx: &mut Context<'_>) -> Poll<()>;
}

/// The effort of a driver since its start. Only a ring keeps count.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Tally {
    /// Entries into the kernel.
    pub(crate) entries: u64,
    /// Receives that found no buffer.
    pub(crate) starved: u64,
    /// Buffers that are not offered to the kernel now.
    pub(crate) buffers_out: u16,
}

/// Whether a connection is read from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Reading {
    On,
    Off,
}

/// The socket that a waker of a driver names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Woken {
    Listener,
    Connection(Key),
}

/// Something that has happened to a socket.
#[derive(Debug)]
pub(crate) enum Completion {
    /// A connection was accepted. It belongs to nobody yet: [`Driver::open`] takes it in.
    Accepted(Accepted),
    /// Accepting failed.
    AcceptFailed(io::Error),
    /// Bytes of the peer.
    Received { key: Key, bytes: Bytes },
    /// The peer has ended its stream of bytes. Nothing more is received.
    Ended { key: Key },
    /// Some bytes of a send have left; so many others follow by themselves.
    Progress { key: Key, unsent: usize },
    /// A send is over. The queue comes back, empty.
    Sent { key: Key, queue: SendQueue },
    /// The connection is broken: nothing can be sent or received.
    Failed { key: Key },
}

impl Completion {
    /// The connection that it is about.
    pub(crate) fn key(&self) -> Option<Key> {
        match self {
            Self::Accepted(_) | Self::AcceptFailed(_) => None,
            Self::Received { key, .. } | Self::Ended { key } | Self::Progress { key, .. } => Some(*key),
            Self::Sent { key, .. } | Self::Failed { key } => Some(*key),
        }
    }
}
