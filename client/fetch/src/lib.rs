//! The browser's fetch as a transport.
//!
//! JavaScript's values never leave the task in which they were made: a call talks to that task through channels,
//! and so its future is `Send` like that of every transport. Dropping a call aborts its fetch.
//!
//! Fetch has no trailers, so that calls are made in Connect or gRPC-Web; and it sends a body only when the body is
//! whole, so that a client stream leaves when its sender has closed it, and the two directions never overlap.

#![forbid(unsafe_code)]
#![cfg(target_arch = "wasm32")]

mod exchange;
mod fetch;
mod sleep;

pub use fetch::{Credentials, Fetch};
pub use sleep::{Sleep, sleep};
