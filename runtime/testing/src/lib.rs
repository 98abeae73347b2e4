//! What the tests of Ringwire, and of what is built on it, have in common; for tests only.
//!
//! Nothing here opens a port, sleeps, or depends on the time of day.

#![forbid(unsafe_code)]

pub mod chop;
pub mod clock;
pub mod compression;
pub mod seed;
pub mod transcript;
