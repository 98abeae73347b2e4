//! The head of a message: what stands before its body.

use crate::{Fields, Headers, HeadersMut, Method, Names, Token, Version};
use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// The head of a request, shared by reference count.
///
/// A connection that reads the same header block again gives the same `Head` again, so that what was worked out from it
/// once can be kept with it: [`memo`](Self::memo).
/// ```
/// # use ringwire_http::{Fields, Head, Headers, HeadersMut, Method, Names, Token, Version};
/// let mut fields = Fields::new(Names::HTTP);
/// fields.append("content-type", b"text/plain");
/// let head = Head::new(Method::Post, "/a?b=c", Version::Http2, fields);
/// assert_eq!((head.path(), head.query()), ("/a", Some("b=c")));
/// assert_eq!(head.fields().known(Token::CONTENT_TYPE), Some(&b"text/plain"[..]));
/// assert!(head.is(&head.clone()));
/// ```
#[derive(Clone)]
pub struct Head(Arc<Parts>);

struct Parts {
    method: Method,
    target: Box<str>,
    /// The length of the path; the `?` follows, if there is a query.
    path_len: usize,
    authority: Option<Box<str>>,
    scheme: Option<Scheme>,
    version: Version,
    fields: Fields,
    memo: OnceLock<Box<dyn Any + Send + Sync>>,
    is_seen: AtomicBool,
}

/// The scheme that a request names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scheme {
    /// `http`
    Http,
    /// `https`
    Https,
}

impl Head {
    /// A head. The `target` is a path with an optional query, or the `*` of OPTIONS, or empty for CONNECT.
    pub fn new(method: Method, target: impl Into<Box<str>>, version: Version, fields: Fields) -> Self {
        let target = target.into();
        let path_len = target.bytes().position(|byte| byte == b'?').unwrap_or(target.len());
        Self(Arc::new(Parts {
            method,
            target,
            path_len,
            authority: None,
            scheme: None,
            version,
            fields,
            memo: OnceLock::new(),
            is_seen: AtomicBool::new(false),
        }))
    }

    /// A POST request over HTTP/2 of this content type.
    pub fn post(target: &str, content_type: &str, names: &'static Names) -> Self {
        let mut fields = Fields::new(names);
        fields.append("content-type", content_type.as_bytes());
        Self::new(Method::Post, target, Version::Http2, fields)
    }

    /// Adds a header field, whose name is in lower case.
    ///
    /// # Panics
    /// The head is shared already.
    #[must_use]
    pub fn with_field(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.parts_mut().fields.append(name, value.as_ref());
        self
    }

    /// Adds the authority: the host, and the port if there is one.
    ///
    /// # Panics
    /// The head is shared already.
    #[must_use]
    pub fn with_authority(mut self, authority: impl Into<Box<str>>) -> Self {
        self.parts_mut().authority = Some(authority.into());
        self
    }

    /// Adds the scheme.
    ///
    /// # Panics
    /// The head is shared already.
    #[must_use]
    pub fn with_scheme(mut self, scheme: Scheme) -> Self {
        self.parts_mut().scheme = Some(scheme);
        self
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.0.method
    }

    /// The path, and the query if there is one, as they travelled.
    pub fn target(&self) -> &str {
        &self.0.target
    }

    /// The path, without the query, as it travelled.
    pub fn path(&self) -> &str {
        &self.0.target[..self.0.path_len]
    }

    /// The text after the `?`, if there is one.
    pub fn query(&self) -> Option<&str> {
        self.0.target.get(self.0.path_len + 1..)
    }

    /// The authority: of HTTP/2's `:authority`, or of an absolute target or the `host` field in HTTP/1.
    pub fn authority(&self) -> Option<&str> {
        let host = || self.0.fields.known(Token::HOST).filter(|host| !host.is_empty());
        self.0.authority.as_deref().or_else(|| std::str::from_utf8(host()?).ok())
    }

    /// The scheme, where the request names one.
    pub fn scheme(&self) -> Option<Scheme> {
        self.0.scheme
    }

    /// The version of HTTP.
    pub fn version(&self) -> Version {
        self.0.version
    }

    /// The header fields, without pseudo-header fields.
    pub fn fields(&self) -> &Fields {
        &self.0.fields
    }

