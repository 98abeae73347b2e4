//! The certificate of a server, which can be replaced while the server runs.

use rustls::Error;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::sync::Arc;
// Every core's handshakes read it, and the one that replaces it is outside of them all.
#[allow(clippy::disallowed_types)]
use std::sync::RwLock;

/// The certificate chain of a server and its key. A replaced one serves the handshakes that begin afterwards; connections that
/// are open stay as they are.
#[derive(Debug)]
#[allow(clippy::disallowed_types)]
pub struct Certificates {
    provider: Arc<CryptoProvider>,
    current: RwLock<Arc<CertifiedKey>>,
}

impl Certificates {
    /// A chain, the server's certificate first, and its key, both PEM.
    ///
    /// # Errors
    /// The texts are no PEM, there is no certificate, or the key is of another certificate or of a kind that the provider does
    /// not know.
    #[allow(clippy::disallowed_types)]
    pub fn from_pem(chain: &[u8], key: &[u8], provider: Arc<CryptoProvider>) -> Result<Self, Error> {
        let current = RwLock::new(Arc::new(certified(chain, key, &provider)?));
        Ok(Self { provider, current })
    }

    /// Replaces chain and key.
    ///
    /// # Errors
    /// Those of [`from_pem`](Self::from_pem); then the old ones stay.
    pub fn replace(&self, chain: &[u8], key: &[u8]) -> Result<(), Error> {
        let new = Arc::new(certified(chain, key, &self.provider)?);
        *self.current.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = new;
        Ok(())
    }

    fn current(&self) -> Arc<CertifiedKey> {
        self.current.read().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

fn certified(chain: &[u8], key: &[u8], provider: &CryptoProvider) -> Result<CertifiedKey, Error> {
    CertifiedKey::from_der(parse_chain(chain)?, parse_key(key)?, provider)
}

pub(crate) fn parse_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, Error> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| Error::General(format!("no private key: {error}")))
}

pub(crate) fn parse_chain(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let chain = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(|error| Error::General(format!("no certificates: {error}")))?;
    if chain.is_empty() {
        return Err(Error::NoCertificatesPresented);
    }
    Ok(chain)
}
