//! The handler's view of a call, and calls in flight as a shell drives them.
//!
//! Application code meets [`Call`], [`Requests`] and [`Responses`], [`Router`] and [`Interceptor`]. Generated
//! code implements [`Service`]. A shell turns a router into [`Routes`], starts a [`CallInFlight`] per request,
//! and polls it: no task, no channel, no clock in here.
//!
//! # Writing a shell
//! A shell carries calls over one kind of connection. All that it has to know is the contract of [`CallInFlight`]:
//! 1. [`Router::build`] gives the [`Routes`], once; [`Routes::shard`] those of each core.
//! 2. For each request, it makes a [`Head`] and [starts](Routes::start) a call with the time of its arrival. [`post_head`] makes
//!    one without a connection; an engine classifies the fields with `ringwire_rpc::NAMES` as it reads them.
//! 3. It [polls](CallInFlight::poll) the call with a waker, the time, and an [`Outbox`]: where fields go, and its own write
//!    buffer. A [`Step`] says what has been written there: [`Head`](Step::Head), [`Body`](Step::Body) or [`Done`](Step::Done).
//! 4. At [`Wait`](Step::Wait) it comes back when the waker is woken, at the time that is named, or, if input is wanted, after
//!    [`handle_input`](CallInFlight::handle_input). Bytes that have left it reports to [`handle_sent`](CallInFlight::handle_sent).
//! 5. It drops a call whose connection is lost or whose stream was reset: that cancels it. With the [`Ended`] of a call it learns
//!    what to do with the rest of the request.
//!
//! `tests/shell.rs` is a whole one in thirty lines, over blocking readers and writers. [`Pull`] is the shell for those who have
//! an [`http_body::Body`]; [`Routes::answer`] is the one for tests. A shell that has an [observer](Routes::observer) tells it of
//! its connections.
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
