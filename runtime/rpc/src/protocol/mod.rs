//! What differs between Connect, gRPC and gRPC-Web, and nothing else.
//!
//! No other module of the workspace names a protocol. A protocol is a value, chosen once per exchange; what
//! it has to say is a method of [`Protocol`], so that no one downstream asks which it is.

pub mod browser;
mod connect;
pub mod fuzz;
mod grpc;
mod grpc_web;
mod media;
mod negotiate;
mod refusal;
mod status;

use std::fmt;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use ringwire_http::{Headers, HeadersMut};
use ringwire_wire::envelope::Flags;
use ringwire_wire::{Code, Malformed, MediaType, Metadata};

use crate::receive::Framing;
use crate::transmit::Transmit;
use crate::{Ending, Error, RequestHead, Sinks, StreamShape};

use media::has_prefix;
pub(crate) use media::{MediaText, MediaTypes};
pub(crate) use negotiate::negotiate;
pub(crate) use refusal::{answer_error, answer_unrouted};

/// One way to carry an RPC over HTTP.
pub(crate) trait Protocol: fmt::Debug + Sync {
    /// The name, for logs and metrics.
    fn name(&self) -> &'static str;

    /// What its media types begin with; the name of the codec follows.
    fn media_prefix(&self) -> &'static str;

    /// The media type that names no codec, and means protobuf.
    fn media_default(&self) -> Option<&'static str> {
        None
    }

    /// How messages lie in a body.
    fn framing(&self) -> Framing;

    /// Whether bodies travel as base64.
    fn is_text(&self) -> bool {
        false
    }

    /// The names of the header fields that every protocol has, and each calls something else.
    fn fields(&self) -> &'static Fields;

    /// Whether methods of this shape can be called.
    fn serves(&self, _: StreamShape) -> bool {
        true
    }

    /// Whether responses end in HTTP trailers.
    fn has_http_trailers(&self) -> bool {
        false
    }

    /// Reads the value of the timeout field.
    fn parse_timeout(&self, value: &[u8]) -> Result<Duration, Malformed>;

    /// Appends the value of the timeout field.
    fn write_timeout(&self, timeout: Duration, out: &mut BytesMut);

    /// Server: refuses a request that says it speaks another version.
    fn check_version(&self, _: &RequestHead<'_>, _required: bool) -> Result<(), Error> {
        Ok(())
    }

    /// Server: writes the head of a response that is not at its end yet. Its HTTP status is 200.
    fn write_head(&self, reply: &Reply<'_>, headers: &Metadata, head: &mut dyn HeadersMut) {
        reply.media_type.write(head);
        if let Some(encoding) = reply.encoding {
            head.append_static(self.fields().encoding, encoding);
        }
        append_custom(headers, head);
    }

    /// Server: writes all that is left of a response, its head too if that has not gone out.
    fn finish(
        &self,
        reply: &Reply<'_>,
        ending: &Ending<'_>,
        transmit: &mut Transmit,
        into: &mut Sinks<'_>,
    ) -> Finished;

    /// Client: writes the head of a request that is no GET.
    fn write_request(&self, request: &Request<'_>, headers: &Metadata, head: &mut dyn HeadersMut);

    /// Client: appends the query in which a message can travel instead of in a body, and says whether it can.
    fn write_query(
        &self,
        _codec: &'static str,
        _encoding: Option<&'static str>,
        _message: &[u8],
        _out: &mut BytesMut,
    ) -> bool {
        false
    }

    /// Client: what the body of a response is, given its head.
    fn read_head(&self, head: &ResponseHead<'_>, types: &MediaTypes) -> Result<ResponseBody, Error>;

    /// Client: reads a body that is an error.
    fn read_error(&self, _body: &[u8], status: u16) -> Error {
        http_error(status)
    }

    /// Client: moves those fields of a response's head that are trailers.
    fn split_trailers(&self, _headers: &mut Metadata) -> Metadata {
        Metadata::new()
    }

    /// Client: what an envelope of a response is; `None` where its flags have no meaning.
    fn frame_kind(&self, flags: Flags) -> Option<FrameKind>;

    /// Client: reads the envelope that ends a response.
    fn read_end(&self, _payload: Bytes) -> Result<Outcome, Error> {
        Err(Error::internal("an end of stream in a protocol without one"))
    }

    /// Client: the outcome of the RPC, when the whole response is there.
    fn outcome(&self, tail: Tail<'_>) -> Outcome;
}

/// The names of header fields.
#[derive(Debug)]
pub(crate) struct Fields {
    pub(crate) timeout: &'static str,
    pub(crate) encoding: &'static str,
    pub(crate) accept_encoding: &'static str,
}

/// What is known about a response of ours.
pub(crate) struct Reply<'a> {
    pub(crate) media_type: &'a MediaText,
    /// What envelopes may be compressed with.
    pub(crate) encoding: Option<&'static str>,
    /// Whether the response could have been compressed, had the client asked for it.
    pub(crate) varies: bool,
    /// Whether the head has gone out.
    pub(crate) head_sent: bool,
}

/// What `finish` wrote.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Finished {
    pub(crate) status: Option<u16>,
    pub(crate) trailers: bool,
}

