//! Which protocol, codec and compressions a request speaks: the one place that looks.

use std::time::Duration;

use bytes::Bytes;
use ringwire_compress::{Compression, Compressions};
use ringwire_wire::query::{self, Query};
use ringwire_wire::{MediaType, accept};

use super::media::{CONTENT_TYPE, MediaText, family};
use super::refusal::{self, JSON, Refusal, answer};
use super::{Protocol, connect};
use crate::{Answer, Error, Idempotency, RequestHead, ServerConfig, Spec, Version};

/// What a request has been found to speak.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) protocol: &'static dyn Protocol,
    /// Which codec of the configuration.
    pub(crate) codec: usize,
    /// Which of that codec's media types.
    pub(crate) media_type: usize,
    pub(crate) timeout: Option<Duration>,
    pub(crate) request_compression: Option<&'static dyn Compression>,
    pub(crate) response_compression: Option<&'static dyn Compression>,
    /// The message, where the head holds it.
    pub(crate) message: Option<Bytes>,
}

/// Reads the head of a request for the method `spec`, or answers it.
pub(crate) fn negotiate(
    head: &RequestHead<'_>,
    spec: &Spec,
    config: &ServerConfig,
) -> Result<Opening, Box<Answer>> {
    let opening = match head.method {
        "POST" => post(head, spec, config)?,
        "GET" if allows_get(spec) => get(head, config)?,
        _ => {
            let allowed = if allows_get(spec) { "GET, POST" } else { "POST" };
            return Err(refusal::method_not_allowed(allowed));
        }
    };
    if opening.protocol.has_http_trailers() && head.version == Version::Http1 {
        return Err(refusal::version_not_supported());
    }
    let (protocol, codec, media_type) = (opening.protocol, opening.codec, opening.media_type);
    read_fields(opening, head, config).map_err(|refusal| {
        let media_type = &config.codecs[codec].entries()[media_type].media_type;
        refusal.answer(protocol, media_type, config)
    })
}

fn allows_get(spec: &Spec) -> bool {
    spec.idempotency == Idempotency::NoSideEffects && connect::GET.serves(spec.shape)
}

fn post(head: &RequestHead<'_>, spec: &Spec, config: &ServerConfig) -> Result<Opening, Box<Answer>> {
    let value = head.headers.get(CONTENT_TYPE).unwrap_or_default();
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
    let Some((protocol, default)) = family.and_then(|protocol| Some((protocol, protocol.media_default()?)))
    else {
        return Err(refusal::unsupported_media_type(spec, config));
    };
    let error = Error::unimplemented(format!("unknown codec in {:?}", media_type.essence()));
    Err(Box::new(answer(protocol, &MediaText::known(default), error)))
}

fn get(head: &RequestHead<'_>, config: &ServerConfig) -> Result<Opening, Box<Answer>> {
    let refuse = |error| Box::new(answer(&connect::GET, &JSON, error));
    if head.headers.get("content-length").is_some_and(|len| len != b"0") {
        return Err(refuse(Error::invalid_argument("a GET carries its message in the query, not in a body")));
    }
    let query = query::parse(head.query.unwrap_or_default())
        .map_err(|error| refuse(Error::invalid_argument(error.to_string())))?;
    check_query(&query, config).map_err(refuse)?;
    let encoding = query.encoding.as_deref().unwrap_or_default();
    let Some(codec) = config.codecs.iter().position(|codec| codec.name() == encoding) else {
        return Err(refusal::unsupported_codec());
    };
    let media_type = connect::GET.media_prefix();
    let media_type = config.codecs[codec]
        .entries()
        .iter()
        .position(|entry| entry.protocol.media_prefix() == media_type)
        .expect("every protocol has an entry");
    let compression = query.compression.as_deref().unwrap_or_default();
    let request_compression = match find_encoding(compression.as_bytes(), &config.compressions) {
        Ok(compression) => compression,
        Err(refusal) => return Err(refusal.answer(&connect::GET, &JSON, config)),
    };
    let opening = Opening::new(&connect::GET, codec, media_type);
    Ok(Opening { request_compression, message: query.message, ..opening })
}

