//! Names of fields that a program looks up, each with an index.
//!
//! A name is classified once, when a field is read from the wire; from then on a look-up is an index into a table.

/// A field name that is looked up, and its index among all of those.
///
/// Names of HTTP itself are constants here; a layer above adds its own with [`Token::extra`] and lists them in a [`Names`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Token {
    index: u8,
    name: &'static str,
}

/// The names that a connection classifies: those of HTTP, then those of the layer above.
#[derive(Debug)]
pub struct Names {
    tokens: [Token; TOKENS_MAX],
    /// For each hash, the index of the first token to compare, plus one. Collisions go to the next slot.
    slots: [u8; SLOTS],
}

macro_rules! http_tokens {
    ($($index:literal $constant:ident $name:literal)*) => {
        impl Token {
            $(
                #[doc = concat!("`", $name, "`")]
                pub const $constant: Self = Self { index: $index, name: $name };
            )*
        }
        const HTTP_TOKENS: &[Token] = &[$(Token::$constant),*];
    };
}

http_tokens! {
    0 ACCEPT "accept"
    1 ACCEPT_ENCODING "accept-encoding"
    2 AUTHORIZATION "authorization"
    3 CONNECTION "connection"
    4 CONTENT_ENCODING "content-encoding"
    5 CONTENT_LENGTH "content-length"
    6 CONTENT_TYPE "content-type"
    7 COOKIE "cookie"
    8 DATE "date"
    9 EXPECT "expect"
    10 HOST "host"
    11 HTTP2_SETTINGS "http2-settings"
    12 KEEP_ALIVE "keep-alive"
    13 ORIGIN "origin"
    14 PROXY_CONNECTION "proxy-connection"
    15 SERVER "server"
    16 TE "te"
    17 TRAILER "trailer"
    18 TRANSFER_ENCODING "transfer-encoding"
    19 UPGRADE "upgrade"
    20 USER_AGENT "user-agent"
    21 VARY "vary"
}

impl Token {
    /// The token of the `place`th name that the layer above adds.
    ///
    /// # Panics
    /// There is no room for so many names. In a constant, this is a compile error.
    pub const fn extra(place: usize, name: &'static str) -> Self {
        let index = HTTP_TOKENS.len() + place;
        assert!(index < TOKENS_MAX, "too many names: raise TOKENS_MAX");
        Self { index: index as u8, name }
    }

    /// The name, in lower case.
    pub const fn as_str(self) -> &'static str {
        self.name
    }

    /// The index, below [`TOKENS_MAX`].
    pub const fn index(self) -> usize {
        self.index as usize
    }
}

impl Names {
    /// The names of HTTP alone.
    pub const HTTP: &'static Self = &Self::new(&[]);

    /// The names of HTTP, and `extra`: the token at place `n` was made by `Token::extra(n, …)`.
    ///
    /// # Panics
    /// A token is at another place than its own, or a name is there twice or not in lower case. In a constant, this is a
    /// compile error.
    pub const fn new(extra: &[Token]) -> Self {
        let mut names = Self { tokens: [Token { index: NONE, name: "" }; TOKENS_MAX], slots: [0; SLOTS] };
        let mut at = 0;
        while at < HTTP_TOKENS.len() + extra.len() {
            let token = if at < HTTP_TOKENS.len() { HTTP_TOKENS[at] } else { extra[at - HTTP_TOKENS.len()] };
            assert!(token.index as usize == at, "a token is at another place than its own");
            let name = token.name.as_bytes();
            assert!(names.find(name).is_none(), "a name is there twice");
            let mut byte = 0;
            while byte < name.len() {
                assert!(
                    name[byte].is_ascii() && !name[byte].is_ascii_uppercase(),
                    "a name is not in lower case"
                );
                byte += 1;
            }
            names.tokens[at] = token;
            let mut slot = hash(name);
            while names.slots[slot] != 0 {
                slot = (slot + 1) % SLOTS;
            }
            names.slots[slot] = at as u8 + 1;
            at += 1;
        }
        names
    }

    /// The token of this name, which is in lower case.
    pub const fn find(&self, name: &[u8]) -> Option<Token> {
        if name.is_empty() {
            return None;
        }
        let mut slot = hash(name);
        while self.slots[slot] != 0 {
            let token = self.tokens[self.slots[slot] as usize - 1];
            if equal(token.name.as_bytes(), name) {
                return Some(token);
            }
            slot = (slot + 1) % SLOTS;
        }
        None
    }

    /// The token of this name, in whatever case.
    pub fn find_ignore_case(&self, name: &[u8]) -> Option<Token> {
        if name.is_empty() {
            return None;
        }
        let mut slot = hash(name);
        while self.slots[slot] != 0 {
            let token = self.tokens[self.slots[slot] as usize - 1];
            if equal_ignore_case(token.name.as_bytes(), name) {
                return Some(token);
            }
            slot = (slot + 1) % SLOTS;
        }
        None
    }
}

