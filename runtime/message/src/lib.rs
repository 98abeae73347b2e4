//! The traits that generated messages and views implement: the seam to buffa, and the proto and JSON codecs.
//!
//! Nothing here is implemented by hand for a generated type: what buffa generates (with views and JSON) is a
//! [`Message`], its view a [`View`], and both, the owned view, and [`PreEncoded`] bytes can be written wherever the
//! message is expected ([`Encode`]). A [`Codec`] is a value: one of the two formats that every message knows
//! ([`Wire`]), or a conversion from and to one of them.
//!
//! ```text
//!   received bytes ──codec──▶ proto or JSON ──Message──▶ owned message, view, or owned view
//!   bytes to send  ◀─codec─── proto or JSON ◀──Encode─── any of them, or bytes encoded before
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::disallowed_methods, clippy::disallowed_types))]

mod codec;
pub mod encode;
mod error;
#[doc(hidden)]
pub mod fuzz;
mod json;
mod limits;
mod message;
mod pre_encoded;
mod proto;
mod raw;
mod types;

pub use codec::{Codec, Convert, Format, Json, Proto, Wire};
pub use encode::{Encode, Writable};
pub use error::{DecodeError, EncodeError};
pub use limits::{DecodeLimits, UnknownFields};
pub use message::{Message, View};
pub use pre_encoded::PreEncoded;
pub use raw::{Raw, RawView};
pub use types::{Register, Types, register};

/// What generated code is written against. It is named through here, so that a crate of generated messages depends on
/// this one alone.
pub use buffa;
pub use buffa_types;
pub use serde;
