//! What a peer sent, as an error repeats it.

use std::fmt::{self, Write};

/// Bytes of a peer between quotation marks, escaped, and cut where they are long.
///
/// ```
/// use ringwire_wire::Quoted;
///
/// assert_eq!(Quoted(b"gz\"ip").to_string(), r#""gz\"ip""#);
/// assert!(Quoted(&[0; 10_000]).to_string().len() <= Quoted::LEN_MAX);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Quoted<'a>(
    /// What is quoted; it may be of any length and need not be text.
    pub &'a [u8],
);

impl Quoted<'_> {
    /// The longest that it writes, in bytes.
    pub const LEN_MAX: usize = 100;
}

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = Self::LEN_MAX - "\"\"".len() - CUT.len();
        f.write_char('"')?;
        // More than this is never shown.
        let shown = &self.0[..self.0.len().min(Self::LEN_MAX)];
        let mut rest = String::from_utf8_lossy(shown);
        if shown.len() < self.0.len() && rest.ends_with(char::REPLACEMENT_CHARACTER) {
            // The cut may have gone through a character.
            rest.to_mut().pop();
        }
        let mut all = shown.len() == self.0.len();
        for char in rest.chars() {
            let escaped = char.escape_debug();
            let len: usize = escaped.clone().map(char::len_utf8).sum();
            if len > left {
                all = false;
                break;
            }
            left -= len;
            write!(f, "{escaped}")?;
        }
        f.write_char('"')?;
        if all { Ok(()) } else { f.write_str(CUT) }
    }
}

const CUT: &str = "…";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_is_quoted_whole() {
        for text in ["", "gzip", "a \"b\" \\ \n ☺", "\u{1}\u{7f}"] {
            assert_eq!(Quoted(text.as_bytes()).to_string(), format!("{text:?}"));
        }
        assert_eq!(Quoted(b"a\xffb").to_string(), "\"a\u{fffd}b\"");
    }

    #[test]
    fn nothing_is_longer_than_the_bound() {
        let longest = Quoted::LEN_MAX - "\"\"…".len();
        assert_eq!(Quoted("a".repeat(longest).as_bytes()).to_string(), format!("{:?}", "a".repeat(longest)));
        for char in ["a", "☺", "\0", "\"", "\u{10ffff}"] {
            for count in [longest / char.len() + 1, 200, 100_000] {
                let quoted = Quoted(char.repeat(count).as_bytes()).to_string();
                assert!(quoted.len() <= Quoted::LEN_MAX, "{} {quoted}", quoted.len());
                assert!(quoted.ends_with("\"…") && !quoted.contains(char::REPLACEMENT_CHARACTER), "{quoted}");
            }
        }
        assert!(Quoted(&[0xff; 300]).to_string().len() <= Quoted::LEN_MAX);
    }
}
