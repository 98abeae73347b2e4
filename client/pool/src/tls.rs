//! TLS for a client: whom it trusts, who it says it is, and ALPN.

use crate::HttpVersion;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::sync::Arc;
use tokio_rustls::TlsConnector;

pub use tokio_rustls::rustls;

/// Whom a client trusts, and who it says it is.
///
/// The crypto provider is chosen here and never read from, or written to, the process.
#[derive(Clone, Debug)]
pub struct Tls {
    config: ClientConfig,
    server_name: Option<ServerName<'static>>,
}

/// TLS for one protocol lane: it knows what to offer.
#[derive(Clone)]
pub(crate) struct Offer {
    pub(crate) connector: TlsConnector,
    pub(crate) server_name: ServerName<'static>,
}

impl Tls {
    /// Trusts what the platform trusts.
    pub fn platform() -> io::Result<Self> {
        Self::trusting(&platform_roots()?, None)
    }

    /// Trusts these authorities (PEM), and no other.
    pub fn with_roots(authorities: &[u8]) -> io::Result<Self> {
        Self::trusting(&parse_certificates(authorities)?, None)
    }

    /// As [`Tls::platform`], and shows this certificate chain (PEM) to servers that ask for one.
    pub fn platform_with_identity(certificates: &[u8], key: &[u8]) -> io::Result<Self> {
        Self::trusting(&platform_roots()?, Some((certificates, key)))
    }

    /// As [`Tls::with_roots`], and shows this certificate chain (PEM) to servers that ask for one.
    pub fn with_identity(authorities: &[u8], certificates: &[u8], key: &[u8]) -> io::Result<Self> {
        Self::trusting(&parse_certificates(authorities)?, Some((certificates, key)))
    }

    /// From a configuration made elsewhere, for what the other constructors do not offer: another verifier, certificates that
    /// are reloaded. ALPN is set by the pool whatever it says.
    pub fn from_config(config: ClientConfig) -> Self {
        Self { config, server_name: None }
    }

    /// The name that the server's certificate must have, and that the server is told; the origin's host unless set.
    pub fn server_name(mut self, name: &str) -> io::Result<Self> {
        self.server_name = Some(ServerName::try_from(name.to_owned()).map_err(invalid)?);
        Ok(self)
    }

    fn trusting(
        authorities: &[CertificateDer<'static>],
        identity: Option<(&[u8], &[u8])>,
    ) -> io::Result<Self> {
        let mut roots = RootCertStore::empty();
        // A platform may hold certificates that are none; one that is good suffices.
        roots.add_parsable_certificates(authorities.iter().cloned());
        if roots.is_empty() {
            return Err(invalid("there is no certificate to trust"));
        }
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(invalid)?
            .with_root_certificates(roots);
        let config = match identity {
            None => builder.with_no_client_auth(),
            Some((certificates, key)) => {
                let key = PrivateKeyDer::from_pem_slice(key).map_err(invalid)?;
                builder.with_client_auth_cert(parse_certificates(certificates)?, key).map_err(invalid)?
            }
        };
        Ok(Self::from_config(config))
    }

    pub(crate) fn offer(&self, host: &str, http: HttpVersion) -> io::Result<Offer> {
        let mut config = self.config.clone();
        config.alpn_protocols = match http {
            HttpVersion::Auto => vec![ALPN_HTTP2.to_vec(), ALPN_HTTP1.to_vec()],
            HttpVersion::Http1 => vec![ALPN_HTTP1.to_vec()],
            HttpVersion::Http2 => vec![ALPN_HTTP2.to_vec()],
        };
        let server_name = match &self.server_name {
            Some(name) => name.clone(),
            None => ServerName::try_from(host.to_owned()).map_err(invalid)?,
        };
        Ok(Offer { connector: TlsConnector::from(Arc::new(config)), server_name })
    }
}

fn platform_roots() -> io::Result<Vec<CertificateDer<'static>>> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty()
        && let Some(error) = found.errors.into_iter().next()
    {
        return Err(io::Error::other(error));
    }
    Ok(found.certs)
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

fn invalid(error: impl Into<ringwire_transport::BoxError>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error)
}

pub(crate) const ALPN_HTTP2: &[u8] = b"h2";
const ALPN_HTTP1: &[u8] = b"http/1.1";
