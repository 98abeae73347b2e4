//! The server of Ringwire: shards, one per core, on io_uring where the kernel allows it and on readiness anywhere else.

#![deny(unsafe_code)]

#[cfg(target_os = "linux")]
#[allow(
    unsafe_code,
    reason = "the kernel fills the buffers and reads the bytes to send; each block has its argument"
)]
mod buffers;
mod date;
mod driver;
mod exchange;
mod handle;
mod listener;
mod notice;
mod readiness;
#[cfg(target_os = "linux")]
#[allow(
    unsafe_code,
    reason = "the kernel fills the buffers and reads the bytes to send; each block has its argument"
)]
mod ring;
mod session;
mod shard;
mod timers;
mod wakes;

pub use handle::{Drained, Handle, Load, ShardLoad, terminated};
pub use listener::{Address, IntoListener, Listener, Source};
pub use notice::Notice;
