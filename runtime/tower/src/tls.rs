//! TLS for a server: certificates, what is asked of clients, and ALPN that always offers both HTTP versions.

use std::io;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

pub use tokio_rustls::rustls;

/// How a server proves who it is, and what it asks of its clients.
///
/// The crypto provider is chosen here and never read from, or written to, the process.
#[derive(Clone, Debug)]
pub struct Tls {
    config: Arc<ServerConfig>,
}

impl Tls {
    /// From a certificate chain and its key, both PEM. Clients are not asked for certificates.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> io::Result<Self> {
        Identity::from_pem(certificates, key)?.with_verifier(None)
    }

    /// As [`Tls::from_pem`], and every client must show a certificate that one of `authorities` (PEM) has signed, or that
    /// is one of them. Handlers find it with their call's peer.
    pub fn from_pem_with_clients(certificates: &[u8], key: &[u8], authorities: &[u8]) -> io::Result<Self> {
        let mut roots = RootCertStore::empty();
        for authority in parse_certificates(authorities)? {
            roots.add(authority).map_err(invalid)?;
        }
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
            .build()
            .map_err(invalid)?;
        Identity::from_pem(certificates, key)?.with_verifier(Some(verifier))
    }

    /// From a configuration made elsewhere, for what the other constructors do not offer: a resolver that picks or reloads
    /// certificates, another verifier, session tickets. ALPN is set here whatever it says, because a server that
    /// forgets it serves HTTP/1.1 only and no gRPC.
    pub fn from_config(mut config: ServerConfig) -> Self {
        config.alpn_protocols = vec![ALPN_H2.to_vec(), ALPN_HTTP1.to_vec()];
        Self { config: Arc::new(config) }
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.clone())
    }
}

struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    fn from_pem(certificates: &[u8], key: &[u8]) -> io::Result<Self> {
        let chain = parse_certificates(certificates)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(invalid)?;
        Ok(Self { chain, key })
    }

    fn with_verifier(self, verifier: Option<Arc<dyn ClientCertVerifier>>) -> io::Result<Tls> {
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(invalid)?;
        let builder = match verifier {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        builder.with_single_cert(self.chain, self.key).map(Tls::from_config).map_err(invalid)
    }
}

fn parse_certificates(pem: &[u8]) -> io::Result<Vec<CertificateDer<'static>>> {
    let certificates = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>().map_err(invalid)?;
    if certificates.is_empty() {
        return Err(invalid("the PEM text holds no certificate"));
    }
    Ok(certificates)
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error)
}

pub(crate) const ALPN_H2: &[u8] = b"h2";
const ALPN_HTTP1: &[u8] = b"http/1.1";
