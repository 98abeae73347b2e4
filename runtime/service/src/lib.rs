//! What a handler sees, and one call in flight as a shell drives it.
//!
//! Application code meets [`Call`], [`Requests`] and [`Responses`], [`Router`] and [`Interceptor`]. Generated
//! code implements [`Service`]. A shell turns a router into [`Routes`], starts an [`InFlight`] per request,
//! and polls it: no task, no channel, no clock in here.
#![forbid(unsafe_code)]

mod arrival;
mod budget;
mod call;
mod cell;
mod deadline;
mod ends;
mod error;
mod flight;
mod http_head;
mod interceptor;
mod messages;
mod peer;
mod router;
mod service;
mod tracker;
mod whole;

pub use arrival::{Arrival, Head, PlainHead};
pub use budget::Budget;
pub use call::{Call, ResponseHeaders};
pub use deadline::DeadlinePolicy;
pub use ends::{Ends, Request, RequestStream, Requests, Response, Responses, Sent};
pub use error::Panicked;
pub use flight::InFlight;
pub use http_head::HttpHead;
pub use interceptor::{
    Dynamic, InterceptFn, InterceptWithFn, Interceptor, Interceptors, Next, Rest, Stack, With, with,
};
pub use peer::{Peer, PeerAddress};
pub use router::{Router, RouterError, Routes};
pub use service::{Mounted, Service, unimplemented};
pub use tracker::Guard;
pub use whole::WholeResponse;

pub use ringwire_call::{Cancelled, ErrorDetails, Instant, KIB, MIB, Payload, Result};
pub use ringwire_message::{Encode, Message};
pub use ringwire_rpc::{
    Code, Compress, Error, Idempotency, Limits, Metadata, MethodDescriptor, Spec, StreamShape,
};

use ringwire_call::BoxFuture;
