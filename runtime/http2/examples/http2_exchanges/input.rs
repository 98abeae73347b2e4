//! Requests as a gRPC client writes them.

use bytes::Bytes;
use ringwire_hpack::Encoder;
use ringwire_http::{HeadersMut, Method, Names, Scheme};

pub(crate) struct Requests {
    encoder: Encoder,
    stream: u32,
    block: Vec<u8>,
}

impl Requests {
    pub(crate) fn new() -> Self {
        Self { encoder: Encoder::new(Names::HTTP), stream: 0, block: Vec::new() }
    }

    pub(crate) fn preface() -> Bytes {
        let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        // SETTINGS, then the largest window.
        bytes.extend_from_slice(&[0, 0, 0, 4, 0, 0, 0, 0, 0]);
        bytes.extend_from_slice(&[0, 0, 4, 8, 0, 0, 0, 0, 0, 0x7f, 0, 0, 0]);
        bytes.extend_from_slice(&[0, 0, 0, 4, 1, 0, 0, 0, 0]);
        bytes.into()
    }

    pub(crate) fn next(&mut self) -> Bytes {
        self.stream = if self.stream == 0 { 1 } else { self.stream + 2 };
        if self.stream < 10 {
            self.block = self.encode();
        }
        let block = &self.block;
        let body = [b'x'; 71];
        let mut bytes = Vec::with_capacity(256);
        bytes.extend_from_slice(&[0, 0, block.len() as u8, 1, 4]);
        bytes.extend_from_slice(&self.stream.to_be_bytes());
        bytes.extend_from_slice(block);
        bytes.extend_from_slice(&[0, 0, body.len() as u8, 0, 1]);
        bytes.extend_from_slice(&self.stream.to_be_bytes());
        bytes.extend_from_slice(&body);
        bytes.into()
    }

    /// The block of a request, which is always the same once all of it is in the table.
    fn encode(&mut self) -> Vec<u8> {
        let mut block = Vec::new();
        let mut fields = self.encoder.block(&mut block);
        fields.method(&Method::Post);
        fields.scheme(Scheme::Http);
        fields.path("/greet.v1.Greet/Greet");
        fields.authority("127.0.0.1:8080");
        for (name, value) in [
            ("content-type", "application/grpc"),
            ("te", "trailers"),
            ("user-agent", "grpc-c++/1.60.0 grpc-c/37.0.0 (linux; chttp2)"),
            ("grpc-accept-encoding", "identity, deflate, gzip"),
        ] {
            fields.append(name, value.as_bytes());
        }
        block
    }
}
