//! The pool from outside, against peers that follow a script.
//!
//! Connections are pipes in memory and the clock is virtual, so that ten minutes of silence take none.

#![allow(clippy::unwrap_used, reason = "helpers of a test fail it as its body would")]

mod bad;
mod balance;
mod http1;
mod http2;
mod observed;
mod replay;
mod support;
mod timers;
mod waiting;
