//! The standalone server from outside: what it serves, and what it does to peers that hold things up.
//!
//! Connections are pipes in memory and the clock is virtual, so that ten minutes of silence take none.

#![allow(clippy::unwrap_used, reason = "helpers of a test fail it as its body would")]

mod abuse;
mod drain;
mod ordinary;
mod slow;
mod support;
mod tls;
