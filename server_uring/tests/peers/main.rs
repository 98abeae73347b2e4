//! Programs that are not ours, against the server on a real port.
//!
//! Each is found by its variable (`RINGWIRE_CURL`, `RINGWIRE_CONNECTPEER`, `RINGWIRE_GRPCPEER`, `RINGWIRE_GRPCURL`). Without it, curl is
//! looked for on the path, and the others are built from `conformance/peers` if `go` is there. A program that cannot be
//! had makes its tests say so and pass, unless `RINGWIRE_PEERS=required`.

#![allow(clippy::unwrap_used, reason = "helpers of a test fail it as its body would")]

mod curl;
#[path = "../echo/mod.rs"]
mod echo;
mod go;
mod programs;
mod running;
mod signal;
