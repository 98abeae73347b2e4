use std::time::Duration;

use bytes::BytesMut;

use super::*;
use crate::Malformed;

type Parse = fn(&[u8]) -> Result<Duration, Malformed>;
type Write = fn(Duration, &mut BytesMut);
const CONNECT: (Parse, Write) = (connect::parse, connect::write);
const GRPC: (Parse, Write) = (grpc::parse, grpc::write);

/// Reads `text` and expects `want`; `None` stands for malformed text.
#[track_caller]
fn check((parse, write): (Parse, Write), text: &str, want: Option<Duration>) {
    assert_eq!(parse(text.as_bytes()).ok(), want, "{text:?}");
    if let Some(timeout) = want {
        let mut out = BytesMut::new();
        write(timeout, &mut out);
        assert_eq!(parse(&out), Ok(timeout), "{text:?} written as {out:?}");
    }
}

#[track_caller]
fn check_write((_, write): (Parse, Write), timeout: Duration, want: &str) {
    let mut out = BytesMut::new();
    write(timeout, &mut out);
    assert_eq!(out, want);
}

#[test]
fn connect_is_up_to_ten_digits_of_milliseconds() {
    check(CONNECT, "0", Some(Duration::ZERO));
    check(CONNECT, "1", Some(Duration::from_millis(1)));
    check(CONNECT, "0000000001", Some(Duration::from_millis(1)));
    check(CONNECT, "9999999999", Some(Duration::from_millis(9_999_999_999)));
    for text in ["", "10000000000", "00000000001", "-1", "+1", "1.5", "1ms", " 1", "1 ", "1,2", "\u{661}"] {
        check(CONNECT, text, None);
    }
}

#[test]
fn connect_clamps_at_both_ends_and_rounds_down_between() {
    check_write(CONNECT, Duration::ZERO, "0");
    check_write(CONNECT, Duration::from_nanos(1), "1");
    check_write(CONNECT, Duration::from_nanos(999_999), "1");
    check_write(CONNECT, Duration::from_nanos(1_000_000), "1");
    check_write(CONNECT, Duration::from_nanos(1_999_999), "1");
    check_write(CONNECT, Duration::from_millis(9_999_999_999), "9999999999");
    check_write(CONNECT, Duration::from_millis(10_000_000_000), "9999999999");
    check_write(CONNECT, Duration::MAX, "9999999999");
}

#[test]
fn grpc_has_six_units() {
    check(GRPC, "0n", Some(Duration::ZERO));
    check(GRPC, "1n", Some(Duration::from_nanos(1)));
    check(GRPC, "2u", Some(Duration::from_micros(2)));
    check(GRPC, "3m", Some(Duration::from_millis(3)));
    check(GRPC, "4S", Some(Duration::from_secs(4)));
    check(GRPC, "5M", Some(Duration::from_secs(300)));
    check(GRPC, "6H", Some(Duration::from_secs(21_600)));
    for unit in ["n", "u", "m", "S", "M", "H"] {
        let per_unit = grpc::parse(format!("1{unit}").as_bytes()).unwrap();
        check(GRPC, &format!("99999999{unit}"), Some(per_unit * 99_999_999));
        check(GRPC, &format!("100000000{unit}"), None);
        check(GRPC, unit, None);
    }
}

#[test]
fn grpc_refuses_everything_else() {
    for text in
        ["", "1", "n", "1s", "1h", "1N", "1U", "-1S", "+1S", "1.0S", " 1S", "1S ", "1 S", "1mS", "1\u{b5}"]
    {
        check(GRPC, text, None);
    }
}

#[test]
fn grpc_is_written_in_the_finest_unit_that_fits() {
    check_write(GRPC, Duration::ZERO, "0n");
    check_write(GRPC, Duration::from_nanos(1), "1n");
    check_write(GRPC, Duration::from_nanos(99_999_999), "99999999n");
    check_write(GRPC, Duration::from_nanos(100_000_000), "100000u");
    check_write(GRPC, Duration::from_nanos(100_000_999), "100000u");
    check_write(GRPC, Duration::from_micros(99_999_999), "99999999u");
    check_write(GRPC, Duration::from_micros(100_000_000), "100000m");
    check_write(GRPC, Duration::from_millis(99_999_999), "99999999m");
    check_write(GRPC, Duration::from_millis(100_000_000), "100000S");
    check_write(GRPC, Duration::from_secs(99_999_999), "99999999S");
    check_write(GRPC, Duration::from_secs(100_000_000), "1666666M");
    check_write(GRPC, Duration::from_secs(99_999_999 * 60), "99999999M");
    check_write(GRPC, Duration::from_secs(100_000_000 * 60), "1666666H");
    check_write(GRPC, Duration::from_secs(99_999_999 * 3600), "99999999H");
    check_write(GRPC, Duration::from_secs(100_000_000 * 3600), "99999999H");
    check_write(GRPC, Duration::MAX, "99999999H");
}