/// What is known about a request of ours.
pub(crate) struct Request<'a> {
    pub(crate) types: &'a MediaTypes,
    /// What the body, or its envelopes, are compressed with.
    pub(crate) encoding: Option<&'static str>,
    /// Whether the message has gone into the query.
    pub(crate) is_get: bool,
    /// The name of the program that asks.
    pub(crate) user_agent: &'a [u8],
}

/// The head of a response to us.
pub(crate) struct ResponseHead<'a> {
    pub(crate) status: u16,
    pub(crate) headers: &'a dyn Headers,
}

/// What the body of a response is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ResponseBody {
    /// Messages, as base64 or not.
    Messages { text: bool },
    /// An error.
    Error,
}

/// What an envelope is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FrameKind {
    Message,
    End,
}

/// How an RPC ended, and its trailers.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) result: Result<(), Error>,
    pub(crate) trailers: Metadata,
}

/// All that can say how an RPC ended.
pub(crate) struct Tail<'a> {
    /// The headers of the response; where they turn out to be its trailers, they are moved.
    pub(crate) headers: &'a mut Metadata,
    /// The fields of the head that are trailers.
    pub(crate) split: Metadata,
    /// The HTTP trailers.
    pub(crate) trailers: Option<Metadata>,
    /// What an envelope at the end said.
    pub(crate) end: Option<Outcome>,
    /// Whether the body held anything.
    pub(crate) has_body: bool,
}

impl Outcome {
    fn failed(error: Error) -> Self {
        Self { result: Err(error), trailers: Metadata::new() }
    }
}

/// A protocol that a client can speak.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ClientProtocol(Family);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Family {
    Connect,
    Grpc,
    GrpcWeb,
    GrpcWebText,
}

impl ClientProtocol {
    /// Connect: plain HTTP for unary calls, envelopes for streams.
    pub const CONNECT: Self = Self(Family::Connect);
    /// gRPC, which needs HTTP/2 and its trailers.
    pub const GRPC: Self = Self(Family::Grpc);
    /// gRPC-Web: gRPC over any HTTP, its trailers in the body.
    pub const GRPC_WEB: Self = Self(Family::GrpcWeb);
    /// gRPC-Web in base64, for peers and proxies that pass text only.
    pub const GRPC_WEB_TEXT: Self = Self(Family::GrpcWebText);

    /// The name, for logs and metrics: `connect`, `grpc` or `grpc-web`.
    pub fn name(self) -> &'static str {
        self.carry(StreamShape::Unary).name()
    }

    /// Whether calls end in HTTP trailers, which a transport that can choose must be able to carry.
    pub fn needs_trailers(self) -> bool {
        self.0 == Family::Grpc
    }

    /// How this protocol carries methods of the given shape.
    pub(crate) fn carry(self, shape: StreamShape) -> &'static dyn Protocol {
        match self.0 {
            Family::Connect if shape == StreamShape::Unary => &connect::POST,
            Family::Connect => &connect::Streaming,
            Family::Grpc => &grpc::Grpc,
            Family::GrpcWeb => &grpc_web::BINARY,
            Family::GrpcWebText => &grpc_web::TEXT,
        }
    }
}

/// Appends the fields that belong to the application.
fn append_custom(metadata: &Metadata, sink: &mut dyn HeadersMut) {
    for (name, value) in metadata.iter_custom() {
        sink.append(name, value);
    }
}

/// What a bare HTTP status says about an RPC.
fn http_error(status: u16) -> Error {
    Error::new(Code::from_http_status(status), format!("HTTP status {status}")).sent_by_peer()
}

/// Writes the head of a response that is about to end, if it has not gone out.
fn begin_if_needed(
    protocol: &dyn Protocol,
    reply: &Reply<'_>,
    ending: &Ending<'_>,
    into: &mut Sinks<'_>,
) -> Option<u16> {
    if reply.head_sent {
        return None;
    }
    protocol.write_head(reply, ending.headers, into.head);
    Some(200)
}

/// A response in another codec is the server's mistake; one of another kind did not come from such a server.
fn wrong_media_type(value: &[u8], prefix: &str) -> Error {
    let text = format!("response has the content-type {:?}", String::from_utf8_lossy(value));
    match MediaType::parse(value) {
        Ok(media_type) if has_prefix(media_type.essence(), prefix) => Error::internal(text),
        _ => Error::unknown(text),
    }
}
