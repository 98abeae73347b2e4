//! Services in the same process behind a channel, for tests and for programs that call themselves.
//!
//! [`LocalChannel`] gives [`Channel`](ringwire_client::Channel) the function `local`. Generated mocks consist of [`MockMethod`] and
//! [`MockStream`].
#![forbid(unsafe_code)]

mod local;
mod mock;

pub use local::{Local, LocalChannel};
pub use mock::{Asked, MockMethod, MockStream};

/// The names of a server that generated mocks need.
#[doc(hidden)]
pub mod generated {
    pub use ringwire_service::{Call, Ends, Service, unimplemented};
}
