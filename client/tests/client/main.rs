//! What callers see of this package.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod allocations;
mod answers;
mod around;
mod ends;
mod greet;
#[path = "../../benches/calls/least.rs"]
mod least;
mod observed;
mod requests;
mod shapes;
mod stub;
mod support;
mod time;
