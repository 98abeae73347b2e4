//! The head of a request and where it came from, as a shell hands them over.

use crate::{Peer, PeerAddress};
use ringwire_http::{Head, Headers};
use ringwire_rpc::Metadata;
use std::fmt;
use std::sync::Arc;

/// A request's head, and where it came from.
#[derive(Clone)]
pub struct Arrival {
    /// The head. Its fields are classified with [`NAMES`](ringwire_rpc::NAMES).
    pub head: Head,
    /// The other end of the connection.
    pub peer: Arc<Peer>,
    /// Values that layers in front of the service left for the handler.
    pub extensions: http::Extensions,
}

impl Arrival {
    /// An arrival from this process, without extensions.
    pub fn new(head: Head) -> Self {
        Self { head, peer: Arc::new(Peer::new(PeerAddress::Memory)), extensions: http::Extensions::new() }
    }
}

impl fmt::Debug for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arrival").field("head", &self.head).field("peer", &self.peer).finish_non_exhaustive()
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
