//! Channels over the browser's fetch.

use crate::{Channel, ChannelError, Result};
use ringwire_fetch::Fetch;

impl Channel {
    /// Calls to an origin, by the browser's fetch: `https://greet.example/api`.
    ///
    /// # Errors
    /// It is no origin.
    pub fn new(origin: &str) -> Result<Self, ChannelError> {
        Self::over(Fetch::new(), origin)
    }
}
