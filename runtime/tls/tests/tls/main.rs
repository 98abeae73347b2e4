//! The stage against rustls' buffered connections, and against itself.

mod failures;
mod handshakes;
mod http;
mod parties;
mod traffic;
