//! The server: where it listens, how it is bounded, and its shards.

use std::future::{Future, pending, poll_fn};
use std::io;
use std::net::ToSocketAddrs;
#[cfg(unix)]
use std::path::Path;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use ringwire_service::{Observer, Router};
use tokio::sync::oneshot;

use crate::driver::Driver;
use crate::error::ServeError;
use crate::exchange::Handler;
use crate::handle::{Handle, ServerState, ShardState};
use crate::listener::{self, Address, IntoListener, Listening, Source};
use crate::notice::Notice;
use crate::options::{self, ServerLimits, ServerTimeouts};
use crate::readiness::Readiness;
use crate::rpc::RpcHandler;
use crate::session::{Config, HttpSessions};
use crate::shard::{Sessions, Shard, ShardOptions};
use crate::tls::ServerTls;
use crate::tower::{HttpService, TowerHandler};
use crate::watch;

/// The server: HTTP/1.1 and HTTP/2 on one port, on io_uring where the kernel allows it and on readiness (epoll, kqueue)
/// elsewhere.
///
/// It runs in shards, one a core unless told otherwise, each on a thread of its own with a tokio runtime around it, in which
/// the handlers of its connections run. Binding happens at once, and [`local_address`](Self::local_address) tells where; a
/// failure to bind is kept for that or for [`serve`](Self::serve), so that a server reads as one chain. With no option set,
/// everything that a peer can hold up or pile up has a bound: [`ServerLimits`] and [`ServerTimeouts`] are the bounds.
///
/// ```no_run
/// use ringwire_server::{ServeError, Server, terminated};
/// use ringwire_service::{Observer, Router};
///
/// # async fn run(router: Router) -> Result<(), ServeError> {
/// Server::bind("127.0.0.1:8080").until(terminated()).serve(router).await
/// # }
/// ```
pub struct Server {
    listening: Result<Listening, ServeError>,
    /// Whether more sockets can be bound to the same address.
    is_shared: bool,
    shards: Option<usize>,
    driver: DriverChoice,
    is_pinned: bool,
    busy_poll: Duration,
    limits: ServerLimits,
    timeouts: ServerTimeouts,
    tls: Option<ServerTls>,
    drain_timeout: Duration,
    stop: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    observer: Option<Arc<dyn Observer>>,
    runtime: Option<Arc<RunShard>>,
    state: Arc<ServerState>,
}

/// Runs a shard to its end, in a tokio runtime of its thread.
type RunShard = dyn Fn(Pin<Box<dyn Future<Output = ()>>>) + Send + Sync;

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("address", &self.local_address().ok()).finish_non_exhaustive()
    }
}

/// The way in which a server talks to the operating system.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum DriverChoice {
    /// io_uring where the kernel gives all that it needs, and readiness elsewhere; a [`Notice`] tells why.
    #[default]
    Auto,
    /// io_uring, or an error.
    Ring,
    /// Readiness: epoll on Linux, kqueue on macOS.
    Readiness,
}

impl Server {
    /// Listens on a TCP address; port 0 lets the system choose.
    pub fn bind(address: impl ToSocketAddrs + std::fmt::Debug) -> Self {
        let listening = listener::bind_tcp(&address).map(Listening::Tcp);
        let listening = listening.map_err(|error| {
            // The form of a string has quotes.
            let address = format!("{address:?}").trim_matches('"').to_owned();
            ServeError::Bind { address, error }
        });
        // Only where the kernel spreads connections over the sockets of one address.
        Self { is_shared: cfg!(target_os = "linux"), ..Self::of(listening) }
    }

    /// Listens on a Unix socket, in place of one that a dead server left behind.
    #[cfg(unix)]
    pub fn bind_unix(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        let listening = listener::bind_unix(path).map(Listening::Unix);
        let address = || format!("unix:{}", path.display());
        Self::of(listening.map_err(|error| ServeError::Bind { address: address(), error }))
    }

