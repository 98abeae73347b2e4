//! What the head of a request has been found to speak.

use bytes::Bytes;
use ringwire_compress::Compression;

use super::Protocol;

/// Everything that the head of a request says about an RPC but its method and its time-out: protocol, codec, compressions, and
/// the message where the head holds it.
///
/// It depends on nothing but the head, the method and the configuration, so it can be kept beside a head that comes again.
#[derive(Clone, Debug)]
pub struct Opening {
    pub(crate) protocol: &'static Protocol,
    /// Which codec of the configuration.
    pub(crate) codec: usize,
    /// Which of that codec's media types.
    pub(crate) media_type: usize,
    pub(crate) request_compression: Option<&'static dyn Compression>,
    pub(crate) response_compression: Option<&'static dyn Compression>,
    /// The message, where the head holds it.
    pub(crate) message: Option<Bytes>,
}

impl Opening {
    pub(super) fn new(protocol: &'static Protocol, codec: usize, media_type: usize) -> Self {
        Self {
            protocol,
            codec,
            media_type,
            request_compression: None,
            response_compression: None,
            message: None,
        }
    }

    /// The name of the protocol, for logs and metrics only;
    /// [`ClientProtocol::name`](crate::ClientProtocol::name) lists them.
    pub fn protocol(&self) -> &'static str {
        self.protocol.name
    }

    /// The codec of the messages: an index into the list of [`ServerConfig::new`](crate::ServerConfig::new).
    pub fn codec(&self) -> usize {
        self.codec
    }
}
