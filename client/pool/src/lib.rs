//! Connections to one origin: opened, shared, watched and replaced.
//!
//! A [`Pool`] is a [`Transport`](ringwire_transport::Transport). It connects with the first request, and needs no runtime before.
//!
//! ```no_run
//! use ringwire_pool::{Balance, Pool, PoolOptions};
//!
//! # fn run() -> Result<(), ringwire_pool::PoolError> {
//! let pool = Pool::new("https://greet.example", PoolOptions::new().balance(Balance::RoundRobin))?;
//! let same = pool.clone();
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod backoff;
mod balance;
mod channel;
mod connect;
mod dial;
mod download;
mod eject;
mod endpoint;
mod error;
mod eyeballs;
mod gate;
mod http1;
mod http2;
mod jitter;
mod lease;
mod life;
mod options;
mod origin;
mod pool;
mod resolve;
mod scan;
mod state;
mod tls;
mod upload;
mod wire;

pub use backoff::Backoff;
pub use balance::Balance;
pub use dial::{Dial, Dialing, Io, Sockets};
pub use eject::Ejection;
pub use error::PoolError;
pub use options::{HttpVersion, Limits, PoolOptions, Timings, WaitForReady};
pub use origin::Name;
pub use pool::{Pool, TargetStatus};
pub use resolve::{Address, Dns, Fixed, Resolve, Resolving};
pub use state::{State, States};
pub use tls::{Tls, rustls};

/// An error of any type.
pub use ringwire_transport::BoxError;
