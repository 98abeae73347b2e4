//! The lexical rules that header fields share: tokens and optional white space of RFC 9110.

/// Whether names of fields, parameters and codings may consist of these bytes.
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| TOKEN[usize::from(*byte)])
}

/// Cuts spaces and tabs off both ends, and no other white space.
pub(crate) fn trim_ows(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

// A table, since every received name passes through it.
static TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = matches!(
            byte as u8,
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+'
                | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        );
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_what_rfc_9110_says() {
        for byte in 0..=255u8 {
            let want = byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            assert_eq!(is_token(&[b'a', byte]), want, "{byte:#04x}");
        }
        assert!(!is_token(b""));
    }

    #[test]
    fn only_spaces_and_tabs_are_trimmed() {
        for (value, want) in
            [("", ""), (" ", ""), (" \ta b\t ", "a b"), ("\na\r", "\na\r"), ("\u{b}a", "\u{b}a")]
        {
            assert_eq!(trim_ows(value.as_bytes()), want.as_bytes());
        }
    }
}
