//! Just enough of Rust's grammar to tell code from strings and comments.
//!
//! The contract: each layer is as long as the text and has its line breaks; what belongs to another layer is blank.

use std::ops::Range;

/// A text, taken apart.
#[derive(Debug)]
pub struct Layers {
    /// Everything but comments and what stands between quotes.
    pub code: String,
    /// What stands between quotes.
    pub strings: String,
    /// Comments, with their slashes.
    pub comments: String,
}

impl Layers {
    /// Takes a Rust source apart.
    pub fn of(text: &str) -> Self {
        let blank: Vec<u8> = text.bytes().map(|b| if b == b'\n' { b'\n' } else { b' ' }).collect();
        let (mut code, mut strings, mut comments) = (blank.clone(), blank.clone(), blank);
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            match Token::at(bytes, at) {
                Token::Comment(end) => {
                    comments[at..end].copy_from_slice(&bytes[at..end]);
                    at = end;
                }
                Token::Quoted { content, end } => {
                    code[at..content.start].copy_from_slice(&bytes[at..content.start]);
                    code[content.end..end].copy_from_slice(&bytes[content.end..end]);
                    strings[content.clone()].copy_from_slice(&bytes[content]);
                    at = end;
                }
                Token::Code(end) => {
                    code[at..end].copy_from_slice(&bytes[at..end]);
                    at = end;
                }
            }
        }
        let text = |layer| String::from_utf8(layer).expect("layers are cut at ASCII bytes");
        Self { code: text(code), strings: text(strings), comments: text(comments) }
    }
}

/// The line of a byte, counted from one.
pub fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at].iter().filter(|&&b| b == b'\n').count() + 1
}

/// Identifiers, with the place of their first byte.
pub fn identifiers(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let bytes = code.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() && !is_word(bytes[at]) {
            at += 1;
        }
        let start = at;
        while at < bytes.len() && is_word(bytes[at]) {
            at += 1;
        }
        (start < at).then(|| (start, &code[start..at]))
    })
}

