//! Typed calls: what generated clients are made of, over any transport.
//!
//! Application code meets [`Channel`], the calls that a generated client makes of it ([`CallBuilder`]), and what
//! they come to: a [`Reply`], or the ends of a stream ([`Incoming`], [`ClientStream`], [`Bidi`]). Generated code
//! calls [`Channel::unary`] and its three sisters.
//!
//! There is no task and no channel: who awaits a reply, or asks for the next message, polls the transport.
//! Dropping a call, or an end of it, cancels it on the wire.
#![forbid(unsafe_code)]

mod attempt;
mod attempts;
#[cfg(target_arch = "wasm32")]
mod browser;
mod buffer;
mod builder;
mod call;
mod cell;
mod chain;
mod channel;
#[doc(hidden)]
pub mod clock;
#[cfg(not(target_arch = "wasm32"))]
mod connect;
mod error;
mod flow;
mod hedge;
mod incoming;
mod message;
mod origin;
mod outgoing;
mod reply;
mod retry;
mod stream;
mod unary;
mod watch;

pub use builder::{
    BidiCall, CallBuilder, ClientStreamCall, Owned, ReplyForm, ServerStreamCall, UnaryCall, Viewed,
};
pub use call::Call;
pub use channel::Channel;
pub use error::{ChannelError, DeadlineReached, EndedByServer};
pub use hedge::HedgePolicy;
pub use incoming::{Incoming, IncomingStream};
pub use outgoing::Outgoing;
pub use reply::Reply;
pub use retry::{RetryBudget, RetryPolicy};
pub use stream::{Bidi, ClientStream};
pub use unary::UnaryFuture;

pub use ringwire_call::{ErrorDetails, Interceptor, Observer, ParentCall, Payload, Result, with};

/// The rest of the way to the server.
pub type Next<'a> = ringwire_call::Next<'a, Call>;

/// The browser's fetch, and what can be said about it.
#[cfg(target_arch = "wasm32")]
pub use ringwire_fetch as fetch;
pub use ringwire_message::{Codec, DecodeLimits, Encode, Json, Message, Proto};
/// Connections of our own, and what can be said about them.
#[cfg(not(target_arch = "wasm32"))]
pub use ringwire_pool as pool;
pub use ringwire_rpc::{
    ClientProtocol, Code, Compress, Compression, CompressionPolicy, Compressions, Error, GetPolicy,
    Idempotency, Limits, Metadata, MethodDescriptor, Origin, Spec, StreamShape,
};
pub use ringwire_transport::{
    PeerAddr, RequestBody, Reset, ResponseBody, Tower, Transport, TransportError, TransportErrorKind,
};

use ringwire_call::BoxFuture;
