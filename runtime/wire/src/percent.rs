//! Percent-encoding, as `grpc-message` and URL queries use it.

use std::borrow::Cow;

use bytes::{BufMut, BytesMut};

/// Appends `message` in the form of `grpc-message`: visible ASCII and spaces stay, but for `%`.
pub fn encode(message: &str, out: &mut BytesMut) {
    encode_except(message.as_bytes(), |byte| matches!(byte, b' '..=b'~') && byte != b'%', out);
}

/// Reads a `grpc-message`; there is none that cannot be read.
///
/// An escape without two hexadecimal digits stands for itself, and bytes that are not UTF-8 for U+FFFD:
/// gRPC asks its readers never to lose the rest of a message over such.
pub fn decode(value: &[u8]) -> Cow<'_, str> {
    if !value.contains(&b'%') {
        return String::from_utf8_lossy(value);
    }
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value;
    while let [first, tail @ ..] = rest {
        let (byte, tail) = match rest {
            [b'%', high, low, tail @ ..] => match escaped(*high, *low) {
                Some(byte) => (byte, tail),
                None => (b'%', &rest[1..]),
            },
            _ => (*first, tail),
        };
        bytes.push(byte);
        rest = tail;
    }
    Cow::Owned(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

/// Appends `bytes`, escaping those that are not `plain`.
pub(crate) fn encode_except(mut bytes: &[u8], plain: impl Fn(u8) -> bool, out: &mut BytesMut) {
    out.reserve(bytes.len());
    while !bytes.is_empty() {
        let run = bytes.iter().position(|byte| !plain(*byte)).unwrap_or(bytes.len());
        out.put_slice(&bytes[..run]);
        bytes = &bytes[run..];
        if let [byte, tail @ ..] = bytes {
            let digit = |value: u8| HEX_DIGITS[usize::from(value)];
            out.put_slice(&[b'%', digit(byte >> 4), digit(byte & 0x0f)]);
            bytes = tail;
        }
    }
}

/// The byte that two hexadecimal digits of either case stand for.
pub(crate) fn escaped(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    Some((digit(high)? << 4 | digit(low)?) as u8)
}

const HEX_DIGITS: &[u8; 16] = b"0123456789ABCDEF";

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes `message` as `value` and reads it back.
    #[track_caller]
    fn check(message: &str, value: &str) {
        let mut out = BytesMut::from(&b"before"[..]);
        encode(message, &mut out);
        assert_eq!(&out[6..], value.as_bytes());
        assert_eq!(decode(value.as_bytes()), message);
    }

    #[track_caller]
    fn check_decode(value: &[u8], want: &str) {
        assert_eq!(decode(value), want);
    }

    #[test]
    fn visible_ascii_and_spaces_stay() {
        let visible: String = (b' '..=b'~').filter(|byte| *byte != b'%').map(char::from).collect();
        check("", "");
        check(&visible, &visible);
    }

    #[test]
    fn everything_else_is_escaped() {
        check("100%", "100%25");
        check("\n...\r\n...\u{263a}...\u{1f608}\n", "%0A...%0D%0A...%E2%98%BA...%F0%9F%98%88%0A");
        check("\0\u{1f}\u{7f}\u{80}", "%00%1F%7F%C2%80");
        check("%41", "%2541");
        check("\t", "%09");
    }

    #[test]
    fn every_byte_below_0x80_survives() {
        for byte in 0..0x80u8 {
            let message = char::from(byte).to_string();
            let mut out = BytesMut::new();
            encode(&message, &mut out);
            assert!(out.iter().all(|byte| (b' '..=b'~').contains(byte)));
            check_decode(&out, &message);
        }
    }

    #[test]
    fn malformed_escapes_stand_for_themselves() {
        for value in ["%", "%%", "%4", "%G1", "%1G", "a%", "% 41", "%+1", "%-1", "%%4"] {
            check_decode(value.as_bytes(), value);
        }
        check_decode(b"%%41", "%A");
        check_decode(b"%4%41", "%4A");
        check_decode(b"%e2%98%BA", "\u{263a}");
    }

    #[test]
    fn bytes_that_are_not_utf8_are_replaced() {
        check_decode(b"a\xffb", "a\u{fffd}b");
        check_decode(b"a%FFb%41", "a\u{fffd}bA");
        check_decode(b"\xe2%98%BA", "\u{263a}");
    }

    #[test]
    fn nothing_to_escape_is_not_copied() {
        assert!(matches!(decode(b"plain text"), Cow::Borrowed(_)));
    }
}
