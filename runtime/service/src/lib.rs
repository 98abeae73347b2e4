//! The handler's view of a call, and calls in flight as a shell drives them.
//!
//! Application code meets [`Call`], [`Requests`] and [`Responses`], [`Router`] and [`Interceptor`]. Generated
//! code implements [`Service`]. A shell turns a router into [`Routes`], starts a [`CallInFlight`] per request,
//! and polls it: no task, no channel, no clock in here.
#![forbid(unsafe_code)]

mod arrival;
mod budget;
mod call;
mod deadline;
mod ends;
mod error;
mod flight;
mod http_head;
mod lane;
mod messages;
mod peer;
mod pull;
mod router;
mod service;
mod tracker;
mod trailers;
mod watch;
mod whole;

pub use arrival::Arrival;
pub use budget::Budget;
pub use call::Call;
pub use deadline::DeadlinePolicy;
pub use ends::{Ends, Request, RequestStream, Requests, Response, Responses, Sent};
pub use error::Panicked;
pub use flight::{CallInFlight, Ended, Input, Outbox, Step};
pub use http_head::http_head;
pub use lane::ResponseHeaders;
pub use peer::{Peer, PeerAddress};
pub use pull::{Alarm, BoxError, Interrupted, Pull, PullBody};
pub use router::{Router, RouterError, Routes};
pub use service::{Mounted, Service, unimplemented};
pub use tracker::Guard;
pub use whole::{WholeResponse, post_head};

pub use ringwire_call::{
    Cancelled, ErrorDetails, Instant, Interceptor, KIB, MIB, Observer, Payload, Result, with,
};
pub use ringwire_http::Head;
pub use ringwire_message::{Encode, Message};
pub use ringwire_rpc::{
    Code, Compress, Error, Idempotency, Limits, Metadata, MethodDescriptor, Spec, StreamShape,
};

/// The rest of the way to the handler, as an interceptor holds it.
pub type Next<'a> = ringwire_call::Next<'a, Call>;

/// A list of interceptors for the calls of a server.
pub type Interceptors = ringwire_call::Interceptors<Call>;

use ringwire_call::BoxFuture;
