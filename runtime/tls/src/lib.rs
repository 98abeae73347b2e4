//! rustls as one more sans-io stage.
//!
//! A [`TlsConnection`] stands between a transport and an HTTP connection: ciphertext in, events with plaintext out; plaintext in,
//! ciphertext out. It works on rustls' unbuffered API, so that records are decrypted where they arrived.
//!
//! The cryptography is a parameter: whoever makes a configuration brings a
//! [`CryptoProvider`](rustls::crypto::CryptoProvider), and this package compiles none.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::disallowed_methods, clippy::disallowed_types))]

mod certificates;
mod config;
mod connection;
mod fault;
mod server_name;

pub use certificates::Certificates;
pub use config::{client_config, server_config};
pub use connection::{TlsConnection, TlsEvent, TlsLimits, TlsSession};
pub use fault::TlsFault;
pub use rustls;
