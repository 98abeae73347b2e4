//! Bodies in base64 that arrive in chunks cut anywhere.

use bytes::BytesMut;
use ringwire_wire::Malformed;
use ringwire_wire::base64::{self, Alphabet};

/// Decodes base64 whose every four characters may end in padding: writers pad each piece that they flush.
#[derive(Debug, Default)]
pub(crate) struct TextDecoder {
    partial: [u8; QUAD],
    partial_len: usize,
}

impl TextDecoder {
    /// Appends the bytes that `text`, with what was left of the chunk before, stands for; `end` marks the last chunk.
    ///
    /// On an error, `out` has the bytes of all that comes before it.
    pub(crate) fn decode(&mut self, text: &[u8], end: bool, out: &mut BytesMut) -> Result<(), Malformed> {
        out.reserve(text.len() / QUAD * 3 + QUAD);
        let mut rest = text;
        if self.partial_len > 0 {
            let take = rest.len().min(QUAD - self.partial_len);
            self.keep(&rest[..take]);
            rest = &rest[take..];
            if self.partial_len == QUAD {
                base64::decode(Alphabet::Standard, &self.partial, out)?;
                self.partial_len = 0;
            }
        }
        let (mut quads, tail) = rest.split_at(rest.len() / QUAD * QUAD);
        while !quads.is_empty() {
            let padded = quads.iter().position(|byte| *byte == b'=').map(|at| (at / QUAD + 1) * QUAD);
            let (run, after) = quads.split_at(padded.unwrap_or(quads.len()));
            if base64::decode(Alphabet::Standard, run, out).is_err() {
                return run.chunks(QUAD).try_for_each(|quad| base64::decode(Alphabet::Standard, quad, out));
            }
            quads = after;
        }
        self.keep(tail);
        if end && self.partial_len > 0 {
            // The last piece may come without its padding.
            base64::decode(Alphabet::Standard, &self.partial[..self.partial_len], out)?;
        }
        Ok(())
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

    /// Decodes `text` cut in three at every pair of places, and expects `want` each time, then an error or none.
    #[track_caller]
    fn check(text: &str, want: &str, is_whole: bool) {
        let text = text.as_bytes();
        for first in 0..=text.len() {
            for second in first..=text.len() {
                let mut decoder = TextDecoder::default();
                let mut got = BytesMut::new();
                let decoded = decoder
                    .decode(&text[..first], false, &mut got)
                    .and_then(|()| decoder.decode(&text[first..second], false, &mut got))
                    .and_then(|()| decoder.decode(&text[second..], true, &mut got));
                assert_eq!(
                    (&got[..], decoded.is_ok()),
                    (want.as_bytes(), is_whole),
                    "cut at {first} and {second}"
                );
            }
        }
    }

    #[test]
    fn whole_quads() {
        check("", "", true);
        check("YWJj", "abc", true);
        check("YWJjZGVm", "abcdef", true);
    }

    #[test]
    fn padding_in_the_middle() {
        check("YQ==YWI=YWJjYQ==", "aababca", true);
    }

    #[test]
    fn missing_padding_at_the_end() {
        check("YWJjYWI", "abcab", true);
    }

    #[test]
    fn garbage() {
        check("YW*j", "", false);
        check("YWJjY===YWJj", "abc", false);
        check("YWJj=YWJ", "abc", false);
        check("YWJjY", "abc", false);
    }
}
