//! Decimal numbers without signs, as headers write them.

use bytes::{BufMut, BytesMut};

/// Reads a number of one to `digits_max` digits, of which a `u64` holds nineteen.
pub(crate) fn parse(text: &[u8], digits_max: usize) -> Option<u64> {
    if text.is_empty() || text.len() > digits_max {
        return None;
    }
    let mut number = 0;
    for byte in text {
        if !byte.is_ascii_digit() {
            return None;
        }
        number = number * 10 + u64::from(byte - b'0');
    }
    Some(number)
}

/// Appends `number` without leading zeros.
pub(crate) fn write(mut number: u64, out: &mut BytesMut) {
    let mut digits = [0; DIGITS_MAX];
    let mut start = DIGITS_MAX;
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.put_slice(&digits[start..]);
}

const DIGITS_MAX: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, digits_max: usize, want: Option<u64>) {
        assert_eq!(parse(text.as_bytes(), digits_max), want, "{text:?}");
    }

    #[test]
    fn numbers_are_digits_and_nothing_else() {
        check("", 5, None);
        check("0", 5, Some(0));
        check("00007", 5, Some(7));
        check("12345", 5, Some(12345));
        check("123456", 5, None);
        check("9999999999999999999", 19, Some(9_999_999_999_999_999_999));
        for text in ["-1", "+1", " 1", "1 ", "1.0", "1e3", "0x1", "\u{663}", "/", ":"] {
            check(text, 5, None);
        }
    }

    #[test]
    fn written_numbers_read_back() {
        for number in [0, 1, 9, 10, 99, 100, 123_456_789, 9_999_999_999_999_999_999] {
            let mut out = BytesMut::new();
            write(number, &mut out);
            assert_eq!(out, number.to_string());
            assert_eq!(parse(&out, 19), Some(number));
        }
        let mut out = BytesMut::new();
        write(u64::MAX, &mut out);
        assert_eq!(out, u64::MAX.to_string());
    }
}
