//! JSON, as much of it as error bodies need: a reader that pulls, and a writer of strings.
//!
//! The reader keeps nothing and calls itself no deeper than `DEPTH_MAX`, so that its cost is its input's
//! length. It accepts what [RFC 8259](https://www.rfc-editor.org/rfc/rfc8259) does, and no more.

use std::borrow::Cow;

use bytes::{BufMut, BytesMut};

use crate::Malformed;

/// Reads one document from front to back.
pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

/// The kind of the value that comes next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Null,
    Bool,
    Number,
    String,
    Array,
    Object,
}

impl<'a> Reader<'a> {
    /// Starts at the first value of `document`, which must be UTF-8.
    pub(crate) fn new(document: &'a [u8]) -> Result<Self, Malformed> {
        let text = std::str::from_utf8(document).map_err(|_| MALFORMED)?;
        Ok(Self { text, at: 0, depth: 0 })
    }

    /// Checks that nothing follows the value.
    pub(crate) fn end(&mut self) -> Result<(), Malformed> {
        self.skip_space();
        if self.at == self.text.len() { Ok(()) } else { Err(MALFORMED) }
    }

    /// Looks at the next value without taking it.
    pub(crate) fn kind(&mut self) -> Result<Kind, Malformed> {
        self.skip_space();
        Ok(match self.peek() {
            Some(b'n') => Kind::Null,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'-' | b'0'..=b'9') => Kind::Number,
            Some(b'"') => Kind::String,
            Some(b'[') => Kind::Array,
            Some(b'{') => Kind::Object,
            _ => return Err(MALFORMED),
        })
    }

    /// Takes a string. Half a surrogate pair becomes U+FFFD.
    pub(crate) fn string(&mut self) -> Result<Cow<'a, str>, Malformed> {
        self.expect(b'"')?;
        let start = self.at;
        let mut unescaped = String::new();
        loop {
            let run = self.at;
            while !matches!(self.peek(), None | Some(b'"' | b'\\' | 0..0x20)) {
                self.at += 1;
            }
            let plain = &self.text[run..self.at];
            match self.take() {
                Some(b'"') if run == start => return Ok(Cow::Borrowed(plain)),
                Some(b'"') => {
                    unescaped.push_str(plain);
                    return Ok(Cow::Owned(unescaped));
                }
                Some(b'\\') => {
                    unescaped.push_str(plain);
                    unescaped.push(self.escape()?);
                }
                _ => return Err(MALFORMED),
            }
        }
    }

    /// Takes an object, calling `member` with each name before its value, which it must take.
    pub(crate) fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, &str) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        self.list(b'{', b'}', |reader| {
            let name = reader.string()?;
            reader.expect(b':')?;
            member(reader, &name)
        })
    }

    /// Takes an array, calling `element` before each element, which it must take.
    pub(crate) fn array(
        &mut self,
        element: impl FnMut(&mut Self) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        self.list(b'[', b']', element)
    }

    /// Takes whatever comes next.
    pub(crate) fn skip(&mut self) -> Result<(), Malformed> {
        match self.kind()? {
            Kind::Null => self.literal("null"),
            Kind::Bool if self.peek() == Some(b't') => self.literal("true"),
            Kind::Bool => self.literal("false"),
            Kind::Number => self.number(),
            Kind::String => self.string().map(drop),
            Kind::Array => self.array(Self::skip),
            Kind::Object => self.object(|reader, _| reader.skip()),
        }
    }

    fn list(
        &mut self,
        open: u8,
        close: u8,
        mut item: impl FnMut(&mut Self) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        self.expect(open)?;
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(MALFORMED);
        }
        self.skip_space();
        if self.peek() == Some(close) {
            self.at += 1;
        } else {
            loop {
                item(self)?;
                self.skip_space();
                match self.take() {
                    Some(b',') => {}
                    Some(byte) if byte == close => break,
                    _ => return Err(MALFORMED),
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn escape(&mut self) -> Result<char, Malformed> {
        Ok(match self.take().ok_or(MALFORMED)? {
            byte @ (b'"' | b'\\' | b'/') => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.hex4()?;
                char::from_u32(unit).unwrap_or_else(|| self.pair(unit).unwrap_or(char::REPLACEMENT_CHARACTER))
            }
            _ => return Err(MALFORMED),
        })
    }

    /// The character of which `high` is the first half, if the other half follows.
    fn pair(&mut self, high: u32) -> Option<char> {
        let start = self.at;
        let low = match self.text.as_bytes()[start..] {
            [b'\\', b'u', ..] => {
                self.at += 2;
                self.hex4().ok()
            }
            _ => None,
        };
        let character = match (high, low) {
            (0xd800..0xdc00, Some(low @ 0xdc00..0xe000)) => {
                char::from_u32(0x10000 + ((high - 0xd800) << 10 | (low - 0xdc00)))
            }
            _ => None,
        };
        if character.is_none() {
            self.at = start;
        }
        character
    }

    fn hex4(&mut self) -> Result<u32, Malformed> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.take().and_then(|byte| char::from(byte).to_digit(16));
            unit = unit << 4 | digit.ok_or(MALFORMED)?;
        }
        Ok(unit)
    }

    fn number(&mut self) -> Result<(), Malformed> {
        self.take_if(|byte| byte == b'-');
        if !self.take_if(|byte| byte == b'0') {
            self.digits()?;
        }
        if self.take_if(|byte| byte == b'.') {
            self.digits()?;
        }
        if self.take_if(|byte| matches!(byte, b'e' | b'E')) {
            self.take_if(|byte| matches!(byte, b'+' | b'-'));
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        if !self.take_if(|byte| byte.is_ascii_digit()) {
            return Err(MALFORMED);
        }
        while self.take_if(|byte| byte.is_ascii_digit()) {}
        Ok(())
    }

    fn literal(&mut self, literal: &str) -> Result<(), Malformed> {
        if !self.text.as_bytes()[self.at..].starts_with(literal.as_bytes()) {
            return Err(MALFORMED);
        }
        self.at += literal.len();
        Ok(())
    }

    fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        self.skip_space();
        if self.take_if(|next| next == byte) { Ok(()) } else { Err(MALFORMED) }
    }

    fn skip_space(&mut self) {
        while self.take_if(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')) {}
    }

    fn take_if(&mut self, accept: impl Fn(u8) -> bool) -> bool {
        let accepted = self.peek().is_some_and(accept);
        self.at += usize::from(accepted);
        accepted
    }

    fn take(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

/// Appends `text` as a string, quotes included.
pub(crate) fn write_string(text: &str, out: &mut BytesMut) {
    out.reserve(text.len() + 2);
    out.put_u8(b'"');
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        let run = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len());
        out.put_slice(&rest[..run]);
        rest = &rest[run..];
        if let [byte, tail @ ..] = rest {
            match byte {
                b'"' | b'\\' => out.put_slice(&[b'\\', *byte]),
                b'\n' => out.put_slice(b"\\n"),
                b'\r' => out.put_slice(b"\\r"),
                b'\t' => out.put_slice(b"\\t"),
                _ => {
                    let digit = |value: u8| HEX_DIGITS[usize::from(value)];
                    out.put_slice(b"\\u00");
                    out.put_slice(&[digit(byte >> 4), digit(byte & 0x0f)]);
                }
            }
            rest = tail;
        }
    }
    out.put_u8(b'"');
}

// What we read nests four deep; the rest is for fields we do not know, and must not use up the stack.
const DEPTH_MAX: usize = 64;
const HEX_DIGITS: &[u8; 16] = b"0123456789abcdef";
const MALFORMED: Malformed = Malformed { format: "JSON" };

#[cfg(test)]
mod tests;
