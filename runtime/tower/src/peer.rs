//! Who is at the other end of a connection.

use std::sync::Arc;

use crate::listener::Address;
use crate::tls::PeerCertificates;

/// The peer of a connection: an extension of each of its requests.
#[derive(Clone, Debug)]
pub struct Peer {
    identity: Arc<Identity>,
}

impl Peer {
    pub(crate) fn new(address: Address, certificates: Option<PeerCertificates>, tls: bool) -> Self {
        Self { identity: Arc::new(Identity { address, certificates, tls }) }
    }

    /// Where it connects from. A proxy in between is the peer.
    pub fn address(&self) -> &Address {
        &self.identity.address
    }

    /// The certificates that it showed, if it was asked for any.
    pub fn certificates(&self) -> Option<&PeerCertificates> {
        self.identity.certificates.as_ref()
    }

    /// Whether the connection is encrypted.
    pub fn is_tls(&self) -> bool {
        self.identity.tls
    }
}

#[derive(Debug)]
struct Identity {
    address: Address,
    certificates: Option<PeerCertificates>,
    tls: bool,
}
