//! A router as a tower service, over any HTTP body.
//!
//! Everything is pulled: who polls the response, or its body, polls the handler, and the handler's wish for input polls the
//! request's body. There is no task and no channel, and dropping either future or body cancels the call.

mod alarm;
mod body;

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::{Request, Response, StatusCode};
use http_body::Body;
use ringwire_call::HttpFields;
use ringwire_rpc::answer_error;
use ringwire_service::{
    Arrival, Interrupted, Peer, PeerAddress, Pull, Router, RouterError, Routes, http_head,
};
use tower_service::Service;

use alarm::TokioAlarm;
pub use body::RpcBody;

use crate::BoxError;

/// Serves a [`Router`] wherever a tower service over HTTP can stand: under hyper, in axum, behind layers, in a test.
///
/// It answers every request, in the protocol of who asks; one that is for none of its services too. Handlers find the
/// extensions of the request in their call's, and the `Arc<Peer>` among them as its peer.
#[derive(Clone, Debug)]
pub struct RpcService {
    routes: Arc<Routes>,
    stall_max: Duration,
}

impl RpcService {
    /// Checks that the router fits together, and serves it.
    pub fn new(router: Router) -> Result<Self, RouterError> {
        router.build().map(Self::from)
    }

    /// How long a request may be silent while a method that takes one message waits for the rest of it; a minute unless
    /// set. Streams of requests are conversations, and bounded by the deadline of the call alone.
    #[must_use]
    pub fn stall_max(mut self, stall_max: Duration) -> Self {
        self.stall_max = stall_max;
        self
    }

    /// The routes that it serves.
    pub fn routes(&self) -> &Arc<Routes> {
        &self.routes
    }
}

impl From<Arc<Routes>> for RpcService {
    fn from(routes: Arc<Routes>) -> Self {
        Self { routes, stall_max: STALL_MAX }
    }
}

impl<B> Service<Request<B>> for RpcService
where
    B: Body<Error: Into<BoxError>> + Unpin,
{
    type Response = Response<RpcBody<B>>;
    type Error = Infallible;
    type Future = RpcFuture<B>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> RpcFuture<B> {
        let (mut parts, body) = request.into_parts();
        let extensions = std::mem::take(&mut parts.extensions);
        let peer = extensions.get::<Arc<Peer>>().cloned();
        let peer = peer.unwrap_or_else(|| Arc::new(Peer::new(PeerAddress::Memory)));
        let arrival = Arrival { head: http_head(&parts), peer, extensions };
        // Boxed, because it outlives the response's head, and both move a few times on their way to the connection.
        let pull = Pull::start(&self.routes, arrival, body, TokioAlarm::default(), Some(self.stall_max));
        RpcFuture { running: Some(Box::new(pull)) }
    }
}

/// The response of an [`RpcService`]: ready when the head is known.
pub struct RpcFuture<B> {
    running: Option<Box<Pull<B, TokioAlarm>>>,
}

impl<B> fmt::Debug for RpcFuture<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RpcFuture")
    }
}

impl<B> Future for RpcFuture<B>
where
    B: Body<Error: Into<BoxError>> + Unpin,
{
    type Output = Result<Response<RpcBody<B>>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let pull = self.running.as_mut().expect("a response comes once");
        let head = ready!(pull.poll_head(cx));
        let pull = self.running.take().expect("it was there above");
        Poll::Ready(Ok(match head {
            Ok((status, fields)) => response(status, fields, RpcBody::of_call(pull.into_body())),
            // The request broke off before there was an answer; if someone still listens, this is one.
            Err(Interrupted { error, source: _ }) => {
                let answer = answer_error(pull.head(), &error);
                response(answer.status, answer.headers.into_iter().collect(), RpcBody::whole(answer.body))
            }
        }))
    }
}

fn response<B>(status: u16, fields: HttpFields, body: RpcBody<B>) -> Response<RpcBody<B>> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).expect("the core answers with statuses of HTTP");
    *response.headers_mut() = fields.into_map().expect("the core writes fields that HTTP can carry");
    response
}

const STALL_MAX: Duration = Duration::from_secs(60);
