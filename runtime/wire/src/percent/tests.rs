use super::*;

/// Writes `message` as `value` and reads it back.
#[track_caller]
fn check(message: &str, value: &str) {
    let mut out = BytesMut::from(&b"before"[..]);
    encode(message, &mut out);
    assert_eq!(&out[6..], value.as_bytes());
    assert_eq!(decode(value.as_bytes()), message);
}

#[track_caller]
fn check_decode(value: &[u8], want: &str) {
    assert_eq!(decode(value), want);
}

#[test]
fn visible_ascii_and_spaces_stay() {
    let visible: String = (b' '..=b'~').filter(|byte| *byte != b'%').map(char::from).collect();
    check("", "");
    check(&visible, &visible);
}

#[test]
fn everything_else_is_escaped() {
    check("100%", "100%25");
    check("\n...\r\n...\u{263a}...\u{1f608}\n", "%0A...%0D%0A...%E2%98%BA...%F0%9F%98%88%0A");
    check("\0\u{1f}\u{7f}\u{80}", "%00%1F%7F%C2%80");
    check("%41", "%2541");
    check("\t", "%09");
}

#[test]
fn every_byte_below_0x80_survives() {
    for byte in 0..0x80u8 {
        let message = char::from(byte).to_string();
        let mut out = BytesMut::new();
        encode(&message, &mut out);
        assert!(out.iter().all(|byte| (b' '..=b'~').contains(byte)));
        check_decode(&out, &message);
    }
}

#[test]
fn malformed_escapes_stand_for_themselves() {
    for value in ["%", "%%", "%4", "%G1", "%1G", "a%", "% 41", "%+1", "%-1", "%%4"] {
        check_decode(value.as_bytes(), value);
    }
    check_decode(b"%%41", "%A");
    check_decode(b"%4%41", "%4A");
    check_decode(b"%e2%98%BA", "\u{263a}");
}

#[test]
fn bytes_that_are_not_utf8_are_replaced() {
    check_decode(b"a\xffb", "a\u{fffd}b");
    check_decode(b"a%FFb%41", "a\u{fffd}bA");
    check_decode(b"\xe2%98%BA", "\u{263a}");
}

#[test]
fn nothing_to_escape_is_not_copied() {
    assert!(matches!(decode(b"plain text"), Cow::Borrowed(_)));
}

#[test]
fn a_message_is_cut_between_characters() {
    let within = |message: &str, len_max| {
        let mut out = BytesMut::from(&b"before"[..]);
        encode_within(message, len_max, &mut out);
        String::from_utf8(out.split_off(6).to_vec()).unwrap()
    };
    assert_eq!(within("0123456789", 10), "0123456789");
    assert_eq!(within("0123456789a", 10), "0%E2%80%A6");
    assert_eq!(within("0123456789a", 9), "%E2%80%A6");
    assert_eq!(within("0123456789a", 8), "");
    assert_eq!(within("%%%%", 12), "%25%25%25%25");
    assert_eq!(within("%%%%%", 14), "%25%E2%80%A6");
    assert_eq!(within("\u{263a}\u{263a}\u{263a}", 26), "%E2%98%BA%E2%80%A6");
    assert_eq!(within("\u{263a}\u{263a}\u{263a}", 17), "%E2%80%A6");
}
