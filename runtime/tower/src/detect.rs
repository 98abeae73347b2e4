//! Which HTTP a connection speaks, from its first bytes.

use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt};

/// What every HTTP/2 client sends first (RFC 9113 §3.4).
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    Http1,
    Http2,
}

/// Reads until the version is certain, and hands back what was read.
pub(crate) async fn detect(io: &mut (impl AsyncRead + Unpin)) -> io::Result<(Version, BytesMut)> {
    let mut read = BytesMut::with_capacity(FIRST_READ);
    loop {
        if io.read_buf(&mut read).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let compared = read.len().min(PREFACE.len());
        if read[..compared] != PREFACE[..compared] {
            return Ok((Version::Http1, read));
        }
        if compared == PREFACE.len() {
            return Ok((Version::Http2, read));
        }
    }
}

// Enough for most first requests, so that detection costs no read of its own.
const FIRST_READ: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;
    use ringwire_testing::fuzz::Target;

    async fn check(bytes: &[u8], expected: Option<Version>) {
        for cut in 0..=bytes.len() {
            let mut io = (&bytes[..cut]).chain(&bytes[cut..]);
            match (detect(&mut io).await, expected) {
                (Ok((version, read)), Some(expected)) => {
                    assert_eq!(version, expected);
                    assert!(bytes.starts_with(&read));
                }
                (Err(error), None) => assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof),
                (found, expected) => panic!("{found:?} instead of {expected:?}"),
            }
        }
    }

    #[tokio::test]
    async fn the_preface_means_http2() {
        check(PREFACE, Some(Version::Http2)).await;
        check(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04", Some(Version::Http2)).await;
    }

    #[tokio::test]
    async fn anything_else_means_http1() {
        check(b"GET / HTTP/1.1\r\n", Some(Version::Http1)).await;
        check(b"PRI * HTTP/1.1\r\n", Some(Version::Http1)).await;
        check(b"P\xff", Some(Version::Http1)).await;
        check(b"\x16\x03\x01", Some(Version::Http1)).await;
    }

    #[tokio::test]
    async fn an_end_before_that_is_an_error() {
        check(b"", None).await;
        check(b"P", None).await;
        check(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r", None).await;
    }

    /// The first byte is how much of the preface stands before the others.
    fn certain_in_any_pieces(input: &[u8]) {
        let [preface, rest @ ..] = input else { return };
        let bytes = [&PREFACE[..usize::from(*preface) % (PREFACE.len() + 1)], rest].concat();
        let expected = if bytes.starts_with(PREFACE) {
            Some(Version::Http2)
        } else if PREFACE.starts_with(&bytes) {
            None
        } else {
            Some(Version::Http1)
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(check(&bytes, expected));
    }

    #[test]
    fn any_bytes_are_certain_in_any_pieces() {
        let target = Target {
            name: "detect",
            run: certain_in_any_pieces,
            seeds: &[b"\0GET / HTTP/1.1\r\n", b"\x18\0\0\0\x04", b"\x10\r\n\r\nSM\r\n\r\n"],
        };
        target.replay("runtime/tower", "no corpus", 1_000);
    }
}
