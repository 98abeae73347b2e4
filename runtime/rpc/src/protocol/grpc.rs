//! gRPC: <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>.

use ringwire_http::{HeadersMut, Token};
use ringwire_wire::envelope::Flags;
use ringwire_wire::{Metadata, timeout};

use super::names::{GRPC_ACCEPT_ENCODING, GRPC_ENCODING, GRPC_STATUS, GRPC_TIMEOUT};
use super::{
    Client, FieldNames, Finished, FrameKind, MediaTypes, Outcome, Protocol, Reply, Request, ResponseBody,
    ResponseHead, Server, Tail, TrailersPlace, append_custom, http_error, status, wrong_media_type,
};
use crate::receive::Framing;
use crate::transmit::Transmit;
use crate::{Ending, Error, Sinks};

struct Grpc;

pub(super) static GRPC: Protocol = Protocol {
    name: "grpc",
    media_prefix: "application/grpc+",
    media_default: Some("application/grpc"),
    framing: Framing::Envelopes,
    is_text: false,
    has_http_trailers: true,
    fields: FIELDS,
    serves: |_| true,
    parse_timeout: timeout::grpc::parse,
    write_timeout: timeout::grpc::write,
    server: &Grpc,
    client: &Grpc,
};

/// The names that gRPC-Web shares.
pub(super) const FIELDS: FieldNames =
    FieldNames { timeout: GRPC_TIMEOUT, encoding: GRPC_ENCODING, accept_encoding: GRPC_ACCEPT_ENCODING };

impl Server for Grpc {
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
        let status = reply.protocol.begin_if_needed(reply, ending, into);
        status::write(ending.outcome, ending.trailers, into.trailers);
        Finished { status, trailers: true }
    }
}

impl Client for Grpc {
    fn write_request(&self, request: &Request<'_>, headers: &Metadata, head: &mut dyn HeadersMut) {
        request.types.of(request.protocol).write(head);
        head.append_static(Token::TE, "trailers");
        if let Some(encoding) = request.encoding {
            head.append_static(GRPC_ENCODING, encoding);
        }
        append_custom(headers, head);
    }

    fn read_head(&self, head: &ResponseHead<'_>, types: &MediaTypes) -> Result<ResponseBody, Error> {
        read_head(head, types, "application/grpc")
    }

    fn frame_kind(&self, flags: Flags) -> Option<FrameKind> {
        (flags.special() == 0).then_some(FrameKind::Message)
    }

    fn outcome(&self, tail: Tail<'_>) -> Outcome {
        match tail.trailers {
            Some(trailers) => Outcome { result: status::read(trailers), trailers: TrailersPlace::Http },
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

/// Reads the head of a response whose media type should begin with `prefix`, and stand for the protocol of the request, as
/// bytes or as text.
pub(super) fn read_head(
    head: &ResponseHead<'_>,
    types: &MediaTypes,
    prefix: &str,
) -> Result<ResponseBody, Error> {
    let media_type = head.headers.known(Token::CONTENT_TYPE).unwrap_or_default();
    let protocol = types.read(media_type);
    // A status of gRPC's own is worth more than one of HTTP, wherever it stands.
    if head.status != 200 && (protocol.is_none() || head.headers.known(GRPC_STATUS).is_none()) {
        return Err(http_error(head.status));
    }
    match protocol {
        Some(protocol) if protocol.name == head.protocol.name => {
            Ok(ResponseBody::Messages { text: protocol.is_text })
        }
        _ => Err(wrong_media_type(media_type, prefix)),
    }
}

/// The outcome of a response that may consist of nothing but its head.
pub(super) fn outcome_in_head(tail: Tail<'_>, otherwise: &'static str) -> Outcome {
    if tail.has_body || tail.headers.known(GRPC_STATUS).is_none() {
        return Outcome::failed(Error::internal(otherwise));
    }
    Outcome { result: status::read(tail.headers), trailers: TrailersPlace::Head }
}
