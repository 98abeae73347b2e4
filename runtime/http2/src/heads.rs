//! Heads and trailers, made of header blocks: <https://www.rfc-editor.org/rfc/rfc9113#section-8>.

use ringwire_hpack::{DecodeError, Decoder, Line, LineName, Pseudo};
use ringwire_http::{Fields, Head, Headers, HeadersMut, Method, Names, ResponseHead, Scheme, Token, Version};

/// The header blocks of a connection, as they arrive.
#[derive(Debug)]
pub(crate) struct Heads {
    names: &'static Names,
    decoder: Decoder,
    list_max: usize,
    /// Heads of requests that may come again, with their blocks.
    kept: Vec<Kept>,
    next_kept: usize,
}

#[derive(Debug)]
struct Kept {
    block: Box<[u8]>,
    generation: u64,
    head: Head,
    content_length: Option<u64>,
}

/// What a block holds, if it can be decoded.
#[derive(Debug)]
pub(crate) enum Read<H> {
    Whole {
        head: H,
        /// The value of content-length, if there is one.
        content_length: Option<u64>,
    },
    /// It is not what HTTP allows.
    Malformed,
    /// Its list is larger than the limit.
    TooLarge {
        /// What was looked at: the block, and the list up to the limit.
        bytes: usize,
    },
}

impl Heads {
    pub(crate) fn new(names: &'static Names, list_max: u32) -> Self {
        Self {
            names,
            decoder: Decoder::new(names),
            list_max: list_max as usize,
            kept: Vec::new(),
            next_kept: 0,
        }
    }

    /// Reads the head of a request. An equal block over an unchanged table gives the same head again.
    #[inline]
    pub(crate) fn request(&mut self, block: &[u8]) -> Result<Read<Head>, DecodeError> {
        let generation = self.decoder.generation();
        let known = self.kept.iter().find(|kept| kept.generation == generation && *kept.block == *block);
        if let Some(kept) = known {
            return Ok(Read::Whole { head: kept.head.clone(), content_length: kept.content_length });
        }
        self.read_request(block)
    }

    fn read_request(&mut self, block: &[u8]) -> Result<Read<Head>, DecodeError> {
        let generation = self.decoder.generation();
        let mut message = Message::new(self.names);
        let size = self.decoder.decode(block, self.list_max, &mut |line| message.add(line))?;
        if size > self.list_max {
            return Ok(Read::TooLarge { bytes: self.list_max + block.len() });
        }
        let content_length = message.content_length;
        let Some(head) = message.into_request() else { return Ok(Read::Malformed) };
        if generation == self.decoder.generation() && block.len() <= BLOCK_KEPT {
            self.keep(Kept { block: block.into(), generation, head: head.clone(), content_length });
        }
        Ok(Read::Whole { head, content_length })
    }

    fn keep(&mut self, kept: Kept) {
        if self.kept.len() < HEADS_KEPT {
            self.kept.push(kept);
        } else {
            self.kept[self.next_kept] = kept;
            self.next_kept = (self.next_kept + 1) % HEADS_KEPT;
        }
    }

    /// Reads the head of a response.
    pub(crate) fn response(&mut self, block: &[u8]) -> Result<Read<ResponseHead>, DecodeError> {
        let mut message = Message::new(self.names);
        let size = self.decoder.decode(block, self.list_max, &mut |line| message.add(line))?;
        if size > self.list_max {
            return Ok(Read::TooLarge { bytes: self.list_max + block.len() });
        }
        let content_length = message.content_length;
        Ok(message.into_response().map_or(Read::Malformed, |head| Read::Whole { head, content_length }))
    }

    /// Reads trailers.
    pub(crate) fn trailers(&mut self, block: &[u8]) -> Result<Read<Fields>, DecodeError> {
        let mut message = Message::new(self.names);
        let size = self.decoder.decode(block, self.list_max, &mut |line| message.add(line))?;
        if size > self.list_max {
            return Ok(Read::TooLarge { bytes: self.list_max + block.len() });
        }
        Ok(message.into_trailers().map_or(Read::Malformed, |head| Read::Whole { head, content_length: None }))
    }

    /// Reads a block for the table's sake only; says so if its list is larger than the limit.
    pub(crate) fn skip(&mut self, block: &[u8]) -> Result<Read<()>, DecodeError> {
        let size = self.decoder.decode(block, 0, &mut |_| {})?;
        Ok(if size > self.list_max {
            Read::TooLarge { bytes: block.len() }
        } else {
            Read::Whole { head: (), content_length: None }
        })
    }
}

/// A message's fields while they are read.
struct Message {
    fields: Fields,
    method: Option<Method>,
    scheme: Option<SchemeText>,
    authority: Option<Box<str>>,
    path: Option<Box<str>>,
    status: Option<u16>,
    content_length: Option<u64>,
    /// Cookies, which HTTP/2 cuts into crumbs.
    cookie: Vec<u8>,
    malformed: bool,
}

enum SchemeText {
    Known(Scheme),
    /// Gateways may be asked for other schemes.
    Other,
}

impl Message {
    fn new(names: &'static Names) -> Self {
        Self {
            fields: Fields::new(names),
            method: None,
            scheme: None,
            authority: None,
            path: None,
            status: None,
            content_length: None,
            cookie: Vec::new(),
            malformed: false,
        }
    }

    fn add(&mut self, line: Line<'_>) {
        let allowed = match line.name {
            LineName::Pseudo(pseudo) => self.add_pseudo(pseudo, line.value),
            LineName::Known(token) => self.add_known(token, line.value),
            LineName::Text(name) => {
                self.fields.append(name, line.value);
                true
            }
            LineName::Malformed => false,
        };
        self.malformed |= !allowed;
    }

