//! The vocabulary of HTTP, free of its versions.
//!
//! A connection of any version hands out [`Event`]s: a [`Head`], pieces of a body, trailers, a [`Reset`]. Header fields are read
//! through [`Headers`] and written through [`HeadersMut`], whichever HTTP implementation holds them; [`Fields`] is the
//! implementation of our own engines. Names that are looked up have a [`Token`], so that a look-up is an index.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::disallowed_methods, clippy::disallowed_types))]

mod event;
mod fields;
mod head;
mod headers;
mod method;
mod names;
mod output;
mod pace;
mod role;
mod version;

pub use event::{Event, Reset, StreamId};
pub use fields::{Field, Fields};
pub use head::{Head, ResponseHead, Scheme};
pub use headers::{Headers, HeadersMut};
pub use method::{Method, is_token};
pub use names::{Names, TOKENS_MAX, Token};
pub use output::{Close, Output, Part, SendQueue};
pub use pace::Pace;
pub use role::{Client, RequestLine, Role, Server};
pub use version::Version;
