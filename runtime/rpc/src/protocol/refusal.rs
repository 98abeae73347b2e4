//! Answers to requests that no exchange begins for.

use bytes::{Bytes, BytesMut};
use ringwire_wire::{MediaType, Metadata};

use super::media::{CONTENT_TYPE, MediaText, family};
use super::{Protocol, Reply, connect};
use crate::transmit::Transmit;
use crate::{Answer, Ending, Error, RequestHead, RequestRest, ServerConfig, Sinks, Spec};

/// The answer that says `error` to whoever sent `head`.
pub(crate) fn answer_error(head: &RequestHead<'_>, error: &Error) -> Answer {
    let value = head.headers.get(CONTENT_TYPE).unwrap_or_default();
    if head.method != "GET"
        && let Ok(media_type) = MediaType::parse(value)
        && let Some(protocol) = family(media_type.essence())
    {
        return answer(protocol, &MediaText::echo(media_type.essence()), error.clone());
    }
    answer(&connect::POST, &JSON, error.clone())
}

/// The answer to a request whose path is no method's.
pub(crate) fn answer_unrouted(head: &RequestHead<'_>) -> Answer {
    let value = head.headers.get(CONTENT_TYPE).unwrap_or_default();
    let protocol = MediaType::parse(value).ok().and_then(|media_type| family(media_type.essence()));
    let error = Error::unimplemented("there is no such method");
    match protocol {
        // Those whose servers own the whole path speak of it in their own words.
        Some(protocol) if protocol.media_default().is_some() => answer_error(head, &error),
        Some(_) => Answer { status: NOT_FOUND, ..answer(&connect::POST, &JSON, error) },
        None => *http_answer(NOT_FOUND, &[]),
    }
}

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
        protocol: &'static dyn Protocol,
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
                    .push((protocol.fields().accept_encoding.to_owned(), offer.as_bytes().to_vec()));
                Box::new(answer)
            }
        }
    }
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
        if entry.protocol.serves(spec.shape) {
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
pub(super) fn answer(protocol: &dyn Protocol, media_type: &MediaText, error: Error) -> Answer {
    let none = Metadata::new();
    let reply = Reply { media_type, encoding: None, varies: false, head_sent: false };
    let ending = Ending { outcome: Err(&error), headers: &none, trailers: &none };
    let mut transmit = Transmit::new(protocol.framing(), u32::MAX, protocol.is_text());
    let mut headers: Vec<(String, Vec<u8>)> = Vec::new();
    let mut body = BytesMut::new();
    let mut trailers: Vec<(String, Vec<u8>)> = Vec::new();
    let mut sinks = Sinks { head: &mut headers, body: &mut body, trailers: &mut trailers };
    let finished = protocol.finish(&reply, &ending, &mut transmit, &mut sinks);
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

/// What errors are in that stand for themselves.
pub(super) const JSON: MediaText = MediaText::known("application/json");
const NOT_FOUND: u16 = 404;
const METHOD_NOT_ALLOWED: u16 = 405;
const UNSUPPORTED_MEDIA_TYPE: u16 = 415;
const VERSION_NOT_SUPPORTED: u16 = 505;
