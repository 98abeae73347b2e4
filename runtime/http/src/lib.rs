//! What both HTTP versions say.
//!
//! A leaf: the traits through which the core reads and writes header fields, whichever HTTP
//! implementation holds them.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::disallowed_methods, clippy::disallowed_types))]

mod headers;

pub use headers::{Headers, HeadersMut};
