//! Makes as many unary calls as its argument says, for an instruction counter:
//! `valgrind --tool=callgrind unary_calls 6000`, less the same with 1000, divided by 5000.
//!
//! A second argument says over what: `least`, a transport that does nothing, or `local`, a service in memory. A third puts so many
//! interceptors around.

#[path = "../tests/client/greet.rs"]
mod greet;

use bytes::Bytes;
use greet::*;
use http::{HeaderValue, Request, Response};
use http_body::{Body, Frame};
use ringwire_client::{Call, Channel, Next, RequestBody, ResponseBody, Transport, TransportError};
use ringwire_service::{Router, Sent};
use std::future::ready;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

struct Echo;

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

/// A transport that answers at once.
struct Least;

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

fn main() {
    let mut arguments = std::env::args().skip(1);
    let count: usize = arguments.next().map_or(1, |count| count.parse().expect("a number of calls"));
    let mut channel = match arguments.next().as_deref() {
        Some("local") => Channel::local(Router::new().add(GreetServer::new(Echo))),
        _ => Channel::over(Least, "http://least").expect("it is an origin"),
    };
    for _ in 0..arguments.next().map_or(0, |count| count.parse().expect("a number of interceptors")) {
        channel = channel.intercept(async |call: &mut Call, next: Next<'_>| next.run(call).await);
    }
    let client = GreetClient::new(channel);
    // A name of 64 bytes, as in the other measurements.
    let name = "x".repeat(64);
    let request = GreetRequestView { name: &name, ..Default::default() };
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..count {
        let mut call = pin!(client.greet(&request).view().into_future());
        let Poll::Ready(Ok(_)) = call.as_mut().poll(&mut cx) else { panic!("nothing waits here") };
    }
}
