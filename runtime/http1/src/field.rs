//! Field lines, and what some fields say of the message and the connection.

use crate::scan::{colon, trim, value_len};
use crate::{Fault, Limits};
use ringwire_http::{Fields, HeadersMut, Names, Token};
use std::ops::Range;

/// A reader of field lines: the second part of a head, and trailers.
#[derive(Debug)]
pub(crate) struct FieldLines {
    pub(crate) fields: Fields,
    /// The bytes so far, those of a first line included.
    len: usize,
}

/// The end of an attempt to read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Progress {
    /// So many bytes were read, and the empty line was among them.
    Whole(usize),
    /// So many bytes were read. More lines must follow.
    Partial(usize),
}

impl FieldLines {
    /// No lines yet: `fields` is empty. `len` bytes were there before them.
    pub(crate) fn new(fields: Fields, len: usize) -> Self {
        Self { fields, len }
    }

    /// Reads whole lines from the start of `bytes`, up to the empty one. `admit` is asked about fields with a token,
    /// and says whether they are kept. Lines that are the same as in the head `before` are not read again.
    pub(crate) fn read(
        &mut self,
        bytes: &[u8],
        limits: &Limits,
        before: &mut LinesBefore,
        mut admit: impl FnMut(Token, &[u8], Seen) -> Result<Admit, Fault>,
    ) -> Result<Progress, Fault> {
        let names = self.fields.names();
        let window = &bytes[..bytes.len().min(limits.head_max.saturating_sub(self.len))];
        let first_len = self.len;
        let mut read = 0;
        let mut place = before.start();
        loop {
            let rest = &window[read..];
            let (line, seen) = match before.line(&place, rest) {
                Some(line) => (line, Seen::Before),
                None => match line(rest, names)? {
                    Some(line) => (line, Seen::Now),
                    None if window.len() < bytes.len() => {
                        return Err(Fault::HeadTooLarge { limit: limits.head_max });
                    }
                    None => return Ok(Progress::Partial(read)),
                },
            };
            read += line.len;
            self.len = first_len + read;
            let Some((name, value)) = line.field else {
                before.end(&place);
                return Ok(Progress::Whole(read));
            };
            if self.fields.len() == limits.fields_max {
                return Err(Fault::TooManyFields { limit: limits.fields_max });
            }
            match name {
                Name::Known(token) => {
                    if let Admit::Keep = admit(token, value, seen)? {
                        self.fields.append_known(token, value);
                    }
                    before.note(&mut place, Some(token), value, rest, self.len);
                }
                Name::Other(name) => {
                    append_other(&mut self.fields, name, value);
                    before.note(&mut place, None, value, rest, self.len);
                }
            }
        }
    }
}

/// Appends a field whose name has no token, with its name in lower case.
#[inline(never)]
fn append_other(fields: &mut Fields, name: &[u8], value: &[u8]) {
    let mut buffer = [0; NAME_MAX];
    let lower_case = &mut buffer[..name.len()];
    for (&byte, slot) in name.iter().zip(&mut *lower_case) {
        *slot = lower(byte);
    }
    fields.append(std::str::from_utf8(lower_case).expect("the bytes of a token are ASCII"), value);
}

/// Whether a line was read as a part of the head before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Seen {
    Before,
    Now,
}

/// The lines of the head before this one, and while a head is read, those of this one in their place.
///
/// What a line says depends on its bytes alone, so that an equal line says it again. Clients send heads that differ in few
/// lines.
#[derive(Debug, Default)]
pub(crate) struct LinesBefore {
    /// The text of the whole head, and the length of its first line.
    pub(crate) text: Vec<u8>,
    pub(crate) first_len: usize,
    lines: Vec<LineBefore>,
}

#[derive(Debug)]
struct LineBefore {
    /// Lines whose names have no token are read again.
    token: Option<Token>,
    /// The end of the line in the text of the head.
    end: usize,
    /// The value, from the start of the line on.
    value: Range<usize>,
}

/// A place among the lines of a head: the number of the line, and its start in the text.
struct Place {
    index: usize,
    start: usize,
}

