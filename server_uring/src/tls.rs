//! TLS for a server: its certificates, and what it asks of its clients. ALPN always offers both versions of HTTP.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ringwire_tls::rustls::crypto::{CryptoProvider, ring};
use ringwire_tls::rustls::{Error, ServerConfig};
use ringwire_tls::{Certificates, TlsConnection, TlsLimits, server_config};

pub use ringwire_tls::rustls;

/// The certificates of a server, and what it asks of its clients.
///
/// The crypto provider is chosen here and never read from, or written to, the process.
#[derive(Clone, Debug)]
pub struct ServerTls {
    pub(crate) config: Arc<ServerConfig>,
    /// Files that are read again now and then.
    files: Option<Arc<Files>>,
}

#[derive(Debug)]
struct Files {
    chain: PathBuf,
    key: PathBuf,
    certificates: Arc<Certificates>,
    every: Option<Duration>,
}

impl ServerTls {
    /// A certificate chain and its key, both PEM. Clients are not asked for certificates.
    ///
    /// # Errors
    /// The texts are no PEM, or do not belong together.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> io::Result<Self> {
        Self::new(Arc::new(Certificates::from_pem(certificates, key, provider()).map_err(invalid)?), None)
    }

    /// Like [`from_pem`](Self::from_pem), and every client must show a certificate that one of `authorities` (PEM) has signed,
    /// or that is one of them. Handlers find it with their call's peer.
    ///
    /// # Errors
    /// The texts are no PEM, or do not belong together.
    pub fn from_pem_with_clients(certificates: &[u8], key: &[u8], authorities: &[u8]) -> io::Result<Self> {
        let certificates = Certificates::from_pem(certificates, key, provider()).map_err(invalid)?;
        Self::new(Arc::new(certificates), Some(authorities))
    }

    /// The files of a certificate chain and its key, both PEM.
    ///
    /// # Errors
    /// A file cannot be read, is no PEM, or does not belong to the other.
    pub fn files(chain: impl AsRef<Path>, key: impl AsRef<Path>) -> io::Result<Self> {
        let (chain, key) = (chain.as_ref().to_owned(), key.as_ref().to_owned());
        let certificates = Certificates::from_pem(&std::fs::read(&chain)?, &std::fs::read(&key)?, provider());
        let certificates = Arc::new(certificates.map_err(invalid)?);
        let tls = Self::new(certificates.clone(), None)?;
        Ok(Self { files: Some(Arc::new(Files { chain, key, certificates, every: None })), ..tls })
    }

    /// Reads the files again so often. New connections see new certificates; files that do not belong together at that moment
    /// are tried again the next time. Does nothing for certificates that come from no file.
    #[must_use]
    pub fn reload_every(self, every: Duration) -> Self {
        let files = self.files.as_ref().map(|files| {
            let Files { chain, key, certificates, every: _ } = &**files;
            let (chain, key) = (chain.clone(), key.clone());
            Arc::new(Files { chain, key, certificates: certificates.clone(), every: Some(every) })
        });
        Self { files, ..self }
    }

    /// A configuration made elsewhere, for what the other constructors do not offer: a resolver that picks certificates, another
    /// verifier, session tickets. ALPN is set here whatever it says, because a server that forgets it serves HTTP/1.1 only and
    /// no gRPC.
    pub fn from_config(mut config: ServerConfig) -> Self {
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Self { config: Arc::new(config), files: None }
    }

    fn new(certificates: Arc<Certificates>, authorities: Option<&[u8]>) -> io::Result<Self> {
        let config = server_config(provider(), certificates, authorities).map_err(invalid)?;
        Ok(Self { config: Arc::new(config), files: None })
    }

    /// Tells early what every connection would stumble over.
    pub(crate) fn check(&self) -> io::Result<()> {
        TlsConnection::server(self.config.clone(), TlsLimits::default(), Instant::now())
            .map(drop)
            .map_err(invalid)
    }

    /// Reads the files again for as long as the server lives.
    pub(crate) async fn reload(self) {
        let Some((files, every)) = self.files.as_ref().and_then(|files| Some((files, files.every?))) else {
            return std::future::pending().await;
        };
        loop {
            tokio::time::sleep(every).await;
            files.reload();
        }
    }
}

impl Files {
    fn reload(&self) {
        // Whoever replaces two files replaces one first: the old certificate stays until both fit.
        if let (Ok(chain), Ok(key)) = (std::fs::read(&self.chain), std::fs::read(&self.key)) {
            let _ = self.certificates.replace(&chain, &key);
        }
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn invalid(error: Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error)
}
