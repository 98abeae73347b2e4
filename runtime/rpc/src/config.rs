//! What an application chooses once for many exchanges.

use std::borrow::Cow;

use ringwire_compress::{Compression, CompressionPolicy, Compressions};

use crate::Limits;
use crate::protocol::{self, ClientProtocol, MediaTypes};

/// How a server, or one route of it, answers. Exchanges share it by reference count.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// The bounds of each exchange.
    pub limits: Limits,
    /// What the server can decompress, and compress with when the client asks for it.
    pub compressions: Compressions,
    /// Which responses are worth compressing.
    pub compression_policy: CompressionPolicy,
    /// Whether requests of the one protocol that has a version header must carry it. Off, a missing header
    /// passes, and only a wrong one is refused.
    pub require_protocol_version: bool,
    pub(crate) codecs: Vec<MediaTypes>,
}

impl ServerConfig {
    /// A server that speaks the codecs of these names, such as `proto` and `json`, and compresses nothing.
    ///
    /// [`ServerExchange::codec`](crate::ServerExchange::codec) is an index into this list.
    pub fn new(codecs: &[&'static str]) -> Self {
        Self {
            limits: Limits::default(),
            compressions: Compressions::none(),
            compression_policy: CompressionPolicy::default(),
            require_protocol_version: false,
            codecs: codecs.iter().map(|name| protocol::media_types(name)).collect(),
        }
    }
}

/// How a channel, or one call over it, speaks. Exchanges share it by reference count.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// The protocol.
    pub protocol: ClientProtocol,
    /// The bounds of each exchange.
    pub limits: Limits,
    /// What the client can decompress, and so tells servers that it accepts.
    pub compressions: Compressions,
    /// What requests are compressed with; `None` sends them as they are.
    pub compression: Option<&'static dyn Compression>,
    /// Which requests are worth compressing.
    pub compression_policy: CompressionPolicy,
    /// Whether methods without side effects travel as GET, where the protocol has that.
    pub get: GetPolicy,
    /// The `user-agent` of requests that bring none of their own.
    pub user_agent: Cow<'static, str>,
    pub(crate) codec: MediaTypes,
}

/// When a call without side effects travels as a GET request, which caches can answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum GetPolicy {
    /// Never.
    Never,
    /// Where path and query are no longer than `url_max` bytes; longer calls travel as POST.
    UpTo {
        /// The longest path and query.
        url_max: usize,
    },
    /// Always; a call whose path and query would be longer than `url_max` bytes fails with
    /// `resource_exhausted`.
    Only {
        /// The longest path and query.
        url_max: usize,
    },
}

impl ClientConfig {
    /// A client that speaks `protocol` with the codec of this name, and compresses nothing.
    pub fn new(protocol: ClientProtocol, codec: &'static str) -> Self {
        Self {
            protocol,
            limits: Limits::default(),
            compressions: Compressions::none(),
            compression: None,
            compression_policy: CompressionPolicy::default(),
            get: GetPolicy::Never,
            user_agent: Cow::Borrowed(USER_AGENT),
            codec: protocol::media_types(codec),
        }
    }

    /// The same configuration with the codec of another name.
    #[must_use]
    pub fn with_codec(mut self, codec: &'static str) -> Self {
        self.codec = protocol::media_types(codec);
        self
    }

    /// The name of the codec.
    pub fn codec(&self) -> &'static str {
        self.codec.name()
    }
}

const USER_AGENT: &str = concat!("ringwire/", env!("CARGO_PKG_VERSION"));
