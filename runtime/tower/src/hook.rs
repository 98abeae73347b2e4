//! A tower service as hyper calls it: each request knows its peer, and counts while it is in flight.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use http::header::{CONNECTION, HeaderValue};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use pin_project_lite::pin_project;
use ringwire_service::Peer;
use tower_service::Service;

use crate::BoxError;
use crate::body::{RequestBody, ResponseBody};
use crate::detect::Version;
use crate::progress::{InFlight, Progress};
use crate::stream::Turn;

/// What a [`Server`](crate::Server) serves: any tower service over HTTP, such as an axum router, or one with layers before it.
///
/// It is cloned for each connection and for each request. Every request carries its peer as an extension: an `Arc<Peer>`. A request that it fails without a response is answered 500.
pub trait HttpService:
    Service<
        Request<RequestBody>,
        Response = Response<Self::ResponseBody>,
        Error: Into<BoxError>,
        Future: Future<Output = Result<Response<Self::ResponseBody>, Self::Error>> + Send,
    > + Clone
    + Send
    + 'static
{
    /// The body of its responses.
    type ResponseBody: http_body::Body<Data: Send, Error: Into<BoxError>> + Send + 'static;
}

impl<S, B> HttpService for S
where
    S: Service<Request<RequestBody>, Response = Response<B>, Error: Into<BoxError>, Future: Send>
        + Clone
        + Send
        + 'static,
    B: http_body::Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    type ResponseBody = B;
}

/// The service of one connection.
pub(crate) struct Hook<S> {
    pub(crate) service: S,
    pub(crate) peer: Arc<Peer>,
    pub(crate) body_stall_max: Duration,
    pub(crate) progress: Arc<Progress>,
}

impl<S: HttpService> hyper::service::Service<Request<Incoming>> for Hook<S> {
    type Response = Response<ResponseBody<S::ResponseBody>>;
    type Error = BoxError;
    type Future = Answer<S>;

    fn call(&self, request: Request<Incoming>) -> Answer<S> {
        let turn = (self.progress.version == Version::Http2).then(Arc::<Turn>::default);
        let in_flight = self.progress.request_started(turn.clone());
        let mut request = request.map(|body| RequestBody::new(body, self.body_stall_max, &self.progress));
        request.extensions_mut().insert(self.peer.clone());
        let mut service = self.service.clone();
        // Most services are always ready, and a request that need not wait for its service need not be moved about either.
        let state = match service.poll_ready(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(())) => State::Called { future: service.call(request) },
            Poll::Ready(Err(_)) | Poll::Pending => State::Waiting { service, request: Some(request) },
        };
        Answer { state, turn, in_flight: Some(in_flight) }
    }
}

pin_project! {
    /// Waits until the service is ready, then for its response.
    pub(crate) struct Answer<S>
    where
        S: Service<Request<RequestBody>>,
    {
        #[pin]
        state: State<S, S::Future>,
        turn: Option<Arc<Turn>>,
        in_flight: Option<InFlight>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, F> {
        Waiting { service: S, request: Option<Request<RequestBody>> },
        Called { #[pin] future: F },
    }
}

impl<S: HttpService> Future for Answer<S> {
    type Output = Result<Response<ResponseBody<S::ResponseBody>>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let answered = loop {
            match this.state.as_mut().project() {
                StateProjection::Waiting { service, request } => match ready!(service.poll_ready(cx)) {
                    Ok(()) => {
                        let request = request.take().expect("the request waits for the service");
                        let future = service.call(request);
                        this.state.set(State::Called { future });
                    }
                    Err(error) => break Err(error),
                },
                StateProjection::Called { future } => break ready!(future.poll(cx)),
            }
        };
        let turn = this.turn.take();
        let in_flight = this.in_flight.take().expect("a response comes once");
        let close = in_flight.answers_early();
        let mut response = match answered {
            Ok(response) => response.map(|body| ResponseBody::new(Some(body), turn, in_flight)),
            Err(_) => {
                let mut response = Response::new(ResponseBody::new(None, turn, in_flight));
                *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                response
            }
        };
        if close {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Poll::Ready(Ok(response))
    }
}
