//! Configurations of rustls for either side.

use crate::certificates::{parse_chain, parse_key};
use rustls::crypto::CryptoProvider;
use rustls::server::{ResolvesServerCert, WebPkiClientVerifier};
use rustls::{ClientConfig, Error, RootCertStore, ServerConfig};
use std::sync::Arc;

/// A configuration of a server that speaks HTTP/2 and HTTP/1.1. With `authorities` (PEM), every client must show a certificate
/// that one of them has signed, or that is one of them.
///
/// Sessions can be resumed: rustls keeps 256 of them. A server on several machines sets
/// [`ticketer`](ServerConfig::ticketer).
///
/// # Errors
/// The provider lacks what TLS 1.2 and 1.3 need, or the authorities are no certificates.
pub fn server_config(
    provider: Arc<CryptoProvider>,
    certificates: Arc<dyn ResolvesServerCert>,
    authorities: Option<&[u8]>,
) -> Result<ServerConfig, Error> {
    let builder =
        ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
    let builder = match authorities {
        Some(authorities) => {
            let roots = Arc::new(root_store(authorities)?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).build();
            builder.with_client_cert_verifier(verifier.map_err(|error| Error::General(error.to_string()))?)
        }
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(certificates);
    config.alpn_protocols = alpn();
    Ok(config)
}

/// A configuration of a client that speaks HTTP/2 and HTTP/1.1 with servers whose certificates one of `authorities` (PEM) has
/// signed. With `identity`, the client shows this chain when it is asked, and proves to have this key (both PEM).
///
/// # Errors
/// The provider lacks what TLS 1.2 and 1.3 need, or the texts are not what they should be.
pub fn client_config(
    provider: Arc<CryptoProvider>,
    authorities: &[u8],
    identity: Option<(&[u8], &[u8])>,
) -> Result<ClientConfig, Error> {
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(root_store(authorities)?);
    let mut config = match identity {
        Some((chain, key)) => builder.with_client_auth_cert(parse_chain(chain)?, parse_key(key)?)?,
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = alpn();
    Ok(config)
}

fn root_store(authorities: &[u8]) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for authority in parse_chain(authorities)? {
        roots.add(authority)?;
    }
    Ok(roots)
}

/// A side that forgets to offer these speaks HTTP/1.1 only.
fn alpn() -> Vec<Vec<u8>> {
    vec![b"h2".to_vec(), b"http/1.1".to_vec()]
}