impl LinesBefore {
    /// Forgets all lines.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.lines.clear();
    }

    fn start(&self) -> Place {
        Place { index: 0, start: self.first_len }
    }

    /// The line at the start of `bytes`, if it is the same as the one at `place`.
    #[inline]
    fn line<'a>(&self, place: &Place, bytes: &'a [u8]) -> Option<Line<'a>> {
        let line = self.lines.get(place.index)?;
        let text = self.text.get(place.start..line.end)?;
        let token = line.token.filter(|_| bytes.starts_with(text))?;
        let value = bytes.get(line.value.clone())?;
        Some(Line { field: Some((Name::Known(token), value)), len: text.len() })
    }

    /// Notes a line of the head that is read: it takes the place of the one before.
    #[inline]
    fn note(&mut self, place: &mut Place, token: Option<Token>, value: &[u8], line: &[u8], end: usize) {
        let start = value.as_ptr() as usize - line.as_ptr() as usize;
        let new = LineBefore { token, end, value: start..start + value.len() };
        match self.lines.get_mut(place.index) {
            Some(old) => place.start = std::mem::replace(old, new).end,
            None => self.lines.push(new),
        }
        place.index += 1;
    }

    fn end(&mut self, place: &Place) {
        self.lines.truncate(place.index);
    }
}

/// Whether a field is among those that a message has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Admit {
    Keep,
    Drop,
}

struct Line<'a> {
    /// The name and the value; `None` for the empty line.
    field: Option<(Name<'a>, &'a [u8])>,
    len: usize,
}

enum Name<'a> {
    Known(Token),
    /// A name without a token, in any case.
    Other(&'a [u8]),
}

/// The line at the start of `bytes`; `None` if its end is not there.
///
/// <https://www.rfc-editor.org/rfc/rfc9112#section-5>: no blank may stand before the colon (5.1), and a line that begins
/// with a blank continues the one before it, which is refused (5.2).
fn line<'a>(bytes: &'a [u8], names: &'static Names) -> Result<Option<Line<'a>>, Fault> {
    if bytes.first() == Some(&b'\r') {
        return no_name(bytes);
    }
    let Some(name_len) = colon(&bytes[..bytes.len().min(NAME_MAX + 1)]) else { return no_name(bytes) };
    let name = &bytes[..name_len];
    let name = match names.find_ignore_case(name) {
        Some(token) => Name::Known(token),
        None if is_name(name) => Name::Other(name),
        None => return Err(Fault::FieldLine),
    };
    let start = name_len + 1;
    let end = start + value_len(&bytes[start..]);
    match bytes[end..] {
        [b'\r', b'\n', ..] => Ok(Some(Line { field: Some((name, trim(&bytes[start..end]))), len: end + 2 })),
        [] | [b'\r'] => Ok(None),
        _ => Err(Fault::FieldLine),
    }
}

/// A line that begins with no name and colon, or of which too little has come.
#[inline(never)]
fn no_name<'a>(bytes: &[u8]) -> Result<Option<Line<'a>>, Fault> {
    match bytes {
        [b'\r', b'\n', ..] => Ok(Some(Line { field: None, len: 2 })),
        [] | [b'\r'] => Ok(None),
        name if name.len() <= NAME_MAX && is_name(name) => Ok(None),
        _ => Err(Fault::FieldLine),
    }
}

fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|&byte| lower(byte) != 0)
}

/// The lower case of a byte of a token; 0 for others.
#[inline]
pub(crate) fn lower(byte: u8) -> u8 {
    NAME_BYTES[usize::from(byte)]
}

/// What the fields of a head say of its message and of the connection.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) content_length: Option<u64>,
    pub(crate) coding: Option<Coding>,
    pub(crate) has_host: bool,
    /// `connection: close`
    pub(crate) close: bool,
    /// `connection: keep-alive`
    pub(crate) keep_alive: bool,
    /// `connection: upgrade`
    pub(crate) upgrade: bool,
    /// There is an `upgrade` field.
    pub(crate) has_upgrade: bool,
    pub(crate) expectation: Option<Expectation>,
}

/// What `transfer-encoding` names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Coding {
    Chunked,
    Unknown,
}

/// What `expect` names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Expectation {
    Continue,
    Unknown,
}

