//! Header fields as hyper keeps them, written through the core's trait without copying any.

use http::{HeaderMap, HeaderName, HeaderValue};
use ringwire_http::HeadersMut;

/// Fields to write.
#[derive(Debug, Default)]
pub(crate) struct Sink(HeaderMap);

impl Sink {
    pub(crate) fn into_map(self) -> HeaderMap {
        self.0
    }
}

impl HeadersMut for Sink {
    fn append(&mut self, name: &str, value: &[u8]) {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("the core writes valid names");
        let value = HeaderValue::from_bytes(value).expect("the core writes valid values");
        self.0.append(name, value);
    }

    fn append_static(&mut self, name: &'static str, value: &'static str) {
        self.0.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
}

impl FromIterator<(String, Vec<u8>)> for Sink {
    fn from_iter<I: IntoIterator<Item = (String, Vec<u8>)>>(fields: I) -> Self {
        let mut sink = Self::default();
        for (name, value) in fields {
            sink.append(&name, &value);
        }
        sink
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_keeps_repeated_fields_and_their_order() {
        let mut sink = Sink::default();
        sink.append("x-twice", b"1");
        sink.append_static("content-type", "text/plain");
        sink.append("x-twice", b"\xff");
        let map = sink.into_map();
        assert_eq!(map["content-type"], "text/plain");
        let twice: Vec<_> = map.get_all("x-twice").iter().map(HeaderValue::as_bytes).collect();
        assert_eq!(twice, [&b"1"[..], b"\xff"]);
    }
}
