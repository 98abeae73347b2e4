//! The Connect protocol: <https://connectrpc.com/docs/protocol>.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use ringwire_http::HeadersMut;
use ringwire_wire::envelope::Flags;
use ringwire_wire::error_json::{self, Detail, ReceivedError};
use ringwire_wire::query::{self, Call, MessageForm};
use ringwire_wire::{Code, Malformed, MediaType, Metadata, timeout};

use super::media::{CONTENT_TYPE, MediaText};
use super::{
    Fields, Finished, FrameKind, MediaTypes, Outcome, Protocol, Reply, Request, ResponseBody, ResponseHead,
    Tail, append_custom, begin_if_needed, http_error, wrong_media_type,
};
use crate::receive::Framing;
use crate::transmit::Transmit;
use crate::{Ending, Error, ErrorDetail, RequestHead, Sinks, StreamShape};

/// Unary calls: bodies are messages, errors are JSON, and trailers are headers with a prefix.
#[derive(Debug)]
pub(super) struct Unary {
    /// Whether the request travels in the query of a GET.
    is_get: bool,
}

pub(super) static POST: Unary = Unary { is_get: false };
pub(super) static GET: Unary = Unary { is_get: true };

/// All other calls: bodies are envelopes, the last of which holds error and trailers.
#[derive(Debug)]
pub(super) struct Streaming;

