//! The pool: which channel a request goes by, and what becomes of it.

use crate::channel::Channel;
use crate::connect::Lane;
use crate::download::Download;
use crate::endpoint::Needs;
use crate::error::Failed;
use crate::gate::{Gate, Shared};
use crate::jitter::Jitter;
use crate::lease::Lease;
use crate::origin::Origin;
use crate::state::{State, States};
use crate::upload::Upload;
use crate::{HttpVersion, PoolError, PoolOptions, Tls, WaitForReady};
use http::header::HOST;
use http::uri::{PathAndQuery, Scheme, Uri};
use http::{HeaderValue, Request, Response, StatusCode, Version, request};
use ringwire_call::Observer;
use ringwire_transport::{
    PeerAddr, RequestBody, ResponseBody, Transport, TransportError, TransportErrorKind,
};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Connections to one origin. Clones share them.
///
/// Whatever the authority of a request's URI is, its connection goes to the origin. When the last clone is dropped, connections
/// without a request are closed, and requests in flight go on.
#[derive(Clone)]
pub struct Pool {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    /// The first takes requests that do not need HTTP/2, the last those that do.
    channels: Vec<Arc<Channel>>,
}

/// How one target of a pool is doing.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct TargetStatus {
    /// Its address, or the origin where all addresses are one target.
    pub name: Arc<str>,
    /// Open connections that take requests, or have one.
    pub connections: usize,
    /// Connections that are being opened.
    pub connecting: usize,
    /// Requests in flight.
    pub in_flight: usize,
    /// It cannot be connected to, and is left alone for a while.
    pub is_failing: bool,
    /// It failed too often, and is left out for a while.
    pub is_ejected: bool,
}

impl Pool {
    /// A pool for an origin: `http://host[:port]`, `https://host[:port]`, `unix:/path`. It connects with the first request.
    pub fn new(origin: &str, options: PoolOptions) -> Result<Self, PoolError> {
        let origin: Origin = origin.parse()?;
        let lanes = match &origin {
            Origin::Host { name, .. } if origin.is_https() => {
                let tls = match &options.tls {
                    Some(tls) => tls,
                    None => &Tls::platform().map_err(PoolError::Tls)?,
                };
                let offer = tls.offer(name.host(), options.http).map_err(PoolError::Tls)?;
                vec![Lane::Agreed(Box::new(offer), options.http)]
            }
            Origin::Host { .. } | Origin::Unix(_) => match options.http {
                HttpVersion::Auto => vec![Lane::Http1, Lane::Http2],
                HttpVersion::Http1 => vec![Lane::Http1],
                HttpVersion::Http2 => vec![Lane::Http2],
            },
        };
        let jitter = Jitter::new(options.seed);
        let shared =
            Arc::new(Shared { origin, options, jitter, gate: Gate::default(), observer: OnceLock::new() });
        let channels = lanes
            .into_iter()
            .enumerate()
            .map(|(index, lane)| Channel::new(shared.clone(), lane, index))
            .collect();
        Ok(Self { inner: Arc::new(Inner { shared, channels }) })
    }

    /// What the pool is doing.
    pub fn state(&self) -> State {
        self.states().now()
    }

    /// The changes of its state from now on.
    pub fn states(&self) -> States {
        States(self.inner.shared.gate.states())
    }

    /// How its targets are doing: none before the first request. A plaintext origin that is spoken to in both versions has each
    /// target twice, HTTP/1.1 first.
    pub fn targets(&self) -> Vec<TargetStatus> {
        let targets = self.inner.channels.iter().flat_map(|channel| channel.targets().to_vec());
        targets
            .map(|target| {
                let look = target.look();
                TargetStatus {
                    name: target.name.clone(),
                    connections: look.open,
                    connecting: look.connecting,
                    in_flight: look.in_flight,
                    is_failing: look.rests_until.is_some(),
                    is_ejected: look.ejected,
                }
            })
            .collect()
    }

    /// Takes no more requests, closes what is not in use, and waits until those in flight are done, or for so long; returns how
    /// many were not. They go on until they are dropped.
    pub async fn close(&self, grace: Duration) -> usize {
        self.inner.close();
        let gate = &self.inner.shared.gate;
        // Too late is no error: the count says it.
        let _ = tokio::time::timeout(grace, gate.empty()).await;
        gate.in_flight()
    }
}

