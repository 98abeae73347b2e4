use super::*;
use ringwire_hpack::Encoder;

fn block(lines: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = Encoder::new(Names::HTTP);
    let mut block = encoder.block(&mut out);
    for (name, value) in lines {
        block.append(name, value.as_bytes());
    }
    out
}

fn heads() -> Heads {
    Heads::new(Names::HTTP, 16_384)
}

/// The lines of a request that is well formed, without those that `but` names, and with `more`.
fn request(but: &[&str], more: &[(&str, &str)]) -> Read<Head> {
    let lines = [(":method", "POST"), (":scheme", "https"), (":path", "/a?b"), (":authority", "a.example")];
    let lines: Vec<_> =
        lines.into_iter().filter(|(name, _)| !but.contains(name)).chain(more.iter().copied()).collect();
    heads().request(&block(&lines)).expect("a block")
}

fn whole(read: Read<Head>) -> Head {
    match read {
        Read::Whole { head, .. } => head,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_request_has_its_parts() {
    let head = whole(request(&[], &[("te", "trailers"), ("x-a", "1")]));
    assert_eq!((head.method(), head.target(), head.authority()), (&Method::Post, "/a?b", Some("a.example")));
    assert_eq!((head.scheme(), head.version()), (Some(Scheme::Https), Version::Http2));
    let fields: Vec<_> = head.fields().iter().map(|field| (field.name, field.value)).collect();
    assert_eq!(fields, [("te", &b"trailers"[..]), ("x-a", b"1")]);
}

/// RFC 9113, sections 8.2.1, 8.2.2, 8.3 and 8.3.1.
#[test]
fn malformed_requests_are_refused() {
    for (but, more) in [
        (&[":method"][..], &[][..]),
        (&[":scheme"], &[]),
        (&[":path"], &[]),
        (&[], &[(":method", "POST")]),
        (&[], &[(":scheme", "https")]),
        (&[], &[(":path", "/")]),
        (&[], &[(":authority", "a.example")]),
        (&[], &[(":status", "200")]),
        (&[], &[(":other", "1")]),
        (&[], &[(":protocol", "websocket")]),
        (&[":path"], &[("x-a", "1"), (":path", "/")]),
        (&[":path"], &[("cookie", "1"), (":path", "/")]),
        (&[":path"], &[(":path", "")]),
        (&[":path"], &[(":path", "a")]),
        (&[":path"], &[(":path", "*")]),
        (&[":path"], &[(":path", "/a b")]),
        (&[":method"], &[(":method", "PO ST")]),
        (&[":method"], &[(":method", "")]),
        (&[":scheme"], &[(":scheme", "")]),
        (&[":scheme"], &[(":scheme", "1a")]),
        (&[":authority"], &[(":authority", "user@a.example")]),
        (&[], &[("host", "b.example")]),
        (&[], &[("X-Upper", "1")]),
        (&[], &[("", "1")]),
        (&[], &[("connection", "close")]),
        (&[], &[("keep-alive", "1")]),
        (&[], &[("proxy-connection", "close")]),
        (&[], &[("transfer-encoding", "chunked")]),
        (&[], &[("upgrade", "h2c")]),
        (&[], &[("te", "gzip")]),
        (&[], &[("te", "trailers, gzip")]),
        (&[], &[("content-length", "")]),
        (&[], &[("content-length", "+1")]),
        (&[], &[("content-length", "1, 1")]),
        (&[], &[("content-length", "18446744073709551616")]),
        (&[], &[("content-length", "1"), ("content-length", "2")]),
    ] {
        assert!(matches!(request(but, more), Read::Malformed), "without {but:?}, with {more:?}");
    }
}

#[test]
fn unusual_requests_are_taken() {
    for (but, more) in [
        (&[":authority"][..], &[][..]),
        (&[], &[("host", "A.example")]),
        (&[], &[("te", "Trailers")]),
        (&[":scheme"], &[(":scheme", "coap+tcp")]),
        (&[":method", ":path"], &[(":method", "OPTIONS"), (":path", "*")]),
        (&[":method"], &[(":method", "FIND")]),
        (&[], &[("content-length", "18446744073709551615")]),
        (&[], &[("content-length", "1"), ("content-length", "1")]),
    ] {
        whole(request(but, more));
    }
    assert_eq!(whole(request(&[":scheme"], &[(":scheme", "coap")])).scheme(), None);
    assert_eq!(whole(request(&[":authority"], &[("host", "b.example")])).authority(), Some("b.example"));
}

/// RFC 9113, section 8.5.
#[test]
fn connect_has_an_authority_and_nothing_else() {
    let head = whole(request(&[":method", ":scheme", ":path"], &[(":method", "CONNECT")]));
    assert_eq!((head.method(), head.target(), head.authority()), (&Method::Connect, "", Some("a.example")));
    for but in [
        &[":method"][..],
        &[":method", ":scheme"],
        &[":method", ":path"],
        &[":method", ":scheme", ":path", ":authority"],
    ] {
        assert!(matches!(request(but, &[(":method", "CONNECT")]), Read::Malformed), "{but:?}");
    }
}

/// RFC 9113, section 8.2.3.
#[test]
fn cookie_crumbs_are_joined() {
    let head = whole(request(&[], &[("cookie", "a=1"), ("x-a", "1"), ("cookie", "b=2"), ("cookie", "c=3")]));
    let fields: Vec<_> = head.fields().iter().map(|field| (field.name, field.value)).collect();
    assert_eq!(fields, [("x-a", &b"1"[..]), ("cookie", b"a=1; b=2; c=3")]);
}

#[test]
fn the_same_block_over_the_same_table_is_the_same_head() {
    let mut heads = heads();
    let lines = [(":method", "POST"), (":scheme", "http"), (":path", "/a"), ("content-length", "5")];
    let plain = block(&lines);
    let mut read = |block: &[u8]| match heads.request(block).unwrap() {
        Read::Whole { head, content_length } => (head, content_length),
        other => panic!("{other:?}"),
    };
    let (first, length) = read(&plain);
    assert_eq!(length, Some(5));
    let (second, length) = read(&plain);
    assert!(first.is(&second) && length == Some(5));
    // A block that changes the table changes what the others may mean.
    let insert = [&plain[..], b"\x40\x01a\x01b"].concat();
    let (third, _) = read(&insert);
    let (fourth, _) = read(&insert);
    assert!(!third.is(&fourth));
    assert!(!read(&plain).0.is(&first));
    let indexed = [&plain[..], b"\xbe"].concat();
    let (fifth, _) = read(&indexed);
    assert_eq!(fifth.get("a"), Some(&b"b"[..]));
    assert!(read(&indexed).0.is(&fifth));
}

#[test]
fn the_heads_that_are_kept_are_bounded() {
    let mut heads = heads();
    let path = |n: usize| block(&[(":method", "GET"), (":scheme", "http"), (":path", &format!("/{n}"))]);
    for n in 0..3 * HEADS_KEPT {
        whole(heads.request(&path(n)).unwrap());
        assert!(heads.kept.len() <= HEADS_KEPT);
    }
    let last = whole(heads.request(&path(3 * HEADS_KEPT - 1)).unwrap());
    assert!(last.is(&whole(heads.request(&path(3 * HEADS_KEPT - 1)).unwrap())));
    for (len, kept) in [(BLOCK_KEPT, true), (BLOCK_KEPT + 1, false)] {
        let mut long = path(0);
        long.extend_from_slice(b"\x00\x01a\x7f\x81\x00");
        let rest = len - long.len();
        let mut long = path(0);
        long.extend_from_slice(b"\x00\x01a\x7f");
        long.extend_from_slice(&[0x80 | ((rest - 127) % 128) as u8, ((rest - 127) / 128) as u8]);
        long.extend(std::iter::repeat_n(b'x', rest));
        assert_eq!(long.len(), len);
        let first = whole(heads.request(&long).unwrap());
        assert_eq!(first.is(&whole(heads.request(&long).unwrap())), kept, "{len}");
    }
}

#[test]
fn lists_are_bounded() {
    let lines = [(":method", "GET"), (":scheme", "http"), (":path", "/")];
    let size = 42 + 43 + 38;
    for (list_max, fits) in [(size - 1, false), (size, true), (size + 1, true)] {
        let read = Heads::new(Names::HTTP, list_max).request(&block(&lines)).unwrap();
        assert_eq!(matches!(read, Read::Whole { .. }), fits, "{list_max}: {read:?}");
        assert_eq!(matches!(read, Read::TooLarge { .. }), !fits);
    }
}

fn response(lines: &[(&str, &str)]) -> Read<ResponseHead> {
    heads().response(&block(lines)).expect("a block")
}

/// RFC 9113, sections 8.3.2 and 8.6.
#[test]
fn responses_have_a_status_and_no_more() {
    for status in ["100", "103", "200", "999"] {
        match response(&[(":status", status), ("a", "b")]) {
            Read::Whole { head, .. } => assert_eq!(head.status.to_string(), status),
            other => panic!("{other:?}"),
        }
    }
    for lines in [
        &[][..],
        &[("a", "b")],
        &[(":status", "101")],
        &[(":status", "099")],
        &[(":status", "20")],
        &[(":status", "2000")],
        &[(":status", "+20")],
        &[(":status", "200"), (":status", "200")],
        &[("a", "b"), (":status", "200")],
        &[(":status", "200"), (":path", "/")],
        &[(":status", "200"), (":method", "GET")],
        &[(":status", "200"), ("connection", "close")],
    ] {
        assert!(matches!(response(lines), Read::Malformed), "{lines:?}");
    }
}

/// RFC 9113, section 8.1.
#[test]
fn trailers_have_no_pseudo_fields() {
    let trailers = |lines: &[(&str, &str)]| heads().trailers(&block(lines)).expect("a block");
    assert!(matches!(trailers(&[("grpc-status", "0")]), Read::Whole { .. }));
    assert!(matches!(trailers(&[]), Read::Whole { .. }));
    for name in [":status", ":path", ":method", ":scheme", ":authority", "connection", "A"] {
        let value = if name == ":status" { "200" } else { "GET" };
        assert!(matches!(trailers(&[(name, value)]), Read::Malformed), "{name}");
    }
}