/// The words of an identifier in lower case: `GrpcWeb`, `grpc_web` and `GRPC_WEB` are `grpc`, `web`.
pub fn words(identifier: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = '_';
    for c in identifier.chars() {
        if c == '_' || (c.is_uppercase() && before.is_lowercase()) {
            words.push(String::new());
        }
        if c != '_' {
            words.last_mut().expect("never empty").extend(c.to_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The items that only tests compile: what follows a `#[cfg(test)]`, up to its closing brace.
pub fn test_regions(code: &str) -> Vec<Range<usize>> {
    let mut regions = Vec::new();
    for (at, _) in code.match_indices("#[cfg(test)]") {
        let after = at + "#[cfg(test)]".len();
        let end = match body(code, after) {
            Some(open) => closing(code, open),
            None => code[after..].find(';').map_or(code.len(), |semicolon| after + semicolon),
        };
        regions.push(at..end);
    }
    regions
}

/// The brace that opens the body of the item at `at`; none if the item ends with a semicolon.
pub fn body(code: &str, at: usize) -> Option<usize> {
    let mut depth = 0i32;
    for (here, b) in code.bytes().enumerate().skip(at) {
        match b {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b'{' if depth == 0 => return Some(here),
            b';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// The place after the bracket that closes the one at `open`.
pub fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0usize;
    for (at, b) in code.bytes().enumerate().skip(open) {
        match b {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    code.len()
}

enum Token {
    Comment(usize),
    Quoted { content: Range<usize>, end: usize },
    Code(usize),
}

impl Token {
    fn at(bytes: &[u8], at: usize) -> Self {
        let rest = &bytes[at..];
        if rest.starts_with(b"//") {
            return Self::Comment(at + rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len()));
        }
        if rest.starts_with(b"/*") {
            return Self::Comment(at + block_comment(rest));
        }
        match rest[0] {
            b'"' => plain_string(bytes, at),
            b'\'' => character(bytes, at),
            b if is_word(b) => {
                let word = rest.iter().position(|&b| !is_word(b)).unwrap_or(rest.len());
                match &rest[..word] {
                    b"r" | b"br" | b"cr" => raw_string(bytes, at + word).unwrap_or(Self::Code(at + word)),
                    _ => Self::Code(at + word),
                }
            }
            // A whole character, so that layers are cut between characters.
            _ => Self::Code(at + 1 + rest[1..].iter().take_while(|&&b| b & 0xC0 == 0x80).count()),
        }
    }
}

fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_'
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0usize, 0);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

fn plain_string(bytes: &[u8], at: usize) -> Token {
    let mut end = at + 1;
    while end < bytes.len() && bytes[end] != b'"' {
        end += if bytes[end] == b'\\' { 2 } else { 1 };
    }
    let end = end.min(bytes.len());
    Token::Quoted { content: at + 1..end, end: (end + 1).min(bytes.len()) }
}

/// A raw string whose hashes and quote start at `hash`; none if it is a raw identifier.
fn raw_string(bytes: &[u8], hash: usize) -> Option<Token> {
    let hashes = bytes[hash..].iter().take_while(|&&b| b == b'#').count();
    let start = hash + hashes + 1;
    if bytes.get(hash + hashes) != Some(&b'"') {
        return None;
    }
    let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    let length = bytes[start..].windows(close.len()).position(|w| w == close).unwrap_or(bytes.len() - start);
    let end = (start + length + close.len()).min(bytes.len());
    Some(Token::Quoted { content: start..start + length, end })
}

/// A character literal, or the quote of a lifetime.
fn character(bytes: &[u8], at: usize) -> Token {
    let rest = &bytes[at + 1..];
    let first = match rest.first() {
        Some(b'\\') => 2,
        Some(_) => 1 + rest[1..].iter().take_while(|&&b| b & 0xC0 == 0x80).count(),
        None => return Token::Code(at + 1),
    };
    // An escape such as `\u{1F600}` goes on to the next quote; anything else is one character long.
    let length = if rest[0] == b'\\' {
        first + rest.iter().skip(first).position(|&b| b == b'\'').unwrap_or(0)
    } else {
        first
    };
    if rest.get(length) == Some(&b'\'') {
        Token::Quoted { content: at + 1..at + 1 + length, end: at + 2 + length }
    } else {
        Token::Code(at + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, code: &str, strings: &str, comments: &str) {
        let layers = Layers::of(text);
        let squeezed = |layer: &str| layer.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(squeezed(&layers.code), code);
        assert_eq!(squeezed(&layers.strings), strings);
        assert_eq!(squeezed(&layers.comments), comments);
        for layer in [&layers.code, &layers.strings, &layers.comments] {
            assert_eq!(layer.len(), text.len());
            assert_eq!(layer.lines().count(), text.lines().count());
        }
    }

    #[test]
    fn strings_and_comments_are_told_from_code() {
        check("let a = \"b // c\"; // d \"e\"", "let a = \" \";", "b // c", "// d \"e\"");
        check("a /* b /* c */ \" */ d", "a d", "", "/* b /* c */ \" */");
        check(r##"f(r#"a " b"#, br"\", "\"x")"##, r##"f(r#" "#, br" ", " ")"##, r##"a " b \ \"x"##, "");
        check(
            "r#type: &'a str, 'b', '\\'', b'\"', '\\u{41}' ü",
            "r#type: &'a str, ' ', ' ', b' ', ' ' ü",
            "b \\' \" \\u{41}",
            "",
        );
        check("\"äß\n// no\" // ö\n", "\" \"", "äß // no", "// ö");
    }

    #[test]
    fn an_open_string_or_comment_ends_with_the_text() {
        check("a \"b", "a \"", "b", "");
        check("a \"b\\", "a \"", "b\\", "");
        check("a /* b", "a", "", "/* b");
        check("a r#\"b", "a r#\"", "b", "");
        check("'", "'", "", "");
    }

    #[test]
    fn identifiers_split_into_words() {
        assert_eq!(identifiers("a.b_c(D1)").map(|(_, word)| word).collect::<Vec<_>>(), ["a", "b_c", "D1"]);
        for name in ["GrpcWeb", "grpc_web", "GRPC_WEB"] {
            assert_eq!(words(name), ["grpc", "web"]);
        }
    }

    #[test]
    fn test_code_ends_with_its_brace() {
        let code = "fn a() {}\n#[cfg(test)]\nmod tests { fn b(a: [u8; 1]) {} }\nfn c() {}\n#[cfg(test)]\nmod d;\nfn e() {}";
        let regions: Vec<_> = test_regions(code).into_iter().map(|r| &code[r]).collect();
        assert_eq!(regions, ["#[cfg(test)]\nmod tests { fn b(a: [u8; 1]) {} }", "#[cfg(test)]\nmod d"]);
    }
}
