//! The messages and the service of `greet.proto`. For Cargo alone: Bazel has `connect_rust_library`.

#![forbid(unsafe_code)]

include!(concat!(env!("OUT_DIR"), "/proto.rs"));
