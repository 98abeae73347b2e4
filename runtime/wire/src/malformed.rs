//! The one error of the readers: text that is not of its format.

use std::fmt;

/// Something a peer sent that is not of the format it should be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Malformed {
    /// The format, as a noun: `base64`, `timeout`.
    pub format: &'static str,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "malformed {}", self.format)
    }
}

impl std::error::Error for Malformed {}
