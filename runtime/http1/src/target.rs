//! The four forms of a request target: <https://www.rfc-editor.org/rfc/rfc9112#section-3.2>.

use crate::Fault;
use crate::authority::is_authority;
use ringwire_http::{Method, Scheme};
use std::borrow::Cow;

/// A request target.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Target<'a> {
    /// The path and the query; `*`, or empty for CONNECT.
    pub(crate) path_and_query: Cow<'a, str>,
    /// The authority and the scheme, where the target names them.
    pub(crate) authority: Option<&'a str>,
    pub(crate) scheme: Option<Scheme>,
}

/// Reads the target of a request with this method. `text` is visible ASCII without `#`.
pub(crate) fn parse<'a>(method: &Method, text: &'a str) -> Result<Target<'a>, Fault> {
    match method {
        Method::Connect => authority_form(text),
        _ if text.starts_with('/') => {
            Ok(Target { path_and_query: text.into(), authority: None, scheme: None })
        }
        Method::Options if text == "*" => {
            Ok(Target { path_and_query: text.into(), authority: None, scheme: None })
        }
        _ => absolute_form(method, text),
    }
}

/// The port must be there: <https://www.rfc-editor.org/rfc/rfc9112#section-3.2.3>.
fn authority_form(text: &str) -> Result<Target<'_>, Fault> {
    let port_is_there = text
        .rsplit_once(':')
        .is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()));
    if !port_is_there || !is_authority(text.as_bytes()) {
        return Err(Fault::Target);
    }
    Ok(Target { path_and_query: "".into(), authority: Some(text), scheme: None })
}

fn absolute_form<'a>(method: &Method, text: &'a str) -> Result<Target<'a>, Fault> {
    let (scheme, rest) = text.split_once("://").ok_or(Fault::Target)?;
    let scheme = if scheme.eq_ignore_ascii_case("http") {
        Scheme::Http
    } else if scheme.eq_ignore_ascii_case("https") {
        Scheme::Https
    } else {
        return Err(Fault::Target);
    };
    let (authority, path_and_query) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    if !is_authority(authority.as_bytes()) {
        return Err(Fault::Target);
    }
    // Without a path, OPTIONS asks about the server as a whole, and other methods about its root.
    let path_and_query = match (path_and_query, method) {
        ("", Method::Options) => "*".into(),
        (path, _) if path.starts_with('/') => path.into(),
        (query, _) => format!("/{query}").into(),
    };
    Ok(Target { path_and_query, authority: Some(authority), scheme: Some(scheme) })
}
