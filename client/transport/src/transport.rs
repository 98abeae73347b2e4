//! The trait, and any tower service as one.

use crate::{BoxError, RequestBody, ResponseBody, TransportError, TransportErrorKind};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use ringwire_call::Observer;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use tower_service::Service;

/// Carries HTTP requests to where they are answered.
///
/// The URI of a request is absolute: a transport learns from it where to go and whether by TLS. It makes no
/// second attempt of its own unless the first one cannot have reached a handler; see
/// [`TransportError::is_unprocessed`].
pub trait Transport: Send + Sync + 'static {
    /// Sends a request, and resolves with the head of its response.
    fn send(
        &self,
        request: Request<RequestBody>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<ResponseBody>, TransportError>> + Send>>;

    /// Tells an observer of connections from here on, if this transport knows of any. The first observer stays.
    fn observe(&self, _observer: &Arc<dyn Observer>) {}
}

/// A tower service as a transport: a user's layers, or a whole HTTP client.
///
/// It is cloned for each request, and asked whether it is ready.
#[derive(Clone)]
pub struct Tower<S>(S);

impl<S> Tower<S> {
    /// A transport over `service`.
    pub fn new(service: S) -> Self {
        Self(service)
    }
}

impl<S, B> Transport for Tower<S>
where
    S: Service<Request<RequestBody>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    fn send(
        &self,
        request: Request<RequestBody>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<ResponseBody>, TransportError>> + Send>> {
        let mut service = self.0.clone();
        Box::pin(async move {
            poll_fn(|cx| service.poll_ready(cx)).await.map_err(failed)?;
            let response = service.call(request).await.map_err(failed)?;
            Ok(response.map(ResponseBody::new))
        })
    }
}

impl<S> fmt::Debug for Tower<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tower")
    }
}

/// A layer hands on what the transport below it said.
fn failed(error: impl Into<BoxError>) -> TransportError {
    TransportError::from_boxed(error.into(), TransportErrorKind::Lost)
}
