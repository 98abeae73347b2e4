//! Base64 ([RFC 4648](https://www.rfc-editor.org/rfc/rfc4648)) in its two alphabets.
//!
//! Encoders write no padding, except where the name says so. Decoders take text with all of its padding
//! or with none, and refuse every other character, white space included. Bits that the last character
//! has to spare are ignored, as the other implementations of these protocols do.

use bytes::{BufMut, BytesMut};

use crate::Malformed;

/// Which characters stand for 62 and 63.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Alphabet {
    /// `+` and `/`: headers, JSON, gRPC-Web text.
    Standard,
    /// `-` and `_`: URLs.
    Url,
}

/// Appends `bytes` without padding.
pub fn encode(alphabet: Alphabet, bytes: &[u8], out: &mut BytesMut) {
    let characters = alphabet.characters();
    out.reserve(encoded_len(bytes.len()));
    let (triples, last) = bytes.as_chunks::<3>();
    for &[a, b, c] in triples {
        out.put_slice(&quantum(characters, [a, b, c]));
    }
    match *last {
        [] => {}
        [a] => out.put_slice(&quantum(characters, [a, 0, 0])[..2]),
        [a, b] => out.put_slice(&quantum(characters, [a, b, 0])[..3]),
        _ => unreachable!("a rest of triples is shorter than three"),
    }
}

/// Appends `bytes` with padding to a multiple of four characters.
pub fn encode_padded(alphabet: Alphabet, bytes: &[u8], out: &mut BytesMut) {
    encode(alphabet, bytes, out);
    out.put_bytes(b'=', (3 - bytes.len() % 3) % 3);
}

/// How many characters [`encode`] appends for `len` bytes.
pub const fn encoded_len(len: usize) -> usize {
    len / 3 * 4 + (len % 3 * 4).div_ceil(3)
}

/// Appends the bytes that `text`, padded or not, stands for; on error, `out` is as it was.
pub fn decode(alphabet: Alphabet, text: &[u8], out: &mut BytesMut) -> Result<(), Malformed> {
    let start = out.len();
    let decoded = decode_unpadded(alphabet.values(), without_padding(text)?, out);
    if decoded.is_err() {
        out.truncate(start);
    }
    decoded
}

/// Decodes text that arrives in chunks.
///
/// The text may be several texts end to end, each with its own padding, as writers produce that encode
/// chunk by chunk.
#[derive(Debug)]
pub struct StreamDecoder {
    alphabet: Alphabet,
    quantum: [u8; 4],
    len: usize,
}

impl StreamDecoder {
    /// Starts before the first character.
    pub const fn new(alphabet: Alphabet) -> Self {
        Self { alphabet, quantum: [0; 4], len: 0 }
    }

    /// Appends what can be decoded of the text so far; up to three characters are kept for later.
    ///
    /// After an error, the text cannot be decoded further.
    pub fn decode(&mut self, mut chunk: &[u8], out: &mut BytesMut) -> Result<(), Malformed> {
        while !chunk.is_empty() {
            if self.len == 0 {
                let plain = chunk.iter().position(|byte| *byte == b'=').unwrap_or(chunk.len());
                let (quanta, rest) = chunk.split_at(plain / 4 * 4);
                decode_unpadded(self.alphabet.values(), quanta, out)?;
                chunk = rest;
            }
            let take = chunk.len().min(4 - self.len);
            self.quantum[self.len..self.len + take].copy_from_slice(&chunk[..take]);
            self.len += take;
            chunk = &chunk[take..];
            if self.len == 4 {
                self.len = 0;
                decode(self.alphabet, &self.quantum, out)?;
            }
        }
        Ok(())
    }

    /// Appends what the last characters stand for, if the text ends without padding.
    pub fn finish(self, out: &mut BytesMut) -> Result<(), Malformed> {
        decode(self.alphabet, &self.quantum[..self.len], out)
    }
}

impl Alphabet {
    const fn characters(self) -> &'static [u8; 64] {
        match self {
            Self::Standard => STANDARD,
            Self::Url => URL,
        }
    }

    const fn values(self) -> &'static [u8; 256] {
        match self {
            Self::Standard => &STANDARD_VALUES,
            Self::Url => &URL_VALUES,
        }
    }
}

const fn quantum(characters: &[u8; 64], [a, b, c]: [u8; 3]) -> [u8; 4] {
    [
        characters[(a >> 2) as usize],
        characters[((a & 0x03) << 4 | b >> 4) as usize],
        characters[((b & 0x0f) << 2 | c >> 6) as usize],
        characters[(c & 0x3f) as usize],
    ]
}

/// Padding fills the last quantum to four characters; text without any is the same text.
fn without_padding(text: &[u8]) -> Result<&[u8], Malformed> {
    let ([inner @ .., b'=', b'='] | [inner @ .., b'=']) = text else {
        return Ok(text);
    };
    if text.len().is_multiple_of(4) { Ok(inner) } else { Err(MALFORMED) }
}

fn decode_unpadded(values: &[u8; 256], text: &[u8], out: &mut BytesMut) -> Result<(), Malformed> {
    out.reserve(text.len() / 4 * 3 + 2);
    let (quanta, last) = text.as_chunks::<4>();
    for &[a, b, c, d] in quanta {
        out.put_slice(&triple(values, [a, b, c, d])?);
    }
    let zero = values.iter().position(|value| *value == 0).expect("an alphabet has a zero") as u8;
    match *last {
        [] => {}
        [a, b] => out.put_slice(&triple(values, [a, b, zero, zero])?[..1]),
        [a, b, c] => out.put_slice(&triple(values, [a, b, c, zero])?[..2]),
        _ => return Err(MALFORMED),
    }
    Ok(())
}

fn triple(values: &[u8; 256], quantum: [u8; 4]) -> Result<[u8; 3], Malformed> {
    let [a, b, c, d] = quantum.map(|character| values[character as usize]);
    // Values have six bits; `NONE` has all eight.
    if (a | b | c | d) == NONE {
        return Err(MALFORMED);
    }
    Ok([a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d])
}

const fn invert(characters: &[u8; 64]) -> [u8; 256] {
    let mut values = [NONE; 256];
    let mut value = 0;
    while value < 64 {
        values[characters[value] as usize] = value as u8;
        value += 1;
    }
    values
}

const MALFORMED: Malformed = Malformed { format: "base64" };
const NONE: u8 = 0xff;
const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static STANDARD_VALUES: [u8; 256] = invert(STANDARD);
static URL_VALUES: [u8; 256] = invert(URL);

#[cfg(test)]
mod tests;
