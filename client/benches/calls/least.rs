//! The least that a call can go over: a transport that does nothing, and a service that gives back what it gets.

use crate::greet::*;
use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body::{Body, Frame};
use ringwire_client::{RequestBody, ResponseBody, Transport, TransportError};
use ringwire_service::Sent;
use std::future::ready;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Answers with the name, borrowed, so that what is counted is ours.
pub(crate) struct Echo;

impl Greet for Echo {
    async fn greet_into(
        &self,
        _: &mut ringwire_service::Call,
        request: GreetRequestView<'_>,
        response: ringwire_service::Response<'_, GreetResponse>,
    ) -> ringwire_service::Result<Sent> {
        response.send(&GreetResponseView { greeting: request.name, ..Default::default() }).await
    }
}

/// A transport that answers at once, and allocates what every one must: a future, and the body of a response.
pub(crate) struct Least;

impl Transport for Least {
    fn send(
        &self,
        _: Request<RequestBody>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<ResponseBody>, TransportError>> + Send>> {
        let mut response = Response::new(ResponseBody::of_transport(Hello(true)));
        let media_type = HeaderValue::from_static("application/proto");
        response.headers_mut().insert(http::header::CONTENT_TYPE, media_type);
        Box::pin(ready(Ok(response)))
    }
}

struct Hello(bool);

impl Body for Hello {
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        let is_first = std::mem::take(&mut self.0);
        Poll::Ready(is_first.then(|| Ok(Frame::data(Bytes::from_static(b"\x0a\x05hello")))))
    }

    fn is_end_stream(&self) -> bool {
        !self.0
    }
}
