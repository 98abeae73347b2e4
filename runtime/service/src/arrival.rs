//! What a shell hands over when the head of a request has arrived.

use crate::{Peer, PeerAddress};
use ringwire_http::Headers;
use ringwire_rpc::{Metadata, RequestHead, Version};
use std::fmt;
use std::sync::Arc;

/// A request's head, and where it came from.
#[derive(Clone)]
pub struct Arrival {
    /// The head.
    pub head: Arc<dyn Head>,
    /// The other end of the connection.
    pub peer: Arc<Peer>,
    /// What stood before us left for the handler: tower layers, a TLS handshake.
    pub extensions: http::Extensions,
}

/// The head of a request, owned by the call for as long as it runs.
///
/// Nothing is read from it until somebody asks: the headers become [`Metadata`] when a handler looks at them.
pub trait Head: Send + Sync {
    /// The head, borrowed.
    fn request(&self) -> RequestHead<'_>;
}

impl Arrival {
    /// An arrival from this process, without extensions.
    pub fn new(head: impl Head + 'static) -> Self {
        Self {
            head: Arc::new(head),
            peer: Arc::new(Peer::new(PeerAddress::Memory)),
            extensions: http::Extensions::new(),
        }
    }
}

impl fmt::Debug for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arrival")
            .field("head", &self.head.request())
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

/// A head whose parts are at hand, for calls without a connection.
#[derive(Clone, Debug)]
pub struct PlainHead {
    /// The method, in upper case.
    pub method: String,
    /// The path, and the query if there is one.
    pub target: String,
    /// The header fields.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The version of HTTP.
    pub version: Version,
}

impl Head for PlainHead {
    fn request(&self) -> RequestHead<'_> {
        RequestHead::new(&self.method, &self.target, &self.headers, self.version)
    }
}

/// The header fields as metadata. A field that no metadata can hold is left out: HTTP has let it pass, and
/// the application has no use for it.
pub(crate) fn metadata(headers: &dyn Headers) -> Metadata {
    let mut metadata = Metadata::new();
    headers.for_each(&mut |name, value| {
        let _ = metadata.append_received(name, value);
    });
    metadata
}
