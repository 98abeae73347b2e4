//! The head of a request as the `http` crate has it, behind the core's traits.

use crate::Head;
use http::{Method, Uri, request};
use ringwire_call::HttpFields;
use ringwire_rpc::{RequestHead, Version};

/// The head of a request, as the `http` crate has it.
#[derive(Debug)]
pub struct HttpHead {
    method: Method,
    uri: Uri,
    version: Version,
    fields: HttpFields,
}

impl From<request::Parts> for HttpHead {
    fn from(parts: request::Parts) -> Self {
        let version = match parts.version {
            http::Version::HTTP_2 => Version::Http2,
            http::Version::HTTP_3 => Version::Http3,
            _ => Version::Http1,
        };
        Self { method: parts.method, uri: parts.uri, version, fields: parts.headers.into() }
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
}
