//! What a generated crate holds for `greet.proto`: the messages as buffa generates them, and the service as our own
//! generator writes it. `greet.binpb` is `protoc --include_imports --descriptor_set_out` of it.
#![allow(unused, missing_docs, elided_lifetimes_in_paths, trivial_numeric_casts, unreachable_pub)]
#![allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery, clippy::unwrap_used)]

include!("messages.rs");
include!("service.rs");
