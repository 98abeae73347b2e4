//! gRPC-Web, which is gRPC with its trailers in the body:
//! <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md>.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use ringwire_http::HeadersMut;
use ringwire_wire::envelope::Flags;
use ringwire_wire::{Malformed, Metadata, trailer_block};

use super::grpc::{self, Grpc};
use super::{
    Fields, Finished, FrameKind, MediaTypes, Outcome, Protocol, Reply, Request, ResponseBody, ResponseHead,
    Tail, append_custom, begin_if_needed, status,
};
use crate::receive::Framing;
use crate::transmit::Transmit;
use crate::{Ending, Error, Sinks};

/// gRPC-Web, its bodies as bytes or in base64.
#[derive(Debug)]
pub(super) struct GrpcWeb {
    is_text: bool,
}

pub(super) static BINARY: GrpcWeb = GrpcWeb { is_text: false };
pub(super) static TEXT: GrpcWeb = GrpcWeb { is_text: true };

impl Protocol for GrpcWeb {
    fn name(&self) -> &'static str {
        "grpc-web"
    }

    fn media_prefix(&self) -> &'static str {
        if self.is_text { "application/grpc-web-text+" } else { "application/grpc-web+" }
    }

    fn media_default(&self) -> Option<&'static str> {
        Some(if self.is_text { "application/grpc-web-text" } else { "application/grpc-web" })
    }

    fn framing(&self) -> Framing {
        Framing::Envelopes
    }

    fn is_text(&self) -> bool {
        self.is_text
    }

    fn fields(&self) -> &'static Fields {
        Grpc.fields()
    }

    fn parse_timeout(&self, value: &[u8]) -> Result<Duration, Malformed> {
        Grpc.parse_timeout(value)
    }

    fn write_timeout(&self, timeout: Duration, out: &mut BytesMut) {
        Grpc.write_timeout(timeout, out);
    }

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
        let status = begin_if_needed(self, reply, ending, into);
        transmit.frame(into.body, Flags(TRAILERS), |out| {
            let mut line = |name: &str, value: &[u8]| trailer_block::write(name, value, out);
            status::write(ending.outcome, ending.trailers, &mut line);
        });
        Finished { status, trailers: false }
    }

    fn write_request(&self, request: &Request<'_>, headers: &Metadata, head: &mut dyn HeadersMut) {
        let media_type = request.types.of(self);
        media_type.write(head);
        head.append("accept", media_type.as_str().as_bytes());
        head.append_static("x-grpc-web", "1");
        if headers.get(USER_AGENT).is_none() {
            // Browsers keep `user-agent` to themselves.
            head.append(USER_AGENT, request.user_agent);
        }
        if let Some(encoding) = request.encoding {
            head.append_static(self.fields().encoding, encoding);
        }
        append_custom(headers, head);
    }

    fn read_head(&self, head: &ResponseHead<'_>, types: &MediaTypes) -> Result<ResponseBody, Error> {
        let is_ours = |protocol: &dyn Protocol| protocol.name() == self.name();
        grpc::read_head(head, types, "application/grpc-web", &is_ours)
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
            Ok(trailers) => Ok(status::read(trailers)),
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

const USER_AGENT: &str = "x-user-agent";
/// The flag of the envelope that holds the trailers.
const TRAILERS: u8 = 0x80;
