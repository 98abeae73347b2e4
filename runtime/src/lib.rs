//! ConnectRPC, gRPC and gRPC-Web for Rust: all that a service needs to be written, served, called and tested.
//!
//! `examples/greet` is a whole service. The traits that handlers implement are generated, and name these types.

#![forbid(unsafe_code)]

/// Calls: channels, what calls come to, and code around them.
pub use ringwire_client as client;
pub use ringwire_client::{
    Bidi, Channel, ChannelError, ClientProtocol, ClientStream, GetPolicy, HedgePolicy, Incoming, Outgoing,
    Reply, RetryPolicy,
};
/// Compressions, and when they are used.
pub use ringwire_compress as compress;
/// All that an observer of calls and connections is told.
pub mod observe {
    pub use ringwire_call::{
        Attempt, CallBegun, CallEnded, CallOutcome, CallSide, Connection, ConnectionChange, ConnectionEnd,
        Observed, ObservedId, Observer, Traffic,
    };
}
/// Services in the same process behind a channel.
pub use ringwire_local as local;
pub use ringwire_local::LocalChannel;
/// Messages and their codecs.
pub use ringwire_message as message;
/// The server, and what it is told and tells: drivers, handles, listeners, notices.
pub use ringwire_server as server;
pub use ringwire_server::{ServeError, Server, ServerLimits, ServerTimeouts, ServerTls, terminated};
pub use ringwire_service::{
    Budget, Call, Cancelled, Code, Compress, DeadlinePolicy, Error, ErrorDetails, Guard, Head, Idempotency,
    Interceptor, KIB, Limits, MIB, Message, Metadata, MethodDescriptor, Next, Observer, Payload, Peer,
    PeerAddress, Request, Requests, Response, Responses, Result, Router, RouterError, Routes, Sent, Service,
    Spec, StreamShape, WholeResponse, post_head, with,
};
/// A router for other HTTP servers, and CORS.
pub use ringwire_tower::{Cors, RpcService};
// Two copies of one of these in a program do not fit together: who builds on ours finds them here.
pub use ringwire_message::buffa;
pub use {bytes, tokio};
