//! Who is at the other end of a connection.

use bytes::Bytes;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The other end of a connection. A shell makes one per connection, and its calls share it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Peer {
    address: PeerAddress,
    certificates: Vec<Bytes>,
}

/// Where a peer is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PeerAddress {
    /// An address of the network.
    Socket(SocketAddr),
    /// A Unix socket; most clients bind theirs to no path.
    Unix(Option<PathBuf>),
    /// This process.
    Memory,
}

impl Peer {
    /// A peer at this address, without certificates.
    pub fn new(address: PeerAddress) -> Self {
        Self { address, certificates: Vec::new() }
    }

    /// Adds the certificates that the peer proved to own, in DER: its own first.
    #[must_use]
    pub fn with_certificates(mut self, certificates: Vec<Bytes>) -> Self {
        self.certificates = certificates;
        self
    }

    /// Where it is: a proxy, if one stands between.
    pub fn address(&self) -> &PeerAddress {
        &self.address
    }

    /// Where it is on the network, if it is there.
    pub fn socket_address(&self) -> Option<SocketAddr> {
        match self.address {
            PeerAddress::Socket(address) => Some(address),
            PeerAddress::Unix(_) | PeerAddress::Memory => None,
        }
    }

    /// The certificates of mutual TLS in DER, the peer's own first; empty without it.
    pub fn certificates(&self) -> &[Bytes] {
        &self.certificates
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_network_peers_have_a_socket_address() {
        let address = "10.0.0.1:99".parse().unwrap();
        assert_eq!(Peer::new(PeerAddress::Socket(address)).socket_address(), Some(address));
        assert_eq!(Peer::new(PeerAddress::Unix(None)).socket_address(), None);
        assert_eq!(Peer::new(PeerAddress::Memory).socket_address(), None);
    }
}
