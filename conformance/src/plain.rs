//! A service of no protocol: it reads its request to the end, and answers after a moment.
//!
//! What h2spec needs: an answer that comes before the end of a request is in order, and h2spec does not know it.

use http::{Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use ringwire_server::BoxError;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tower_service::Service;

/// The service.
#[derive(Clone, Copy, Debug)]
pub struct Plain;

impl<B> Service<Request<B>> for Plain
where
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response<Full<&'static [u8]>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        Box::pin(async move {
            request.into_body().collect().await.map_err(Into::into)?;
            // So that many streams are open at once.
            tokio::time::sleep(MOMENT).await;
            Ok(Response::new(Full::new(&b"hello"[..])))
        })
    }
}

const MOMENT: Duration = Duration::from_millis(100);
