//! Field lines, as a block gives them.

use ringwire_http::{Token, is_token};

/// A field line of a header block.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Line<'a> {
    /// The name.
    pub name: LineName<'a>,
    /// The value.
    pub value: &'a [u8],
}

/// The name of a field line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LineName<'a> {
    /// A pseudo-header field that HTTP/2 defines.
    Pseudo(Pseudo),
    /// A name with a token.
    Known(Token),
    /// Any other name.
    Text(&'a str),
    /// HTTP/2 does not allow this name, or this value: the message is malformed.
    Malformed,
}

/// The pseudo-header fields that HTTP/2 and its extensions define.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Pseudo {
    /// `:authority`
    Authority,
    /// `:method`
    Method,
    /// `:path`
    Path,
    /// `:protocol` of the extended CONNECT: <https://www.rfc-editor.org/rfc/rfc8441>.
    Protocol,
    /// `:scheme`
    Scheme,
    /// `:status`
    Status,
}

impl Pseudo {
    pub(crate) const fn find(name: &[u8]) -> Option<Self> {
        Some(match name {
            b":authority" => Self::Authority,
            b":method" => Self::Method,
            b":path" => Self::Path,
            b":protocol" => Self::Protocol,
            b":scheme" => Self::Scheme,
            b":status" => Self::Status,
            _ => return None,
        })
    }

    pub(crate) const fn len(self) -> usize {
        match self {
            Self::Path => 5,
            Self::Method | Self::Scheme | Self::Status => 7,
            Self::Protocol => 9,
            Self::Authority => 10,
        }
    }
}

/// Whether HTTP/2 allows this name: <https://www.rfc-editor.org/rfc/rfc9113#section-8.2.1>.
pub(crate) fn is_field_name(name: &[u8]) -> bool {
    is_token(name) && !name.iter().any(u8::is_ascii_uppercase)
}

/// Whether HTTP allows this value: no control character but the tab, and no white space at either end.
///
/// <https://www.rfc-editor.org/rfc/rfc9113#section-8.2.1> refuses NUL, CR and LF; RFC 9110, section 5.5, the others.
pub(crate) fn is_field_value(value: &[u8]) -> bool {
    let blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    !blank(value.first())
        && !blank(value.last())
        && !value.iter().any(|&byte| (byte < b' ' && byte != b'\t') || byte == 0x7f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_case_tokens() {
        for (name, allowed) in [
            ("a", true),
            ("x-1_.~", true),
            ("", false),
            ("A", false),
            ("a b", false),
            (":a", false),
            ("\u{e9}", false),
        ] {
            assert_eq!(is_field_name(name.as_bytes()), allowed, "{name:?}");
        }
    }

    #[test]
    fn every_byte_of_a_value_is_judged() {
        for byte in 0..=255_u8 {
            let allowed = byte == b'\t' || (byte >= b' ' && byte != 0x7f);
            assert_eq!(is_field_value(&[b'a', byte, b'a']), allowed, "{byte}");
            let at_an_end = allowed && !matches!(byte, b' ' | b'\t');
            assert_eq!(is_field_value(&[b'a', byte]), at_an_end, "{byte}");
            assert_eq!(is_field_value(&[byte, b'a']), at_an_end, "{byte}");
        }
        assert!(is_field_value(b""));
    }

    #[test]
    fn pseudo_names_have_their_lengths() {
        for name in [":authority", ":method", ":path", ":protocol", ":scheme", ":status"] {
            assert_eq!(Pseudo::find(name.as_bytes()).map(Pseudo::len), Some(name.len()));
        }
        assert_eq!(Pseudo::find(b":other"), None);
    }
}
