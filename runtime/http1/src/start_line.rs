//! The first line of a head.

use crate::field::lower;
use crate::scan::{target_len, value_len};
use crate::{Fault, Limits};
use ringwire_http::{Method, Version};

/// The first line of a request, and its length with CR LF.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct RequestText<'a> {
    pub(crate) method: Method,
    pub(crate) target: &'a str,
    pub(crate) version: Version,
    pub(crate) len: usize,
}

/// The first line of a response, and its length with CR LF.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct StatusText {
    pub(crate) status: u16,
    pub(crate) version: Version,
    pub(crate) len: usize,
}

/// Reads a request line: <https://www.rfc-editor.org/rfc/rfc9112#section-3>. `None`: the line is not whole.
///
/// Its three parts are separated by single spaces. What else a recipient may take for a separator has let requests be smuggled
/// past one that did not.
pub(crate) fn request<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Option<RequestText<'a>>, Fault> {
    let method_len = match bytes.iter().take(METHOD_MAX + 1).position(|&byte| lower(byte) == 0) {
        Some(len) => len,
        None if bytes.len() <= METHOD_MAX => return Ok(None),
        None => return Err(Fault::Method),
    };
    if bytes[method_len] != b' ' {
        return Err(Fault::RequestLine);
    }
    let method = Method::from_bytes(&bytes[..method_len]).ok_or(Fault::RequestLine)?;
    let target = &bytes[method_len + 1..];
    let target = &target[..target_len(&target[..target.len().min(limits.target_max + 1)])];
    if target.len() > limits.target_max {
        return Err(Fault::TargetTooLong { limit: limits.target_max });
    }
    let end = method_len + 1 + target.len();
    let version = match bytes[end..] {
        [b' ', b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'1', b'\r', b'\n', ..] => Version::Http11,
        [b' ', b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0', b'\r', b'\n', ..] => Version::Http10,
        // A higher minor version is read as the highest that is known: RFC 9110 section 2.5.
        [b' ', b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'2'..=b'9', b'\r', b'\n', ..] => Version::Http11,
        [b' ', b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9', b'\r', b'\n', ..] => {
            return Err(Fault::Version);
        }
        _ if is_start_of_version(&bytes[end..]) => return Ok(None),
        _ => return Err(Fault::RequestLine),
    };
    if target.is_empty() {
        return Err(Fault::RequestLine);
    }
    let target = std::str::from_utf8(target).expect("the bytes of a target are ASCII");
    Ok(Some(RequestText { method, target, version, len: end + VERSION_END }))
}

/// Reads a status line: <https://www.rfc-editor.org/rfc/rfc9112#section-4>. `None`: the line is not whole.
pub(crate) fn status(bytes: &[u8], limits: &Limits) -> Result<Option<StatusText>, Fault> {
    let window = &bytes[..bytes.len().min(limits.head_max)];
    match status_line(window)? {
        None if window.len() < bytes.len() => Err(Fault::HeadTooLarge { limit: limits.head_max }),
        line => Ok(line),
    }
}

fn status_line(bytes: &[u8]) -> Result<Option<StatusText>, Fault> {
    let Some(start) = bytes.get(..STATUS_END) else {
        let len = bytes.len().min(5);
        return if bytes[..len] == b"HTTP/"[..len] { Ok(None) } else { Err(Fault::StatusLine) };
    };
    let [version @ .., b' ', hundreds @ b'1'..=b'9', tens @ b'0'..=b'9', ones @ b'0'..=b'9'] = start else {
        return Err(Fault::StatusLine);
    };
    let version = match version {
        b"HTTP/1.1" => Version::Http11,
        b"HTTP/1.0" => Version::Http10,
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'2'..=b'9'] => Version::Http11,
        [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9'] => return Err(Fault::Version),
        _ => return Err(Fault::StatusLine),
    };
    // The space after the status must be there even if no reason follows, but some servers leave it out.
    let reason = &bytes[STATUS_END..];
    let reason_len = match reason {
        [b' ', reason @ ..] => 1 + value_len(reason),
        _ => 0,
    };
    let status = u16::from(hundreds - b'0') * 100 + u16::from(tens - b'0') * 10 + u16::from(ones - b'0');
    match reason[reason_len..] {
        [b'\r', b'\n', ..] => Ok(Some(StatusText { status, version, len: STATUS_END + reason_len + 2 })),
        [] | [b'\r'] => Ok(None),
        _ => Err(Fault::StatusLine),
    }
}

/// Whether `bytes` is a part of ` HTTP/n.n` and CR LF, from its first byte on.
fn is_start_of_version(bytes: &[u8]) -> bool {
    bytes.len() < VERSION_END
        && bytes.iter().zip(b" HTTP/0.0\r\n").all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            form => byte == form,
        })
}

/// A method that is longer is answered with 501: <https://www.rfc-editor.org/rfc/rfc9112#section-3-4>.
const METHOD_MAX: usize = 32;
/// The length of ` HTTP/1.1` and CR LF.
const VERSION_END: usize = 11;
/// The length of `HTTP/1.1 200`.
const STATUS_END: usize = 12;
