//! What callers see of this package.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod greet;
mod shapes;
mod support;
