//! Cross-origin calls from browsers, as a tower layer that knows what every protocol sends and reads.
//!
//! A browser asks before it sends any header or content type that HTML forms could not (a preflight), and shows a script
//! only the response headers that it is told to expose. <https://fetch.spec.whatwg.org/#http-cors-protocol>

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use ringwire_rpc::browser;

/// Lets scripts of other origins call the services behind it, in any protocol.
///
/// Calls that are not cross-origin pass through. A call from an origin that is not allowed passes through too, without the
/// headers that would let its browser go on: it is the browser that enforces.
#[derive(Clone, Debug)]
pub struct Cors {
    policy: Arc<Policy>,
}

impl Cors {
    /// Allows every origin. Cookies and other credentials stay at home: they need origins by name.
    pub fn any_origin() -> Self {
        Self::new(Origins::Any, Credentials::Omitted)
    }

    /// Allows these origins, such as `https://app.example`, as browsers write them: lower case, no path, no default port.
    pub fn origins<O: Into<String>>(origins: impl IntoIterator<Item = O>) -> Self {
        Self::new(Origins::Named(origins.into_iter().map(Into::into).collect()), Credentials::Omitted)
    }

    /// As [`Cors::origins`], and their scripts may send cookies and other credentials.
    pub fn origins_with_credentials<O: Into<String>>(origins: impl IntoIterator<Item = O>) -> Self {
        Self::new(Origins::Named(origins.into_iter().map(Into::into).collect()), Credentials::Included)
    }

    /// Also lets scripts send these headers of the application, such as `authorization`.
    #[must_use]
    pub fn request_headers(self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        self.change(|policy| append(&mut policy.request_headers, names))
    }

    /// Also lets scripts read these headers of the application. Trailers of unary calls count, with `trailer-` before
    /// their names.
    #[must_use]
    pub fn response_headers(self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        self.change(|policy| append(&mut policy.response_headers, names))
    }

    /// How long a browser may remember the answer to a preflight; two hours unless set, which is the most that any of
    /// the large browsers but one honours.
    #[must_use]
    pub fn max_age(self, max_age: Duration) -> Self {
        self.change(|policy| policy.max_age = HeaderValue::from(max_age.as_secs()))
    }

    fn new(origins: Origins, credentials: Credentials) -> Self {
        Self {
            policy: Arc::new(Policy {
                origins,
                credentials,
                request_headers: HeaderValue::from_static(browser::REQUEST_HEADERS),
                response_headers: HeaderValue::from_static(browser::RESPONSE_HEADERS),
                max_age: HeaderValue::from(MAX_AGE_SECS),
            }),
        }
    }

    fn change(mut self, change: impl FnOnce(&mut Policy)) -> Self {
        change(Arc::make_mut(&mut self.policy));
        self
    }
}

impl<S> Layer<S> for Cors {
    type Service = CorsService<S>;

    fn layer(&self, inner: S) -> CorsService<S> {
        CorsService { inner, policy: self.policy.clone() }
    }
}

/// A service behind [`Cors`].
#[derive(Clone, Debug)]
pub struct CorsService<S> {
    inner: S,
    policy: Arc<Policy>,
}

impl<S, B, R> Service<Request<B>> for CorsService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<CorsBody<R>>;
    type Error = S::Error;
    type Future = CorsFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let allowed = request.headers().get(ORIGIN).and_then(|origin| self.policy.allow(origin));
        if is_preflight(&request) {
            return CorsFuture { answer: Answer::Preflight { head: Some(self.policy.preflight(allowed)) } };
        }
        let mut added = HeaderMap::with_capacity(4);
        self.policy.append(allowed, &mut added);
        CorsFuture { answer: Answer::Call { future: self.inner.call(request), added } }
    }
}

pin_project! {
    /// The response of a [`CorsService`].
    pub struct CorsFuture<F> {
        #[pin]
        answer: Answer<F>,
    }
}

pin_project! {
    #[project = AnswerProjection]
    enum Answer<F> {
        Preflight { head: Option<HeaderMap> },
        Call { #[pin] future: F, added: HeaderMap },
    }
}

impl<F, R, E> Future for CorsFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<CorsBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().answer.project() {
            AnswerProjection::Preflight { head } => {
                let mut response = Response::new(CorsBody { body: None });
                *response.status_mut() = StatusCode::NO_CONTENT;
                *response.headers_mut() = head.take().expect("a response comes once");
                Poll::Ready(Ok(response))
            }
            AnswerProjection::Call { future, added } => {
                let mut response = ready!(future.poll(cx))?;
                for (name, value) in std::mem::take(added).drain() {
                    // Every name comes once, and what the service itself varies by must stay.
                    response
                        .headers_mut()
                        .append(name.expect("each header was inserted, not appended"), value);
                }
                Poll::Ready(Ok(response.map(|body| CorsBody { body: Some(body) })))
            }
        }
    }
}

pin_project! {
    /// The body of a response, or none where a preflight was answered.
    #[derive(Debug)]
    pub struct CorsBody<B> {
        #[pin]
        body: Option<B>,
    }
}

impl<B: Body> Body for CorsBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        match self.project().body.as_pin_mut() {
            Some(body) => body.poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

#[derive(Clone, Debug)]
struct Policy {
    origins: Origins,
    credentials: Credentials,
    request_headers: HeaderValue,
    response_headers: HeaderValue,
    max_age: HeaderValue,
}

#[derive(Clone, Debug)]
enum Origins {
    Any,
    Named(Vec<String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Credentials {
    Omitted,
    Included,
}

impl Policy {
    /// What to say to a script of this origin: that it is allowed, or nothing.
    fn allow(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        match &self.origins {
            Origins::Any => Some(HeaderValue::from_static("*")),
            Origins::Named(named) => {
                named.iter().any(|name| name.as_bytes() == origin).then(|| origin.clone())
            }
        }
    }

    fn preflight(&self, allowed: Option<HeaderValue>) -> HeaderMap {
        let mut head = HeaderMap::new();
        if allowed.is_some() {
            head.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(browser::METHODS));
            head.insert(ACCESS_CONTROL_ALLOW_HEADERS, self.request_headers.clone());
            head.insert(ACCESS_CONTROL_MAX_AGE, self.max_age.clone());
        }
        self.append(allowed, &mut head);
        head.remove(ACCESS_CONTROL_EXPOSE_HEADERS);
        head
    }

    /// Adds what every response carries.
    fn append(&self, allowed: Option<HeaderValue>, head: &mut HeaderMap) {
        if let Origins::Named(_) = self.origins {
            // Also where no origin was named: a cache must not give that answer to a script.
            head.insert(VARY, HeaderValue::from_static("origin"));
        }
        let Some(allowed) = allowed else { return };
        head.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        head.insert(ACCESS_CONTROL_EXPOSE_HEADERS, self.response_headers.clone());
        if self.credentials == Credentials::Included {
            head.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
    }
}

fn is_preflight<B>(request: &Request<B>) -> bool {
    let headers = request.headers();
    request.method() == Method::OPTIONS
        && headers.contains_key(ORIGIN)
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// Adds names to a list.
fn append(list: &mut HeaderValue, names: impl IntoIterator<Item = HeaderName>) {
    let mut text = list.as_bytes().to_vec();
    for name in names {
        text.extend_from_slice(b", ");
        text.extend_from_slice(name.as_str().as_bytes());
    }
    *list = HeaderValue::try_from(text).expect("names of headers make a value");
}

const MAX_AGE_SECS: u64 = 7200;

#[cfg(test)]
#[path = "cors/tests.rs"]
mod tests;
