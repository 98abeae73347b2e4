//! What differs between Connect, gRPC and gRPC-Web, and nothing else.
//!
//! No other module of the workspace names a protocol. A protocol is a [`Protocol`] value, chosen once per exchange: its names and
//! forms are data, what a server says in it is [`Server`], what a client says in it [`Client`]. So no code downstream asks
//! which it is.

pub mod browser;
mod connect;
pub mod fuzz;
mod grpc;
mod grpc_web;
mod media;
mod names;
mod negotiate;
mod opening;
mod refusal;
mod status;
mod table;

use std::fmt;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use ringwire_http::{Head, Headers, HeadersMut, Token};
use ringwire_wire::envelope::Flags;
use ringwire_wire::{Code, Malformed, MediaType, Metadata, Quoted};

use crate::receive::Framing;
use crate::transmit::Transmit;
use crate::{Ending, Error, Sinks, StreamShape};

use media::has_prefix;
pub(crate) use media::{MediaText, MediaTypes};
pub use names::NAMES;
pub use negotiate::{answer_error, answer_unrouted};
pub use opening::Opening;
pub(crate) use status::is_status;
pub use table::ClientProtocol;
pub(crate) use table::media_types;

/// One way to carry an RPC over HTTP.
pub(crate) struct Protocol {
    /// The name, for logs and metrics.
    pub(crate) name: &'static str,
    /// The beginning of its media types; the name of the codec follows.
    pub(crate) media_prefix: &'static str,
    /// The media type that names no codec, and means protobuf.
    pub(crate) media_default: Option<&'static str>,
    /// How messages lie in a body.
    pub(crate) framing: Framing,
    /// Whether bodies travel as base64.
    pub(crate) is_text: bool,
    /// Whether responses end in HTTP trailers.
    pub(crate) has_http_trailers: bool,
    /// The names of the header fields that every protocol has, and each calls something else.
    pub(crate) fields: FieldNames,
    /// Whether methods of a shape can be called.
    pub(crate) serves: fn(StreamShape) -> bool,
    /// Reads the value of the timeout field.
    pub(crate) parse_timeout: fn(&[u8]) -> Result<Duration, Malformed>,
    /// Appends the value of the timeout field.
    pub(crate) write_timeout: fn(Duration, &mut BytesMut),
    pub(crate) server: &'static dyn Server,
    pub(crate) client: &'static dyn Client,
}

/// The names of header fields.
#[derive(Debug)]
pub(crate) struct FieldNames {
    pub(crate) timeout: Token,
    pub(crate) encoding: Token,
    pub(crate) accept_encoding: Token,
}

/// The server's words of a protocol.
pub(crate) trait Server: Sync {
    /// Refuses a request that says it speaks another version.
    fn check_version(&self, _: &Head, _required: bool) -> Result<(), Error> {
        Ok(())
    }

    /// Writes all that is left of a response, its head too if that has not gone out.
    fn finish(
        &self,
        reply: &Reply<'_>,
        ending: &Ending<'_>,
        transmit: &mut Transmit,
        into: &mut Sinks<'_>,
    ) -> Finished;
}

/// The client's words of a protocol.
pub(crate) trait Client: Sync {
    /// Writes the head of a request that is no GET.
    fn write_request(&self, request: &Request<'_>, headers: &Metadata, head: &mut dyn HeadersMut);

    /// Appends the query in which a message can travel instead of in a body, and says whether it can.
    fn write_query(
        &self,
        _codec: &'static str,
        _encoding: Option<&'static str>,
        _message: &[u8],
        _out: &mut BytesMut,
    ) -> bool {
        false
    }

    /// Says what the body of a response is, given its head.
    fn read_head(&self, head: &ResponseHead<'_>, types: &MediaTypes) -> Result<ResponseBody, Error>;

    /// Reads a body that is an error.
    fn read_error(&self, _body: &[u8], status: u16) -> Error {
        http_error(status)
    }

    /// The name of the trailer that a field of a response's head stands for, if it stands for one.
    fn trailer_name<'n>(&self, _name: &'n str) -> Option<&'n str> {
        None
    }

    /// Says what an envelope of a response is; `None` where its flags have no meaning.
    fn frame_kind(&self, flags: Flags) -> Option<FrameKind>;

    /// Reads the envelope that ends a response.
    fn read_end(&self, _payload: Bytes) -> Result<Outcome, Error> {
        Err(Error::internal("an end of stream in a protocol without one"))
    }

    /// The outcome of the RPC, when the whole response is there.
    fn outcome(&self, tail: Tail<'_>) -> Outcome;
}

impl Protocol {
    /// Writes the head of a response that is not at its end yet. Its HTTP status is 200.
    pub(crate) fn write_head(&self, reply: &Reply<'_>, headers: &Metadata, head: &mut dyn HeadersMut) {
        reply.media_type.write(head);
        if let Some(encoding) = reply.encoding {
            head.append_static(self.fields.encoding, encoding);
        }
        append_custom(headers, head);
    }

    /// Writes the head of a response that is about to end, if it has not gone out.
    fn begin_if_needed(&self, reply: &Reply<'_>, ending: &Ending<'_>, into: &mut Sinks<'_>) -> Option<u16> {
        if reply.head_sent {
            return None;
        }
        self.write_head(reply, ending.headers, into.head);
        Some(200)
    }
}

impl fmt::Debug for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// What is known about a response of ours.
pub(crate) struct Reply<'a> {
    pub(crate) protocol: &'static Protocol,
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
    pub(crate) protocol: &'static Protocol,
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
    pub(crate) protocol: &'static Protocol,
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
    pub(crate) trailers: TrailersPlace,
}

/// The place of a response's trailers.
#[derive(Clone, Debug)]
pub(crate) enum TrailersPlace {
    /// Not known yet.
    Unknown,
    /// The head: the response has nothing else.
    Head,
    /// The head, under names of their own.
    Prefixed,
    /// The trailers of HTTP.
    Http,
    /// The body, from which they were read.
    Own(Metadata),
}

/// All that can say how an RPC ended.
pub(crate) struct Tail<'a> {
    /// The headers of the response.
    pub(crate) headers: &'a dyn Headers,
    /// The HTTP trailers.
    pub(crate) trailers: Option<&'a dyn Headers>,
    /// What an envelope at the end said.
    pub(crate) end: Option<Outcome>,
    /// Whether the body held anything.
    pub(crate) has_body: bool,
}

impl Outcome {
    fn failed(error: Error) -> Self {
        Self { result: Err(error), trailers: TrailersPlace::Own(Metadata::new()) }
    }
}

/// The name of the field in which a repeated call says how many attempts there were.
pub(crate) const PREVIOUS_ATTEMPTS: Token = names::GRPC_PREVIOUS_RPC_ATTEMPTS;

/// The name of the field in which a server says how many milliseconds to wait before the next attempt; a value that is no
/// number means that there must be none.
pub(crate) const RETRY_PUSHBACK: Token = names::GRPC_RETRY_PUSHBACK_MS;

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

/// A response in another codec is the server's mistake; one of another kind did not come from such a server.
fn wrong_media_type(value: &[u8], prefix: &str) -> Error {
    let text = format!("response has the content-type {}", Quoted(value));
    match MediaType::parse(value) {
        Ok(media_type) if has_prefix(media_type.essence(), prefix) => Error::internal(text),
        _ => Error::unknown(text),
    }
}
