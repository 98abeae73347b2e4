//! Schemas that generators stumble over, each generated as a module of its own. That this compiles, with the lints of
//! the workspace, is the first of its tests.
#![forbid(unsafe_code)]
#![allow(missing_docs)]

include!(concat!(env!("OUT_DIR"), "/corpus.rs"));
