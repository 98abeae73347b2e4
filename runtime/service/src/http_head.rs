//! Heads of requests as the `http` crate has them.

use http::{request, uri};
use ringwire_http::{Fields, Head, HeadersMut, Method, Scheme, Version};
use ringwire_rpc::NAMES;

/// The head of a request that an HTTP implementation read with the `http` crate.
pub fn http_head(parts: &request::Parts) -> Head {
    let method = Method::from_bytes(parts.method.as_str().as_bytes()).expect("a method of `http` is a token");
    let version = match parts.version {
        http::Version::HTTP_09 | http::Version::HTTP_10 => Version::Http10,
        http::Version::HTTP_2 => Version::Http2,
        http::Version::HTTP_3 => Version::Http3,
        _ => Version::Http11,
    };
    let mut fields = Fields::new(&NAMES);
    fields.reserve(parts.headers.len(), parts.headers.values().map(|value| value.len()).sum());
    for (name, value) in &parts.headers {
        fields.append(name.as_str(), value.as_bytes());
    }
    let target = parts.uri.path_and_query().map_or("", uri::PathAndQuery::as_str);
    let mut head = Head::new(method, target, version, fields);
    if let Some(authority) = parts.uri.authority() {
        head = head.with_authority(authority.as_str());
    }
    match parts.uri.scheme_str() {
        Some("http") => head.with_scheme(Scheme::Http),
        Some("https") => head.with_scheme(Scheme::Https),
        Some(_) | None => head,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_keeps_all_that_was_read() {
        let request = http::Request::post("https://test:1/a.B/C?x=1&y=")
            .version(http::Version::HTTP_2)
            .header("X-Twice", "1")
            .header("x-other", "2")
            .header("x-twice", "3")
            .body(())
            .unwrap();
        let head = http_head(&request.into_parts().0);
        assert_eq!((head.method().as_str(), head.path(), head.query()), ("POST", "/a.B/C", Some("x=1&y=")));
        assert_eq!((head.authority(), head.scheme()), (Some("test:1"), Some(Scheme::Https)));
        assert_eq!(head.version(), Version::Http2);
        let fields: Vec<_> = head.fields().iter().map(|field| (field.name, field.value)).collect();
        assert_eq!(fields, [("x-twice", &b"1"[..]), ("x-twice", b"3"), ("x-other", b"2")]);
    }

    #[test]
    fn versions_are_told_apart() {
        for (read, want) in [
            (http::Version::HTTP_10, Version::Http10),
            (http::Version::HTTP_11, Version::Http11),
            (http::Version::HTTP_2, Version::Http2),
            (http::Version::HTTP_3, Version::Http3),
        ] {
            let request = http::Request::get("/").version(read).body(()).unwrap();
            let head = http_head(&request.into_parts().0);
            assert_eq!((head.version(), head.authority(), head.scheme()), (want, None, None));
        }
    }
}