    /// Listens on the first of the sockets that this process was started with, as systemd passes them (`LISTEN_FDS`).
    /// [`Inherited::take`](crate::Inherited::take) gives all of them.
    #[cfg(target_os = "linux")]
    pub fn inherited() -> Self {
        let first = crate::Inherited::take().and_then(|sockets| {
            let none =
                || io::Error::new(io::ErrorKind::NotFound, "LISTEN_FDS names no socket for this process");
            sockets.into_iter().next().ok_or_else(none)
        });
        match first {
            Ok(socket) => Self::on(socket),
            Err(error) => Self::of(Err(ServeError::Bind { address: "LISTEN_FDS".to_owned(), error })),
        }
    }

    /// Listens on a socket that someone else has bound, or on anything else that accepts.
    pub fn on(listener: impl IntoListener) -> Self {
        let Source(listening) = listener.into_listening();
        Self::of(listening.map_err(ServeError::Start))
    }

    fn of(listening: Result<Listening, ServeError>) -> Self {
        Self {
            listening,
            is_shared: false,
            shards: None,
            driver: DriverChoice::Auto,
            is_pinned: false,
            busy_poll: Duration::ZERO,
            limits: ServerLimits::default(),
            timeouts: ServerTimeouts::default(),
            tls: None,
            drain_timeout: DRAIN_TIMEOUT,
            stop: None,
            observer: None,
            runtime: None,
            state: ServerState::new(DRAIN_TIMEOUT),
        }
    }

