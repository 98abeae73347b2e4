//! The Connect protocol: <https://connectrpc.com/docs/protocol>.

use bytes::{Bytes, BytesMut};
use ringwire_http::{Head, Headers, HeadersMut, Token};
use ringwire_wire::envelope::Flags;
use ringwire_wire::error_json::{self, Detail, ReceivedError};
use ringwire_wire::query::{self, Call, MessageForm, Query};
use ringwire_wire::{Code, MediaType, Metadata, Quoted, timeout};

use super::media::MediaText;
use super::names::{
    CONNECT_ACCEPT_ENCODING, CONNECT_CONTENT_ENCODING, CONNECT_PROTOCOL_VERSION, CONNECT_TIMEOUT_MS,
};
use super::opening::Opening;
use super::refusal::{self, answer, find_encoding};
use super::{
    Client, FieldNames, Finished, FrameKind, MediaTypes, Outcome, Protocol, Reply, Request, ResponseBody,
    ResponseHead, Server, Tail, TrailersPlace, append_custom, http_error, wrong_media_type,
};
use crate::receive::Framing;
use crate::transmit::Transmit;
use crate::{Answer, Ending, Error, ErrorDetail, ServerConfig, Sinks, StreamShape};

/// Unary calls: bodies are messages, errors are JSON, and trailers are headers with a prefix.
struct Unary {
    /// Whether the request travels in the query of a GET.
    is_get: bool,
}

pub(super) static POST: Protocol = unary(&Unary { is_get: false }, &Unary { is_get: false });
pub(super) static GET: Protocol = unary(&Unary { is_get: true }, &Unary { is_get: true });

const fn unary(server: &'static dyn Server, client: &'static dyn Client) -> Protocol {
    Protocol {
        name: "connect",
        media_prefix: "application/",
        media_default: None,
        framing: Framing::Whole,
        is_text: false,
        has_http_trailers: false,
        fields: FieldNames {
            timeout: CONNECT_TIMEOUT_MS,
            encoding: Token::CONTENT_ENCODING,
            accept_encoding: Token::ACCEPT_ENCODING,
        },
        serves: |shape| matches!(shape, StreamShape::Unary),
        parse_timeout: timeout::connect::parse,
        write_timeout: timeout::connect::write,
        server,
        client,
    }
}

/// All other calls: bodies are envelopes, the last of which holds error and trailers.
struct Streaming;

pub(super) static STREAMING: Protocol = Protocol {
    name: "connect",
    media_prefix: "application/connect+",
    media_default: None,
    framing: Framing::Envelopes,
    is_text: false,
    has_http_trailers: false,
    fields: FieldNames {
        timeout: CONNECT_TIMEOUT_MS,
        encoding: CONNECT_CONTENT_ENCODING,
        accept_encoding: CONNECT_ACCEPT_ENCODING,
    },
    serves: |shape| !matches!(shape, StreamShape::Unary),
    parse_timeout: timeout::connect::parse,
    write_timeout: timeout::connect::write,
    server: &Streaming,
    client: &Streaming,
};

/// Reads the head of a GET, whose message stands in its query, or answers it.
pub(super) fn open_get(head: &Head, config: &ServerConfig) -> Result<Opening, Box<Answer>> {
    let refuse = |error| Box::new(answer(&GET, &JSON, error));
    if head.fields().known(Token::CONTENT_LENGTH).is_some_and(|len| len != b"0") {
        return Err(refuse(Error::invalid_argument("a GET carries its message in the query, not in a body")));
    }
    let query = query::parse(head.query().unwrap_or_default())
        .map_err(|error| refuse(Error::invalid_argument(error.to_string())))?;
    check_query(&query, config).map_err(refuse)?;
    let encoding = query.encoding.as_deref().unwrap_or_default();
    let Some(codec) = config.codecs.iter().position(|codec| codec.name() == encoding) else {
        return Err(refusal::unsupported_codec());
    };
    let compression = query.compression.as_deref().unwrap_or_default();
    let request_compression = match find_encoding(compression.as_bytes(), &config.compressions) {
        Ok(compression) => compression,
        Err(refusal) => return Err(refusal.answer(&GET, &JSON, config)),
    };
    let opening = Opening::new(&GET, codec, config.codecs[codec].place_of(&GET));
    Ok(Opening { request_compression, message: query.message, ..opening })
}