/// A hash of few instructions that keeps the usual names apart. It does not depend on the case of letters.
const fn hash(name: &[u8]) -> usize {
    let len = name.len();
    let middle = (name[len / 2] | CASE) as usize;
    (len * 37 + (name[0] | CASE) as usize * 5 + middle * 11 + (name[len - 1] | CASE) as usize * 3) % SLOTS
}

/// Whether `name` is `lower`, a name in lower case, but for the case of letters. Compares eight bytes at a time.
fn equal_ignore_case(lower: &[u8], name: &[u8]) -> bool {
    if lower.len() != name.len() {
        return false;
    }
    let (Some(lower_last), Some(name_last)) = (lower.last_chunk(), name.last_chunk()) else {
        return lower.iter().zip(name).all(|(&a, &b)| a == b || (a == b | CASE && a.is_ascii_lowercase()));
    };
    let words = lower.as_chunks().0.iter().zip(name.as_chunks().0);
    words
        .chain([(lower_last, name_last)])
        .all(|(a, b)| equal_words(u64::from_ne_bytes(*a), u64::from_ne_bytes(*b)))
}

/// The same for eight bytes. The bytes of a name are ASCII.
#[inline]
fn equal_words(lower: u64, name: u64) -> bool {
    let different = lower ^ name;
    // The high bit of each byte that is a letter: `a` to `z`.
    let from_a = lower + ONES * (0x80 - b'a' as u64);
    let beyond_z = lower + ONES * (0x80 - (b'z' as u64 + 1));
    let letters = from_a & !beyond_z & (ONES << 7);
    different & !(letters >> 2) == 0
}

const fn equal(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// The most names that can have tokens.
pub const TOKENS_MAX: usize = 48;
const SLOTS: usize = 256;
/// The bit by which a letter in lower case differs from one in upper case.
const CASE: u8 = 0x20;
const ONES: u64 = 0x0101_0101_0101_0101;
const NONE: u8 = u8::MAX;

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Token = Token::extra(0, "x-one");
    const TWO: Token = Token::extra(1, "x-two");
    static NAMES: Names = Names::new(&[ONE, TWO]);

    #[test]
    fn every_name_is_found_and_no_other() {
        for token in HTTP_TOKENS.iter().chain(&[ONE, TWO]) {
            assert_eq!(NAMES.find(token.as_str().as_bytes()), Some(*token));
            assert_eq!(NAMES.tokens[token.index()], *token);
        }
        for absent in ["", "x", "x-three", "contend-type", "Content-Type", "x-onf"] {
            assert_eq!(NAMES.find(absent.as_bytes()), None, "{absent:?}");
        }
        assert_eq!(Names::HTTP.find(b"x-one"), None);
    }

    /// One byte is changed at a time, to every other one.
    #[test]
    fn the_case_of_letters_may_be_ignored_and_nothing_else() {
        for token in HTTP_TOKENS.iter().chain(&[ONE, TWO]) {
            let name = token.as_str().as_bytes();
            assert_eq!(NAMES.find_ignore_case(name), Some(*token));
            assert_eq!(NAMES.find_ignore_case(&name.to_ascii_uppercase()), Some(*token));
            assert_eq!(NAMES.find_ignore_case(&name[1..]).filter(|found| found == token), None);
            for place in 0..name.len() {
                for byte in 0..=255 {
                    let mut other = name.to_vec();
                    other[place] = byte;
                    let want = other.eq_ignore_ascii_case(name).then_some(*token);
                    let found = NAMES.find_ignore_case(&other).filter(|found| found == token);
                    assert_eq!(found, want, "{}", other.escape_ascii());
                }
            }
        }
        assert_eq!(NAMES.find_ignore_case(b""), None);
    }

    #[test]
    fn a_full_table_still_finds_its_names() {
        let names: Vec<&'static str> = (0..TOKENS_MAX - HTTP_TOKENS.len())
            .map(|n| &*Box::leak(format!("x-{n}").into_boxed_str()))
            .collect();
        let tokens: Vec<_> = names.iter().enumerate().map(|(n, name)| Token::extra(n, name)).collect();
        let table = Names::new(&tokens);
        for token in tokens {
            assert_eq!(table.find(token.as_str().as_bytes()), Some(token));
        }
    }

    #[test]
    #[should_panic(expected = "too many names")]
    fn one_name_too_many_is_refused() {
        Token::extra(TOKENS_MAX - HTTP_TOKENS.len(), "x");
    }

    #[test]
    #[should_panic(expected = "there twice")]
    fn a_name_of_http_cannot_be_added_again() {
        Names::new(&[Token::extra(0, "te")]);
    }

    #[test]
    #[should_panic(expected = "another place")]
    fn tokens_must_be_in_order() {
        Names::new(&[TWO]);
    }

    #[test]
    #[should_panic(expected = "lower case")]
    fn names_must_be_in_lower_case() {
        Names::new(&[Token::extra(0, "X-One")]);
    }
}
