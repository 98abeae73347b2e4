//! Tower services over HTTP, such as an axum application, as the answer to requests.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use ringwire_http::{Fields, Head, Headers, HeadersMut, Token, Version};
use ringwire_service::{Code, Input, Outbox, Peer, Spec};
use tower_service::Service;

use crate::exchange::{Arrived, Exchange, Handler, Step};

/// Any error, as tower services and bodies give it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Any tower service over HTTP, such as an axum router, or one with layers before it.
///
/// It is cloned for each shard and for each request. Every request carries its peer as an extension: an `Arc<Peer>`. A request
/// that it fails without a response is answered 500; so is one whose code panics.
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
    type ResponseBody: Body<Data: Send, Error: Into<BoxError>> + Send + 'static;
}

impl<S, B> HttpService for S
where
    S: Service<Request<RequestBody>, Response = Response<B>, Error: Into<BoxError>, Future: Send>
        + Clone
        + Send
        + 'static,
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    type ResponseBody = B;
}

/// Answers with a tower service.
pub(crate) struct TowerHandler<S> {
    pub(crate) service: S,
    /// The longest silence within a request body of a declared length.
    pub(crate) body_timeout: Duration,
}

impl<S: HttpService> Handler for TowerHandler<S> {
    type Exchange = TowerExchange<S>;

    fn start(&mut self, request: Arrived) -> TowerExchange<S> {
        let incoming = Arc::new(Incoming::new(request.end));
        let version = request.head.version();
        let length = request.head.fields().known(Token::CONTENT_LENGTH);
        let length = length.and_then(|length| std::str::from_utf8(length).ok()?.parse().ok());
        let stage = match into_request(&request.head, &request.peer, &incoming, length) {
            Some(request) => Stage::Waiting(Box::new((self.service.clone(), Some(request)))),
            // A target that HTTP allows and the `http` crate does not know.
            None => Stage::Refused(StatusCode::BAD_REQUEST, None),
        };
        TowerExchange {
            incoming,
            version,
            length,
            silent_since: None,
            body_timeout: self.body_timeout,
            stage,
        }
    }

    fn shed(&mut self, request: Arrived, wait: Duration) -> TowerExchange<S> {
        TowerExchange {
            incoming: Arc::new(Incoming::new(request.end)),
            version: request.head.version(),
            length: None,
            silent_since: None,
            body_timeout: self.body_timeout,
            stage: Stage::Refused(StatusCode::SERVICE_UNAVAILABLE, Some(wait)),
        }
    }

