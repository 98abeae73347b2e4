//! Pure wire formats of Connect, gRPC and gRPC-Web.
//!
//! Nothing here has state beyond one message or chooses a protocol. Functions that write append to a
//! buffer that the caller owns; functions that read take bytes from a peer, and never panic.
//!
//! ```
//! use bytes::{BufMut, BytesMut};
//! use ringwire_wire::envelope::{self, Deframer, Flags};
//!
//! # fn main() -> Result<(), envelope::TooLarge> {
//! # let limit = 4 << 20;
//! let mut body = BytesMut::new();
//! envelope::write_frame(&mut body, Flags::default(), limit, |out| out.put_slice(b"hi"))?;
//!
//! let mut deframer = Deframer::default();
//! deframer.push(body.freeze());
//! while let Some(frame) = deframer.next_frame(limit)? {
//!     assert_eq!(frame.payload, "hi");
//! }
//! assert!(deframer.is_at_boundary());
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::disallowed_methods, clippy::disallowed_types))]

pub mod accept;
pub mod base64;
pub mod code;
mod decimal;
pub mod envelope;
pub mod error_json;
#[doc(hidden)]
pub mod fuzz;
mod json;
mod malformed;
pub mod media_type;
pub mod metadata;
pub mod percent;
pub mod query;
mod quoted;
pub mod timeout;
mod token;
pub mod trailer_block;

pub use code::Code;
pub use malformed::Malformed;
pub use media_type::MediaType;
pub use metadata::Metadata;
pub use quoted::Quoted;
