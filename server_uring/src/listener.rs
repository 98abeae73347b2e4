//! The origins of connections: TCP, Unix sockets, sockets that someone else bound, or anything else that accepts.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
#[cfg(target_os = "linux")]
use std::os::fd::OwnedFd;
#[cfg(unix)]
use std::os::unix::net::{UnixListener, UnixStream};
#[cfg(unix)]
use std::path::Path;
use std::path::PathBuf;
use std::task::{Context, Poll};
use std::time::Duration;

use ringwire_service::PeerAddress;
use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, TcpKeepalive, Type};
use tokio::io::{AsyncRead, AsyncWrite};

/// The address of either end of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Address {
    /// The address of a TCP socket.
    Tcp(SocketAddr),
    /// The path of a Unix socket. A client's socket rarely has one.
    Unix(Option<PathBuf>),
    /// The end of a connection that is no socket, such as a pipe in a test.
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

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(Some(path)) => write!(f, "unix:{}", path.display()),
            Self::Unix(None) => f.write_str("unix:"),
            Self::Unnamed => f.write_str("unnamed"),
        }
    }
}

/// Accepts connections that are no sockets, or are prepared in some other way.
///
/// They are served by one shard, inside the runtime that calls [`Server::serve`](crate::Server::serve). An error does not end
/// the server: it waits a little, longer each time, and tries again.
pub trait Listener: Send + 'static {
    /// An accepted connection.
    type Io: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Accepts the next connection, or keeps the waker until there is one.
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(Self::Io, Address)>>;

    /// The address that peers connect to.
    fn local_address(&self) -> io::Result<Address> {
        Ok(Address::Unnamed)
    }
}

/// A connection as bytes.
pub(crate) trait Io: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// Any [`Listener`].
pub(crate) trait AnyListener: Send {
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Accepted>>;
    fn local_address(&self) -> io::Result<Address>;
}

impl<L: Listener> AnyListener for L {
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        Listener::poll_accept(self, cx)
            .map_ok(|(io, peer)| Accepted { stream: Stream::Other(Box::new(io)), peer })
    }

    fn local_address(&self) -> io::Result<Address> {
        Listener::local_address(self)
    }
}

/// A bound socket, or something else that accepts.
pub(crate) enum Listening {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixListener),
    Other(Box<dyn AnyListener>),
}

impl Listening {
    pub(crate) fn local_address(&self) -> io::Result<Address> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(Address::Tcp),
            #[cfg(unix)]
            Self::Unix(listener) => listener.local_addr().map(|address| unix_address(&address)),
            Self::Other(listener) => listener.local_address(),
        }
    }
}

/// An accepted connection that no shard serves yet.
pub(crate) struct Accepted {
    pub(crate) stream: Stream,
    pub(crate) peer: Address,
}

/// The bytes of a connection.
pub(crate) enum Stream {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
    Other(Box<dyn Io>),
}

impl fmt::Debug for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Accepted").field(&self.peer).finish()
    }
}

/// What [`Server::on`](crate::Server::on) serves: a bound socket of the standard library or of tokio, or a [`Listener`].
pub trait IntoListener {
    #[doc(hidden)]
    #[allow(private_interfaces, reason = "the trait is sealed by it")]
    fn into_listening(self) -> Source;
}

/// The listener of a server.
#[doc(hidden)]
pub struct Source(pub(crate) io::Result<Listening>);

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Source")
    }
}

impl<L: Listener> IntoListener for L {
    fn into_listening(self) -> Source {
        Source(Ok(Listening::Other(Box::new(self))))
    }
}

impl IntoListener for TcpListener {
    fn into_listening(self) -> Source {
        Source(Ok(Listening::Tcp(self)))
    }
}

impl IntoListener for tokio::net::TcpListener {
    fn into_listening(self) -> Source {
        Source(self.into_std().map(Listening::Tcp))
    }
}

#[cfg(unix)]
impl IntoListener for UnixListener {
    fn into_listening(self) -> Source {
        Source(Ok(Listening::Unix(self)))
    }
}

#[cfg(unix)]
impl IntoListener for tokio::net::UnixListener {
    fn into_listening(self) -> Source {
        Source(self.into_std().map(Listening::Unix))
    }
}

/// A listening socket that this process was started with.
///
/// A supervisor such as systemd binds it, and keeps it while the server is replaced, so that no client is ever refused.
#[cfg(target_os = "linux")]
#[derive(Debug)]
pub struct Inherited {
    name: Option<String>,
    listening: Socketed,
}

#[cfg(target_os = "linux")]
#[derive(Debug)]
enum Socketed {
    Tcp(TcpListener),
    Unix(UnixListener),
}

