//! Where the calls of a channel go.

use crate::{ChannelError, Error, Result};
use bytes::Bytes;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Uri, uri};
use ringwire_rpc::Spec;
use std::borrow::Cow;
use std::fmt;

/// Scheme, host and port, and the path before the procedures.
#[derive(Clone, Debug)]
pub(crate) struct Base {
    scheme: Scheme,
    authority: Authority,
    prefix: String,
}

impl Base {
    /// Reads `http://host:port/prefix`, with or without a prefix.
    pub(crate) fn parse(text: &str) -> Result<Self, ChannelError> {
        let wrong = |why: &str| ChannelError::Origin { origin: text.to_owned(), reason: why.to_owned() };
        let parts = text.parse::<Uri>().map_err(|error| wrong(&error.to_string()))?.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(wrong("it lacks a scheme, such as http://, or a host"));
        };
        if scheme != Scheme::HTTP && scheme != Scheme::HTTPS {
            return Err(wrong("its scheme is neither http nor https"));
        }
        let path = parts.path_and_query.unwrap_or_else(|| PathAndQuery::from_static("/"));
        if path.query().is_some() {
            return Err(wrong("it has a query"));
        }
        let prefix = path.path().trim_end_matches('/').to_owned();
        Ok(Self { scheme, authority, prefix })
    }

    /// The path before the procedures: empty, or `/prefix`.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Scheme, host and port: where to connect to.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn without_prefix(&self) -> String {
        format!("{}://{}", self.scheme, self.authority)
    }

    /// The whole address of a request that calls a method.
    pub(crate) fn uri_of(&self, spec: &Spec) -> Result<Uri> {
        self.uri(match &*self.prefix {
            "" => Cow::Borrowed(spec.procedure),
            prefix => Cow::Owned([prefix, spec.procedure].concat()),
        })
    }

    /// The whole address of a request whose path and query are `target`.
    pub(crate) fn uri(&self, target: Cow<'static, str>) -> Result<Uri> {
        let path = match target {
            Cow::Borrowed(path) => PathAndQuery::from_maybe_shared(Bytes::from_static(path.as_bytes())),
            Cow::Owned(path) => PathAndQuery::from_maybe_shared(Bytes::from(path)),
        };
        let mut parts = uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(path.map_err(|error| not_a_path(&error))?);
        Uri::from_parts(parts).map_err(|error| not_a_path(&error))
    }
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.prefix)
    }
}

#[cold]
fn not_a_path(error: &dyn fmt::Display) -> Error {
    Error::internal(format!("the procedure is no path: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(origin: &str, uri: &str) {
        let base = Base::parse(origin).unwrap();
        let target = [base.prefix(), "/greet.v1.Greet/Greet"].concat();
        assert_eq!(base.uri(target.into()).unwrap(), uri);
    }

    #[test]
    fn origins_may_have_ports_prefixes_and_trailing_slashes() {
        check("http://127.0.0.1:8080", "http://127.0.0.1:8080/greet.v1.Greet/Greet");
        check("https://greet.example/", "https://greet.example/greet.v1.Greet/Greet");
        check("http://[::1]:80/api/v2/", "http://[::1]:80/api/v2/greet.v1.Greet/Greet");
        check("HTTP://Greet.Example", "http://Greet.Example/greet.v1.Greet/Greet");
    }

    #[test]
    fn what_is_no_origin_says_why() {
        for (origin, why) in [
            ("", "empty string"),
            ("127.0.0.1:8080", "scheme"),
            ("/greet", "scheme"),
            ("ftp://a", "neither"),
            ("http://a/?x=1", "query"),
            ("http://a b/", "invalid"),
        ] {
            let error = Base::parse(origin).unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
        }
    }

    #[test]
    fn a_procedure_that_is_no_path_is_an_error() {
        let base = Base::parse("http://a").unwrap();
        for target in ["/with space", "/\n"] {
            assert!(base.uri(Cow::Borrowed(target)).is_err(), "{target:?}");
        }
    }
}
