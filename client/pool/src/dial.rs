//! From an address to bytes that flow.

use crate::Address;
use socket2::{SockRef, TcpKeepalive};
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};

/// A connection before TLS and HTTP.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Io for T {}

/// Opens connections: sockets, or whatever a user puts in their place (a proxy, a pipe).
pub trait Dial: Send + Sync + 'static {
    /// Connects. The caller bounds how long it may take, by dropping the future.
    fn dial<'a>(&'a self, address: &'a Address) -> Dialing<'a>;
}

/// A connection that is being opened.
pub type Dialing<'a> = Pin<Box<dyn Future<Output = io::Result<Box<dyn Io>>> + Send + 'a>>;

/// TCP and Unix sockets.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Sockets {
    /// The address to connect from. Addresses of the other family are not tried then.
    pub local_address: Option<IpAddr>,
    /// Silence after which TCP asks whether the peer's machine is there; asked four times in as long again, it is not.
    ///
    /// No server counts these probes, as some count PINGs of HTTP/2.
    pub keepalive: Option<Duration>,
    /// How long sent bytes may stay unacknowledged. Linux alone knows this.
    pub unacknowledged_max: Option<Duration>,
}

impl Default for Sockets {
    fn default() -> Self {
        Self {
            local_address: None,
            keepalive: Some(Duration::from_secs(10)),
            unacknowledged_max: Some(Duration::from_secs(20)),
        }
    }
}

impl Dial for Sockets {
    fn dial<'a>(&'a self, address: &'a Address) -> Dialing<'a> {
        Box::pin(async move {
            let io: Box<dyn Io> = match address {
                Address::Tcp(address) => Box::new(self.tcp(*address).await?),
                #[cfg(unix)]
                Address::Unix(path) => Box::new(tokio::net::UnixStream::connect(path).await?),
                #[cfg(not(unix))]
                Address::Unix(_) => return Err(io::ErrorKind::Unsupported.into()),
            };
            Ok(io)
        })
    }
}

impl Sockets {
    async fn tcp(&self, address: SocketAddr) -> io::Result<TcpStream> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        if let Some(local) = self.local_address {
            socket.bind(SocketAddr::new(local, 0))?;
        }
        let stream = socket.connect(address).await?;
        stream.set_nodelay(true)?;
        let socket = SockRef::from(&stream);
        if let Some(silence) = self.keepalive {
            let probe = (silence / 4).max(Duration::from_secs(1));
            let keepalive = TcpKeepalive::new().with_time(silence).with_interval(probe);
            #[cfg(not(windows))]
            let keepalive = keepalive.with_retries(4);
            socket.set_tcp_keepalive(&keepalive)?;
        }
        #[cfg(any(target_os = "linux", target_os = "android"))]
        socket.set_tcp_user_timeout(self.unacknowledged_max)?;
        Ok(stream)
    }
}