fn check_query(query: &Query<'_>, config: &ServerConfig) -> Result<(), Error> {
    match query.version.as_deref() {
        Some("v1") => {}
        Some(other) => {
            return Err(Error::invalid_argument(format!(
                "query parameter \"connect\" must be v1, not {}",
                Quoted(other.as_bytes())
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

fn check_version(head: &Head, required: bool) -> Result<(), Error> {
    let name = CONNECT_PROTOCOL_VERSION.as_str();
    match head.fields().known(CONNECT_PROTOCOL_VERSION) {
        Some(b"1") => Ok(()),
        Some(other) => Err(Error::invalid_argument(format!("{name} must be 1, not {}", Quoted(other)))),
        None if required => Err(Error::invalid_argument(format!("the header {name}: 1 is missing"))),
        None => Ok(()),
    }
}

impl Server for Unary {
    fn check_version(&self, head: &Head, required: bool) -> Result<(), Error> {
        // The version of a GET stands in its query.
        if self.is_get { Ok(()) } else { check_version(head, required) }
    }

    fn finish(
        &self,
        reply: &Reply<'_>,
        ending: &Ending<'_>,
        transmit: &mut Transmit,
        into: &mut Sinks<'_>,
    ) -> Finished {
        let status = match ending.outcome {
            Ok(()) => {
                reply.media_type.write(into.head);
                if let Some(compression) = transmit.whole_compression() {
                    into.head.append_static(reply.protocol.fields.encoding, compression.name());
                }
                HTTP_OK
            }
            Err(error) => {
                transmit.take_back_whole(into.body);
                JSON.write(into.head);
                write_error(error, into.body);
                append_custom(error.outgoing_metadata(), into.head);
                error.code().http_status()
            }
        };
        if self.is_get && reply.varies {
            // Or a cache would hand a compressed response to a client that cannot read it.
            into.head.append_static(Token::VARY, "accept-encoding");
        }
        append_custom(ending.headers, into.head);
        let mut name = String::new();
        for (trailer, value) in ending.trailers.iter_custom() {
            name.clear();
            name.push_str(TRAILER_PREFIX);
            name.push_str(trailer);
            into.head.append(&name, value);
        }
        Finished { status: Some(status), trailers: false }
    }
}

impl Client for Unary {
    fn write_request(&self, request: &Request<'_>, headers: &Metadata, head: &mut dyn HeadersMut) {
        if !request.is_get {
            request.types.of(request.protocol).write(head);
            head.append_static(CONNECT_PROTOCOL_VERSION, "1");
            if let Some(encoding) = request.encoding {
                head.append_static(request.protocol.fields.encoding, encoding);
            }
        }
        append_custom(headers, head);
    }

    fn write_query(
        &self,
        codec: &'static str,
        encoding: Option<&'static str>,
        message: &[u8],
        out: &mut BytesMut,
    ) -> bool {
        let is_text = encoding.is_none() && codec == "json";
        let form = if is_text { MessageForm::Percent } else { MessageForm::Base64 };
        query::write(&Call { compression: encoding, encoding: codec, message, form }, out);
        true
    }

    fn read_head(&self, head: &ResponseHead<'_>, types: &MediaTypes) -> Result<ResponseBody, Error> {
        read_head(head, types)
    }

    fn read_error(&self, body: &[u8], status: u16) -> Error {
        read_error(body, status)
    }

    fn trailer_name<'n>(&self, name: &'n str) -> Option<&'n str> {
        let (prefix, name) = name.split_at_checked(TRAILER_PREFIX.len())?;
        prefix.eq_ignore_ascii_case(TRAILER_PREFIX).then_some(name)
    }

    fn frame_kind(&self, _: Flags) -> Option<FrameKind> {
        Some(FrameKind::Message)
    }

    fn outcome(&self, _: Tail<'_>) -> Outcome {
        Outcome { result: Ok(()), trailers: TrailersPlace::Prefixed }
    }
}

impl Server for Streaming {
    fn check_version(&self, head: &Head, required: bool) -> Result<(), Error> {
        check_version(head, required)
    }

    fn finish(
        &self,
        reply: &Reply<'_>,
        ending: &Ending<'_>,
        transmit: &mut Transmit,
        into: &mut Sinks<'_>,
    ) -> Finished {
        let status = reply.protocol.begin_if_needed(reply, ending, into);
        transmit.frame(into.body, Flags(END_STREAM), |out| write_end_stream(ending, out));
        Finished { status, trailers: false }
    }
}

impl Client for Streaming {
    fn write_request(&self, request: &Request<'_>, headers: &Metadata, head: &mut dyn HeadersMut) {
        request.types.of(request.protocol).write(head);
        head.append_static(CONNECT_PROTOCOL_VERSION, "1");
        if let Some(encoding) = request.encoding {
            head.append_static(request.protocol.fields.encoding, encoding);
        }
        append_custom(headers, head);
    }

    fn read_head(&self, head: &ResponseHead<'_>, types: &MediaTypes) -> Result<ResponseBody, Error> {
        read_head(head, types)
    }

    fn read_error(&self, body: &[u8], status: u16) -> Error {
        read_error(body, status)
    }

    fn frame_kind(&self, flags: Flags) -> Option<FrameKind> {
        match flags.special() {
            0 => Some(FrameKind::Message),
            END_STREAM => Some(FrameKind::End),
            _ => None,
        }
    }

    fn read_end(&self, payload: Bytes) -> Result<Outcome, Error> {
        let Ok(end) = error_json::parse_end_stream(&payload) else {
            return Err(Error::internal("the end of the response's stream is malformed"));
        };
        let result = end.error.map_or(Ok(()), |error| Err(received(error, Code::Unknown)));
        Ok(Outcome { result, trailers: TrailersPlace::Own(end.trailers) })
    }

    fn outcome(&self, tail: Tail<'_>) -> Outcome {
        let missing = || Outcome::failed(Error::internal("the response ended without an end of stream"));
        tail.end.unwrap_or_else(missing)
    }
}

fn read_head(head: &ResponseHead<'_>, types: &MediaTypes) -> Result<ResponseBody, Error> {
    let value = head.headers.known(Token::CONTENT_TYPE).unwrap_or_default();
    let prefix = head.protocol.media_prefix;
    if head.status != HTTP_OK {
        let is_json = MediaType::parse(value).is_ok_and(|media_type| media_type.is(JSON.as_str()));
        return if is_json { Ok(ResponseBody::Error) } else { Err(http_error(head.status)) };
    }
    match types.read(value) {
        Some(found) if found.media_prefix == prefix => Ok(ResponseBody::Messages { text: false }),
        _ => Err(wrong_media_type(value, prefix)),
    }
}

/// Reads an error's body; what it does not say, the HTTP status does.
fn read_error(body: &[u8], status: u16) -> Error {
    match error_json::parse_error(body) {
        Ok(error) => received(error, Code::from_http_status(status)),
        Err(_) => http_error(status),
    }
}

fn received(error: ReceivedError, fallback: Code) -> Error {
    let details = error
        .details
        .into_iter()
        .map(|detail| ErrorDetail { type_name: detail.type_name, value: detail.value })
        .collect();
    Error::new(error.code.unwrap_or(fallback), error.message).with_details(details).sent_by_peer()
}

fn write_error(error: &Error, out: &mut BytesMut) {
    let details = details(error);
    error_json::write_error(&json(error, &details), out);
}

fn write_end_stream(ending: &Ending<'_>, out: &mut BytesMut) {
    let Err(error) = ending.outcome else {
        return error_json::write_end_stream(None, ending.trailers, out);
    };
    let mut trailers = ending.trailers.clone();
    trailers.extend(error.outgoing_metadata());
    let details = details(error);
    error_json::write_end_stream(Some(&json(error, &details)), &trailers, out);
}

fn json<'a>(error: &'a Error, details: &'a [Detail<'a>]) -> error_json::Error<'a> {
    error_json::Error { code: error.code(), message: error.message(), details }
}

fn details(error: &Error) -> Vec<Detail<'_>> {
    error
        .details()
        .iter()
        .map(|detail| Detail { type_name: &detail.type_name, value: &detail.value, debug: None })
        .collect()
}

/// What errors are in that stand for themselves.
pub(super) const JSON: MediaText = MediaText::known("application/json");
const TRAILER_PREFIX: &str = "trailer-";
const HTTP_OK: u16 = 200;
/// The flag of the envelope that ends a stream.
const END_STREAM: u8 = 0x02;
