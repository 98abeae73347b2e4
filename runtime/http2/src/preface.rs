//! Detection of HTTP/2 by its preface, on a port that serves HTTP/1 as well.

use crate::frame::PREFACE;

/// The version of HTTP that a client speaks, by its first bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Preface {
    /// HTTP/2 by prior knowledge.
    Http2,
    /// Another version.
    Other,
    /// There are too few bytes to tell.
    Short,
}

/// Tells HTTP/2 from other versions by the first bytes of a client.
pub fn preface(bytes: &[u8]) -> Preface {
    if bytes.starts_with(PREFACE) {
        Preface::Http2
    } else if PREFACE.starts_with(bytes) {
        Preface::Short
    } else {
        Preface::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_beginning_of_the_preface_is_short() {
        for len in 0..PREFACE.len() {
            assert_eq!(preface(&PREFACE[..len]), Preface::Short);
            let other = [&PREFACE[..len], b"x"].concat();
            assert_eq!(preface(&other), Preface::Other);
        }
        assert_eq!(preface(PREFACE), Preface::Http2);
        assert_eq!(preface(&[&PREFACE[..], b"more"].concat()), Preface::Http2);
        assert_eq!(preface(b"POST / HTTP/1.1\r\n"), Preface::Other);
    }
}