impl Protocol for Unary {
    fn name(&self) -> &'static str {
        "connect"
    }

    fn media_prefix(&self) -> &'static str {
        "application/"
    }

    fn framing(&self) -> Framing {
        Framing::Whole
    }

    fn fields(&self) -> &'static Fields {
        &Fields { timeout: TIMEOUT, encoding: "content-encoding", accept_encoding: "accept-encoding" }
    }

    fn serves(&self, shape: StreamShape) -> bool {
        shape == StreamShape::Unary
    }

    fn parse_timeout(&self, value: &[u8]) -> Result<Duration, Malformed> {
        timeout::connect::parse(value)
    }

    fn write_timeout(&self, timeout: Duration, out: &mut BytesMut) {
        timeout::connect::write(timeout, out);
    }

    fn check_version(&self, head: &RequestHead<'_>, required: bool) -> Result<(), Error> {
        if self.is_get {
            // Its version stands in the query.
            return Ok(());
        }
        match head.headers.get(VERSION) {
            Some(b"1") => Ok(()),
            Some(other) => {
                let other = String::from_utf8_lossy(other);
                Err(Error::invalid_argument(format!("{VERSION} must be 1, not {other:?}")))
            }
            None if required => {
                Err(Error::invalid_argument("the header connect-protocol-version: 1 is missing"))
            }
            None => Ok(()),
        }
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
                    into.head.append_static(self.fields().encoding, compression.name());
                }
                HTTP_OK
            }
            Err(error) => {
                transmit.take_back_whole(into.body);
                ERROR_TYPE.write(into.head);
                write_error(error, into.body);
                append_custom(error.outgoing_metadata(), into.head);
                error.code().http_status()
            }
        };
        if self.is_get && reply.varies {
            // Or a cache would hand a compressed response to a client that cannot read it.
            into.head.append_static("vary", "accept-encoding");
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

    fn write_request(&self, request: &Request<'_>, headers: &Metadata, head: &mut dyn HeadersMut) {
        if !request.is_get {
            request.types.of(self).write(head);
            head.append_static(VERSION, "1");
            if let Some(encoding) = request.encoding {
                head.append_static(self.fields().encoding, encoding);
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
        let is_text = encoding.is_none() && codec == JSON;
        let form = if is_text { MessageForm::Percent } else { MessageForm::Base64 };
        query::write(&Call { compression: encoding, encoding: codec, message, form }, out);
        true
    }

    fn read_head(&self, head: &ResponseHead<'_>, types: &MediaTypes) -> Result<ResponseBody, Error> {
        read_head(self, head, types)
    }

    fn read_error(&self, body: &[u8], status: u16) -> Error {
        read_error(body, status)
    }

    fn split_trailers(&self, headers: &mut Metadata) -> Metadata {
        let mut trailers = Metadata::new();
        if headers.iter().all(|(name, _)| !name.starts_with(TRAILER_PREFIX)) {
            return trailers;
        }
        let mut others = Metadata::new();
        for (name, value) in headers.iter() {
            let (fields, name) = match name.strip_prefix(TRAILER_PREFIX) {
                Some(trailer) => (&mut trailers, trailer),
                None => (&mut others, name),
            };
            // What arrived as a header is valid without the prefix too, unless nothing is left of its name.
            let _ = fields.append_received(name, value);
        }
        *headers = others;
        trailers
    }

    fn frame_kind(&self, _: Flags) -> Option<FrameKind> {
        Some(FrameKind::Message)
    }

    fn outcome(&self, tail: Tail<'_>) -> Outcome {
        Outcome { result: Ok(()), trailers: tail.split }
    }
}

impl Protocol for Streaming {
    fn name(&self) -> &'static str {
        POST.name()
    }

    fn media_prefix(&self) -> &'static str {
        "application/connect+"
    }

    fn framing(&self) -> Framing {
        Framing::Envelopes
    }

    fn fields(&self) -> &'static Fields {
        &Fields {
            timeout: TIMEOUT,
            encoding: "connect-content-encoding",
            accept_encoding: "connect-accept-encoding",
        }
    }

    fn serves(&self, shape: StreamShape) -> bool {
        shape != StreamShape::Unary
    }

    fn parse_timeout(&self, value: &[u8]) -> Result<Duration, Malformed> {
        POST.parse_timeout(value)
    }

    fn write_timeout(&self, timeout: Duration, out: &mut BytesMut) {
        POST.write_timeout(timeout, out);
    }

    fn check_version(&self, head: &RequestHead<'_>, required: bool) -> Result<(), Error> {
        POST.check_version(head, required)
    }

    fn finish(
        &self,
        reply: &Reply<'_>,
        ending: &Ending<'_>,
        transmit: &mut Transmit,
        into: &mut Sinks<'_>,
    ) -> Finished {
        let status = begin_if_needed(self, reply, ending, into);
        transmit.frame(into.body, Flags(END_STREAM), |out| write_end_stream(ending, out));
        Finished { status, trailers: false }
    }

    fn write_request(&self, request: &Request<'_>, headers: &Metadata, head: &mut dyn HeadersMut) {
        request.types.of(self).write(head);
        head.append_static(VERSION, "1");
        if let Some(encoding) = request.encoding {
            head.append_static(self.fields().encoding, encoding);
        }
        append_custom(headers, head);
    }

    fn read_head(&self, head: &ResponseHead<'_>, types: &MediaTypes) -> Result<ResponseBody, Error> {
        read_head(self, head, types)
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
        Ok(Outcome { result, trailers: end.trailers })
    }

    fn outcome(&self, tail: Tail<'_>) -> Outcome {
        let missing = || Outcome::failed(Error::internal("the response ended without an end of stream"));
        tail.end.unwrap_or_else(missing)
    }
}

fn read_head(
    protocol: &dyn Protocol,
    head: &ResponseHead<'_>,
    types: &MediaTypes,
) -> Result<ResponseBody, Error> {
    let value = head.headers.get(CONTENT_TYPE).unwrap_or_default();
    if head.status != HTTP_OK {
        let is_json = MediaType::parse(value).is_ok_and(|media_type| media_type.is(ERROR_TYPE.as_str()));
        return if is_json { Ok(ResponseBody::Error) } else { Err(http_error(head.status)) };
    }
    match types.read(value) {
        Some(found) if found.media_prefix() == protocol.media_prefix() => {
            Ok(ResponseBody::Messages { text: false })
        }
        _ => Err(wrong_media_type(value, protocol.media_prefix())),
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

const VERSION: &str = "connect-protocol-version";
const TIMEOUT: &str = "connect-timeout-ms";
const TRAILER_PREFIX: &str = "trailer-";
const JSON: &str = "json";
const HTTP_OK: u16 = 200;
const ERROR_TYPE: MediaText = MediaText::known("application/json");
/// The flag of the envelope that ends a stream.
const END_STREAM: u8 = 0x02;
