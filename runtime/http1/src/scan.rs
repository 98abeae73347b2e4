//! Classes of bytes, found eight bytes at a time.

/// The number of bytes at the start of `bytes` that a field value may hold: all but control characters, and the tab.
///
/// <https://www.rfc-editor.org/rfc/rfc9110#section-5.5>: CR, LF and NUL are invalid and dangerous, other control characters
/// are invalid.
pub(crate) fn value_len(bytes: &[u8]) -> usize {
    let mut at = 0;
    loop {
        at += prefix(&bytes[at..], below(SPACE), is_control);
        if bytes.get(at) != Some(&b'\t') {
            return at;
        }
        at += 1;
    }
}

/// The number of bytes at the start of `bytes` that a request target may hold: visible ASCII, and no `#`, which begins the
/// part of a URI that is never sent.
pub(crate) fn target_len(bytes: &[u8]) -> usize {
    let outside = |word: u64| below(SPACE + 1)(word) | (word & HIGH) | equal(word, b'#');
    prefix(bytes, outside, |byte| !matches!(byte, 0x21..=0x7e) || byte == b'#')
}

/// The place of the first colon.
pub(crate) fn colon(bytes: &[u8]) -> Option<usize> {
    let len = prefix(bytes, |word| equal(word, b':'), |byte| byte == b':');
    (len < bytes.len()).then_some(len)
}

/// `value` without the blanks around it.
#[inline]
pub(crate) fn trim(mut value: &[u8]) -> &[u8] {
    // One space at the start and none at the end, most often.
    if let [b' ', rest @ ..] = value
        && let [b'!'..=0xff, .., b'!'..=0xff] = rest
    {
        return rest;
    }
    while let [b' ' | b'\t', rest @ ..] = value {
        value = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// The length of the prefix in which no byte is outside its class. `marks` marks the high bit of bytes of a word that are
/// outside; bytes above the lowest marked one may be marked wrongly.
fn prefix(bytes: &[u8], marks: impl Fn(u64) -> u64, outside: impl Fn(u8) -> bool) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let marked = marks(u64::from_le_bytes(*word));
        if marked != 0 {
            return index * 8 + marked.trailing_zeros() as usize / 8;
        }
    }
    let read = words.len() * 8;
    read + rest.iter().position(|&byte| outside(byte)).unwrap_or(rest.len())
}

/// Marks bytes below `end`, and DEL.
fn below(end: u8) -> impl Fn(u64) -> u64 {
    move |word| (word.wrapping_sub(ONES * u64::from(end)) & !word & HIGH) | equal(word, DEL)
}

fn equal(word: u64, byte: u8) -> u64 {
    let different = word ^ (ONES * u64::from(byte));
    different.wrapping_sub(ONES) & !different & HIGH
}

fn is_control(byte: u8) -> bool {
    byte < SPACE || byte == DEL
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;
const SPACE: u8 = 0x20;
const DEL: u8 = 0x7f;

#[cfg(test)]
mod tests {
    use super::*;

    /// Every byte at every place of two words and a rest.
    fn check(len: fn(&[u8]) -> usize, inside: impl Fn(u8) -> bool) {
        for size in 0..20 {
            for place in 0..size {
                for byte in 0..=255 {
                    let mut bytes = vec![b'a'; size];
                    bytes[place] = byte;
                    let want = if inside(byte) { size } else { place };
                    assert_eq!(len(&bytes), want, "{byte} at {place} of {size}");
                }
            }
        }
    }

    #[test]
    fn values_end_at_controls_other_than_the_tab() {
        check(value_len, |byte| byte == b'\t' || (byte >= 0x20 && byte != 0x7f));
        assert_eq!(value_len(b"\t\ta\tbcdefgh\t\r\n"), 12);
    }

    #[test]
    fn targets_end_at_all_that_is_not_visible() {
        check(target_len, |byte| byte.is_ascii_graphic() && byte != b'#');
    }

    #[test]
    fn the_first_colon_is_found() {
        check(|bytes| colon(bytes).unwrap_or(bytes.len()), |byte| byte != b':');
        assert_eq!(colon(b"aaaaaaaaaaa::"), Some(11));
    }

    #[test]
    fn blanks_are_trimmed_at_both_ends() {
        for (text, want) in [("", ""), (" \t", ""), ("a", "a"), (" a\tb \t", "a\tb")] {
            assert_eq!(trim(text.as_bytes()), want.as_bytes(), "{text:?}");
        }
    }
}