    /// The first value of the field `name`, which is in lower case.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.fields.get(name)
    }

    /// Whether both are the same head, not only equal ones.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// A slot for one value that a layer above works out from this head, kept for as long as the head.
    pub fn memo(&self) -> &OnceLock<Box<dyn Any + Send + Sync>> {
        &self.0.memo
    }

    /// The method, the target and the fields, with their buffers.
    ///
    /// # Errors
    /// Somebody else holds this head, which comes back.
    pub fn into_parts(self) -> Result<(Method, Box<str>, Fields), Self> {
        Arc::try_unwrap(self.0).map(|parts| (parts.method, parts.target, parts.fields)).map_err(Self)
    }

    /// Whether this has been asked before. A head that comes once is not worth a [`memo`](Self::memo): who makes one asks here
    /// first.
    pub fn comes_again(&self) -> bool {
        // One store too many, where two ask at once, does no harm.
        self.0.is_seen.load(Ordering::Relaxed) || {
            self.0.is_seen.store(true, Ordering::Relaxed);
            false
        }
    }

    fn parts_mut(&mut self) -> &mut Parts {
        Arc::get_mut(&mut self.0).expect("a head is made whole before it is shared")
    }
}

/// The names of fields only: values and queries may be secrets.
impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head")
            .field("method", self.method())
            .field("path", &self.path())
            .field("version", &self.version())
            .field("fields", self.fields())
            .finish_non_exhaustive()
    }
}

/// The head of a response.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ResponseHead {
    /// The status: 100 to 999.
    pub status: u16,
    /// The version of HTTP.
    pub version: Version,
    /// The header fields, without pseudo-header fields.
    pub fields: Fields,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(target: &str) -> Head {
        Head::new(Method::Get, target, Version::Http11, Fields::new(Names::HTTP))
    }

    #[test]
    fn a_target_is_a_path_and_a_query() {
        for (text, path, query) in [
            ("/a", "/a", None),
            ("/a?", "/a", Some("")),
            ("/a?b", "/a", Some("b")),
            ("/a?b?c", "/a", Some("b?c")),
            ("?", "", Some("")),
            ("", "", None),
            ("*", "*", None),
        ] {
            let head = target(text);
            assert_eq!((head.target(), head.path(), head.query()), (text, path, query));
        }
    }

    #[test]
    fn a_head_is_itself_and_no_equal_one() {
        let head = target("/");
        assert!(head.is(&head.clone()));
        assert!(!head.is(&target("/")));
    }

    #[test]
    fn a_memo_is_kept_with_every_clone() {
        let head = target("/");
        let clone = head.clone();
        assert!(head.memo().set(Box::new(7_u32)).is_ok());
        assert_eq!(clone.memo().get().and_then(|memo| memo.downcast_ref::<u32>()), Some(&7));
    }

    #[test]
    fn a_head_comes_again_from_the_second_time_on() {
        let head = target("/");
        let clone = head.clone();
        assert_eq!([head.comes_again(), clone.comes_again(), head.comes_again()], [false, true, true]);
        assert!(!target("/").comes_again());
    }

    #[test]
    fn authority_and_scheme_are_there_when_given() {
        let head = target("/");
        assert_eq!((head.authority(), head.scheme()), (None, None));
        let head = head.with_authority("a:1").with_scheme(Scheme::Https).with_field("te", "x");
        assert_eq!((head.authority(), head.scheme()), (Some("a:1"), Some(Scheme::Https)));
        assert_eq!(head.get("te"), Some(&b"x"[..]));
    }

    #[test]
    fn the_host_is_an_authority_too() {
        for (host, want) in [("a:1", Some("a:1")), ("", None)] {
            assert_eq!(target("/").with_field("host", host).authority(), want);
        }
        assert_eq!(target("/").with_field("host", "a").with_authority("b").authority(), Some("b"));
    }

    #[test]
    fn parts_leave_a_head_that_is_held_once() {
        let head = target("/").with_field("te", "x");
        assert!(head.clone().into_parts().is_err_and(|same| same.is(&head)));
        let (method, target, fields) = head.into_parts().expect("the only one");
        assert_eq!((method, &*target, fields.len()), (Method::Get, "/", 1));
    }

    #[test]
    fn queries_and_values_stay_out_of_logs() {
        let mut fields = Fields::new(Names::HTTP);
        fields.append("cookie", b"secret");
        let head = Head::new(Method::Get, "/a?secret", Version::Http11, fields);
        let text = format!("{head:?}");
        assert!(text.contains("\"/a\"") && text.contains("cookie") && !text.contains("secret"), "{text}");
    }
}
