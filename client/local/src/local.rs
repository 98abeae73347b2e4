//! Services in this process as a transport: polling a response polls its handler.

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, Version};
use http_body::{Body, Frame, SizeHint};
use ringwire_call::{HttpFields, Instant};
use ringwire_client::{Channel, clock};
use ringwire_service::{Arrival, HttpHead, InFlight, Peer, PeerAddress, Router, RouterError, Routes};
use ringwire_transport::{RequestBody, ResponseBody, Transport, TransportError, TransportErrorKind};
use std::fmt;
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
    /// A transport to these services. A router that does not fit together fails every call.
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
            Ok(routes) => Box::pin(Answering { serving: Some(Serving::start(routes, request)) }),
            Err(error) => {
                let error = TransportError::new(TransportErrorKind::Connect).with_source(error.clone());
                Box::pin(std::future::ready(Err(error)))
            }
        }
    }
}

/// The response, until its head is known.
struct Answering {
    serving: Option<Box<Serving>>,
}

impl Future for Answering {
    type Output = Result<Response<ResponseBody>, TransportError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let serving = self.serving.as_mut().expect("a response comes once");
        let mut fields = HttpFields::default();
        let status = ready!(serving.poll(cx, |call, cx, now| call.poll_head(cx, now, &mut fields)))?;
        let serving = self.serving.take().expect("it was there above");
        let mut response = Response::new(ResponseBody::of_transport(Served(Some(serving))));
        *response.status_mut() =
            StatusCode::from_u16(status).expect("the core answers with statuses of HTTP");
        *response.headers_mut() = map(fields)?;
        Poll::Ready(Ok(response))
    }
}

/// The body of the response: polling it runs the handler.
struct Served(Option<Box<Serving>>);

impl Body for Served {
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        let Some(serving) = &mut self.0 else { return Poll::Ready(None) };
        let polled = match ready!(serving.poll(cx, InFlight::poll_body)) {
            Ok(Some(bytes)) => return Poll::Ready(Some(Ok(Frame::data(bytes.freeze())))),
            Ok(None) if serving.call.has_trailers() => {
                let mut sink = HttpFields::default();
                serving.call.write_trailers(&mut sink);
                Some(map(sink).map(Frame::trailers))
            }
            Ok(None) => None,
            Err(error) => Some(Err(error)),
        };
        self.0 = None;
        Poll::Ready(polled)
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Some(serving) => serving.call.remaining() == Some(0) && !serving.call.has_trailers(),
            None => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        let left = self.0.as_ref().map_or(Some(0), |serving| serving.call.remaining());
        left.map_or_else(SizeHint::default, |left| SizeHint::with_exact(left as u64))
    }
}

/// A call in flight, and its request's body.
struct Serving {
    call: InFlight,
    body: RequestBody,
    /// The piece of the body that was taken before the handler asked: a caller may wait for somebody to take it.
    ahead: Option<Bytes>,
    is_begun: bool,
    alarm: clock::Alarm,
}

impl Serving {
    fn start(routes: &Routes, request: Request<RequestBody>) -> Box<Self> {
        let (mut parts, body) = request.into_parts();
        let extensions = std::mem::take(&mut parts.extensions);
        // Whatever a call needs, memory has.
        parts.version = Version::HTTP_2;
        let head = Arc::new(HttpHead::from(parts));
        let arrival = Arrival { head, peer: Arc::new(Peer::new(PeerAddress::Memory)), extensions };
        let call = routes.start(arrival, clock::now());
        Box::new(Self { call, body, ahead: None, is_begun: false, alarm: clock::Alarm::default() })
    }

    /// Polls the call, and whatever it waits for, until `poll` is ready or nothing moves.
    fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut poll: impl FnMut(&mut InFlight, &mut Context<'_>, Instant) -> Poll<T>,
    ) -> Poll<Result<T, TransportError>> {
        loop {
            if let Poll::Ready(output) = poll(&mut self.call, cx, clock::now()) {
                return Poll::Ready(Ok(output));
            }
            if self.call.wants_input() {
                if self.poll_input(cx)?.is_ready() {
                    continue;
                }
            } else if !self.is_begun && self.ahead.is_none() {
                self.is_begun = true;
                if let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut self.body).poll_frame(cx) {
                    self.ahead = frame.into_data().ok();
                }
            }
            let Some(due) = self.call.deadline() else { return Poll::Pending };
            ready!(self.alarm.poll(cx, due));
        }
    }

    /// Gives the call the next piece of its request.
    fn poll_input(&mut self, cx: &mut Context<'_>) -> Result<Poll<()>, TransportError> {
        self.is_begun = true;
        if let Some(data) = self.ahead.take() {
            self.call.push(data);
            return Ok(Poll::Ready(()));
        }
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Pending => return Ok(Poll::Pending),
            Poll::Ready(None) => self.call.push_end(),
            Poll::Ready(Some(Err(error))) => {
                return Err(TransportError::new(TransportErrorKind::CANCEL).with_source(error));
            }
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => self.call.push(data),
                Err(other) => {
                    if let Ok(trailers) = other.into_trailers() {
                        self.call.push_trailers(&HttpFields::from(trailers));
                    }
                }
            },
        }
        Ok(Poll::Ready(()))
    }
}

impl fmt::Debug for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.call.fmt(f)
    }
}

fn map(fields: HttpFields) -> Result<HeaderMap, TransportError> {
    fields.into_map().map_err(|error| TransportError::new(TransportErrorKind::Protocol).with_source(error))
}

/// No name that anybody looks up.
const LOCAL_ORIGIN: &str = "http://local";
