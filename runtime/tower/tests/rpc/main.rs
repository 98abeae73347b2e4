//! Calls through the tower service, from a response's first byte to its trailers.

#![allow(clippy::unwrap_used, reason = "helpers of a test fail it as its body would")]

#[path = "../echo.rs"]
mod echo;
