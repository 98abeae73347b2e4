//! gRPC-Web, which is gRPC with its trailers in the body: <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md>.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use ringwire_http::HeadersMut;
use ringwire_wire::envelope::Flags;
use ringwire_wire::{Malformed, Metadata, trailer_block};

use super::grpc::{self, Grpc};
use super::{
    Fields, Finished, FrameKind, MediaTypes, Outcome, Protocol, Reply, Request, ResponseBody, ResponseHead,
    Tail, append_custom, status,
};
use crate::receive::Framing;
use crate::transmit::Transmit;
use crate::{Ending, Error, Sinks};

/// Bodies as bytes.
#[derive(Debug)]
pub(super) struct Binary;

/// Bodies in base64.
#[derive(Debug)]
pub(super) struct Text;

/// Both forms say the same in all but their media types.
macro_rules! web {
    ($form:ty, $prefix:literal, $default:literal, $is_text:literal) => {
        impl Protocol for $form {
            fn name(&self) -> &'static str {
                "grpc-web"
            }

            fn media_prefix(&self) -> &'static str {
                $prefix
            }

            fn media_default(&self) -> Option<&'static str> {
                Some($default)
            }

            fn framing(&self) -> Framing {
                Framing::Envelopes
            }

            fn is_text(&self) -> bool {
                $is_text
            }

            fn fields(&self) -> &'static Fields {
                &grpc::FIELDS
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
                finish(self, reply, ending, transmit, into)
            }

            fn write_request(&self, request: &Request<'_>, headers: &Metadata, head: &mut dyn HeadersMut) {
                let media_type = request.types.of(self);
                media_type.write(head);
                head.append("accept", media_type.as_str().as_bytes());
                head.append_static("x-grpc-web", "1");
                if let Some(encoding) = request.encoding {
                    head.append_static(grpc::FIELDS.encoding, encoding);
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
    };
}

web!(Binary, "application/grpc-web+", "application/grpc-web", false);
web!(Text, "application/grpc-web-text+", "application/grpc-web-text", true);

fn finish(
    protocol: &dyn Protocol,
    reply: &Reply<'_>,
    ending: &Ending<'_>,
    transmit: &mut Transmit,
    into: &mut Sinks<'_>,
) -> Finished {
    if let Some(finished) = grpc::trailers_only(reply, ending, transmit, into) {
        return finished;
    }
    let status = grpc::begin_if_needed(protocol, reply, ending, into);
    transmit.frame(into.body, Flags(TRAILERS), |out| {
        let mut line = |name: &str, value: &[u8]| trailer_block::write(name, value, out);
        status::write(ending.outcome, ending.trailers, &mut line);
    });
    Finished { status, trailers: false }
}

/// The flag of the envelope that holds the trailers.
const TRAILERS: u8 = 0x80;
