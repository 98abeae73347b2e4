//! Answers to requests that no exchange begins for.

use bytes::{Bytes, BytesMut};
use ringwire_compress::{Compression, Compressions};
use ringwire_wire::{Metadata, Quoted};

use super::media::MediaText;
use super::{Protocol, Reply};
use crate::transmit::Transmit;
use crate::{Answer, Ending, Error, RequestRest, ServerConfig, Sinks, Spec};

/// Why a request is refused before it is read.
pub(super) enum Refusal {
    Error(Error),
    /// It is compressed in a way that this server does not know.
    UnknownEncoding(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Refusal {
    pub(super) fn answer(
        self,
        protocol: &'static Protocol,
        media_type: &MediaText,
        config: &ServerConfig,
    ) -> Box<Answer> {
        match self {
            Self::Error(error) => Box::new(answer(protocol, media_type, error)),
            Self::UnknownEncoding(error) => {
                let mut answer = answer(protocol, media_type, error);
                // An empty field would be one that some clients choke on.
                let offer = config.compressions.accept_header().unwrap_or(ringwire_compress::IDENTITY);
                answer
                    .headers
                    .push((protocol.fields.accept_encoding.as_str().to_owned(), offer.as_bytes().to_vec()));
                Box::new(answer)
            }
        }
    }
}

/// The answer to a path that leads nowhere.
pub(super) fn not_found() -> Box<Answer> {
    http_answer(NOT_FOUND, &[])
}

/// The answer to a verb that is not `allowed`.
pub(super) fn method_not_allowed(allowed: &str) -> Box<Answer> {
    http_answer(METHOD_NOT_ALLOWED, &[("allow", allowed)])
}

/// The answer to a protocol that this version of HTTP cannot carry.
pub(super) fn version_not_supported() -> Box<Answer> {
    http_answer(VERSION_NOT_SUPPORTED, &[])
}

/// The answer to a body of no protocol that the method can be called by.
pub(super) fn unsupported_media_type(spec: &Spec, config: &ServerConfig) -> Box<Answer> {
    let mut accepted = String::new();
    for entry in config.codecs.iter().flat_map(|types| types.entries()) {
        if (entry.protocol.serves)(spec.shape) {
            accepted.push_str(if accepted.is_empty() { "" } else { ", " });
            accepted.push_str(entry.media_type.as_str());
        }
    }
    http_answer(UNSUPPORTED_MEDIA_TYPE, &[("accept-post", &accepted)])
}

/// The answer to a query in a codec of somebody else's.
pub(super) fn unsupported_codec() -> Box<Answer> {
    http_answer(UNSUPPORTED_MEDIA_TYPE, &[])
}

/// The answer that says `error` in the words of `protocol`.
pub(super) fn answer(protocol: &'static Protocol, media_type: &MediaText, error: Error) -> Answer {
    let none = Metadata::new();
    let reply = Reply { protocol, media_type, encoding: None, varies: false, head_sent: false };
    let ending = Ending { outcome: Err(&error), headers: &none, trailers: &none };
    let mut transmit = Transmit::new(protocol.framing, u32::MAX, protocol.is_text);
    let mut headers: Vec<(String, Vec<u8>)> = Vec::new();
    let mut body = BytesMut::new();
    let mut trailers: Vec<(String, Vec<u8>)> = Vec::new();
    let mut sinks = Sinks { head: &mut headers, body: &mut body, trailers: &mut trailers };
    let finished = protocol.server.finish(&reply, &ending, &mut transmit, &mut sinks);
    debug_assert!(!finished.trailers, "a response without headers of its own needs no trailers");
    Answer {
        status: finished.status.expect("the head had not gone out"),
        headers,
        body: body.freeze(),
        error: Some(error),
        rest: RequestRest::Discard,
    }
}

fn http_answer(status: u16, headers: &[(&str, &str)]) -> Box<Answer> {
    let headers =
        headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
    Box::new(Answer { status, headers, body: Bytes::new(), error: None, rest: RequestRest::Discard })
}

/// The compression of this name; `None` if the value is empty.
pub(super) fn find_encoding(
    value: &[u8],
    compressions: &Compressions,
) -> Result<Option<&'static dyn Compression>, Refusal> {
    if value.is_empty() {
        return Ok(None);
    }
    let known = std::str::from_utf8(value).ok().and_then(|name| compressions.find(name).ok());
    known.ok_or_else(|| {
        // Connect's specification has the message name those that would do.
        let known = compressions.accept_header().unwrap_or("none");
        let text = format!("unknown encoding {}; supported: {known}", Quoted(value));
        Refusal::UnknownEncoding(Error::unimplemented(text))
    })
}

pub(super) const NOT_FOUND: u16 = 404;
const METHOD_NOT_ALLOWED: u16 = 405;
const UNSUPPORTED_MEDIA_TYPE: u16 = 415;
const VERSION_NOT_SUPPORTED: u16 = 505;