    /// Speaks TLS, and nothing else.
    #[must_use]
    pub fn tls(mut self, tls: ServerTls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// The number of shards; one for each core that this process may use, unless set.
    #[must_use]
    pub fn shards(mut self, shards: usize) -> Self {
        self.shards = Some(shards.max(1));
        self
    }

    /// Binds each shard's thread to a core of its own. Does nothing where the system has no such call.
    #[must_use]
    pub fn pinned(mut self) -> Self {
        self.is_pinned = true;
        self
    }

    /// The way of talking to the operating system; [`DriverChoice::Auto`] unless set.
    #[must_use]
    pub fn driver(mut self, driver: DriverChoice) -> Self {
        self.driver = driver;
        self
    }

    /// The time for which an idle shard keeps looking before it sleeps: less delay for a core that is never idle. Zero unless
    /// set.
    #[must_use]
    pub fn busy_poll(mut self, time: Duration) -> Self {
        self.busy_poll = time;
        self
    }

    /// The bounds of the server and its connections.
    #[must_use]
    pub fn limits(mut self, limits: ServerLimits) -> Self {
        self.limits = limits;
        self
    }

    /// The time-outs of the server's connections.
    #[must_use]
    pub fn timeouts(mut self, timeouts: ServerTimeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// The time that requests in flight get once draining has begun; 30 seconds unless set.
    #[must_use]
    pub fn drain_timeout(mut self, timeout: Duration) -> Self {
        self.drain_timeout = timeout;
        self.state.set_drain_timeout(timeout);
        self
    }

    /// Begins to drain when `stop` completes, such as [`terminated`](crate::terminated).
    #[must_use]
    pub fn until(mut self, stop: impl Future<Output = ()> + Send + 'static) -> Self {
        self.stop = Some(Box::pin(stop));
        self
    }

    /// Takes what the server has to say. Unless set, it is a warning of the `tracing` crate, or a line on standard error where no
    /// subscriber of that crate is set.
    #[must_use]
    pub fn notices(self, take: impl Fn(Notice) + Send + Sync + 'static) -> Self {
        self.state.set_notices(Box::new(take));
        self
    }

    /// Runs each shard in a runtime of the caller's making: a current-thread runtime of tokio, or one around it. A shard gives way
    /// to the runtime, and lets it park, at least every 32 turns, however busy it is.
    ///
    /// So handlers may use `tokio_uring::fs`, whose ring works when its runtime parks:
    /// ```ignore
    /// server.runtime(|shard| tokio_uring::start(shard))
    /// ```
    /// `run` is called on the thread of each shard, and returns when the shard has ended. Unless set, it is a runtime with I/O and
    /// time, and a `LocalSet`. Listeners that are no sockets are served in the runtime of [`serve`](Self::serve) all the same.
    #[must_use]
    pub fn runtime(
        mut self,
        run: impl Fn(Pin<Box<dyn Future<Output = ()>>>) + Send + Sync + 'static,
    ) -> Self {
        self.runtime = Some(Arc::new(run));
        self
    }

    /// Tells an observer of connections. The observer of a [`Router`] is told of them unless there is one here.
    #[must_use]
    pub fn observe(mut self, observer: impl Observer) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// The address that peers connect to: with port 0, the port that the system chose.
    ///
    /// # Errors
    /// The address could not be bound.
    pub fn local_address(&self) -> Result<Address, ServeError> {
        match &self.listening {
            Ok(listening) => listening.local_address().map_err(ServeError::Start),
            Err(error) => Err(error.again()),
        }
    }

    /// A handle that drains the server, and tells how busy it is.
    pub fn handle(&self) -> Handle {
        Handle::new(self.state.clone())
    }

    /// Serves until drained. Takes a [`Router`], or any tower service over HTTP, such as an axum application. Dropping the
    /// future closes every connection.
    ///
    /// # Errors
    /// The address could not be bound, the services do not fit together, or a shard could not be started.
    pub async fn serve<K, S: IntoService<K>>(self, service: S) -> Result<(), ServeError> {
        let _finish = Finish(self.state.clone());
        service.launch(Launch(self)).await
    }
}

/// A [`Router`], or any tower service over HTTP. `K` is which of the two, and is always inferred.
pub trait IntoService<K> {
    #[doc(hidden)]
    fn launch(self, launch: Launch) -> impl Future<Output = Result<(), ServeError>> + Send;
}

/// Tells that an [`IntoService`] is a router.
#[derive(Debug)]
pub enum Rpc {}

/// Tells that an [`IntoService`] is a tower service.
#[derive(Debug)]
pub enum Tower {}

impl IntoService<Rpc> for Router {
    async fn launch(self, mut launch: Launch) -> Result<(), ServeError> {
        let routes = self.build()?;
        launch.0.state.watch(&routes);
        if launch.0.observer.is_none() {
            launch.0.observer = routes.observer().cloned();
        }
        let body_timeout = launch.0.timeouts.body;
        launch.run(|| RpcHandler { routes: routes.shard(), body_timeout }).await
    }
}

impl<S: HttpService> IntoService<Tower> for S {
    async fn launch(self, launch: Launch) -> Result<(), ServeError> {
        let body_timeout = launch.0.timeouts.body;
        launch.run(move || TowerHandler { service: self.clone(), body_timeout }).await
    }
}

/// A server that is about to serve.
#[doc(hidden)]
#[derive(Debug)]
pub struct Launch(Server);

impl Launch {
    /// Runs shards, each with a handler of its own, until the server has drained.
    async fn run<H>(self, handler: impl FnMut() -> H + Send) -> Result<(), ServeError>
    where
        H: Handler + Send + 'static,
        H::Exchange: Send,
    {
        let Self(mut server) = self;
        let stop = server.stop.take();
        let state = server.state.clone();
        let tls = server.tls.clone();
        if let Some(tls) = &tls {
            tls.check().map_err(ServeError::Start)?;
        }
        let mut reload = pin!(async {
            match tls {
                Some(tls) => tls.reload().await,
                None => pending().await,
            }
        });
        let stop = async {
            match stop {
                Some(stop) => stop.await,
                None => pending().await,
            }
        };
        let mut serving = pin!(server.start(handler));
        let mut stop = pin!(stop);
        let mut is_stopped = false;
        poll_fn(|cx| {
            if !is_stopped && stop.as_mut().poll(cx).is_ready() {
                is_stopped = true;
                state.drain();
            }
            // It never ends.
            let _ = reload.as_mut().poll(cx);
            serving.as_mut().poll(cx)
        })
        .await
    }
}

impl Server {
    async fn start<H>(self, handler: impl FnMut() -> H + Send) -> Result<(), ServeError>
    where
        H: Handler + Send + 'static,
        H::Exchange: Send,
    {
        let observer = self.observer.clone();
        let tls = self.tls.as_ref();
        let config = options::config(&self.limits, &self.timeouts, self.drain_timeout, tls, observer);
        let config = Arc::new(config);
        match self.listening {
            Err(error) => Err(error),
            Ok(Listening::Other(listener)) => {
                let listening = Listening::Other(listener);
                let options =
                    ShardOptions { connections_max: self.limits.connections_max, busy_poll: self.busy_poll };
                let sessions = |handler| HttpSessions::new(handler, config, self.limits.requests_max);
                run_here(listening, handler, sessions, options, &self.state).await
            }
            Ok(listening) => Self { listening: Ok(listening), ..self }.run_threads(handler, config).await,
        }
    }

    async fn run_threads<H>(
        self,
        mut handler: impl FnMut() -> H + Send,
        config: Arc<Config>,
    ) -> Result<(), ServeError>
    where
        H: Handler + Send + 'static,
        H::Exchange: Send,
    {
        let listening = self.listening?;
        let driver = choose(self.driver, &self.state)?;
        let cores = cores();
        let shards = self.shards.unwrap_or(cores.len());
        let mut listeners = vec![];
        if let (true, Listening::Tcp(first)) = (self.is_shared, &listening) {
            let address = first.local_addr().map_err(ServeError::Start)?;
            for _ in 1..shards {
                let listener = listener::bind_again(address).map_err(ServeError::Start)?;
                listeners.push(Listening::Tcp(listener));
            }
        }
        listeners.push(listening);
        let (mut started, mut ended) = (Vec::new(), Vec::new());
        for state in self.state.start(shards) {
            let (tell_started, is_started) = oneshot::channel();
            let (tell_ended, is_ended) = oneshot::channel::<()>();
            let plan = Plan {
                driver,
                // The one that was bound first goes to the first shard: others may have none.
                listening: listeners.pop(),
                core: self.is_pinned.then(|| cores[state.index % cores.len()]),
                options: ShardOptions {
                    connections_max: self.limits.connections_max,
                    busy_poll: self.busy_poll,
                },
                sessions: HttpSessions::new(
                    handler(),
                    config.clone(),
                    share(self.limits.requests_max, shards, state.index),
                ),
                state,
                runtime: self.runtime.clone(),
            };
            let thread = std::thread::Builder::new().name(format!("ringwire-{}", plan.state.index));
            let run = move || {
                let _ended = tell_ended;
                plan.run(tell_started);
            };
            thread.spawn(run).map_err(ServeError::Start)?;
            started.push(is_started);
            ended.push(is_ended);
        }
        for is_started in started {
            match is_started.await {
                Ok(result) => result.map_err(ServeError::Start)?,
                Err(_) => return Err(ServeError::Start(io::Error::other("a shard has panicked"))),
            }
        }
        watch::spawn(&self.state).map_err(ServeError::Start)?;
        let all_ended = async {
            for is_ended in ended {
                let _ = is_ended.await;
            }
        };
        // A shard cuts its connections at the bound; the extra second is for handlers that hold their thread.
        let bound = async {
            let until = self.state.draining().await;
            tokio::time::sleep_until(tokio::time::Instant::from_std(until) + LAST_SECOND).await;
        };
        let (mut all_ended, mut bound) = (pin!(all_ended), pin!(bound));
        poll_fn(|cx| match all_ended.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(()),
            Poll::Pending => bound.as_mut().poll(cx),
        })
        .await;
        Ok(())
    }
}

/// Runs the one shard of a listener that is no socket, in the caller's runtime.
async fn run_here<H>(
    listening: Listening,
    mut handler: impl FnMut() -> H + Send,
    sessions: impl FnOnce(H) -> HttpSessions<H> + Send,
    options: ShardOptions,
    server: &Arc<ServerState>,
) -> Result<(), ServeError>
where
    H: Handler + Send + 'static,
    H::Exchange: Send,
{
    let state = server.start(1).pop().expect("one was asked for");
    let driver = Readiness::new(state.wakes.clone());
    let sessions = sessions(handler());
    let shard = Shard::new(driver, sessions, options, state, Some(listening)).map_err(ServeError::Start)?;
    shard.run().await;
    Ok(())
}

/// One shard's share of what all may have together. None gets nothing.
fn share(of: usize, shards: usize, index: usize) -> usize {
    (of / shards + usize::from(index < of % shards)).max(1)
}

/// All that one shard's thread needs.
struct Plan<H> {
    driver: Chosen,
    listening: Option<Listening>,
    core: Option<usize>,
    options: ShardOptions,
    sessions: HttpSessions<H>,
    state: Arc<ShardState>,
    runtime: Option<Arc<RunShard>>,
}

impl<H: Handler + 'static> Plan<H> {
    fn run(mut self, started: oneshot::Sender<io::Result<()>>) {
        if let Some(core) = self.core {
            pin_thread(core);
        }
        if let Some(run) = self.runtime.take() {
            return run(Box::pin(self.serve(started)));
        }
        match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => tokio::task::LocalSet::new().block_on(&runtime, self.serve(started)),
            Err(error) => drop(started.send(Err(error))),
        }
    }

    async fn serve(self, started: oneshot::Sender<io::Result<()>>) {
        let Self { driver, listening, options, sessions, state, core: _, runtime: _ } = self;
        match driver {
            #[cfg(target_os = "linux")]
            Chosen::Ring => {
                let shard = crate::ring::Ring::new()
                    .and_then(|driver| Shard::new(driver, sessions, options, state, listening));
                run_shard(shard, started).await;
            }
            Chosen::Readiness => {
                let driver = Readiness::new(state.wakes.clone());
                run_shard(Shard::new(driver, sessions, options, state, listening), started).await;
            }
        }
    }
}

