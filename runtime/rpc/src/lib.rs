//! One RPC without I/O, for either side.
//!
//! A [`ServerExchange`] or a [`ClientExchange`] stands between an HTTP request and a handler or caller:
//! header fields, body chunks and trailers in, messages out, and back. Which protocol the two ends speak is
//! chosen once, when an exchange begins, and no code outside of `protocol` asks for it again.
//!
//! Nothing here reads a socket, a clock or a random source, and nothing is `async`: a shell owns those, and
//! calls.
//!
//! ```
//! use std::sync::Arc;
//!
//! use bytes::{Bytes, BytesMut};
//! use ringwire_http::Head;
//! use ringwire_rpc::*;
//!
//! const ECHO: Spec = Spec::new("/echo.v1.Echo/Echo", StreamShape::Unary);
//! let config = Arc::new(ServerConfig::new(&["proto", "json"]));
//!
//! let head = Head::post(ECHO.procedure, "application/json", &NAMES);
//! let mut exchange = ServerExchange::accept(&head, &ECHO, &config).expect("the head is in order");
//!
//! let mut body = BytesMut::new();
//! exchange.push(Bytes::from_static(b"{}"), true);
//! let mut outcome = Ok(());
//! while let Received::Message(message) = exchange.next_input()? {
//!     outcome = exchange.send(&mut body, |out| {
//!         out.extend_from_slice(&message);
//!         Ok(())
//!     });
//! }
//!
//! let (none, mut head, mut trailers) = (Metadata::new(), Fields::new(), Fields::new());
//! let end = exchange.finish(
//!     Ending { outcome: outcome.as_ref().copied(), headers: &none, trailers: &none },
//!     Sinks { head: &mut head, body: &mut body, trailers: &mut trailers },
//! );
//! assert_eq!((end.status, &body[..]), (Some(200), &b"{}"[..]));
//! # type Fields = Vec<(String, Vec<u8>)>;
//! # Ok::<(), Error>(())
//! ```
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::disallowed_methods, clippy::disallowed_types))]

mod answer;
mod cardinality;
mod client;
mod config;
mod error;
mod limits;
mod protocol;
mod push_back;
mod receive;
mod response;
mod server;
mod spec;
mod transmit;

pub use answer::Answer;
pub use client::{CallHead, ClientExchange, RequestLine};
pub use config::{ClientConfig, GetPolicy, ServerConfig};
pub use error::{Error, ErrorDetail, Origin, Source, StdError};
pub use limits::Limits;
pub use protocol::{ClientProtocol, NAMES, Opening, answer_error, answer_unrouted, browser, fuzz};
pub use push_back::PushBack;
pub use response::ResponseMetadata;
pub use ringwire_compress::{Compress, Compression, CompressionPolicy, Compressions};
pub use ringwire_wire::metadata::MetadataError;
pub use ringwire_wire::{Code, Metadata};
pub use server::{End, Ending, RequestRest, ServerExchange, Sinks};
pub use spec::{Idempotency, MethodDescriptor, Spec, StreamShape};

use bytes::Bytes;

/// What the peer said next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Received {
    /// A message: decompressed, not decoded.
    Message(Bytes),
    /// The peer says no more.
    End,
    /// Nothing, until more of the body is pushed.
    Pending,
}
