//! Field lines, and what some fields say of the message and the connection.

use crate::scan::{trim, value_len};
use crate::{Fault, Limits};
use ringwire_http::{Fields, HeadersMut, Names, Token};

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
    /// No lines yet; `len` bytes were there before them.
    pub(crate) fn new(names: &'static Names, len: usize) -> Self {
        Self { fields: Fields::new(names), len }
    }

    /// Reads whole lines from the start of `bytes`, up to the empty one. `admit` is asked about fields with a token,
    /// and says whether they are kept.
    pub(crate) fn read(
        &mut self,
        bytes: &[u8],
        limits: &Limits,
        mut admit: impl FnMut(Token, &[u8]) -> Result<Admit, Fault>,
    ) -> Result<Progress, Fault> {
        let mut name = [0; NAME_MAX];
        let mut read = 0;
        loop {
            let rest = &bytes[read..];
            let window = &rest[..rest.len().min(limits.head_max.saturating_sub(self.len))];
            let Some(line) = line(window, &mut name)? else {
                if window.len() < rest.len() {
                    return Err(Fault::HeadTooLarge { limit: limits.head_max });
                }
                return Ok(Progress::Partial(read));
            };
            read += line.len;
            self.len += line.len;
            let Some((name, value)) = line.field else { return Ok(Progress::Whole(read)) };
            if self.fields.len() == limits.fields_max {
                return Err(Fault::TooManyFields { limit: limits.fields_max });
            }
            match self.fields.names().find(name) {
                Some(token) => match admit(token, value)? {
                    Admit::Keep => self.fields.append_known(token, value),
                    Admit::Drop => {}
                },
                None => {
                    self.fields
                        .append(std::str::from_utf8(name).expect("the bytes of a token are ASCII"), value);
                }
            }
        }
    }
}

/// Whether a field is among those that a message has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Admit {
    Keep,
    Drop,
}

struct Line<'a> {
    /// The name, in lower case, and the value; `None` for the empty line.
    field: Option<(&'a [u8], &'a [u8])>,
    len: usize,
}

/// The line at the start of `bytes`; `None` if its end is not there. The name is written to `buffer`.
///
/// <https://www.rfc-editor.org/rfc/rfc9112#section-5>: no blank may stand before the colon (5.1), and a line that begins
/// with a blank continues the one before it, which is refused (5.2).
fn line<'a>(bytes: &'a [u8], buffer: &'a mut [u8; NAME_MAX]) -> Result<Option<Line<'a>>, Fault> {
    let mut name_len = 0;
    for (&byte, slot) in bytes.iter().zip(buffer.iter_mut()) {
        let lower = NAME_BYTES[usize::from(byte)];
        if lower == 0 {
            break;
        }
        *slot = lower;
        name_len += 1;
    }
    let Some(&after) = bytes.get(name_len) else { return Ok(None) };
    if after != b':' || name_len == 0 {
        return match bytes {
            [b'\r', b'\n', ..] => Ok(Some(Line { field: None, len: 2 })),
            [b'\r'] => Ok(None),
            _ => Err(Fault::FieldLine),
        };
    }
    let start = name_len + 1;
    let end = start + value_len(&bytes[start..]);
    match bytes[end..] {
        [b'\r', b'\n', ..] => {
            let field = Some((&buffer[..name_len], trim(&bytes[start..end])));
            Ok(Some(Line { field, len: end + 2 }))
        }
        [] | [b'\r'] => Ok(None),
        _ => Err(Fault::FieldLine),
    }
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
