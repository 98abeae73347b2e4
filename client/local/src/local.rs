//! Services in this process as a transport: polling a response polls its handler.

use bytes::Bytes;
use http::{Request, Response, StatusCode, Version};
use http_body::{Body, Frame, SizeHint};
use ringwire_call::Instant;
use ringwire_client::{Channel, clock};
use ringwire_service::{
    Alarm, Arrival, Interrupted, Peer, PeerAddress, Pull, PullBody, Router, RouterError, Routes, http_head,
};
use ringwire_transport::{RequestBody, ResponseBody, Transport, TransportError, TransportErrorKind};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// Channels to services in this process: `Channel::local(router)`.
pub trait LocalChannel {
    /// Calls to services in this process: the same bytes, without a port or a task. The handler runs where the call is
    /// awaited. Takes a router, a single `GreetServer::new(..)`, or a `&MockGreet`.
    ///
    /// If the router does not fit together, every call fails.
    fn local(router: impl Into<Router>) -> Self;
}

impl LocalChannel for Channel {
    fn local(router: impl Into<Router>) -> Self {
        Self::over(Local::new(router.into()), LOCAL_ORIGIN).expect("it is an origin")
    }
}

/// Calls to services in this process: the bytes that a connection would carry, and nothing else of it.
#[derive(Clone, Debug)]
pub struct Local {
    routes: Result<Arc<Routes>, RouterError>,
}

impl Local {
    /// A transport to these services. If the router does not fit together, every call fails.
    pub fn new(router: Router) -> Self {
        Self { routes: router.build() }
    }
}

impl From<Arc<Routes>> for Local {
    fn from(routes: Arc<Routes>) -> Self {
        Self { routes: Ok(routes) }
    }
}

impl Transport for Local {
    fn send(
        &self,
        request: Request<RequestBody>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<ResponseBody>, TransportError>> + Send>> {
        match &self.routes {
            Ok(routes) => Box::pin(Answering { pull: Some(start(routes, request)) }),
            Err(error) => {
                let error = TransportError::new(TransportErrorKind::Connect).with_source(error.clone());
                Box::pin(std::future::ready(Err(error)))
            }
        }
    }
}

fn start(routes: &Routes, request: Request<RequestBody>) -> Box<Pull<RequestBody, ClientAlarm>> {
    let (mut parts, body) = request.into_parts();
    let extensions = std::mem::take(&mut parts.extensions);
    // Memory has all that a call needs of a connection.
    parts.version = Version::HTTP_2;
    let peer = Arc::new(Peer::new(PeerAddress::Memory));
    let arrival = Arrival { head: http_head(&parts), peer, extensions };
    Box::new(Pull::start(routes, arrival, body, ClientAlarm::default(), None))
}

/// The response, until its head is known.
struct Answering {
    pull: Option<Box<Pull<RequestBody, ClientAlarm>>>,
}

impl Future for Answering {
    type Output = Result<Response<ResponseBody>, TransportError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let pull = self.pull.as_mut().expect("a response comes once");
        let (status, fields) = ready!(pull.poll_head(cx)).map_err(interrupted)?;
        let pull = self.pull.take().expect("it was there above");
        let mut response = Response::new(ResponseBody::of_transport(Served(pull.into_body())));
        *response.status_mut() =
            StatusCode::from_u16(status).expect("the core answers with statuses of HTTP");
        *response.headers_mut() = fields
            .into_map()
            .map_err(|error| TransportError::new(TransportErrorKind::Protocol).with_source(error))?;
        Poll::Ready(Ok(response))
    }
}

/// The body of the response: polling it runs the handler.
struct Served(PullBody<RequestBody, ClientAlarm>);

impl Body for Served {
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        Pin::new(&mut self.0).poll_frame(cx).map_err(interrupted)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

/// The client's clock, for the server's side of the call.
#[derive(Default)]
struct ClientAlarm(clock::Alarm);

impl Alarm for ClientAlarm {
    fn now(&self) -> Instant {
        clock::now()
    }

    fn poll_until(&mut self, cx: &mut Context<'_>, due: Instant) -> Poll<()> {
        self.0.poll(cx, due)
    }
}

fn interrupted(interrupted: Interrupted) -> TransportError {
    TransportError::new(TransportErrorKind::CANCEL).with_source(interrupted.source)
}

/// No name that anybody looks up.
const LOCAL_ORIGIN: &str = "http://local";