async fn run_shard<D: Driver, S: Sessions>(
    shard: io::Result<Shard<D, S>>,
    started: oneshot::Sender<io::Result<()>>,
) {
    match shard {
        Ok(shard) => {
            let _ = started.send(Ok(()));
            shard.run().await;
        }
        Err(error) => drop(started.send(Err(error))),
    }
}

#[derive(Clone, Copy)]
enum Chosen {
    #[cfg(target_os = "linux")]
    Ring,
    Readiness,
}

#[cfg(target_os = "linux")]
fn choose(choice: DriverChoice, state: &ServerState) -> Result<Chosen, ServeError> {
    if choice == DriverChoice::Readiness {
        return Ok(Chosen::Readiness);
    }
    match crate::ring::probe() {
        Ok(()) => Ok(Chosen::Ring),
        Err(notice) if choice == DriverChoice::Ring => {
            Err(ServeError::Start(io::Error::new(io::ErrorKind::Unsupported, notice.to_string())))
        }
        Err(notice) => {
            state.notice(notice);
            Ok(Chosen::Readiness)
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn choose(choice: DriverChoice, _: &ServerState) -> Result<Chosen, ServeError> {
    match choice {
        DriverChoice::Auto | DriverChoice::Readiness => Ok(Chosen::Readiness),
        DriverChoice::Ring => Err(ServeError::Start(io::ErrorKind::Unsupported.into())),
    }
}

#[cfg(target_os = "linux")]
fn cores() -> Vec<usize> {
    let cores = crate::ring::cores();
    if cores.is_empty() { vec![0] } else { cores }
}

#[cfg(not(target_os = "linux"))]
fn cores() -> Vec<usize> {
    (0..std::thread::available_parallelism().map_or(1, usize::from)).collect()
}

fn pin_thread(core: usize) {
    // A core that is gone by now is no reason not to serve.
    #[cfg(target_os = "linux")]
    let _ = crate::ring::pin_thread(core);
    #[cfg(not(target_os = "linux"))]
    let _ = core;
}

/// Tells every shard, and everyone who holds a handle, that nobody serves any longer.
struct Finish(Arc<ServerState>);

impl Drop for Finish {
    fn drop(&mut self) {
        self.0.finish();
    }
}

const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);
const LAST_SECOND: Duration = Duration::from_secs(1);