    /// Section 8.3: before all others, each at most once, and none but those that are defined.
    fn add_pseudo(&mut self, pseudo: Pseudo, value: &[u8]) -> bool {
        if !self.fields.is_empty() || !self.cookie.is_empty() {
            return false;
        }
        match pseudo {
            Pseudo::Method => set(&mut self.method, Method::from_bytes(value)),
            Pseudo::Scheme => set(&mut self.scheme, SchemeText::parse(value)),
            Pseudo::Authority => set(&mut self.authority, text(value)),
            Pseudo::Path => set(&mut self.path, text(value)),
            Pseudo::Status => set(&mut self.status, status(value)),
            // The extended CONNECT is not offered: RFC 8441, section 3.
            Pseudo::Protocol => false,
        }
    }

    /// Section 8.2.2: fields that belong to a connection of HTTP/1.
    fn add_known(&mut self, token: Token, value: &[u8]) -> bool {
        match token {
            Token::CONNECTION
            | Token::KEEP_ALIVE
            | Token::PROXY_CONNECTION
            | Token::TRANSFER_ENCODING
            | Token::UPGRADE => return false,
            Token::TE if !value.eq_ignore_ascii_case(b"trailers") => return false,
            Token::CONTENT_LENGTH => {
                let Some(length) = content_length(value) else { return false };
                if self.content_length.is_some_and(|before| before != length) {
                    return false;
                }
                self.content_length = Some(length);
            }
            // Section 8.2.3: crumbs are joined before anything that is not HTTP/2 sees them.
            Token::COOKIE => {
                if !self.cookie.is_empty() {
                    self.cookie.extend_from_slice(b"; ");
                }
                self.cookie.extend_from_slice(value);
                return true;
            }
            _ => {}
        }
        self.fields.append_known(token, value);
        true
    }

    fn into_fields(mut self) -> Fields {
        if !self.cookie.is_empty() {
            self.fields.append_known(Token::COOKIE, &self.cookie);
        }
        self.fields
    }

    /// Section 8.3.1.
    fn into_request(mut self) -> Option<Head> {
        let method = self.method.take()?;
        if self.malformed || self.status.is_some() {
            return None;
        }
        let authority = self.authority.take();
        let (target, scheme) = match (&method, self.path.take(), self.scheme.take()) {
            // Section 8.5.
            (Method::Connect, None, None) if authority.is_some() => (Box::default(), None),
            (Method::Connect, ..) => return None,
            (_, Some(path), Some(scheme)) if is_path(&method, &path) => (path, scheme.known()),
            _ => return None,
        };
        let authority = match (authority, self.fields.known(Token::HOST)) {
            (Some(authority), Some(host)) if !authority.as_bytes().eq_ignore_ascii_case(host) => return None,
            (Some(authority), _) => Some(authority),
            (None, Some(host)) => Some(std::str::from_utf8(host).ok()?.into()),
            (None, None) => None,
        };
        if authority.as_deref().is_some_and(|authority| authority.contains('@')) {
            return None;
        }
        let mut head = Head::new(method, target, Version::Http2, self.into_fields());
        if let Some(authority) = authority {
            head = head.with_authority(authority);
        }
        if let Some(scheme) = scheme {
            head = head.with_scheme(scheme);
        }
        Some(head)
    }

    /// Section 8.3.2. HTTP/2 has no 101: section 8.6.
    fn into_response(self) -> Option<ResponseHead> {
        let status = self.status.filter(|status| *status != 101)?;
        if self.malformed || self.method.is_some() || self.has_target() {
            return None;
        }
        Some(ResponseHead { status, version: Version::Http2, fields: self.into_fields() })
    }

    /// Section 8.1: trailers have no pseudo-header fields.
    fn into_trailers(self) -> Option<Fields> {
        let pseudo = self.status.is_some() || self.method.is_some() || self.has_target();
        (!self.malformed && !pseudo).then(|| self.into_fields())
    }

    fn has_target(&self) -> bool {
        self.scheme.is_some() || self.authority.is_some() || self.path.is_some()
    }
}

impl SchemeText {
    fn parse(value: &[u8]) -> Option<Self> {
        Some(match value {
            b"http" => Self::Known(Scheme::Http),
            b"https" => Self::Known(Scheme::Https),
            [first, rest @ ..]
                if first.is_ascii_alphabetic()
                    && rest.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte)) =>
            {
                Self::Other
            }
            _ => return None,
        })
    }

    fn known(self) -> Option<Scheme> {
        match self {
            Self::Known(scheme) => Some(scheme),
            Self::Other => None,
        }
    }
}

/// Sets what was not set before; `false` if it was, or if there is no value.
fn set<T>(slot: &mut Option<T>, value: Option<T>) -> bool {
    let allowed = slot.is_none() && value.is_some();
    *slot = value;
    allowed
}

fn text(value: &[u8]) -> Option<Box<str>> {
    std::str::from_utf8(value).ok().map(Into::into)
}

fn status(value: &[u8]) -> Option<u16> {
    match value {
        [b'1'..=b'9', b'0'..=b'9', b'0'..=b'9'] => text(value)?.parse().ok(),
        _ => None,
    }
}

fn content_length(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// A path begins with a slash, or is the `*` of OPTIONS. White space in it would end it wherever it is passed on.
fn is_path(method: &Method, path: &str) -> bool {
    match path {
        "*" => *method == Method::Options,
        _ => path.starts_with('/') && !path.bytes().any(|byte| byte <= b' '),
    }
}

/// Requests of one client differ in a few ways, by their method for the most part.
const HEADS_KEPT: usize = 8;
/// The longest block that is kept.
const BLOCK_KEPT: usize = 1024;

#[cfg(test)]
mod tests;
