//! The standalone server: accepts, serves, drains.

use std::future::{Future, poll_fn};
use std::io;
use std::net::ToSocketAddrs;
#[cfg(unix)]
use std::path::Path;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use crate::ServeError;
use crate::connection::{self, Config};
use crate::drain::Handle;
use crate::hook::HttpService;
use crate::listener::{self, Address, IntoListener, Listener};
use crate::options::{Deadlines, Limits};
use crate::service::IntoService;
use crate::tls::Tls;

/// A server that runs wherever tokio does: HTTP/1.1 and HTTP/2, with and without TLS, all on one port.
///
/// Binding happens at once, and [`Server::local_address`] says where; a failure to bind is kept for that or for
/// [`Server::serve`], so that a server reads as one chain. With no option set, everything that a peer can hold up or pile up
/// has a bound: see [`Limits`] and [`Deadlines`].
pub struct Server<L = std::net::TcpListener> {
    listener: Result<L, ServeError>,
    limits: Limits,
    deadlines: Deadlines,
    tls: Option<Tls>,
    drain: Duration,
    stop: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    handle: Option<Handle>,
}

impl Server {
    /// Listens on a TCP address; port 0 lets the system choose.
    pub fn bind(address: impl ToSocketAddrs) -> Self {
        Self::from_result(listener::bind_tcp(address))
    }
}

#[cfg(unix)]
impl Server<std::os::unix::net::UnixListener> {
    /// Listens on a Unix socket, in place of one that a dead server left behind.
    pub fn bind_unix(path: impl AsRef<Path>) -> Self {
        Self::from_result(listener::bind_unix(path.as_ref()))
    }
}

impl<L: IntoListener> Server<L> {
    /// Listens on a socket that someone else has bound, or on anything else that accepts.
    pub fn on(listener: L) -> Self {
        Self::from_result(Ok(listener))
    }

    fn from_result(listener: Result<L, ServeError>) -> Self {
        Self {
            listener,
            limits: Limits::default(),
            deadlines: Deadlines::default(),
            tls: None,
            drain: DRAIN,
            stop: None,
            handle: None,
        }
    }

    /// Speaks TLS, and nothing else.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Replaces the bounds of the server and its connections.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Replaces the time-outs of the server's connections.
    #[must_use]
    pub fn deadlines(mut self, deadlines: Deadlines) -> Self {
        self.deadlines = deadlines;
        self
    }

    /// How long requests in flight may take once draining has begun; 30 seconds unless set.
    #[must_use]
    pub fn drain(mut self, bound: Duration) -> Self {
        self.drain = bound;
        self
    }

    /// Begins to drain when `stop` completes, such as [`terminated`](crate::terminated).
    #[must_use]
    pub fn until(mut self, stop: impl Future<Output = ()> + Send + 'static) -> Self {
        self.stop = Some(Box::pin(stop));
        self
    }

    /// The address at which peers can connect: with port 0, the port that the system chose.
    ///
    /// # Errors
    /// The server cannot listen there.
    pub fn local_address(&self) -> Result<Address, ServeError> {
        match &self.listener {
            Ok(listener) => listener.local_address().map_err(|error| ServeError::listen("the socket", error)),
            Err(error) => Err(error.clone()),
        }
    }

    /// A handle that drains the server, and says how busy it is. It keeps the bound that was set with [`Server::drain`] before.
    pub fn handle(&mut self) -> Handle {
        self.handle.get_or_insert_with(|| Handle::new(self.drain)).clone()
    }

    /// Serves until drained. Dropping the future closes every connection.
    ///
    /// Takes a [`Router`](ringwire_service::Router), or any tower service over HTTP.
    ///
    /// # Errors
    /// The server cannot listen on its address, or the router does not fit together.
    pub async fn serve<K, S: IntoService<K>>(mut self, service: S) -> Result<(), ServeError> {
        let handle = self.handle();
        let _finish = Finish(handle.clone());
        let service = service.into_service()?;
        let listener = self.listener?;
        let address =
            listener.local_address().map_or_else(|_| "the socket".to_owned(), |address| address.to_string());
        let listener = listener.into_listener().map_err(|error| ServeError::listen(address, error))?;
        let config = Arc::new(Config { limits: self.limits, deadlines: self.deadlines, tls: self.tls });
        let stop = async {
            match self.stop {
                Some(stop) => stop.await,
                None => std::future::pending().await,
            }
        };
        accept_until(stop, listener, service.clone(), &config, &handle).await;
        let mut signal = handle.signal();
        let until = signal.draining().await;
        let idle = async {
            handle.idle().await;
            S::idle(service).await;
        };
        // Each connection closes itself at the bound; the extra second is for handlers that hold their thread.
        let _ = tokio::time::timeout_at(until + LAST_WORDS, idle).await;
        Ok(())
    }
}

/// Accepts until the order to drain, from `stop` or from the handle. Dropping the listener then refuses new connections.
async fn accept_until<S: HttpService>(
    stop: impl Future<Output = ()>,
    mut listener: impl Listener,
    service: S,
    config: &Arc<Config>,
    handle: &Handle,
) {
    let mut stop = pin!(stop);
    let mut signal = handle.signal();
    let mut order = pin!(signal.draining());
    let mut accepting = pin!(async {
        let mut pause = PAUSE_MIN;
        loop {
            match listener.accept().await {
                Ok((io, address)) => {
                    pause = PAUSE_MIN;
                    let Some(guard) = handle.connection(config.limits.connections_max) else { continue };
                    let (service, config) = (service.clone(), config.clone());
                    tokio::spawn(connection::serve(io, address, service, config, handle.signal(), guard));
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(_) => {
                    // Mostly too many open files: trying again at once would only burn the CPU that could end some.
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
        }
    });
    poll_fn(|cx| {
        if stop.as_mut().poll(cx).is_ready() {
            handle.drain();
            return Poll::Ready(());
        }
        if order.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        accepting.as_mut().poll(cx)
    })
    .await;
}

/// Tells those who hold a handle, and every connection, that no one serves any longer.
struct Finish(Handle);

impl Drop for Finish {
    fn drop(&mut self) {
        self.0.finish();
    }
}

/// Whether an error of `accept` was about the connection that it would have returned.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

const DRAIN: Duration = Duration::from_secs(30);
const LAST_WORDS: Duration = Duration::from_secs(1);
const PAUSE_MIN: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_secs(1);
