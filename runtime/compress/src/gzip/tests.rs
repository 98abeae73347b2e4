use super::*;
use crate::coder::Bounded;

#[test]
fn header_fields_are_skipped() {
    check(b"\x1f\x8b\x08\x00tttt\x02\x03", Some(10));
    check(b"\x1f\x8b\x08\x04tttt\x02\x03\x02\x00xx", Some(14));
    check(b"\x1f\x8b\x08\x08tttt\x02\x03name\0", Some(15));
    check(b"\x1f\x8b\x08\x18tttt\x02\x03name\0comment\0", Some(23));
    check(b"\x1f\x8b\x08\x01tttt\x02\x03", Some(10));
}

#[test]
fn header_checksum_must_match() {
    check(b"\x1f\x8b\x08\x02\0\0\0\0\0\x03\xa7\x77", Some(12));
    check(b"\x1f\x8b\x08\x02\0\0\0\0\0\x03\xa7\x76", None);
}

#[test]
fn other_formats_and_reserved_flags_are_refused() {
    check(b"\x1f\x8b\x07\x00tttt\x02\x03", None);
    check(b"\x1f\x8c\x08\x00tttt\x02\x03", None);
    check(b"\x1f\x8b\x08\x20tttt\x02\x03", None);
    check(b"\x1f\x8b\x08\x40tttt\x02\x03", None);
    check(b"\x1f\x8b\x08\x80tttt\x02\x03", None);
}

#[test]
fn both_halves_of_the_trailer_count() {
    let mut good = BytesMut::new();
    Gzip.compress(b"message", Level::Default, &mut good);
    for behind in 1..=8 {
        let mut bad = good.clone();
        let at = bad.len() - behind;
        bad[at] ^= 1;
        assert_eq!(
            Gzip.decompress(&bad, 100, &mut BytesMut::new()),
            Err(DecompressError::Corrupt),
            "{behind}"
        );
    }
}

#[test]
fn checksum_is_of_its_own_member() {
    let mut members = BytesMut::new();
    Gzip.compress(b"first ", Level::Default, &mut members);
    Gzip.compress(b"", Level::Default, &mut members);
    Gzip.compress(b"second", Level::Default, &mut members);
    let mut out = BytesMut::new();
    Gzip.decompress(&members, 12, &mut out).unwrap();
    assert_eq!(out, "first second");
}

#[test]
fn limit_is_that_of_all_members_together() {
    let mut members = BytesMut::new();
    Gzip.compress(b"first ", Level::Default, &mut members);
    Gzip.compress(b"second", Level::Default, &mut members);
    let refused = Gzip.decompress(&members, 11, &mut BytesMut::new());
    assert_eq!(refused, Err(DecompressError::TooLarge { limit: 11 }));
}

#[test]
fn higher_level_saves_bytes() {
    let text: Vec<u8> = (0..4000_u32).flat_map(|number| number.to_string().into_bytes()).collect();
    let len = |level| {
        let mut out = BytesMut::new();
        Gzip.compress(&text, level, &mut out);
        out.len()
    };
    assert!(len(Level::Exact(9)) < len(Level::Default));
    assert_eq!(len(Level::Exact(1)), len(Level::Default));
    assert!(len(Level::Exact(0)) > text.len());
}

/// Every beginning of a header, too, is none.
fn check(header: &[u8], expected: Option<usize>) {
    assert_eq!(header_len(header), expected, "{header:02x?}");
    let body = [header, b"body"].concat();
    assert_eq!(header_len(&body), expected, "{header:02x?} before a body");
    for len in 0..header.len() {
        assert_eq!(header_len(&header[..len]), None, "{len} bytes of {header:02x?}");
    }
    let mut out = BytesMut::new();
    let mut out = Bounded::new(&mut out, 10, 0);
    assert!(member(header, &mut Decompress::new(false), &mut out).is_err(), "a header is no member");
}