    fn poll_idle(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

/// One request of a tower service.
pub(crate) struct TowerExchange<S: HttpService> {
    incoming: Arc<Incoming>,
    version: Version,
    /// The declared length of the request.
    length: Option<u64>,
    /// Since when more of the request is waited for.
    silent_since: Option<Instant>,
    body_timeout: Duration,
    stage: Stage<S>,
}

enum Stage<S: HttpService> {
    /// Until the service is ready. Boxed, since a request is large and mostly called at once.
    Waiting(Box<(S, Option<Request<RequestBody>>)>),
    Called(Pin<Box<S::Future>>),
    /// No code of the service answers; the client may try again after the time.
    Refused(StatusCode, Option<Duration>),
    Body(Pin<Box<S::ResponseBody>>),
    Trailers(HeaderMap),
    Ended,
}

impl<S: HttpService> Exchange for TowerExchange<S> {
    fn handle_input(&mut self, input: Input<'_>) {
        self.silent_since = None;
        let mut state = self.incoming.state();
        match input {
            Input::Data(data) if data.is_empty() => {}
            Input::Data(data) => state.chunks.push_back(data),
            Input::End => state.end = End::Ended,
            Input::Trailers(fields) => {
                let mut trailers = HeaderMap::new();
                fields.for_each(&mut |name, value| append_field(&mut trailers, name, value));
                state.trailers = Some(trailers);
                state.end = End::Ended;
            }
        }
        // Who reads the body in a task of its own is woken; who reads it within the service is polled next.
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn handle_sent(&mut self, _: usize) {}

    fn poll(&mut self, cx: &mut Context<'_>, now: Instant, outbox: &mut Outbox<'_>) -> Step {
        self.incoming.state().exchange = Exchanging::Polled;
        self.stall(now);
        let step = match catch_unwind(AssertUnwindSafe(|| self.go_on(cx, outbox))) {
            Ok(step) => step,
            Err(_) => Step::Failed,
        };
        let mut state = self.incoming.state();
        match step {
            Step::Wait { .. } => {
                state.exchange = Exchanging::Waits(cx.waker().clone());
                let input =
                    state.end == End::Open && state.chunks.is_empty() && state.reader == Reader::There;
                // Who declares a length uploads; who does not may be in a conversation, where silence is in order.
                let is_awaited = input && state.waker.is_some() && self.length.is_some();
                let until = is_awaited.then(|| *self.silent_since.get_or_insert(now) + self.body_timeout);
                Step::Wait { input, until }
            }
            step => step,
        }
    }

    fn is_whole(&self) -> bool {
        match &self.stage {
            Stage::Body(body) => body.is_end_stream(),
            Stage::Ended => true,
            Stage::Waiting(_) | Stage::Called(_) | Stage::Refused(..) | Stage::Trailers(_) => false,
        }
    }

    fn code(&self) -> Option<Code> {
        None
    }

    fn spec(&self) -> Option<&'static Spec> {
        None
    }
}

impl<S: HttpService> TowerExchange<S> {
    /// Ends the request body if nothing of it has come for too long.
    fn stall(&mut self, now: Instant) {
        if self.silent_since.is_some_and(|since| since + self.body_timeout <= now) {
            self.silent_since = None;
            let mut state = self.incoming.state();
            state.end = End::Broken(BodyError::Stalled { after: self.body_timeout });
            // Who reads it in a task of its own.
            let waker = state.waker.take();
            drop(state);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    fn go_on(&mut self, cx: &mut Context<'_>, outbox: &mut Outbox<'_>) -> Step {
        const WAIT: Step = Step::Wait { input: false, until: None };
        loop {
            // Small frames that are there already leave together.
            let has_body = !outbox.body.is_empty();
            match &mut self.stage {
                Stage::Waiting(waiting) => match waiting.0.poll_ready(cx) {
                    Poll::Ready(Ok(())) => {
                        let (service, request) = &mut **waiting;
                        let request = request.take().expect("a request is there until the service takes it");
                        self.stage = Stage::Called(Box::pin(service.call(request)));
                    }
                    Poll::Ready(Err(_)) => return self.answer(StatusCode::INTERNAL_SERVER_ERROR),
                    Poll::Pending => return WAIT,
                },
                Stage::Called(future) => match future.as_mut().poll(cx) {
                    Poll::Ready(Ok(response)) => return self.head(response, outbox),
                    Poll::Ready(Err(_)) => return self.answer(StatusCode::INTERNAL_SERVER_ERROR),
                    Poll::Pending => return WAIT,
                },
                Stage::Refused(status, wait) => {
                    let status = *status;
                    if let Some(wait) = wait {
                        // In whole seconds, and not sooner than told.
                        let seconds = wait.as_millis().div_ceil(1000).to_string();
                        outbox.fields.append("retry-after", seconds.as_bytes());
                    }
                    return self.answer(status);
                }
                Stage::Body(body) if body.is_end_stream() => self.stage = Stage::Ended,
                Stage::Body(_) if outbox.body.len() >= MOVE_MIN => return Step::Body,
                Stage::Body(body) => match body.as_mut().poll_frame(cx) {
                    Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                        Ok(data) => append(outbox.body, data),
                        Err(other) => {
                            let Ok(trailers) = other.into_trailers() else { continue };
                            self.stage = Stage::Trailers(trailers);
                        }
                    },
                    Poll::Ready(Some(Err(_))) => {
                        self.stage = Stage::Ended;
                        return Step::Failed;
                    }
                    Poll::Ready(None) => self.stage = Stage::Ended,
                    Poll::Pending if has_body => return Step::Body,
                    Poll::Pending => return WAIT,
                },
                Stage::Trailers(_) | Stage::Ended if has_body => return Step::Body,
                Stage::Trailers(trailers) => {
                    write_fields(trailers, self.version, outbox.fields);
                    self.stage = Stage::Ended;
                    return Step::Done { trailers: true };
                }
                Stage::Ended => return Step::Done { trailers: false },
            }
        }
    }

    fn head(&mut self, response: Response<S::ResponseBody>, outbox: &mut Outbox<'_>) -> Step {
        let (parts, body) = response.into_parts();
        write_fields(&parts.headers, self.version, outbox.fields);
        let status = parts.status.as_u16();
        if let Some(length) = body.size_hint().exact()
            && status >= 200
            && !matches!(status, 204 | 304)
            && !parts.headers.contains_key(http::header::CONTENT_LENGTH)
        {
            outbox.fields.append_known(Token::CONTENT_LENGTH, length.to_string().as_bytes());
        }
        self.stage = Stage::Body(Box::pin(body));
        Step::Head(status)
    }

    /// An empty response.
    fn answer(&mut self, status: StatusCode) -> Step {
        self.stage = Stage::Ended;
        Step::Head(status.as_u16())
    }
}

impl<S: HttpService> Drop for TowerExchange<S> {
    fn drop(&mut self) {
        let stage = std::mem::replace(&mut self.stage, Stage::Ended);
        let _ = catch_unwind(AssertUnwindSafe(|| drop(stage)));
        let mut state = self.incoming.state();
        if state.end == End::Open {
            state.end = End::Broken(BodyError::Disconnected);
        }
        state.exchange = Exchanging::Gone;
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// The body of a request on its way from the connection to whoever reads it.
struct Incoming {
    state: Mutex<Arriving>,
}

struct Arriving {
    chunks: VecDeque<Bytes>,
    trailers: Option<HeaderMap>,
    end: End,
    reader: Reader,
    waker: Option<Waker>,
    exchange: Exchanging,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum End {
    Open,
    Ended,
    Broken(BodyError),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Reader {
    There,
    Gone,
}

enum Exchanging {
    /// It looks at the body by itself when the poll is over.
    Polled,
    /// It is to be told that the reader has taken something.
    Waits(Waker),
    Gone,
}

impl Incoming {
    fn new(end: bool) -> Self {
        let state = Arriving {
            chunks: VecDeque::new(),
            trailers: None,
            end: if end { End::Ended } else { End::Open },
            reader: Reader::There,
            waker: None,
            exchange: Exchanging::Polled,
        };
        Self { state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, Arriving> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The body of a request that came over a connection of this server.
pub struct RequestBody {
    incoming: Arc<Incoming>,
    /// Bytes that are to come, if their number was declared.
    left: Option<u64>,
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBody").field("left", &self.left).finish_non_exhaustive()
    }
}

/// A request body ended early.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum BodyError {
    /// The peer declared a length and then sent nothing for this long.
    Stalled {
        /// [`ServerTimeouts::body`](crate::ServerTimeouts::body).
        after: Duration,
    },
    /// The connection or the stream broke off.
    Disconnected,
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stalled { after } => write!(f, "the peer sent nothing of its request for {after:?}"),
            Self::Disconnected => f.write_str("the request broke off"),
        }
    }
}

impl std::error::Error for BodyError {}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let incoming = self.incoming.clone();
        let mut state = incoming.state();
        if let Some(data) = state.chunks.pop_front() {
            if let Some(left) = &mut self.left {
                *left = left.saturating_sub(data.len() as u64);
            }
            let waits = std::mem::replace(&mut state.exchange, Exchanging::Polled);
            drop(state);
            match waits {
                // The peer may send as many bytes more.
                Exchanging::Waits(waker) => waker.wake(),
                Exchanging::Polled => {}
                Exchanging::Gone => incoming.state().exchange = Exchanging::Gone,
            }
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        match state.end {
            End::Open => {
                match &mut state.waker {
                    Some(waker) => waker.clone_from(cx.waker()),
                    None => state.waker = Some(cx.waker().clone()),
                }
                Poll::Pending
            }
            End::Ended => Poll::Ready(state.trailers.take().map(|trailers| Ok(Frame::trailers(trailers)))),
            End::Broken(error) => {
                state.end = End::Ended;
                Poll::Ready(Some(Err(error)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        let state = self.incoming.state();
        state.end == End::Ended && state.chunks.is_empty() && state.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match self.left {
            Some(left) => SizeHint::with_exact(left),
            None if self.is_end_stream() => SizeHint::with_exact(0),
            None => SizeHint::default(),
        }
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        let mut state = self.incoming.state();
        state.reader = Reader::Gone;
        state.chunks.clear();
    }
}

fn into_request(
    head: &Head,
    peer: &Arc<Peer>,
    incoming: &Arc<Incoming>,
    length: Option<u64>,
) -> Option<Request<RequestBody>> {
    let left = length.or((incoming.state().end == End::Ended).then_some(0));
    let mut request = Request::new(RequestBody { incoming: incoming.clone(), left });
    *request.method_mut() = http::Method::from_bytes(head.method().as_str().as_bytes()).ok()?;
    *request.uri_mut() = match (head.scheme(), head.authority()) {
        (Some(scheme), Some(authority)) => {
            let scheme = match scheme {
                ringwire_http::Scheme::Http => "http",
                ringwire_http::Scheme::Https => "https",
            };
            http::Uri::builder()
                .scheme(scheme)
                .authority(authority)
                .path_and_query(head.target())
                .build()
                .ok()?
        }
        _ => head.target().parse().ok()?,
    };
    *request.version_mut() = match head.version() {
        Version::Http10 => http::Version::HTTP_10,
        Version::Http11 => http::Version::HTTP_11,
        Version::Http2 => http::Version::HTTP_2,
        Version::Http3 => http::Version::HTTP_3,
    };
    *request.headers_mut() = header_map(head.fields());
    request.extensions_mut().insert(peer.clone());
    Some(request)
}

/// The fields as the `http` crate has them. What that refuses is left out: HTTP has let it pass.
fn header_map(fields: &Fields) -> HeaderMap {
    let mut map = HeaderMap::with_capacity(fields.len());
    for field in fields.iter() {
        let name = match field.token {
            Some(token) => HeaderName::from_static(token.as_str()),
            None => {
                append_field(&mut map, field.name, field.value);
                continue;
            }
        };
        if let Ok(value) = HeaderValue::from_bytes(field.value) {
            map.append(name, value);
        }
    }
    map
}

fn append_field(map: &mut HeaderMap, name: &str, value: &[u8]) {
    if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value)) {
        map.append(name, value);
    }
}

/// Writes fields, but those that speak of the connection: HTTP/2 has none of them (RFC 9113, section 8.2.2).
fn write_fields(map: &HeaderMap, version: Version, sink: &mut dyn HeadersMut) {
    for (name, value) in map {
        let of_connection = matches!(
            name.as_str(),
            "connection" | "keep-alive" | "proxy-connection" | "transfer-encoding" | "upgrade"
        );
        if !of_connection || version.is_http1() {
            sink.append(name.as_str(), value.as_bytes());
        }
    }
}

/// Appends data, without a copy where it is large and alone.
fn append(body: &mut BytesMut, mut data: impl Buf) {
    let len = data.remaining();
    if body.is_empty() && len >= MOVE_MIN && data.chunk().len() == len {
        match data.copy_to_bytes(len).try_into_mut() {
            Ok(whole) => *body = whole,
            Err(shared) => body.extend_from_slice(&shared),
        }
        return;
    }
    body.reserve(len);
    while data.has_remaining() {
        let chunk = data.chunk();
        let taken = chunk.len();
        body.extend_from_slice(chunk);
        data.advance(taken);
    }
}

// From here on bytes are moved instead of copied, so what is as large leaves alone.
const MOVE_MIN: usize = 4096;