impl Facts {
    /// Takes note of a field.
    pub(crate) fn note(&mut self, token: Token, value: &[u8]) -> Result<(), Fault> {
        match token.index() {
            CONTENT_LENGTH => {
                // Two of them are refused even if they are equal: another recipient may see them differently.
                if self.content_length.is_some() {
                    return Err(Fault::ContentLength);
                }
                self.content_length = Some(content_length(value).ok_or(Fault::ContentLength)?);
            }
            TRANSFER_ENCODING => {
                if self.coding.is_some() {
                    return Err(Fault::TransferEncoding);
                }
                self.coding = Some(coding(value)?);
            }
            CONNECTION => list(value).for_each(|option| {
                self.close |= option.eq_ignore_ascii_case(b"close");
                self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
                self.upgrade |= option.eq_ignore_ascii_case(b"upgrade");
            }),
            UPGRADE => self.has_upgrade = true,
            EXPECT => {
                for expectation in list(value) {
                    let known = expectation.eq_ignore_ascii_case(b"100-continue");
                    self.expectation = match (known, self.expectation) {
                        (true, None | Some(Expectation::Continue)) => Some(Expectation::Continue),
                        (_, _) => Some(Expectation::Unknown),
                    };
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// The number of a `content-length`.
pub(crate) fn content_length(value: &[u8]) -> Option<u64> {
    if value.is_empty() {
        return None;
    }
    value.iter().try_fold(0_u64, |number, &byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

/// <https://www.rfc-editor.org/rfc/rfc9112#section-6.1>: chunked comes last and once; a coding that is not known is answered
/// with 501. A `transfer-encoding` that ends in anything but chunked leaves the length of a request unknown (6.3).
fn coding(value: &[u8]) -> Result<Coding, Fault> {
    if value.eq_ignore_ascii_case(b"chunked") {
        return Ok(Coding::Chunked);
    }
    let mut codings = list(value).peekable();
    while let Some(coding) = codings.next() {
        let is_chunked = coding.eq_ignore_ascii_case(b"chunked");
        if is_chunked != codings.peek().is_none() || !ringwire_http::is_token(coding) {
            return Err(Fault::TransferEncoding);
        }
        if is_chunked {
            return Ok(Coding::Unknown);
        }
    }
    Err(Fault::TransferEncoding)
}

/// The elements of a list, without those that are empty.
pub(crate) fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&byte| byte == b',').map(trim).filter(|element| !element.is_empty())
}

/// Whether a trailer of this name is thrown away: its field decides on framing, routing, authentication or how content is
/// read, which a recipient has done by then.
///
/// <https://www.rfc-editor.org/rfc/rfc9110#section-6.5.1>
pub(crate) fn is_forbidden_trailer(token: Token) -> bool {
    matches!(
        token.index(),
        AUTHORIZATION
            | CONNECTION
            | CONTENT_ENCODING
            | CONTENT_LENGTH
            | CONTENT_TYPE
            | COOKIE
            | EXPECT
            | HOST
            | KEEP_ALIVE
            | PROXY_CONNECTION
            | TE
            | TRAILER
            | TRANSFER_ENCODING
            | UPGRADE
    )
}

const AUTHORIZATION: usize = Token::AUTHORIZATION.index();
const CONNECTION: usize = Token::CONNECTION.index();
const CONTENT_ENCODING: usize = Token::CONTENT_ENCODING.index();
const CONTENT_LENGTH: usize = Token::CONTENT_LENGTH.index();
const CONTENT_TYPE: usize = Token::CONTENT_TYPE.index();
const COOKIE: usize = Token::COOKIE.index();
const EXPECT: usize = Token::EXPECT.index();
const HOST: usize = Token::HOST.index();
const KEEP_ALIVE: usize = Token::KEEP_ALIVE.index();
const PROXY_CONNECTION: usize = Token::PROXY_CONNECTION.index();
const TE: usize = Token::TE.index();
const TRAILER: usize = Token::TRAILER.index();
const TRANSFER_ENCODING: usize = Token::TRANSFER_ENCODING.index();
const UPGRADE: usize = Token::UPGRADE.index();

/// The longest name of a field. No registered one has half of it; a longer one is malformed.
const NAME_MAX: usize = 128;

/// For each byte of a token, its lower case; 0 for others.
const NAME_BYTES: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        if ringwire_http::is_token(&[byte as u8]) {
            table[byte] = (byte as u8).to_ascii_lowercase();
        }
        byte += 1;
    }
    table
};
