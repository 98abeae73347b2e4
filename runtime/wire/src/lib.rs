//! Pure wire formats of Connect, gRPC and gRPC-Web.
//!
//! Nothing here has state beyond one message or chooses a protocol. Functions that write append to a
//! buffer that the caller owns; functions that read take bytes from a peer, and never panic.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::disallowed_methods, clippy::disallowed_types))]

pub mod base64;
pub mod code;
pub mod envelope;
pub mod metadata;
mod token;

pub use code::Code;
pub use metadata::Metadata;
