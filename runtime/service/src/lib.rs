//! What a handler sees, and one call in flight as a shell drives it.
//!
//! Application code meets [`Call`], [`Requests`] and [`Responses`], [`Router`] and [`Interceptor`]. Generated
//! code implements [`Service`]. A shell turns a router into [`Routes`], starts an [`InFlight`] per request,
//! and polls it: no task, no channel, no clock in here.
#![forbid(unsafe_code)]

mod arrival;
mod budget;
mod call;
mod cancel;
mod cell;
mod deadline;
mod ends;
mod error;
mod flight;
mod http_head;
mod interceptor;
mod messages;
mod payload;
mod peer;
mod router;
mod service;
mod tracker;
mod whole;

pub use arrival::{Arrival, Head, PlainHead};
pub use budget::Budget;
pub use call::{Call, ResponseHeaders};
pub use cancel::Cancelled;
pub use deadline::DeadlinePolicy;
pub use ends::{Ends, Request, RequestStream, Requests, Response, Responses, Sent};
pub use error::{ErrorDetails, Panicked};
pub use flight::InFlight;
pub use http_head::{Fields, HttpHead};
pub use interceptor::{
    Dynamic, InterceptFn, InterceptWithFn, Interceptor, Interceptors, Next, Rest, Stack, With, with,
};
#[doc(hidden)]
pub use payload::Coding;
pub use payload::Payload;
pub use peer::{Peer, PeerAddress};
pub use router::{Router, RouterError, Routes};
pub use service::{Mounted, Service, unimplemented};
pub use tracker::Guard;
pub use whole::WholeResponse;

pub use ringwire_message::{Encode, Message};
pub use ringwire_rpc::{
    Code, Compress, Error, Idempotency, Limits, Metadata, MethodDescriptor, Spec, StreamShape,
};

/// A time, as shells hand it in. That of the standard library; a browser has no such clock, and another type for it.
#[cfg(not(target_arch = "wasm32"))]
pub use std::time::Instant;
#[cfg(target_arch = "wasm32")]
pub use web_time::Instant;

/// A unit for limits: 1024 bytes.
pub const KIB: u32 = 1024;
/// A unit for limits: 1024 KiB.
pub const MIB: u32 = 1024 * KIB;

/// What handlers and interceptors return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;
