//! Trailers as a block of text, for responses that cannot carry HTTP trailers: `name: value` lines.
//!
//! Written as gRPC-Web specifies (lower-case names, CRLF); read as its servers are known to write.

use bytes::{BufMut, BytesMut};

use crate::{Malformed, Metadata};

/// Appends one line; `name` is lower-case and `value` without control characters.
pub fn write(name: &str, value: &[u8], out: &mut BytesMut) {
    out.reserve(name.len() + value.len() + 4);
    out.put_slice(name.as_bytes());
    out.put_slice(b": ");
    out.put_slice(value);
    out.put_slice(b"\r\n");
}

/// Reads a block: names of any case, lines that end in LF or CRLF, the last perhaps in neither.
///
/// A repeated name keeps all of its values. Empty lines are passed over.
pub fn parse(block: &[u8]) -> Result<Metadata, Malformed> {
    let mut trailers = Metadata::new();
    for line in block.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            continue;
        }
        let colon = line.iter().position(|byte| *byte == b':').ok_or(MALFORMED)?;
        let name = std::str::from_utf8(&line[..colon]).map_err(|_| MALFORMED)?;
        trailers.append_received(name, &line[colon + 1..]).map_err(|_| MALFORMED)?;
    }
    Ok(trailers)
}

const MALFORMED: Malformed = Malformed { format: "trailers" };

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads `block`, as it is and with LF for CRLF, and expects these trailers in order.
    #[track_caller]
    fn check(block: &str, want: Option<&[(&str, &str)]>) {
        for block in [block.to_owned(), block.replace("\r\n", "\n")] {
            let got = parse(block.as_bytes()).ok();
            let got = got.as_ref().map(|trailers| trailers.iter().collect::<Vec<_>>());
            let want: Option<Vec<_>> =
                want.map(|want| want.iter().map(|(name, value)| (*name, value.as_bytes())).collect());
            assert_eq!(got, want, "{block:?}");
        }
    }

    #[test]
    fn lines_become_trailers() {
        check("", Some(&[]));
        check("\r\n", Some(&[]));
        check("grpc-status: 0\r\n", Some(&[("grpc-status", "0")]));
        check("grpc-status:0", Some(&[("grpc-status", "0")]));
        check("a:\r\nb: \r\n\r\nc: : \r\n", Some(&[("a", ""), ("b", ""), ("c", ":")]));
    }

    #[test]
    fn names_of_any_case_and_repeated_names() {
        check(
            "Grpc-Status: 0\r\nX-A: 1\r\nx-a:\t2 \r\n",
            Some(&[("grpc-status", "0"), ("x-a", "1"), ("x-a", "2")]),
        );
    }

    #[test]
    fn malformed_lines() {
        for block in ["a", ": b", "a b: c", "a: b\r\n folded", "a : b", "a: b\rc", "a: \0", "\u{e9}: b", "\r"]
        {
            let want = (block == "\r").then_some(&[][..]);
            check(block, want);
        }
        assert!(parse(b"\xff: a").is_err());
    }

    #[test]
    fn every_truncation_is_read_or_refused() {
        let block = b"grpc-status: 13\r\ngrpc-message: a%0Ab\r\n";
        let readable = (0..=block.len()).filter(|end| parse(&block[..*end]).is_ok()).count();
        // A block may end anywhere but inside a name.
        assert_eq!(readable, block.len() + 1 - "grpc-status".len() - "grpc-message".len());
    }

    #[test]
    fn written_lines_read_back() {
        let mut out = BytesMut::new();
        write("grpc-status", b"0", &mut out);
        write("x-a", b"\xc3\xa9, b", &mut out);
        assert_eq!(&out[..], b"grpc-status: 0\r\nx-a: \xc3\xa9, b\r\n");
        check(std::str::from_utf8(&out).unwrap(), Some(&[("grpc-status", "0"), ("x-a", "\u{e9}, b")]));
    }
}
