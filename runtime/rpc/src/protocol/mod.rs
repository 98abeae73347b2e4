//! What differs between Connect, gRPC and gRPC-Web, and nothing else.
//!
//! No other module of the workspace names a protocol.

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
        match self.0 {
            Family::Connect => "connect",
            Family::Grpc => "grpc",
            Family::GrpcWeb | Family::GrpcWebText => "grpc-web",
        }
    }
}

/// The media types of one codec.
#[derive(Clone, Debug)]
pub(crate) struct MediaTypes {
    name: &'static str,
}

impl MediaTypes {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }
}
