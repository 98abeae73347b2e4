//! What the tests of Ringwire, and of what is built on it, have in common; for tests only.

#![forbid(unsafe_code)]

pub mod compression;
pub mod seed;
