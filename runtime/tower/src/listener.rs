//! Where connections come from: TCP, Unix sockets, sockets that someone else bound, or anything else that accepts.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::ServeError;
use ringwire_service::PeerAddress;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};

/// The address of either end of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Address {
    /// Of a TCP socket.
    Tcp(SocketAddr),
    /// Of a Unix socket. A peer rarely has a name.
    Unix(Option<PathBuf>),
    /// Of a connection that is no socket, such as a pipe in a test.
    Unnamed,
}

impl Address {
    /// The address of a TCP socket, and `None` of anything else.
    pub fn tcp(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(address) => Some(*address),
            Self::Unix(_) | Self::Unnamed => None,
        }
    }
}

impl From<Address> for PeerAddress {
    fn from(address: Address) -> Self {
        match address {
            Address::Tcp(address) => Self::Socket(address),
            Address::Unix(path) => Self::Unix(path),
            Address::Unnamed => Self::Memory,
        }
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(Some(path)) => write!(f, "unix:{}", path.display()),
            Self::Unix(None) => f.write_str("unix:"),
            Self::Unnamed => f.write_str("unnamed"),
        }
    }
}

/// Accepts connections. An error of `accept` never ends the server: it waits a little, longer each time, and tries again.
pub trait Listener: Send + 'static {
    /// An accepted connection.
    type Io: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Waits for a connection. Dropping the future loses none.
    fn accept(&mut self) -> impl Future<Output = io::Result<(Self::Io, Address)>> + Send;

    /// Where peers can connect.
    fn local_address(&self) -> io::Result<Address> {
        Ok(Address::Unnamed)
    }
}

/// What becomes a [`Listener`] inside the runtime: sockets bound before it started, and every listener itself.
pub trait IntoListener {
    /// The listener it becomes.
    type Listener: Listener;

    /// Hands the socket to the runtime.
    fn into_listener(self) -> io::Result<Self::Listener>;

    /// Where peers can connect.
    fn local_address(&self) -> io::Result<Address>;
}

impl<L: Listener> IntoListener for L {
    type Listener = L;

    fn into_listener(self) -> io::Result<L> {
        Ok(self)
    }

    fn local_address(&self) -> io::Result<Address> {
        Listener::local_address(self)
    }
}

impl IntoListener for std::net::TcpListener {
    type Listener = tokio::net::TcpListener;

    fn into_listener(self) -> io::Result<Self::Listener> {
        self.set_nonblocking(true)?;
        tokio::net::TcpListener::from_std(self)
    }

    fn local_address(&self) -> io::Result<Address> {
        self.local_addr().map(Address::Tcp)
    }
}

impl Listener for tokio::net::TcpListener {
    type Io = tokio::net::TcpStream;

    async fn accept(&mut self) -> io::Result<(Self::Io, Address)> {
        let (stream, peer) = Self::accept(self).await?;
        // A peer that is already gone may refuse either option; reading will say so.
        let _ = stream.set_nodelay(true);
        let keepalive = TcpKeepalive::new().with_time(TCP_KEEPALIVE).with_interval(TCP_KEEPALIVE_INTERVAL);
        let _ = SockRef::from(&stream).set_tcp_keepalive(&keepalive);
        Ok((stream, Address::Tcp(peer)))
    }

    fn local_address(&self) -> io::Result<Address> {
        self.local_addr().map(Address::Tcp)
    }
}

#[cfg(unix)]
impl IntoListener for std::os::unix::net::UnixListener {
    type Listener = tokio::net::UnixListener;

    fn into_listener(self) -> io::Result<Self::Listener> {
        self.set_nonblocking(true)?;
        tokio::net::UnixListener::from_std(self)
    }

    fn local_address(&self) -> io::Result<Address> {
        self.local_addr().map(|address| Address::Unix(address.as_pathname().map(Path::to_path_buf)))
    }
}

#[cfg(unix)]
impl Listener for tokio::net::UnixListener {
    type Io = tokio::net::UnixStream;

    async fn accept(&mut self) -> io::Result<(Self::Io, Address)> {
        let (stream, peer) = Self::accept(self).await?;
        Ok((stream, Address::Unix(peer.as_pathname().map(Path::to_path_buf))))
    }

    fn local_address(&self) -> io::Result<Address> {
        self.local_addr().map(|address| Address::Unix(address.as_pathname().map(Path::to_path_buf)))
    }
}

/// Binds a TCP socket with a queue deep enough for a burst of clients.
pub(crate) fn bind_tcp(address: impl ToSocketAddrs) -> Result<std::net::TcpListener, ServeError> {
    let addresses: Vec<SocketAddr> = match address.to_socket_addrs() {
        Ok(addresses) => addresses.collect(),
        Err(error) => return Err(ServeError::listen("an address that is none", error)),
    };
    let listener = std::net::TcpListener::bind(&addresses[..]).and_then(|listener| {
        SockRef::from(&listener).listen(BACKLOG)?;
        Ok(listener)
    });
    listener.map_err(|error| {
        let addresses: Vec<_> = addresses.iter().map(SocketAddr::to_string).collect();
        ServeError::listen(addresses.join(", "), error)
    })
}

/// Binds a Unix socket, in place of one that a dead server left behind.
#[cfg(unix)]
pub(crate) fn bind_unix(path: &Path) -> Result<std::os::unix::net::UnixListener, ServeError> {
    use std::os::unix::net::{UnixListener, UnixStream};
    let bound = match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => match UnixStream::connect(path) {
            Err(refused) if refused.kind() == io::ErrorKind::ConnectionRefused => {
                std::fs::remove_file(path).and_then(|()| UnixListener::bind(path))
            }
            Ok(_) | Err(_) => Err(error),
        },
        bound => bound,
    };
    bound.map_err(|error| ServeError::listen(format_args!("unix:{}", path.display()), error))
}

// A thousand clients that connect at once must not wait for a repeated SYN; the kernel caps it at `somaxconn`.
const BACKLOG: i32 = 4096;
const TCP_KEEPALIVE: Duration = Duration::from_secs(60);
const TCP_KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
