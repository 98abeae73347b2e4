//! Request methods.

use std::fmt;

/// The method of a request. Methods are case-sensitive.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Method {
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `DELETE`
    Delete,
    /// `CONNECT`
    Connect,
    /// `OPTIONS`
    Options,
    /// `TRACE`
    Trace,
    /// `PATCH`
    Patch,
    /// Any other method, whose name is an RFC 9110 token.
    Other(Box<str>),
}

impl Method {
    /// The method of this name; `None` if the name is not an RFC 9110 token.
    pub fn from_bytes(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"GET" => Self::Get,
            b"HEAD" => Self::Head,
            b"POST" => Self::Post,
            b"PUT" => Self::Put,
            b"DELETE" => Self::Delete,
            b"CONNECT" => Self::Connect,
            b"OPTIONS" => Self::Options,
            b"TRACE" => Self::Trace,
            b"PATCH" => Self::Patch,
            other if is_token(other) => Self::Other(std::str::from_utf8(other).ok()?.into()),
            _ => return None,
        })
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
            Self::Options => "OPTIONS",
            Self::Trace => "TRACE",
            Self::Patch => "PATCH",
            Self::Other(name) => name,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether `text` is a token: <https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2>.
pub const fn is_token(text: &[u8]) -> bool {
    let mut at = 0;
    while at < text.len() {
        if !TOKEN_BYTES[text[at] as usize] {
            return false;
        }
        at += 1;
    }
    !text.is_empty()
}

const TOKEN_BYTES: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    let marks = b"!#$%&'*+-.^_`|~";
    while at < marks.len() {
        table[marks[at] as usize] = true;
        at += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written() {
        for name in [
            "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "PROPFIND", "get",
        ] {
            let method = Method::from_bytes(name.as_bytes()).expect("a token");
            assert_eq!(method.as_str(), name);
            assert_eq!(matches!(method, Method::Other(_)), matches!(name, "PROPFIND" | "get"), "{name}");
        }
    }

    #[test]
    fn a_name_that_is_no_token_is_refused() {
        for name in ["", "G ET", "GET\r", "G\u{e9}T", "GET/", "(", "\0"] {
            assert_eq!(Method::from_bytes(name.as_bytes()), None, "{name:?}");
        }
    }

    #[test]
    fn every_byte_is_judged_as_the_grammar_says() {
        for byte in 0..=255_u8 {
            let want = byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            assert_eq!(is_token(&[byte]), want, "{byte}");
        }
    }
}
