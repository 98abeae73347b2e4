//! What an HTTP/2 peer says of its connection: SETTINGS_MAX_CONCURRENT_STREAMS and GOAWAY, as soon as they arrive.
//!
//! hyper keeps both to itself, or tells with the next request. Whether a frame makes sense is for the HTTP/2 implementation.

/// Follows the peer's half of one HTTP/2 connection.
#[derive(Debug, Default)]
pub(crate) struct Scanner {
    header: [u8; HEADER_LEN],
    header_len: usize,
    payload_left: usize,
    /// The setting, or the fixed part of the GOAWAY, that is arriving.
    part: [u8; GOAWAY_LEN],
    part_len: usize,
    /// The limit in the SETTINGS frame that is arriving.
    streams_max: Option<u32>,
    is_settled: bool,
}

/// What a peer said.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Said {
    /// SETTINGS, with the limit on streams if there is one.
    Settings { streams_max: Option<u32>, is_first: bool },
    /// GOAWAY, with its error code.
    GoAway { code: u32 },
}

impl Scanner {
    /// Takes the next bytes.
    pub(crate) fn push(&mut self, mut bytes: &[u8], mut say: impl FnMut(Said)) {
        while !bytes.is_empty() {
            if self.header_len < HEADER_LEN {
                let take = bytes.len().min(HEADER_LEN - self.header_len);
                self.header[self.header_len..self.header_len + take].copy_from_slice(&bytes[..take]);
                self.header_len += take;
                bytes = &bytes[take..];
                if self.header_len < HEADER_LEN {
                    return;
                }
                let [high, middle, low, ..] = self.header;
                self.payload_left = u32::from_be_bytes([0, high, middle, low]) as usize;
            }
            let take = bytes.len().min(self.payload_left);
            let (payload, rest) = bytes.split_at(take);
            self.payload_left -= take;
            bytes = rest;
            match self.header[3] {
                SETTINGS if self.header[4] & ACK == 0 => self.settings(payload),
                GOAWAY => self.go_away(payload, &mut say),
                _ => {}
            }
            if self.payload_left == 0 {
                self.frame_ends(&mut say);
            }
        }
    }

    fn settings(&mut self, payload: &[u8]) {
        for byte in payload {
            self.part[self.part_len] = *byte;
            self.part_len += 1;
            if self.part_len == SETTING_LEN {
                let [id_high, id_low, value @ .., _, _] = self.part;
                if u16::from_be_bytes([id_high, id_low]) == MAX_CONCURRENT_STREAMS {
                    self.streams_max = Some(u32::from_be_bytes(value));
                }
                self.part_len = 0;
            }
        }
    }

    fn go_away(&mut self, payload: &[u8], say: &mut impl FnMut(Said)) {
        let take = payload.len().min(GOAWAY_LEN - self.part_len);
        if take == 0 {
            return;
        }
        self.part[self.part_len..self.part_len + take].copy_from_slice(&payload[..take]);
        self.part_len += take;
        if self.part_len == GOAWAY_LEN {
            let [_, _, _, _, code @ ..] = self.part;
            say(Said::GoAway { code: u32::from_be_bytes(code) });
        }
    }

    fn frame_ends(&mut self, say: &mut impl FnMut(Said)) {
        if self.header[3] == SETTINGS && self.header[4] & ACK == 0 {
            say(Said::Settings { streams_max: self.streams_max.take(), is_first: !self.is_settled });
            self.is_settled = true;
        }
        self.header_len = 0;
        self.part_len = 0;
    }
}

const HEADER_LEN: usize = 9;
const SETTING_LEN: usize = 6;
const GOAWAY_LEN: usize = 8;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const ACK: u8 = 1;
const MAX_CONCURRENT_STREAMS: u16 = 3;
/// What a peer that is asked too often answers.
pub(crate) const ENHANCE_YOUR_CALM: u32 = 11;

#[cfg(test)]
mod tests {
    use super::*;

    /// Whole, and in two parts cut at every place.
    fn check(bytes: &[u8], expected: &[Said]) {
        for cut in 0..=bytes.len() {
            let (mut scanner, mut said) = (Scanner::default(), Vec::new());
            for part in [&bytes[..cut], &bytes[cut..]] {
                scanner.push(part, |what| said.push(what));
            }
            assert_eq!(said, expected, "cut at {cut}");
        }
    }

    #[test]
    fn settings_say_how_many_streams() {
        let first = |streams_max| Said::Settings { streams_max, is_first: true };
        check(b"\0\0\0\x04\0\0\0\0\0", &[first(None)]);
        check(b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64", &[first(Some(100))]);
        check(b"\0\0\x0c\x04\0\0\0\0\0\0\x04\0\0\xff\xff\0\x03\0\0\0\x01", &[first(Some(1))]);
        check(b"\0\0\x06\x04\0\0\0\0\0\0\x05\0\0\xff\xff", &[first(None)]);
        check(
            b"\0\0\0\x04\0\0\0\0\0\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x07",
            &[first(None), Said::Settings { streams_max: Some(7), is_first: false }],
        );
    }

    #[test]
    fn an_acknowledgement_says_nothing() {
        check(b"\0\0\0\x04\x01\0\0\0\0", &[]);
    }

    #[test]
    fn a_goaway_is_seen_behind_other_frames() {
        check(
            b"\0\0\x03\0\x01\0\0\0\x01abc\0\0\x08\x07\0\0\0\0\0\0\0\0\x05\0\0\0\0",
            &[Said::GoAway { code: 0 }],
        );
        check(
            b"\0\0\x0b\x07\0\0\0\0\0\x7f\xff\xff\xff\0\0\0\x0bwhy\0\0\0\x04\0\0\0\0\0",
            &[Said::GoAway { code: 11 }, Said::Settings { streams_max: None, is_first: true }],
        );
    }

    #[test]
    fn frames_that_are_cut_short_say_nothing() {
        check(b"", &[]);
        check(b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0", &[]);
        check(b"\0\0\x07\x07\0\0\0\0\0\0\0\0\x05\0\0\0", &[]);
        check(b"HTTP/1.1 400 Bad Request\r\n\r\n", &[]);
    }
}
