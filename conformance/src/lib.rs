//! What the official conformance suite asks of a server, answered through the public API; and the suite as a test.
//!
//! A program under test reads a [`compat`] message that says what to be, and serves a [`router`] over the
//! [`Conformance`] service. [`suite`] runs the runner over such a program, [`h2spec`]
//! the cases of HTTP/2.

#![forbid(unsafe_code)]

pub mod compat;
pub mod h2spec;
mod payload;
mod plain;
mod programs;
pub mod running;
mod script;
mod service;
mod serving;
pub mod suite;
pub mod tower;

pub use plain::Plain;
pub use service::Conformance;
pub use serving::{router, tls};
