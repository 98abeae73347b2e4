//! Where the frames that an HTTP/2 peer sends begin and end: enough to see that it started something and stopped.
//!
//! Only lengths are read; whether a frame makes sense is for the HTTP/2 implementation to say.

/// Follows the peer's half of one HTTP/2 connection.
#[derive(Debug)]
pub(crate) struct Scanner {
    preface_left: usize,
    header: [u8; FRAME_HEADER_LEN],
    header_len: usize,
    payload_left: usize,
    in_data: bool,
    in_block: bool,
    settings_seen: bool,
}

/// What a peer has begun and not finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfinished {
    Nothing,
    /// The preface with its SETTINGS, a frame other than DATA, or a header block.
    Head,
    /// A DATA frame.
    Data,
}

impl Scanner {
    pub(crate) fn new() -> Self {
        Self {
            preface_left: PREFACE_LEN,
            header: [0; FRAME_HEADER_LEN],
            header_len: 0,
            payload_left: 0,
            in_data: false,
            in_block: false,
            settings_seen: false,
        }
    }

    /// Takes the next bytes; says whether a frame, or a whole header block, ended among them.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) -> bool {
        let mut ended = false;
        skip(&mut bytes, &mut self.preface_left);
        while !bytes.is_empty() {
            if self.payload_left == 0 {
                let take = bytes.len().min(FRAME_HEADER_LEN - self.header_len);
                self.header[self.header_len..self.header_len + take].copy_from_slice(&bytes[..take]);
                self.header_len += take;
                bytes = &bytes[take..];
                if self.header_len < FRAME_HEADER_LEN {
                    break;
                }
                self.frame_begins();
            }
            skip(&mut bytes, &mut self.payload_left);
            if self.payload_left == 0 {
                self.header_len = 0;
                self.in_data = false;
                ended |= !self.in_block;
            }
        }
        ended
    }

    pub(crate) fn unfinished(&self) -> Unfinished {
        if self.in_data {
            Unfinished::Data
        } else if !self.settings_seen || self.header_len > 0 || self.in_block {
            Unfinished::Head
        } else {
            Unfinished::Nothing
        }
    }

    fn frame_begins(&mut self) {
        let [a, b, c, kind, flags, ..] = self.header;
        self.payload_left = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
        self.in_data = kind == DATA && self.payload_left > 0;
        match kind {
            HEADERS | CONTINUATION => self.in_block = flags & END_HEADERS == 0,
            SETTINGS => self.settings_seen = true,
            _ => {}
        }
    }
}

fn skip(bytes: &mut &[u8], left: &mut usize) {
    let take = bytes.len().min(*left);
    *bytes = &bytes[take..];
    *left -= take;
}

const PREFACE_LEN: usize = crate::detect::PREFACE.len();
const FRAME_HEADER_LEN: usize = 9;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use ringwire_testing::{chop::Chop, fuzz::Target};

    /// Feeds `frames` after the preface, cut at every place, and compares what is unfinished at the end.
    fn check(frames: &[(usize, u8, u8)], cut_tail: usize, unfinished: Unfinished) {
        let mut bytes = crate::detect::PREFACE.to_vec();
        for &(len, kind, flags) in frames {
            bytes.extend_from_slice(&[0, (len >> 8) as u8, len as u8, kind, flags, 0, 0, 0, 1]);
            bytes.resize(bytes.len() + len, b'x');
        }
        bytes.truncate(bytes.len() - cut_tail);
        for cut in 0..=bytes.len() {
            let mut scanner = Scanner::new();
            scanner.push(&bytes[..cut]);
            scanner.push(&bytes[cut..]);
            assert_eq!(scanner.unfinished(), unfinished, "cut at {cut}");
        }
    }

    #[test]
    fn the_preface_is_finished_by_settings() {
        check(&[], 0, Unfinished::Head);
        check(&[(0, SETTINGS, 0)], 0, Unfinished::Nothing);
        check(&[(6, SETTINGS, 0)], 0, Unfinished::Nothing);
        check(&[(6, SETTINGS, 0)], 1, Unfinished::Head);
        check(&[(6, SETTINGS, 0)], 7, Unfinished::Head);
    }

    #[test]
    fn a_header_block_ends_with_its_flag() {
        check(&[(0, SETTINGS, 0), (10, HEADERS, END_HEADERS)], 0, Unfinished::Nothing);
        check(&[(0, SETTINGS, 0), (10, HEADERS, 0)], 0, Unfinished::Head);
        check(&[(0, SETTINGS, 0), (10, HEADERS, 0), (0, CONTINUATION, 0)], 0, Unfinished::Head);
        check(&[(0, SETTINGS, 0), (10, HEADERS, 0), (3, CONTINUATION, END_HEADERS)], 0, Unfinished::Nothing);
    }

    #[test]
    fn a_partial_frame_is_unfinished() {
        check(&[(0, SETTINGS, 0), (300, DATA, 0)], 0, Unfinished::Nothing);
        check(&[(0, SETTINGS, 0), (300, DATA, 0)], 1, Unfinished::Data);
        check(&[(0, SETTINGS, 0), (300, DATA, 0)], 301, Unfinished::Head);
        check(&[(0, SETTINGS, 0), (0, DATA, 1)], 0, Unfinished::Nothing);
        check(&[(0, SETTINGS, 0), (8, 6, 0)], 8, Unfinished::Head);
    }

    #[test]
    fn an_end_is_told_once_per_frame_or_block() {
        let mut scanner = Scanner::new();
        assert!(!scanner.push(crate::detect::PREFACE));
        assert!(scanner.push(&[0, 0, 0, SETTINGS, 0, 0, 0, 0, 0]));
        assert!(!scanner.push(&[0, 0, 1, HEADERS, 0, 0, 0, 0, 1, b'x']));
        assert!(!scanner.push(&[0, 0, 0, CONTINUATION, 0, 0, 0, 0, 1]));
        assert!(scanner.push(&[0, 0, 0, CONTINUATION, END_HEADERS, 0, 0, 0, 1]));
    }

    /// What a peer sends behind the preface.
    fn seen_alike_in_any_pieces(input: &[u8]) {
        let bytes = [crate::detect::PREFACE, input].concat();
        let mut whole = Scanner::new();
        let ended = whole.push(&bytes);
        for chop in [Chop::At(bytes.len() - input.len() / 2), Chop::Bytes, Chop::Seeded(input.len() as u64)] {
            let mut chopped = Scanner::new();
            let ends = chop.pieces(&bytes).into_iter().filter(|piece| chopped.push(piece)).count();
            assert_eq!(ends > 0, ended, "{chop:?}");
            assert_eq!(chopped.unfinished(), whole.unfinished(), "{chop:?}");
            assert_eq!(chopped.payload_left, whole.payload_left, "{chop:?}");
            assert_eq!(chopped.header_len, whole.header_len, "{chop:?}");
        }
    }

    #[test]
    fn any_bytes_are_seen_alike_in_any_pieces() {
        let target = Target {
            name: "scan",
            run: seen_alike_in_any_pieces,
            seeds: &[
                b"\0\0\0\x04\0\0\0\0\0\0\0\x02\x01\0\0\0\0\x01ab\0\0\x01\x09\x04\0\0\0\x01c",
                b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64\0\0\x03\0\x01\0\0\0\x01xyz\0\0\x08\x06\0\0\0\0\0",
                b"\xff\xff\xff\xff\xff\xff\xff\xff\xff",
            ],
        };
        target.replay("runtime/tower", "no corpus", 10_000);
    }
}
