//! Which protocol, codec and compressions a request speaks: the one place that looks.

use std::ptr;
use std::time::Duration;

use ringwire_http::{Fields, Head, Headers, Method, Token};
use ringwire_wire::{MediaType, Quoted, accept};

use super::connect::JSON;
use super::media::MediaText;
use super::opening::Opening;
use super::refusal::{self, NOT_FOUND, Refusal, answer, find_encoding};
use super::table::family;
use super::{NAMES, connect};
use crate::{Answer, Error, Idempotency, ServerConfig, Spec};

impl Opening {
    /// Reads the head of a request for the method `spec`, or answers it.
    ///
    /// # Panics
    /// The fields of the head were not classified with [`NAMES`].
    pub fn read(head: &Head, spec: &Spec, config: &ServerConfig) -> Result<Self, Box<Answer>> {
        let fields = head.fields();
        assert!(ptr::eq(fields.names(), &NAMES), "a connection classifies fields with `ringwire_rpc::NAMES`");
        let mut opening = match head.method() {
            Method::Post => post(fields, spec, config)?,
            Method::Get if allows_get(spec) => connect::open_get(head, config)?,
            _ => {
                let allowed = if allows_get(spec) { "GET, POST" } else { "POST" };
                return Err(refusal::method_not_allowed(allowed));
            }
        };
        if opening.protocol.has_http_trailers && head.version().is_http1() {
            return Err(refusal::version_not_supported());
        }
        match opening.read_fields(head, config) {
            Ok(()) => Ok(opening),
            Err(refusal) => Err(opening.refuse(refusal, config)),
        }
    }

    /// The time that the client of this head is willing to wait, counted from its arrival. An `Err` answers a value that is
    /// malformed.
    #[inline]
    pub fn timeout(&self, head: &Head, config: &ServerConfig) -> Result<Option<Duration>, Box<Answer>> {
        match head.fields().known(self.protocol.fields.timeout) {
            None => Ok(None),
            Some(value) => self.read_timeout(value, config),
        }
    }

    fn read_timeout(&self, value: &[u8], config: &ServerConfig) -> Result<Option<Duration>, Box<Answer>> {
        let name = self.protocol.fields.timeout;
        match (self.protocol.parse_timeout)(value) {
            Ok(timeout) => Ok(Some(timeout)),
            Err(_) => Err(self.refuse(malformed(name, value).into(), config)),
        }
    }

    /// Reads the header fields that say more about the request.
    fn read_fields(&mut self, head: &Head, config: &ServerConfig) -> Result<(), Refusal> {
        let (fields, names) = (head.fields(), &self.protocol.fields);
        // One thing said twice is refused: another reader of the head may have taken the other value.
        if fields.has_repeated() {
            let once = [Token::CONTENT_TYPE, names.timeout, names.encoding];
            if let Some(name) = once.into_iter().find(|name| fields.is_repeated(*name)) {
                let text = format!("header {} is given more than once", name.as_str());
                return Err(Error::invalid_argument(text).into());
            }
        }
        self.protocol.server.check_version(head, config.require_protocol_version)?;
        if self.message.is_none()
            && let Some(value) = fields.known(names.encoding)
        {
            self.request_compression = find_encoding(value, &config.compressions)?;
        }
        if config.compressions.accept_header().is_some()
            && let Some(first) = fields.known(names.accept_encoding)
        {
            self.response_compression = match fields.is_repeated(names.accept_encoding) {
                false => config.compressions.negotiate(Accepted { rest: first }),
                true => {
                    let lines: Vec<_> = fields.all(names.accept_encoding).collect();
                    config.compressions.negotiate(Accepted { rest: &lines.join(&b',') })
                }
            };
        }
        Ok(())
    }

    #[cold]
    fn refuse(&self, refusal: Refusal, config: &ServerConfig) -> Box<Answer> {
        let media_type = &config.codecs[self.codec].entries()[self.media_type].media_type;
        refusal.answer(self.protocol, media_type, config)
    }
}

/// The answer that says `error` in the protocol of the request, for middleware that stands before any
/// exchange.
///
/// A request of no known protocol gets the error as JSON.
pub fn answer_error(head: &Head, error: &Error) -> Answer {
    let value = head.fields().known(Token::CONTENT_TYPE).unwrap_or_default();
    if *head.method() != Method::Get
        && let Ok(media_type) = MediaType::parse(value)
        && let Some(protocol) = family(media_type.essence())
    {
        return answer(protocol, &MediaText::echo(media_type.essence()), error.clone());
    }
    answer(&connect::POST, &JSON, error.clone())
}

/// The answer to a request whose path is no method's: `unimplemented` in the protocol of the request, and
/// HTTP 404 where the protocol leaves paths to HTTP.
pub fn answer_unrouted(head: &Head) -> Answer {
    let value = head.fields().known(Token::CONTENT_TYPE).unwrap_or_default();
    let protocol = MediaType::parse(value).ok().and_then(|media_type| family(media_type.essence()));
    let error = Error::unimplemented("there is no such method");
    match protocol {
        // Those whose servers own the whole path speak of it in their own words.
        Some(protocol) if protocol.media_default.is_some() => answer_error(head, &error),
        Some(_) => Answer { status: NOT_FOUND, ..answer(&connect::POST, &JSON, error) },
        None => *refusal::not_found(),
    }
}

fn allows_get(spec: &Spec) -> bool {
    spec.idempotency == Idempotency::NoSideEffects && (connect::GET.serves)(spec.shape)
}

fn post(fields: &Fields, spec: &Spec, config: &ServerConfig) -> Result<Opening, Box<Answer>> {
    let value = fields.known(Token::CONTENT_TYPE).unwrap_or_default();
    // Almost every request says it in the very words of the table.
    if let Some(opening) = find(spec, config, |known| known.as_bytes() == value) {
        return Ok(opening);
    }
    let Ok(media_type) = MediaType::parse(value) else {
        return Err(refusal::unsupported_media_type(spec, config));
    };
    if let Some(opening) = find(spec, config, |known| media_type.is(known)) {
        return Ok(opening);
    }
    let family = family(media_type.essence());
    let Some((protocol, default)) = family.and_then(|protocol| Some((protocol, protocol.media_default?)))
    else {
        return Err(refusal::unsupported_media_type(spec, config));
    };
    let error = Error::unimplemented(format!("unknown codec in {}", Quoted(media_type.essence().as_bytes())));
    Err(Box::new(answer(protocol, &MediaText::known(default), error)))
}

#[inline]
fn find(spec: &Spec, config: &ServerConfig, is: impl Fn(&str) -> bool) -> Option<Opening> {
    for (codec, types) in config.codecs.iter().enumerate() {
        for (media_type, entry) in types.entries().iter().enumerate() {
            if is(entry.media_type.as_str()) && (entry.protocol.serves)(spec.shape) {
                return Some(Opening::new(entry.protocol, codec, media_type));
            }
        }
    }
    None
}

/// The members of an accept-encoding field, to be walked more than once.
#[derive(Clone)]
struct Accepted<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Accepted<'a> {
    type Item = (&'a str, u16);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            let end = self.rest.iter().position(|byte| *byte == b',').unwrap_or(self.rest.len());
            let member = &self.rest[..end];
            self.rest = self.rest.get(end + 1..).unwrap_or_default();
            if let Some(coding) = accept::codings(member).next() {
                return Some((coding.name, coding.weight.thousandths()));
            }
        }
        None
    }
}

fn malformed(field: Token, value: &[u8]) -> Error {
    let field = field.as_str();
    Error::invalid_argument(format!("header {field} is malformed: {}", Quoted(value)))
}
