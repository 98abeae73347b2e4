//! The table of all protocols: found by media type on a server, chosen by name on a client.

use super::media::{MediaTypes, has_prefix};
use super::{Protocol, connect, grpc, grpc_web};
use crate::StreamShape;

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
        self.carry(StreamShape::Unary).name
    }

    /// Whether calls end in HTTP trailers, which a transport that can choose must be able to carry.
    pub fn needs_trailers(self) -> bool {
        self.0 == Family::Grpc
    }

    /// How this protocol carries methods of the given shape.
    pub(crate) fn carry(self, shape: StreamShape) -> &'static Protocol {
        match self.0 {
            Family::Connect if shape == StreamShape::Unary => &connect::POST,
            Family::Connect => &connect::STREAMING,
            Family::Grpc => &grpc::GRPC,
            Family::GrpcWeb => &grpc_web::BINARY,
            Family::GrpcWebText => &grpc_web::TEXT,
        }
    }
}

/// The media types of the codec of this name.
pub(crate) fn media_types(codec: &'static str) -> MediaTypes {
    MediaTypes::new(codec, &ALL)
}

/// The protocol whose media types begin like this one, whatever the codec.
pub(crate) fn family(essence: &str) -> Option<&'static Protocol> {
    ALL.into_iter().find(|protocol| {
        let is_default = protocol.media_default.is_some_and(|bare| essence.eq_ignore_ascii_case(bare));
        is_default || has_prefix(essence, protocol.media_prefix)
    })
}

// The prefix of the last is one of all others.
static ALL: [&Protocol; 5] =
    [&grpc::GRPC, &grpc_web::BINARY, &grpc_web::TEXT, &connect::STREAMING, &connect::POST];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(codec: &'static str, want: &[&str]) {
        let types = media_types(codec);
        let got: Vec<_> = types.entries().iter().map(|entry| entry.media_type.as_str()).collect();
        assert_eq!(got, want);
    }

    #[test]
    fn protobuf_is_the_default_codec() {
        check(
            "proto",
            &[
                "application/grpc",
                "application/grpc+proto",
                "application/grpc-web",
                "application/grpc-web+proto",
                "application/grpc-web-text",
                "application/grpc-web-text+proto",
                "application/connect+proto",
                "application/proto",
            ],
        );
    }

    #[test]
    fn other_codecs_are_always_named() {
        check(
            "cbor",
            &[
                "application/grpc+cbor",
                "application/grpc-web+cbor",
                "application/grpc-web-text+cbor",
                "application/connect+cbor",
                "application/cbor",
            ],
        );
    }

    #[test]
    fn known_media_types_are_static() {
        for codec in ["proto", "json"] {
            for entry in media_types(codec).entries() {
                assert!(entry.media_type.is_static(), "{entry:?}");
            }
        }
    }
}
