//! `tools/bazel`, tried from the outside: who it hands over to, how it makes its root, and what works inside.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)] // A test's way to fail.

mod fixture;
mod handover;
mod inside;
mod making;
