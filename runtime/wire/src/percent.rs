//! Percent-encoding, as `grpc-message` and URL queries use it.

use std::borrow::Cow;

use bytes::{BufMut, BytesMut};

/// Appends `message` in the form of `grpc-message`: visible ASCII and spaces stay, but for `%`.
pub fn encode(message: &str, out: &mut BytesMut) {
    encode_except(message.as_bytes(), |byte| is_plain(u32::from(byte)), out);
}

/// Appends as much of `message` as fits in `len_max` bytes, whole characters only; where it is cut, an ellipsis ends it.
pub fn encode_within(message: &str, len_max: usize, out: &mut BytesMut) {
    let (mut len, mut end) = (0, None);
    for (at, char) in message.char_indices() {
        len += if is_plain(u32::from(char)) { 1 } else { 3 * char.len_utf8() };
        if len > len_max.saturating_sub(CUT_ENCODED_LEN) {
            end = end.or(Some(at));
        }
        if len > len_max {
            encode(&message[..end.unwrap_or(at)], out);
            if len_max >= CUT_ENCODED_LEN {
                encode(CUT, out);
            }
            return;
        }
    }
    encode(message, out);
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

fn is_plain(char: u32) -> bool {
    matches!(char, 0x20..=0x7e) && char != 0x25
}

const CUT: &str = "…";
const CUT_ENCODED_LEN: usize = 3 * CUT.len();
const HEX_DIGITS: &[u8; 16] = b"0123456789ABCDEF";

#[cfg(test)]
mod tests;
