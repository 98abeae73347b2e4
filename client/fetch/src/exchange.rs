//! One request and its response: the only place that touches JavaScript's values.

use crate::Credentials;
use bytes::Bytes;
use futures_channel::{mpsc, oneshot};
use futures_util::future::{Either, select};
use futures_util::{SinkExt, Stream};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Limited};
use js_sys::{Array, Reflect, Uint8Array};
use ringwire_transport::{RequestBody, TransportError, TransportErrorKind};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, Headers, ReadableStreamDefaultReader, RequestCache, RequestCredentials, RequestInit,
};

type Head = Result<Response<()>, TransportError>;
type Chunk = Result<Bytes, TransportError>;

/// Runs one exchange, until it is over or `dropped` says that nobody waits for it.
pub(crate) async fn exchange(
    request: Request<RequestBody>,
    credentials: Credentials,
    request_max: usize,
    answer: oneshot::Sender<Head>,
    mut chunks: mpsc::Sender<Chunk>,
    mut dropped: oneshot::Receiver<Infallible>,
) {
    let Ok(abort) = AbortController::new() else {
        let _ = answer.send(Err(failed(TransportErrorKind::Closed, "there is no AbortController")));
        return;
    };
    let begun = std::pin::pin!(begin(request, credentials, request_max, &abort));
    let response = match select(begun, &mut dropped).await {
        Either::Left((Ok(response), _)) => response,
        Either::Left((Err(error), _)) => {
            let _ = answer.send(Err(error));
            return;
        }
        Either::Right(_) => return abort.abort(),
    };
    if answer.send(head(&response)).is_err() {
        return abort.abort();
    }
    // Without a body there is no stream either.
    let Some(stream) = response.body() else { return };
    let Ok(reader) = stream.get_reader().dyn_into::<ReadableStreamDefaultReader>() else {
        let _ = chunks.send(Err(failed(TransportErrorKind::Protocol, "the body cannot be read"))).await;
        return;
    };
    loop {
        let read = std::pin::pin!(JsFuture::from(reader.read()));
        let chunk = match select(read, &mut dropped).await {
            Either::Left((read, _)) => read.map_err(lost).and_then(|read| chunk(&read)),
            Either::Right(_) => return abort.abort(),
        };
        let Some(chunk) = chunk.transpose() else { return };
        let is_last = chunk.is_err();
        if chunks.send(chunk).await.is_err() {
            return abort.abort();
        }
        if is_last {
            return;
        }
    }
}

/// Sends a request, whose body is collected first, and waits for the head of the response.
async fn begin(
    request: Request<RequestBody>,
    credentials: Credentials,
    request_max: usize,
    abort: &AbortController,
) -> Result<web_sys::Response, TransportError> {
    let (parts, body) = request.into_parts();
    let never_sent = |error: TransportError| error.unprocessed();
    let body = Limited::new(body, request_max).collect().await;
    let body = body
        .map_err(|error| never_sent(TransportError::new(TransportErrorKind::Protocol).with_source(error)))?;
    let headers = Headers::new().map_err(lost)?;
    for (name, value) in &parts.headers {
        // What a browser does not let pages say, such as `user-agent`, it says itself.
        if let Ok(value) = value.to_str() {
            let _ = headers.append(name.as_str(), value);
        }
    }
    let init = RequestInit::new();
    init.set_method(parts.method.as_str());
    init.set_headers(&headers);
    init.set_signal(Some(&abort.signal()));
    init.set_credentials(match credentials {
        Credentials::Omit => RequestCredentials::Omit,
        Credentials::SameOrigin => RequestCredentials::SameOrigin,
        Credentials::Include => RequestCredentials::Include,
    });
    let body = body.to_bytes();
    if parts.method == http::Method::POST {
        init.set_cache(RequestCache::NoStore);
        init.set_body(&Uint8Array::from(&body[..]));
    }
    let target = parts.uri.to_string();
    let request = web_sys::Request::new_with_str_and_init(&target, &init)
        .map_err(|error| never_sent(because(TransportErrorKind::Protocol, &error)))?;
    // A page and a worker have it under different types, and Node under neither.
    let global = js_sys::global();
    let fetch = Reflect::get(&global, &JsValue::from_str("fetch")).map_err(lost)?;
    let fetch: js_sys::Function =
        fetch.dyn_into().map_err(|_| failed(TransportErrorKind::Closed, "there is no fetch here"))?;
    let promise = fetch.call1(&global, &request).map_err(lost)?;
    let promise: js_sys::Promise = promise.dyn_into().map_err(lost)?;
    let response = JsFuture::from(promise).await.map_err(lost)?;
    response.dyn_into().map_err(lost)
}

/// The head of a response, without the fields that no longer describe the body that the browser hands out.
fn head(response: &web_sys::Response) -> Head {
    let status = StatusCode::from_u16(response.status())
        .map_err(|error| TransportError::new(TransportErrorKind::Protocol).with_source(error))?;
    let mut head = Response::new(());
    *head.status_mut() = status;
    let fields = js_sys::try_iter(&response.headers()).map_err(lost)?.into_iter().flatten();
    for field in fields {
        let field: Array = field.map_err(lost)?.into();
        let (name, value) = (field.get(0).as_string(), field.get(1).as_string());
        let (Some(name), Some(value)) = (name, value) else { continue };
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&value))
            && !DECODED.contains(&name.as_str())
        {
            head.headers_mut().append(name, value);
        }
    }
    Ok(head)
}

/// The bytes of a `ReadableStreamReadResult`, or `None` at the end.
fn chunk(read: &JsValue) -> Result<Option<Bytes>, TransportError> {
    let is_done = Reflect::get(read, &JsValue::from_str("done")).map_err(lost)?.is_truthy();
    if is_done {
        return Ok(None);
    }
    let value = Reflect::get(read, &JsValue::from_str("value")).map_err(lost)?;
    let bytes: Uint8Array = value.dyn_into().map_err(lost)?;
    Ok(Some(Bytes::from(bytes.to_vec())))
}

/// The body of a response, as far as it has been read; and what aborts the rest when it is dropped.
pub(crate) struct Chunks {
    chunks: mpsc::Receiver<Chunk>,
    _alive: oneshot::Sender<Infallible>,
}

impl Chunks {
    pub(crate) fn new(chunks: mpsc::Receiver<Chunk>, alive: oneshot::Sender<Infallible>) -> Self {
        Self { chunks, _alive: alive }
    }
}

impl Body for Chunks {
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        Pin::new(&mut self.chunks).poll_next(cx).map(|chunk| chunk.map(|chunk| chunk.map(Frame::data)))
    }
}

/// A browser says no more than that it failed.
#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
fn lost(error: JsValue) -> TransportError {
    because(TransportErrorKind::Lost, &error)
}

fn because(kind: TransportErrorKind, error: &JsValue) -> TransportError {
    let said = error.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message()));
    failed(kind, &said.unwrap_or_else(|| format!("{error:?}")))
}

fn failed(kind: TransportErrorKind, why: &str) -> TransportError {
    TransportError::new(kind).with_source(why)
}

/// A browser has decoded the content, and the length is that of what travelled.
const DECODED: [&str; 2] = ["content-encoding", "content-length"];
