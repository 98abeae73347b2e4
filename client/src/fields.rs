//! Header fields as HTTP implementations keep them, written through the core's trait.

use crate::{Error, Result};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use ringwire_http::HeadersMut;

/// Fields to write.
#[derive(Debug)]
pub(crate) struct Sink {
    map: HeaderMap,
    /// The name of the first field that HTTP cannot carry.
    fault: Option<String>,
}

impl Sink {
    /// The fields.
    ///
    /// # Errors
    /// One of them cannot be sent. What a call brings is checked when it is set, so it was a setting of the
    /// channel.
    pub(crate) fn into_map(self) -> Result<HeaderMap> {
        match self.fault {
            None => Ok(self.map),
            Some(name) => Err(Error::invalid_argument(format!("the value of {name:?} cannot be sent"))),
        }
    }
}

impl Default for Sink {
    fn default() -> Self {
        Self { map: HeaderMap::with_capacity(USUAL_FIELDS), fault: None }
    }
}

impl HeadersMut for Sink {
    fn append(&mut self, name: &str, value: &[u8]) {
        match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value)) {
            (Ok(name), Ok(value)) => {
                self.map.append(name, value);
            }
            _ => {
                self.fault.get_or_insert_with(|| name.to_owned());
            }
        }
    }

    fn append_static(&mut self, name: &'static str, value: &'static str) {
        // Not `from_static`, which panics: a setting may be static and wrong.
        match HeaderValue::from_maybe_shared(Bytes::from_static(value.as_bytes())) {
            Ok(value) => {
                self.map.append(HeaderName::from_static(name), value);
            }
            Err(_) => self.append(name, value.as_bytes()),
        }
    }
}

/// The fields of a protocol, and a few of the application: a map that grows to hold them is allocated twice.
const USUAL_FIELDS: usize = 6;
