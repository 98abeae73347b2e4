//! Header fields as hyper keeps them, read and written through the core's traits without copying any.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, request};
use ringwire_http::{Headers, HeadersMut};
use ringwire_rpc::{RequestHead, Version};
use ringwire_service::Head;

/// The head of a request, as hyper read it.
pub(crate) struct HttpHead {
    method: Method,
    uri: Uri,
    version: Version,
    fields: Fields,
}

impl From<request::Parts> for HttpHead {
    fn from(parts: request::Parts) -> Self {
        let version = match parts.version {
            http::Version::HTTP_2 => Version::Http2,
            http::Version::HTTP_3 => Version::Http3,
            _ => Version::Http1,
        };
        Self { method: parts.method, uri: parts.uri, version, fields: Fields(parts.headers) }
    }
}

impl Head for HttpHead {
    fn request(&self) -> RequestHead<'_> {
        RequestHead {
            method: self.method.as_str(),
            path: self.uri.path(),
            query: self.uri.query(),
            headers: &self.fields,
            version: self.version,
        }
    }
}

/// Fields to read.
pub(crate) struct Fields(pub(crate) HeaderMap);

impl Headers for Fields {
    fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.get(name).map(HeaderValue::as_bytes)
    }

    fn for_each(&self, visit: &mut dyn FnMut(&str, &[u8])) {
        for (name, value) in &self.0 {
            visit(name.as_str(), value.as_bytes());
        }
    }
}

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
    fn a_head_is_read_where_it_lies() {
        let request = http::Request::post("http://test/a.B/C?x=1&y=")
            .header("X-Twice", "1")
            .header("x-other", "2")
            .header("x-twice", "3")
            .body(())
            .unwrap();
        let head = HttpHead::from(request.into_parts().0);
        let request = head.request();
        assert_eq!((request.method, request.path, request.query), ("POST", "/a.B/C", Some("x=1&y=")));
        assert_eq!(request.headers.get("x-twice"), Some(&b"1"[..]));
        assert_eq!(request.headers.get("absent"), None);
        let mut all = Vec::new();
        request.headers.for_each(&mut |name, value| all.push(format!("{name}={}", value.escape_ascii())));
        assert_eq!(all, ["x-twice=1", "x-twice=3", "x-other=2"]);
    }

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
