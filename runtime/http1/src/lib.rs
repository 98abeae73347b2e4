//! An HTTP/1.1 connection as a state machine, for either side.
//!
//! The contract: after everything that changes a [`Connection`], call [`poll_event`](Connection::poll_event) until `None` and
//! [`poll_output`](Connection::poll_output), again for as long as one of them moves something; then wait for what the
//! [`Output`](ringwire_http::Output) says.
//!
//! One exchange runs at a time, as RFC 9112 section 9.3.2 requires where methods are not safe: a pipelined request waits in the
//! input until the response before it is complete.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::disallowed_methods, clippy::disallowed_types))]

mod authority;
mod body;
mod chunked;
mod client;
mod connection;
mod fault;
mod field;
pub mod fuzz;
mod input;
mod limits;
mod scan;
mod send;
mod server;
mod start_line;
mod target;
mod timer;

pub use connection::{Connection, Outcome, Side};
pub use fault::Fault;
pub use limits::Limits;
pub use send::StreamMut;
