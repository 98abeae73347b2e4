//! gRPC: <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>.

use std::time::Duration;

use bytes::BytesMut;
use ringwire_http::HeadersMut;
use ringwire_wire::envelope::Flags;
use ringwire_wire::{Malformed, Metadata, timeout};

use super::media::CONTENT_TYPE;
use super::{
    Fields, Finished, FrameKind, MediaTypes, Outcome, Protocol, Reply, Request, ResponseBody, ResponseHead,
    Tail, append_custom, begin_if_needed, http_error, status, wrong_media_type,
};
use crate::receive::Framing;
use crate::transmit::Transmit;
use crate::{Ending, Error, Sinks};

#[derive(Debug)]
pub(super) struct Grpc;

impl Protocol for Grpc {
    fn name(&self) -> &'static str {
        "grpc"
    }

    fn media_prefix(&self) -> &'static str {
        "application/grpc+"
    }

    fn media_default(&self) -> Option<&'static str> {
        Some("application/grpc")
    }

    fn framing(&self) -> Framing {
        Framing::Envelopes
    }

    fn fields(&self) -> &'static Fields {
        &FIELDS
    }

    fn has_http_trailers(&self) -> bool {
        true
    }

    fn parse_timeout(&self, value: &[u8]) -> Result<Duration, Malformed> {
        timeout::grpc::parse(value)
    }

    fn write_timeout(&self, timeout: Duration, out: &mut BytesMut) {
        timeout::grpc::write(timeout, out);
    }

    fn finish(
        &self,
        reply: &Reply<'_>,
        ending: &Ending<'_>,
        transmit: &mut Transmit,
        into: &mut Sinks<'_>,
    ) -> Finished {
        if let Some(finished) = trailers_only(reply, ending, transmit, into) {
            return finished;
        }
        let status = begin_if_needed(self, reply, ending, into);
        status::write(ending.outcome, ending.trailers, into.trailers);
        Finished { status, trailers: true }
    }

    fn write_request(&self, request: &Request<'_>, headers: &Metadata, head: &mut dyn HeadersMut) {
        request.types.of(self).write(head);
        head.append_static("te", "trailers");
        if let Some(encoding) = request.encoding {
            head.append_static(FIELDS.encoding, encoding);
        }
        append_custom(headers, head);
    }

    fn read_head(&self, head: &ResponseHead<'_>, types: &MediaTypes) -> Result<ResponseBody, Error> {
        let is_ours = |protocol: &dyn Protocol| protocol.name() == self.name();
        read_head(head, types, "application/grpc", &is_ours)
    }

    fn frame_kind(&self, flags: Flags) -> Option<FrameKind> {
        (flags.special() == 0).then_some(FrameKind::Message)
    }

    fn outcome(&self, mut tail: Tail<'_>) -> Outcome {
        match tail.trailers.take() {
            Some(trailers) => status::read(trailers),
            None => outcome_in_head(tail, "the response ended without trailers"),
        }
    }
}

/// A response that consists of trailers, written as its head.
///
/// Only where nothing was sent and the handler set no headers: in such a response, all fields count as
/// trailers.
pub(super) fn trailers_only(
    reply: &Reply<'_>,
    ending: &Ending<'_>,
    transmit: &Transmit,
    into: &mut Sinks<'_>,
) -> Option<Finished> {
    if reply.head_sent || transmit.has_sent() || ending.headers.iter_custom().next().is_some() {
        return None;
    }
    reply.media_type.write(into.head);
    status::write(ending.outcome, ending.trailers, into.head);
    Some(Finished { status: Some(200), trailers: false })
}

/// Reads the head of a response whose media type should begin with `prefix`, and stand for a protocol of
/// `ours`.
pub(super) fn read_head(
    head: &ResponseHead<'_>,
    types: &MediaTypes,
    prefix: &str,
    ours: &dyn Fn(&dyn Protocol) -> bool,
) -> Result<ResponseBody, Error> {
    let media_type = head.headers.get(CONTENT_TYPE).unwrap_or_default();
    let protocol = types.read(media_type);
    // A status of gRPC's own is worth more than one of HTTP, wherever it stands.
    if head.status != 200 && (protocol.is_none() || head.headers.get("grpc-status").is_none()) {
        return Err(http_error(head.status));
    }
    match protocol {
        Some(protocol) if ours(protocol) => Ok(ResponseBody::Messages { text: protocol.is_text() }),
        _ => Err(wrong_media_type(media_type, prefix)),
    }
}

/// The outcome of a response that may consist of nothing but its head.
pub(super) fn outcome_in_head(tail: Tail<'_>, otherwise: &'static str) -> Outcome {
    if tail.has_body || !status::is_in(tail.headers) {
        return Outcome::failed(Error::internal(otherwise));
    }
    status::read(std::mem::take(tail.headers))
}

const FIELDS: Fields =
    Fields { timeout: "grpc-timeout", encoding: "grpc-encoding", accept_encoding: "grpc-accept-encoding" };
