//! The `http` crate's header map behind the core's traits.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use ringwire_http::{Headers, HeadersMut, TOKENS_MAX, Token};
use std::fmt;
use std::sync::OnceLock;

/// Header or trailer fields in the map of the `http` crate: read where they lie, or written for an HTTP implementation to
/// send.
#[derive(Clone, Debug, Default)]
pub struct HttpFields {
    map: HeaderMap,
    /// The name of the first field that HTTP cannot carry.
    unsendable: Option<Box<str>>,
}

/// A field whose name or value HTTP cannot carry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UnsendableField {
    /// The name of the field.
    pub name: Box<str>,
}

impl HttpFields {
    /// Room for this many fields. A map that grows to hold them is allocated twice.
    pub fn with_capacity(fields: usize) -> Self {
        Self { map: HeaderMap::with_capacity(fields), unsendable: None }
    }

    /// The fields as a map.
    ///
    /// # Errors
    /// A field that was appended has a name or a value that HTTP cannot carry.
    pub fn into_map(self) -> Result<HeaderMap, UnsendableField> {
        match self.unsendable {
            None => Ok(self.map),
            Some(name) => Err(UnsendableField { name }),
        }
    }
}

impl From<HeaderMap> for HttpFields {
    fn from(map: HeaderMap) -> Self {
        Self { map, unsendable: None }
    }
}

impl FromIterator<(String, Vec<u8>)> for HttpFields {
    fn from_iter<I: IntoIterator<Item = (String, Vec<u8>)>>(fields: I) -> Self {
        let mut map = Self::default();
        for (name, value) in fields {
            map.append(&name, &value);
        }
        map
    }
}

impl Headers for HttpFields {
    fn get(&self, name: &str) -> Option<&[u8]> {
        self.map.get(name).map(HeaderValue::as_bytes)
    }

    fn known(&self, token: Token) -> Option<&[u8]> {
        self.map.get(header_name(token)).map(HeaderValue::as_bytes)
    }

    fn for_each(&self, visit: &mut dyn FnMut(&str, &[u8])) {
        for (name, value) in &self.map {
            visit(name.as_str(), value.as_bytes());
        }
    }
}

impl HeadersMut for HttpFields {
    fn append(&mut self, name: &str, value: &[u8]) {
        match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value)) {
            (Ok(name), Ok(value)) => {
                self.map.append(name, value);
            }
            _ => {
                self.unsendable.get_or_insert_with(|| name.into());
            }
        }
    }

    fn append_known(&mut self, token: Token, value: &[u8]) {
        match HeaderValue::from_bytes(value) {
            Ok(value) => {
                self.map.append(header_name(token).clone(), value);
            }
            Err(_) => self.append(token.as_str(), value),
        }
    }

    fn append_static(&mut self, token: Token, value: &'static str) {
        // Not `from_static`, which panics: a setting may be static and wrong.
        match HeaderValue::from_maybe_shared(Bytes::from_static(value.as_bytes())) {
            Ok(value) => {
                self.map.append(header_name(token).clone(), value);
            }
            Err(_) => self.append(token.as_str(), value.as_bytes()),
        }
    }
}

/// The name of a token as the `http` crate has it, which parses a name only once.
fn header_name(token: Token) -> &'static HeaderName {
    static NAMES: [OnceLock<HeaderName>; TOKENS_MAX] = [const { OnceLock::new() }; TOKENS_MAX];
    NAMES[token.index()].get_or_init(|| HeaderName::from_static(token.as_str()))
}

impl fmt::Display for UnsendableField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the value of {:?} cannot be sent", self.name)
    }
}

impl std::error::Error for UnsendableField {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_where_they_lie() {
        let request = http::Request::post("http://test/")
            .header("X-Twice", "1")
            .header("x-other", "2")
            .header("x-twice", "3")
            .body(())
            .unwrap();
        let fields = HttpFields::from(request.into_parts().0.headers);
        assert_eq!(fields.get("x-twice"), Some(&b"1"[..]));
        assert_eq!(fields.get("absent"), None);
        let mut all = Vec::new();
        fields.for_each(&mut |name, value| all.push(format!("{name}={}", value.escape_ascii())));
        assert_eq!(all, ["x-twice=1", "x-twice=3", "x-other=2"]);
    }

    #[test]
    fn what_is_written_keeps_repeated_fields_and_their_order() {
        let mut fields = HttpFields::default();
        fields.append("x-twice", b"1");
        fields.append_static(Token::CONTENT_TYPE, "text/plain");
        fields.append("x-twice", b"\xff");
        let map = fields.into_map().unwrap();
        assert_eq!(map["content-type"], "text/plain");
        let twice: Vec<_> = map.get_all("x-twice").iter().map(HeaderValue::as_bytes).collect();
        assert_eq!(twice, [&b"1"[..], b"\xff"]);
    }

    #[test]
    fn the_first_field_that_cannot_be_sent_is_named() {
        let mut fields = HttpFields::default();
        fields.append_static(Token::USER_AGENT, "two\nlines");
        fields.append("x y", b"");
        let error = fields.into_map().unwrap_err();
        assert_eq!(error.to_string(), "the value of \"user-agent\" cannot be sent");
    }
}
