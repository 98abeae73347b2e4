//! gRPC-Web, which is gRPC with its trailers in the body:
//! <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md>.

use bytes::Bytes;
use ringwire_http::{HeadersMut, Token};
use ringwire_wire::envelope::Flags;
use ringwire_wire::{Metadata, timeout, trailer_block};

use super::names::{X_GRPC_WEB, X_USER_AGENT};
use super::{
    Client, Finished, FrameKind, MediaTypes, Outcome, Protocol, Reply, Request, ResponseBody, ResponseHead,
    Server, Tail, append_custom, grpc, status,
};
use crate::receive::Framing;
use crate::transmit::Transmit;
use crate::{Ending, Error, Sinks};

struct GrpcWeb;

/// gRPC-Web, its bodies as bytes.
pub(super) static BINARY: Protocol = protocol("application/grpc-web+", "application/grpc-web", false);
/// gRPC-Web, its bodies in base64.
pub(super) static TEXT: Protocol = protocol("application/grpc-web-text+", "application/grpc-web-text", true);

const fn protocol(media_prefix: &'static str, media_default: &'static str, is_text: bool) -> Protocol {
    Protocol {
        name: "grpc-web",
        media_prefix,
        media_default: Some(media_default),
        framing: Framing::Envelopes,
        is_text,
        has_http_trailers: false,
        fields: grpc::FIELDS,
        serves: |_| true,
        parse_timeout: timeout::grpc::parse,
        write_timeout: timeout::grpc::write,
        server: &GrpcWeb,
        client: &GrpcWeb,
    }
}

impl Server for GrpcWeb {
    fn finish(
        &self,
        reply: &Reply<'_>,
        ending: &Ending<'_>,
        transmit: &mut Transmit,
        into: &mut Sinks<'_>,
    ) -> Finished {
        if let Some(finished) = grpc::trailers_only(reply, ending, transmit, into) {
            return finished;
        }
        let status = reply.protocol.begin_if_needed(reply, ending, into);
        transmit.frame(into.body, Flags(TRAILERS), |out| {
            let mut line = |name: &str, value: &[u8]| trailer_block::write(name, value, out);
            status::write(ending.outcome, ending.trailers, &mut line);
        });
        Finished { status, trailers: false }
    }
}

impl Client for GrpcWeb {
    fn write_request(&self, request: &Request<'_>, headers: &Metadata, head: &mut dyn HeadersMut) {
        let media_type = request.types.of(request.protocol);
        media_type.write(head);
        head.append_known(Token::ACCEPT, media_type.as_str().as_bytes());
        head.append_static(X_GRPC_WEB, "1");
        if headers.get(X_USER_AGENT.as_str()).is_none() {
            // Browsers keep `user-agent` to themselves.
            head.append_known(X_USER_AGENT, request.user_agent);
        }
        if let Some(encoding) = request.encoding {
            head.append_static(request.protocol.fields.encoding, encoding);
        }
        append_custom(headers, head);
    }

    fn read_head(&self, head: &ResponseHead<'_>, types: &MediaTypes) -> Result<ResponseBody, Error> {
        grpc::read_head(head, types, "application/grpc-web")
    }

    fn frame_kind(&self, flags: Flags) -> Option<FrameKind> {
        match flags.special() {
            0 => Some(FrameKind::Message),
            TRAILERS => Some(FrameKind::End),
            _ => None,
        }
    }

    fn read_end(&self, payload: Bytes) -> Result<Outcome, Error> {
        match trailer_block::parse(&payload) {
            Ok(trailers) => Ok(status::take_from(trailers)),
            Err(_) => Err(Error::internal("the trailers in the response's body are malformed")),
        }
    }

    fn outcome(&self, mut tail: Tail<'_>) -> Outcome {
        match tail.end.take() {
            Some(outcome) => outcome,
            None => grpc::outcome_in_head(tail, "the response ended without trailers in its body"),
        }
    }
}

/// The flag of the envelope that holds the trailers.
const TRAILERS: u8 = 0x80;
