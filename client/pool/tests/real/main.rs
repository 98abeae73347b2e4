//! The pool over real sockets, against our own server.

#![allow(clippy::unwrap_used, reason = "helpers of a test fail it as its body would")]

mod load;
mod server;
mod sockets;
mod tls;
