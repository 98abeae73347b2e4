//! The server of Ringwire: shards, one per core, on io_uring where the kernel allows it and on readiness anywhere else.
//!
//! [`Server`] is the whole of it: it serves a router, or any tower service over HTTP.

#![deny(unsafe_code)]

#[cfg(target_os = "linux")]
#[allow(
    unsafe_code,
    reason = "the kernel fills the buffers and reads the bytes to send; each block has its argument"
)]
mod buffers;
mod date;
mod driver;
mod error;
mod exchange;
mod handle;
mod listener;
mod notice;
mod observed;
mod options;
mod pause;
mod readiness;
#[cfg(target_os = "linux")]
#[allow(
    unsafe_code,
    reason = "the kernel fills the buffers and reads the bytes to send; each block has its argument"
)]
mod ring;
mod rpc;
mod server;
mod session;
mod shard;
mod timers;
mod tls;
mod tower;
mod wakes;
mod watch;

pub use error::ServeError;
pub use handle::{Drained, Handle, Load, ResponseCounts, ShardLoad, terminated};
#[cfg(target_os = "linux")]
pub use listener::Inherited;
pub use listener::{Address, IntoListener, Listener, Source};
pub use notice::Notice;
pub use options::{ServerLimits, ServerTimeouts};
pub use server::{DriverChoice, IntoService, Launch, Rpc, Server, Tower};
pub use tls::{ServerTls, rustls};
pub use tower::{BodyError, BoxError, HttpService, RequestBody};
