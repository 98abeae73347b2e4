//! From a name to addresses.

use crate::Name;
use ringwire_transport::BoxError;
use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;

/// What can be connected to.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Address {
    /// TCP, over IPv4 or IPv6.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

/// Finds the addresses of a name.
///
/// It is asked with the first request, then on a clock, and earlier after a connection failed. Without an answer the
/// addresses of before stay.
pub trait Resolve: Send + Sync + 'static {
    /// The addresses, best first. None at all is an error.
    fn resolve<'a>(&'a self, name: &'a Name) -> Resolving<'a>;
}

/// A name that is being resolved.
pub type Resolving<'a> = Pin<Box<dyn Future<Output = Result<Vec<Address>, BoxError>> + Send + 'a>>;

/// The resolver of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dns;

/// The same addresses for every name.
#[derive(Clone, Debug)]
pub struct Fixed(Vec<Address>);

impl Fixed {
    /// These addresses.
    pub fn new(addresses: impl IntoIterator<Item = impl Into<Address>>) -> Self {
        Self(addresses.into_iter().map(Into::into).collect())
    }
}

impl Resolve for Dns {
    fn resolve<'a>(&'a self, name: &'a Name) -> Resolving<'a> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.host(), name.port())).await?;
            Ok(found.map(Address::Tcp).collect())
        })
    }
}

impl Resolve for Fixed {
    fn resolve<'a>(&'a self, _: &'a Name) -> Resolving<'a> {
        Box::pin(std::future::ready(Ok(self.0.clone())))
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address)
    }
}

impl From<PathBuf> for Address {
    fn from(path: PathBuf) -> Self {
        Self::Unix(path)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}