#[cfg(target_os = "linux")]
impl Inherited {
    /// Takes over the sockets that the variables `LISTEN_PID` and `LISTEN_FDS` name, in their order. Without the variables, or if
    /// they are meant for another process, there are none; and they are taken once: a second call finds none.
    ///
    /// # Errors
    /// A variable is malformed, or one of the descriptors is not open, or is no TCP or Unix stream socket.
    pub fn take() -> io::Result<Vec<Self>> {
        let number = |name| match std::env::var(name) {
            Ok(text) => text.parse().map(Some).map_err(|_| {
                io::Error::new(
                    io::ErrorKind::InvalidInput,
                    format!("the variable {name} is no number: {text}"),
                )
            }),
            Err(_) => Ok(None),
        };
        let (Some(process), Some(count)) = (number("LISTEN_PID")?, number("LISTEN_FDS")?) else {
            return Ok(vec![]);
        };
        if process != std::process::id() {
            return Ok(vec![]);
        }
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut names = names.split(':').map(|name| (!name.is_empty()).then(|| name.to_owned()));
        let sockets = crate::ring::take_inherited(count)?.into_iter();
        sockets
            .map(|socket| Ok(Self { name: names.next().flatten(), listening: Socketed::of(socket)? }))
            .collect()
    }

    /// The name that the supervisor gave it (`LISTEN_FDNAMES`).
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

#[cfg(target_os = "linux")]
impl Socketed {
    fn of(socket: OwnedFd) -> io::Result<Self> {
        let described = SockRef::from(&socket);
        if described.r#type()? == Type::STREAM && described.is_listener()? {
            match described.domain()? {
                Domain::IPV4 | Domain::IPV6 => return Ok(Self::Tcp(socket.into())),
                Domain::UNIX => return Ok(Self::Unix(socket.into())),
                _ => {}
            }
        }
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "an inherited descriptor is no listening TCP or Unix socket",
        ))
    }
}

#[cfg(target_os = "linux")]
impl IntoListener for Inherited {
    fn into_listening(self) -> Source {
        Source(Ok(match self.listening {
            Socketed::Tcp(listener) => Listening::Tcp(listener),
            Socketed::Unix(listener) => Listening::Unix(listener),
        }))
    }
}

/// Binds a TCP socket with a queue deep enough for a burst of clients.
pub(crate) fn bind_tcp(addresses: impl ToSocketAddrs) -> io::Result<TcpListener> {
    let mut failed = None;
    for address in addresses.to_socket_addrs()? {
        match bind_alone(address) {
            Ok(listener) => return Ok(listener),
            Err(error) => failed = Some(error),
        }
    }
    Err(failed.unwrap_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the name has no address")))
}

/// Binds an address that nobody else has, in such a way that [`bind_again`] can share it.
fn bind_alone(address: SocketAddr) -> io::Result<TcpListener> {
    if address.port() != 0 {
        // A shared port would be shared with any other server of this user. Without the option, the kernel says so.
        let probe = tcp_socket(address)?;
        probe.bind(&SockAddr::from(address))?;
        probe.listen(1)?;
    }
    bind_again(address)
}

/// Binds one more socket to an address of ours, where the platform spreads connections over such sockets.
pub(crate) fn bind_again(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = tcp_socket(address)?;
    #[cfg(target_os = "linux")]
    socket.set_reuse_port(true)?;
    socket.bind(&SockAddr::from(address))?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn tcp_socket(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // As std does: a port whose last connections are still closing can be bound. Elsewhere the option means another thing.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    Ok(socket)
}

/// Binds a Unix socket, in place of one that a dead server left behind.
#[cfg(unix)]
pub(crate) fn bind_unix(path: &Path) -> io::Result<UnixListener> {
    match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => match UnixStream::connect(path) {
            Err(refused) if refused.kind() == io::ErrorKind::ConnectionRefused => {
                std::fs::remove_file(path)?;
                UnixListener::bind(path)
            }
            Ok(_) | Err(_) => Err(error),
        },
        bound => bound,
    }
}

/// Sets the options of a TCP connection. On Linux a listener's options are those of its connections.
pub(crate) fn set_tcp_options<'a>(socket: impl Into<SockRef<'a>>) {
    let socket = socket.into();
    // A peer that is already gone may refuse either option; reading will say so.
    let _ = socket.set_tcp_nodelay(true);
    let keepalive = TcpKeepalive::new().with_time(TCP_KEEPALIVE).with_interval(TCP_KEEPALIVE_INTERVAL);
    let _ = socket.set_tcp_keepalive(&keepalive);
}

/// The address of a Unix socket.
#[cfg(unix)]
pub(crate) fn unix_address(address: &std::os::unix::net::SocketAddr) -> Address {
    Address::Unix(address.as_pathname().map(Path::to_path_buf))
}

// A thousand clients that connect at once must not wait for a repeated SYN; the kernel caps it at `somaxconn`.
const BACKLOG: i32 = 4096;
const TCP_KEEPALIVE: Duration = Duration::from_secs(60);
const TCP_KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
