//! Bodies in base64 that arrive in chunks cut anywhere.

use bytes::{Bytes, BytesMut};
use ringwire_wire::Malformed;
use ringwire_wire::base64::{self, Alphabet};

/// Decodes base64 whose every four characters may end in padding: writers pad each piece that they flush.
#[derive(Debug, Default)]
pub(crate) struct TextDecoder {
    partial: [u8; QUAD],
    partial_len: usize,
}

impl TextDecoder {
    /// The bytes that `text`, with what was left of the chunk before, stands for; `end` marks the last chunk.
    pub(crate) fn decode(&mut self, text: &[u8], end: bool) -> Result<Bytes, Malformed> {
        let mut out = BytesMut::with_capacity(text.len() / QUAD * 3 + QUAD);
        let mut rest = text;
        if self.partial_len > 0 {
            let take = rest.len().min(QUAD - self.partial_len);
            self.keep(&rest[..take]);
            rest = &rest[take..];
            if self.partial_len == QUAD {
                base64::decode(Alphabet::Standard, &self.partial, &mut out)?;
                self.partial_len = 0;
            }
        }
        let (mut quads, tail) = rest.split_at(rest.len() / QUAD * QUAD);
        while !quads.is_empty() {
            let padded = quads.iter().position(|byte| *byte == b'=').map(|at| (at / QUAD + 1) * QUAD);
            let (run, after) = quads.split_at(padded.unwrap_or(quads.len()));
            base64::decode(Alphabet::Standard, run, &mut out)?;
            quads = after;
        }
        self.keep(tail);
        if end && self.partial_len > 0 {
            // The last piece may come without its padding.
            base64::decode(Alphabet::Standard, &self.partial[..self.partial_len], &mut out)?;
        }
        Ok(out.freeze())
    }

    fn keep(&mut self, text: &[u8]) {
        self.partial[self.partial_len..self.partial_len + text.len()].copy_from_slice(text);
        self.partial_len += text.len();
    }
}

// Four characters stand for three bytes.
const QUAD: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes `text` cut in three at every pair of places, and expects `want` each time.
    #[track_caller]
    fn check(text: &str, want: Option<&str>) {
        let text = text.as_bytes();
        for first in 0..=text.len() {
            for second in first..=text.len() {
                let mut decoder = TextDecoder::default();
                let mut decode = || {
                    let mut got = Vec::new();
                    got.extend_from_slice(&decoder.decode(&text[..first], false)?);
                    got.extend_from_slice(&decoder.decode(&text[first..second], false)?);
                    got.extend_from_slice(&decoder.decode(&text[second..], true)?);
                    Ok::<_, Malformed>(got)
                };
                assert_eq!(decode().ok().as_deref(), want.map(str::as_bytes), "cut at {first} and {second}");
            }
        }
    }

    #[test]
    fn whole_quads() {
        check("", Some(""));
        check("YWJj", Some("abc"));
        check("YWJjZGVm", Some("abcdef"));
    }

    #[test]
    fn padding_in_the_middle() {
        check("YQ==YWI=YWJjYQ==", Some("aababca"));
    }

    #[test]
    fn missing_padding_at_the_end() {
        check("YWJjYWI", Some("abcab"));
    }

    #[test]
    fn garbage() {
        check("YW*j", None);
        check("Y===", None);
        check("=YWJ", None);
        check("YWJjY", None);
    }
}
