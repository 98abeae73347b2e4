//! The parts of a call that its server and its client have in common.
//!
//! Application code meets [`Payload`], [`Cancelled`] and [`ErrorDetails`], re-exported by `ringwire`. The rest is for the
//! packages that make calls and answer them. No clock is read in here, and nothing is spawned.
#![forbid(unsafe_code)]

mod cancel;
mod error;
mod http_fields;
mod interceptor;
mod observer;
mod payload;
mod waker;

pub use cancel::{Cancelled, Canceller, ParentCall};
pub use error::{ErrorDetails, decode_failed, encode_failed};
pub use http_fields::{HttpFields, UnsendableField};
pub use interceptor::{ChainEnd, InterceptFn, InterceptWithFn, Interceptor, Interceptors, Next, With, with};
pub use observer::{
    Attempt, CallBegun, CallEnded, CallOutcome, CallSide, Connection, ConnectionChange, ConnectionEnd,
    Observed, ObservedId, Observer, Traffic,
};
pub use payload::{Coding, Hook, Hooks, Payload, Watchers};
pub use waker::WakerSlot;

/// A point in time, as shells pass it in: the standard library's type, or in a browser, which lacks that clock, that of
/// `web-time`.
#[cfg(not(target_arch = "wasm32"))]
pub use std::time::Instant;
#[cfg(target_arch = "wasm32")]
pub use web_time::Instant;

/// A unit for limits: 1024 bytes.
pub const KIB: u32 = 1024;
/// A unit for limits: 1024 KiB.
pub const MIB: u32 = 1024 * KIB;

/// The result of a call, of a handler or of an interceptor.
pub type Result<T, E = ringwire_rpc::Error> = std::result::Result<T, E>;

/// A boxed future that may move between threads.
pub type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;
