//! The messages and the service of the official conformance suite, generated as it is built.
//!
//! For Cargo alone: with Bazel this crate is `connect_rust_library`, under the same name.

#![forbid(unsafe_code)]

include!(concat!(env!("OUT_DIR"), "/proto.rs"));