fn check_query(query: &Query<'_>, config: &ServerConfig) -> Result<(), Error> {
    match query.version.as_deref() {
        Some("v1") => {}
        Some(other) => {
            return Err(Error::invalid_argument(format!(
                "query parameter \"connect\" must be v1, not {other:?}"
            )));
        }
        None if config.require_protocol_version => {
            return Err(Error::invalid_argument("query parameter \"connect\" is missing"));
        }
        None => {}
    }
    if query.encoding.is_none() {
        return Err(Error::invalid_argument("query parameter \"encoding\" is missing"));
    }
    if query.message.is_none() {
        return Err(Error::invalid_argument("query parameter \"message\" is missing"));
    }
    Ok(())
}

fn find(spec: &Spec, config: &ServerConfig, is: impl Fn(&str) -> bool) -> Option<Opening> {
    for (codec, types) in config.codecs.iter().enumerate() {
        for (media_type, entry) in types.entries().iter().enumerate() {
            if is(entry.media_type.as_str()) && entry.protocol.serves(spec.shape) {
                return Some(Opening::new(entry.protocol, codec, media_type));
            }
        }
    }
    None
}

impl Opening {
    fn new(protocol: &'static dyn Protocol, codec: usize, media_type: usize) -> Self {
        Self {
            protocol,
            codec,
            media_type,
            timeout: None,
            request_compression: None,
            response_compression: None,
            message: None,
        }
    }
}

/// Reads the header fields that say more about the request.
fn read_fields(
    mut opening: Opening,
    head: &RequestHead<'_>,
    config: &ServerConfig,
) -> Result<Opening, Refusal> {
    let fields = opening.protocol.fields();
    let accept_lines =
        count_fields(head, [CONTENT_TYPE, fields.timeout, fields.encoding], fields.accept_encoding)?;
    opening.protocol.check_version(head, config.require_protocol_version)?;
    if let Some(value) = head.headers.get(fields.timeout) {
        let timeout = opening.protocol.parse_timeout(value);
        opening.timeout = Some(timeout.map_err(|_| malformed(fields.timeout, value))?);
    }
    if opening.message.is_none()
        && let Some(value) = head.headers.get(fields.encoding)
    {
        opening.request_compression = find_encoding(value, &config.compressions)?;
    }
    if accept_lines > 0 && config.compressions.accept_header().is_some() {
        opening.response_compression = negotiate_encoding(head, fields.accept_encoding, accept_lines, config);
    }
    Ok(opening)
}

/// Refuses a head that says one thing twice: another reader of it may have taken the other value.
fn count_fields(head: &RequestHead<'_>, single: [&'static str; 3], list: &str) -> Result<usize, Error> {
    let mut seen = [0_usize; 3];
    let mut lists = 0;
    head.headers.for_each(&mut |name, _| match single
        .iter()
        .position(|known| known.eq_ignore_ascii_case(name))
    {
        Some(at) => seen[at] += 1,
        None => lists += usize::from(list.eq_ignore_ascii_case(name)),
    });
    match seen.iter().position(|count| *count > 1) {
        Some(at) => Err(Error::invalid_argument(format!("header {} is given more than once", single[at]))),
        None => Ok(lists),
    }
}

fn find_encoding(
    value: &[u8],
    compressions: &Compressions,
) -> Result<Option<&'static dyn Compression>, Refusal> {
    if value.is_empty() {
        return Ok(None);
    }
    let known = std::str::from_utf8(value).ok().and_then(|name| compressions.find(name).ok());
    known.ok_or_else(|| {
        let name = String::from_utf8_lossy(value);
        Refusal::UnknownEncoding(Error::unimplemented(format!("unknown encoding {name:?}")))
    })
}

fn negotiate_encoding(
    head: &RequestHead<'_>,
    field: &str,
    lines: usize,
    config: &ServerConfig,
) -> Option<&'static dyn Compression> {
    if lines == 1 {
        return config.compressions.negotiate(Accepted { rest: head.headers.get(field)? });
    }
    let mut joined = Vec::new();
    head.headers.for_each(&mut |name, value| {
        if field.eq_ignore_ascii_case(name) {
            joined.extend_from_slice(value);
            joined.push(b',');
        }
    });
    config.compressions.negotiate(Accepted { rest: &joined })
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

fn malformed(field: &str, value: &[u8]) -> Error {
    Error::invalid_argument(format!("header {field} is malformed: {:?}", String::from_utf8_lossy(value)))
}
