//! An HTTP/2 connection as a state machine, both roles: <https://www.rfc-editor.org/rfc/rfc9113>.
//!
//! The contract: after every call that changes a [`Connection`], call `poll_event` until it returns `None`, then `poll_output`.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::disallowed_methods, clippy::disallowed_types))]

mod code;
mod connection;
mod frame;
mod guard;
mod heads;
mod limits;
mod outcome;
mod preface;
mod receive;
mod send;
mod side;
mod streams;

pub use code::ErrorCode;
pub use connection::Connection;
pub use limits::{Allowance, Limits};
pub use outcome::{Guard, Outcome, Wait};
pub use preface::{Preface, preface};
pub use send::StreamMut;
pub use side::Side;
