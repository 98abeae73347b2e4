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
    for block in ["a", ": b", "a b: c", "a: b\r\n folded", "a : b", "a: b\rc", "a: \0", "\u{e9}: b", "\r"] {
        let want = (block == "\r").then_some(&[][..]);
        check(block, want);
    }
    assert!(parse(b"\xff: a").is_err());
}

#[test]
fn as_many_trailers_as_are_allowed_and_no_more() {
    assert_eq!(parse(&b"a:\n".repeat(TRAILERS_MAX)).unwrap().len(), TRAILERS_MAX);
    assert!(parse(&b"a:\n".repeat(TRAILERS_MAX + 1)).is_err());
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
