//! A transport that answers as it is told, and remembers what it was asked.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body::{Body, Frame};
use ringwire_client::{
    Channel, PeerAddr, RequestBody, ResponseBody, Transport, TransportError, TransportErrorKind,
};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

/// What the transport does with one request.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Fail(TransportError),
    Answer(Answer),
    /// The same, but only after this time.
    After(Duration, Box<Self>),
    /// Nothing, ever.
    Never,
}

/// A response.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<Piece>,
}

/// A piece of a response's body.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    Data(Vec<u8>),
    Trailers(Vec<(&'static str, String)>),
    Fail(TransportErrorKind),
    /// Nothing, ever.
    Never,
}

/// A request, as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) uri: String,
    pub(crate) version: http::Version,
    pub(crate) headers: HeaderMap,
    /// The body, if it was there at once.
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// The transport. Requests beyond its script get the last step again.
#[derive(Clone, Debug)]
pub(crate) struct Stub {
    steps: Arc<Mutex<VecDeque<Step>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
    /// How many requests or responses were dropped before their end.
    cancelled: Arc<Mutex<usize>>,
}

impl Stub {
    pub(crate) fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self {
            steps: Arc::new(Mutex::new(steps.into_iter().collect())),
            asked: Arc::default(),
            cancelled: Arc::default(),
        }
    }

    pub(crate) fn channel(&self) -> Channel {
        Channel::over(self.clone(), "http://stub/api").unwrap()
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn cancelled(&self) -> usize {
        *self.cancelled.lock().unwrap()
    }
}

impl Transport for Stub {
    fn send(
        &self,
        request: Request<RequestBody>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<ResponseBody>, TransportError>> + Send>> {
        let (parts, mut body) = request.into_parts();
        let mut bytes = Vec::new();
        let mut cx = Context::from_waker(std::task::Waker::noop());
        while let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut body).poll_frame(&mut cx) {
            bytes.extend_from_slice(frame.data_ref().unwrap());
        }
        self.asked.lock().unwrap().push(Asked {
            method: parts.method.to_string(),
            uri: parts.uri.to_string(),
            version: parts.version,
            headers: parts.headers,
            body: bytes,
        });
        let mut steps = self.steps.lock().unwrap();
        let step = if steps.len() > 1 { steps.pop_front() } else { steps.front().cloned() }.unwrap();
        let mut guard = Guard { cancelled: self.cancelled.clone(), is_done: false };
        Box::pin(async move {
            // As long as the request is under way, so is its body.
            let _body = body;
            let mut step = step;
            loop {
                match step {
                    Step::Never => std::future::pending::<()>().await,
                    Step::After(time, then) => {
                        tokio::time::sleep(time).await;
                        step = *then;
                        continue;
                    }
                    Step::Fail(error) => {
                        guard.is_done = true;
                        drop(guard);
                        return Err(error);
                    }
                    Step::Answer(answer) => {
                        guard.is_done = answer.body.is_empty();
                        let body = Scripted { pieces: answer.body.into(), guard };
                        let mut response = Response::new(ResponseBody::of_transport(body));
                        *response.status_mut() = StatusCode::from_u16(answer.status).unwrap();
                        *response.headers_mut() = map(answer.headers);
                        response.extensions_mut().insert(PeerAddr("stub:80".into()));
                        return Ok(response);
                    }
                }
                unreachable!("it waits forever");
            }
        })
    }
}

struct Guard {
    cancelled: Arc<Mutex<usize>>,
    is_done: bool,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.is_done {
            *self.cancelled.lock().unwrap() += 1;
        }
    }
}

struct Scripted {
    pieces: VecDeque<Piece>,
    guard: Guard,
}

impl Body for Scripted {
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        let Some(piece) = self.pieces.pop_front() else {
            self.guard.is_done = true;
            return Poll::Ready(None);
        };
        self.guard.is_done = self.pieces.is_empty() && !matches!(piece, Piece::Never);
        Poll::Ready(Some(match piece {
            Piece::Data(data) => Ok(Frame::data(data.into())),
            Piece::Trailers(fields) => {
                self.guard.is_done = true;
                Ok(Frame::trailers(map(fields)))
            }
            Piece::Fail(kind) => {
                self.guard.is_done = true;
                Err(TransportError::new(kind))
            }
            Piece::Never => {
                self.pieces.push_front(Piece::Never);
                return Poll::Pending;
            }
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty()
    }
}

fn map(fields: Vec<(&'static str, String)>) -> HeaderMap {
    let field = |(name, value): (&'static str, String)| {
        (HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap())
    };
    fields.into_iter().map(field).collect()
}

/// An answer in pieces.
pub(crate) fn answer(status: u16, headers: &[(&'static str, &str)], body: Vec<Piece>) -> Step {
    Step::Answer(Answer { status, headers: fields(headers), body })
}

pub(crate) fn data(bytes: impl Into<Vec<u8>>) -> Piece {
    Piece::Data(bytes.into())
}

pub(crate) fn trailers(of: &[(&'static str, &str)]) -> Piece {
    Piece::Trailers(fields(of))
}

fn fields(fields: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

/// An envelope.
pub(crate) fn envelope(flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![flags];
    out.extend_from_slice(&(payload.len() as u32).to_be_bytes());
    out.extend_from_slice(payload);
    out
}

/// A message whose only field, the first, is this string: all the messages of `greet.proto`.
pub(crate) fn text(value: &str) -> Vec<u8> {
    let mut out = vec![0x0a, value.len() as u8];
    out.extend_from_slice(value.as_bytes());
    out
}

/// The answer to a unary Connect call.
pub(crate) fn hello(greeting: &str) -> Step {
    answer(200, &[("content-type", "application/proto")], vec![data(text(greeting))])
}

pub(crate) fn fail(kind: TransportErrorKind) -> Step {
    Step::Fail(TransportError::new(kind).with_peer("stub:80"))
}

pub(crate) fn unprocessed(kind: TransportErrorKind) -> Step {
    Step::Fail(TransportError::new(kind).unprocessed())
}

pub(crate) fn after(ms: u64, step: Step) -> Step {
    Step::After(Duration::from_millis(ms), Box::new(step))
}
