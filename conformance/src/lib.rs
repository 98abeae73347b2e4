//! What the official conformance suite asks of servers and clients, answered through the public API; and the suite as a test.
//!
//! A program under test reads a [`compat`] message that says what to be, and serves a [`router`] over the
//! [`Conformance`] service; or it is a [`client`] that makes the calls it is told to. [`suite`] runs the runner over such a program, [`h2spec`]
//! the cases of HTTP/2.

#![forbid(unsafe_code)]

mod calling;
mod cancel;
pub mod client;
pub mod compat;
pub mod h2spec;
pub mod hyper;
mod payload;
mod plain;
mod programs;
mod result;
pub mod running;
mod script;
pub mod server;
mod service;
mod serving;
pub mod suite;

pub use plain::Plain;
pub use service::Conformance;
pub use serving::router;