impl Transport for Pool {
    fn send(
        &self,
        request: Request<RequestBody>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<ResponseBody>, TransportError>> + Send>> {
        let (parts, body) = request.into_parts();
        // Who fixes the version has chosen for every request.
        let needs = match self.inner.shared.options.http {
            HttpVersion::Auto | HttpVersion::Http2 if parts.version == Version::HTTP_2 => Needs::Http2,
            HttpVersion::Auto | HttpVersion::Http2 | HttpVersion::Http1 => Needs::Any,
        };
        let channels = &self.inner.channels;
        let channel = match needs {
            Needs::Any => channels.first(),
            Needs::Http2 => channels.last(),
        };
        let channel = channel.expect("a pool has a channel").clone();
        let shared = self.inner.shared.clone();
        Box::pin(async move { Outgoing::new(parts, body, needs, &shared).send(&shared, &channel).await })
    }

    fn observe(&self, observer: &Arc<dyn Observer>) {
        // The first one stays.
        let _ = self.inner.shared.observer.set(observer.clone());
    }
}

/// A request on its way.
struct Outgoing {
    parts: request::Parts,
    body: RequestBody,
    needs: Needs,
    waits: bool,
}

impl Outgoing {
    fn new(mut parts: request::Parts, body: RequestBody, needs: Needs, shared: &Shared) -> Self {
        let extensions = std::mem::take(&mut parts.extensions);
        let waits = extensions
            .get::<WaitForReady>()
            .map_or(shared.options.wait_for_ready, |WaitForReady(waits)| *waits);
        Self { parts, body, needs, waits }
    }

    async fn send(
        mut self,
        shared: &Shared,
        channel: &Channel,
    ) -> Result<Response<ResponseBody>, TransportError> {
        let mut replays = 0;
        let mut returns = 0;
        loop {
            let mut lease = channel.acquire(self.needs, self.waits).await?;
            let Self { parts, body, needs, waits } = self;
            let spare =
                if replays < REPLAYS_MAX { body.try_clone().map(|body| (parts.clone(), body)) } else { None };
            let request = request_for(&lease, parts, body, shared);
            let sending = request.body().sending();
            match lease.send(request).await {
                Ok(response) => {
                    let (mut parts, body) = response.into_parts();
                    if is_of_a_gateway(parts.status) {
                        lease.target.failed();
                    } else {
                        lease.target.succeeded();
                    }
                    parts.extensions.insert(PeerAddr(lease.peer()));
                    let body = ResponseBody::of_transport(Download::new(body, lease, sending));
                    return Ok(Response::from_parts(parts, body));
                }
                Err(Failed { error, unsent: Some(request) }) if returns < RETURNS_MAX => {
                    // The connection ended before the request's turn. It was not even begun.
                    returns += 1;
                    let (parts, upload) = request.into_parts();
                    self = Self { parts, body: upload.into_body(), needs, waits };
                    drop(error);
                }
                Err(Failed { error, unsent: _ }) => {
                    if !error.is_unprocessed() && error.kind() != TransportErrorKind::CANCEL {
                        lease.target.failed();
                    }
                    let Some((parts, body)) = spare.filter(|_| error.is_unprocessed()) else {
                        return Err(error);
                    };
                    replays += 1;
                    self = Self { parts, body, needs, waits };
                }
            }
        }
    }
}

/// The request as its HTTP version wants it.
fn request_for(
    lease: &Lease,
    mut parts: request::Parts,
    body: RequestBody,
    shared: &Shared,
) -> Request<Upload> {
    if lease.is_http2() {
        parts.version = Version::HTTP_2;
        // Its place is taken by :authority.
        parts.headers.remove(HOST);
        // :scheme says how the origin is spoken to.
        let scheme = if shared.origin.is_https() { Scheme::HTTPS } else { Scheme::HTTP };
        if parts.uri.scheme() != Some(&scheme) && parts.uri.authority().is_some() {
            let mut uri = std::mem::take(&mut parts.uri).into_parts();
            uri.scheme = Some(scheme);
            uri.path_and_query.get_or_insert(PathAndQuery::from_static("/"));
            parts.uri = Uri::from_parts(uri).expect("scheme, authority and path make a URI");
        }
    } else {
        parts.version = Version::HTTP_11;
        let mut uri = std::mem::take(&mut parts.uri).into_parts();
        if let Some(authority) = uri.authority.take()
            && !parts.headers.contains_key(HOST)
            && let Ok(host) = HeaderValue::from_str(authority.as_str())
        {
            parts.headers.insert(HOST, host);
        }
        let path = uri.path_and_query.unwrap_or(PathAndQuery::from_static("/"));
        parts.uri = Uri::from(path);
    }
    Request::from_parts(parts, Upload::new(body, lease.current()))
}

fn is_of_a_gateway(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT)
}

impl Inner {
    fn close(&self) {
        self.shared.gate.close();
        for channel in &self.channels {
            channel.close();
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("origin", &self.inner.shared.origin.to_string())
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

/// How often a request is sent again that no handler has seen.
const REPLAYS_MAX: usize = 1;
/// How often it may find its connection gone before it is even begun: connections of a restarting fleet go one after the other.
const RETURNS_MAX: usize = 8;
