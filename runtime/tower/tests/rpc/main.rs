//! Calls through the tower service, polled by hand or by hyper, on a virtual clock.

#![allow(clippy::unwrap_used, reason = "helpers of a test fail it as its body would")]

#[path = "../echo/mod.rs"]
mod echo;

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use buffa_types::google::protobuf::StringValue;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use ringwire_rpc::{Spec, StreamShape};
use ringwire_service::{Call, Ends, Mounted, Peer, PeerAddress, Result, Router, Service};
use ringwire_tower::{RpcBody, RpcService};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tower_service::Service as _;

#[test]
fn a_call_needs_no_runtime_and_no_task() {
    let mut service = RpcService::new(echo::router()).unwrap();
    let mut call = pin!(service.call(post("Say", "application/json", Full::new(Bytes::from("\"hello\"")))));
    let mut cx = Context::from_waker(Waker::noop());
    let Poll::Ready(Ok(response)) = call.as_mut().poll(&mut cx) else { panic!("nothing to wait for") };
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.body().size_hint().exact(), Some(7));
    let mut body = response.into_body();
    let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut body).poll_frame(&mut cx) else {
        panic!("nothing to wait for")
    };
    assert_eq!(frame.into_data().unwrap(), "\"hello\"");
    assert!(body.is_end_stream());
    assert_eq!(service.routes().running(), 0);
}

#[tokio::test]
async fn trailers_follow_the_body_and_its_length_is_not_declared() {
    let response = call(post("Say", "application/grpc", Full::new(envelope("hello")))).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.body().size_hint().exact(), None);
    assert!(!response.body().is_end_stream());
    let collected = response.into_body().collect().await.unwrap();
    assert_eq!(collected.trailers().unwrap()["grpc-status"], "0");
    assert_eq!(collected.to_bytes(), envelope("hello"));
}

#[tokio::test]
async fn a_path_of_none_of_the_services_is_answered() {
    let response = call(post("Missing", "application/grpc", Full::new(envelope("")))).await;
    assert_eq!((response.status().as_u16(), response.headers()["grpc-status"].as_bytes()), (200, &b"12"[..]));
    let response =
        call(Request::get("http://test/favicon.ico").body(Full::<Bytes>::default()).unwrap()).await;
    assert_eq!(response.status(), 404);
}

#[tokio::test(start_paused = true)]
async fn messages_are_answered_as_they_come() {
    let (feed, body) = channel();
    let response = tokio::spawn(call(post("Chat", "application/grpc", body)));
    feed.send(Ok(Frame::data(envelope("one")))).await.unwrap();
    let mut body = response.await.unwrap().into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), envelope("ONE"));
    // A message in pieces, and silence in between: this is a conversation.
    let two = envelope("two");
    feed.send(Ok(Frame::data(two.slice(..3)))).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1000)).await;
    feed.send(Ok(Frame::data(two.slice(3..)))).await.unwrap();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), envelope("TWO"));
    // The error comes though the request goes on.
    feed.send(Ok(Frame::data(envelope("fail")))).await.unwrap();
    let trailers = body.frame().await.unwrap().unwrap().into_trailers().unwrap();
    assert_eq!(trailers["grpc-status"], "8");
    assert!(body.frame().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_deadline_ends_a_call_when_it_is_due() {
    let started = Instant::now();
    let mut request = post("Wait", "application/grpc", Full::new(envelope("")));
    request.headers_mut().insert("grpc-timeout", "1500m".parse().unwrap());
    let response = call(request).await;
    assert_eq!(started.elapsed(), Duration::from_millis(1500));
    assert_eq!(status(response).await, "4");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_stops_arriving_is_given_up() {
    for (method, content_type) in
        [("Say", "application/json"), ("Say", "application/grpc"), ("Count", "application/grpc")]
    {
        let (feed, body) = channel();
        feed.send(Ok(Frame::data(Bytes::from_static(b"\0")))).await.unwrap();
        let started = Instant::now();
        let response = call(post(method, content_type, body)).await;
        assert_eq!(started.elapsed(), Duration::from_secs(60), "{method}");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap();
        let said = format!("{parts:?} {body:?}");
        assert!(said.contains("deadline_exceeded") || said.contains(r#""grpc-status": "4""#), "{said}");
        drop(feed);
    }
}

#[tokio::test]
async fn a_request_that_breaks_off_cancels_the_call() {
    let (feed, body) = channel();
    feed.send(Err("reset".into())).await.unwrap();
    assert_eq!(status(call(post("Say", "application/grpc", body)).await).await, "1");

    let (feed, body) = channel();
    let response = tokio::spawn(call(post("Chat", "application/grpc", body)));
    feed.send(Ok(Frame::data(envelope("one")))).await.unwrap();
    let mut body = response.await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    feed.send(Err("reset".into())).await.unwrap();
    assert_eq!(body.frame().await.unwrap().unwrap_err().to_string(), "reset");
    assert!(body.frame().await.is_none());
}

#[tokio::test]
async fn a_request_that_is_malformed_is_the_clients_fault() {
    let (feed, body) = channel();
    let malformed = std::io::Error::new(std::io::ErrorKind::InvalidData, "a chunk without a size");
    feed.send(Err(malformed.into())).await.unwrap();
    assert_eq!(status(call(post("Say", "application/grpc", body)).await).await, "3");
}

#[tokio::test]
async fn dropping_the_response_or_its_body_cancels_the_call() {
    let mut service = RpcService::new(echo::router()).unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    let mut future = Box::pin(service.call(post("Wait", "application/grpc", Full::new(envelope("")))));
    assert!(future.as_mut().poll(&mut cx).is_pending());
    assert_eq!(service.routes().running(), 1);
    drop(future);
    assert_eq!(service.routes().running(), 0);

    let (feed, body) = channel();
    feed.send(Ok(Frame::data(envelope("one")))).await.unwrap();
    let response = service.call(post("Chat", "application/grpc", body)).await.unwrap();
    assert_eq!(service.routes().running(), 1);
    drop(response);
    assert_eq!(service.routes().running(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_waits_for_a_short_request_that_is_under_way() {
    // The whole of it is read before the answer.
    let (feed, body) = channel();
    let refusal = tokio::spawn(call(post("Say", "image/jpeg", Declared { rest: 3, body: Box::pin(body) })));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!refusal.is_finished());
    feed.send(Ok(Frame::data(Bytes::from_static(b"xxx")))).await.unwrap();
    assert_eq!(refusal.await.unwrap().status(), 415);

    // It does not come.
    let started = Instant::now();
    let (_feed, body) = channel();
    let response = call(post("Say", "image/jpeg", Declared { rest: 3, body: Box::pin(body) })).await;
    assert_eq!((response.status().as_u16(), started.elapsed()), (415, Duration::from_secs(5)));

    // Too long, of no declared length, or waiting to be told: the answer is first.
    let (_feed, body) = channel();
    let started = Instant::now();
    call(post("Say", "image/jpeg", Declared { rest: (1 << 20) + 1, body: Box::pin(body) })).await;
    let (_feed, body) = channel();
    call(post("Say", "image/jpeg", body)).await;
    let (_feed, body) = channel();
    let mut request = post("Say", "image/jpeg", Declared { rest: 3, body: Box::pin(body) });
    request.headers_mut().insert("expect", "100-continue".parse().unwrap());
    call(request).await;
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn extensions_and_peer_reach_the_handler() {
    let mut service = RpcService::new(Router::new().add(Mounted::new(WhoAmI))).unwrap();
    let mut request = Request::post("http://test/test.WhoAmI/Ask")
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from("\"\"")))
        .unwrap();
    request.extensions_mut().insert(Tenant("ring"));
    let address = "10.0.0.1:99".parse().unwrap();
    request.extensions_mut().insert(Arc::new(Peer::new(PeerAddress::Socket(address))));
    let response = service.call(request).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "\"ring at 10.0.0.1:99\"");
}

#[tokio::test]
async fn hyper_serves_it_in_both_versions() {
    let service = || TowerToHyperService::new(RpcService::new(echo::router()).unwrap());

    let (near, far) = tokio::io::duplex(1024);
    let server = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(far), service());
    let served = tokio::spawn(server);
    let (mut client, connection) = hyper::client::conn::http1::handshake(TokioIo::new(near)).await.unwrap();
    tokio::spawn(connection);
    let mut request = post("Say", "application/grpc-web+proto", Full::new(envelope("hello")));
    *request.version_mut() = http::Version::HTTP_11;
    let response = client.send_request(request).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert!(body.starts_with(&envelope("hello")) && body.ends_with(b"grpc-status: 0\r\n"), "{body:?}");
    drop(client);
    served.await.unwrap().unwrap();

    let (near, far) = tokio::io::duplex(1024);
    let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    let served = tokio::spawn(server.serve_connection(TokioIo::new(far), service()));
    let (mut client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(near)).await.unwrap();
    tokio::spawn(connection);
    let (feed, body) = channel();
    let response = tokio::spawn(client.send_request(post("Chat", "application/grpc", body)));
    // The head of a response goes with its first message.
    feed.send(Ok(Frame::data(envelope("a")))).await.unwrap();
    let mut body = response.await.unwrap().unwrap().into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), envelope("A"));
    feed.send(Ok(Frame::data(envelope("b")))).await.unwrap();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), envelope("B"));
    drop(feed);
    let trailers = body.frame().await.unwrap().unwrap().into_trailers().unwrap();
    assert_eq!(trailers["grpc-status"], "0");
    drop((client, body));
    served.await.unwrap().unwrap();
}

#[test]
fn a_router_that_does_not_fit_together_is_not_served() {
    let router = Router::new().add(Mounted::new(WhoAmI)).add(Mounted::new(WhoAmI));
    assert!(RpcService::new(router).unwrap_err().to_string().contains("test.WhoAmI"));
}

struct WhoAmI;

#[derive(Clone)]
struct Tenant(&'static str);

impl Service for WhoAmI {
    const NAME: &'static str = "test.WhoAmI";
    const METHODS: &'static [Spec] = &[Spec::new("/test.WhoAmI/Ask", StreamShape::Unary)];

    fn find(method: &str) -> Option<usize> {
        (method == "Ask").then_some(0)
    }

    async fn serve(&self, _: usize, call: &mut Call, ends: Ends<'_>) -> Result<()> {
        let (_, response) = ends.unary::<StringValue, StringValue>()?;
        let tenant = call.extensions().get::<Tenant>().map_or("nobody", |tenant| tenant.0);
        let address = call.peer().socket_address().map_or_else(String::new, |address| address.to_string());
        let value = format!("{tenant} at {address}");
        response.send(&StringValue { value, ..Default::default() }).await?;
        Ok(())
    }
}

async fn call<B>(request: Request<B>) -> Response<RpcBody<B>>
where
    B: Body<Error: Into<BoxError>> + Unpin,
{
    RpcService::new(echo::router()).unwrap().call(request).await.unwrap()
}

fn post<B>(method: &str, content_type: &str, body: B) -> Request<B> {
    Request::post(format!("http://test/ringwire.peers.v1.Echo/{method}"))
        .version(http::Version::HTTP_2)
        .header("content-type", content_type)
        .body(body)
        .unwrap()
}

/// The `grpc-status`, wherever it is.
async fn status<B>(response: Response<RpcBody<B>>) -> String
where
    B: Body<Error: Into<BoxError>> + Unpin,
{
    let (parts, body) = response.into_parts();
    let trailers = body.collect().await.unwrap().trailers().cloned().unwrap_or_else(HeaderMap::new);
    let status = trailers.get("grpc-status").or(parts.headers.get("grpc-status")).unwrap();
    status.to_str().unwrap().to_owned()
}

/// An uncompressed envelope around a `StringValue`.
fn envelope(value: &str) -> Bytes {
    let mut message = Vec::new();
    if !value.is_empty() {
        message.extend([0x0a, value.len() as u8]);
        message.extend(value.as_bytes());
    }
    [&[0, 0, 0, 0, message.len() as u8], &message[..]].concat().into()
}

type BoxError = ringwire_tower::BoxError;
type Fed = std::result::Result<Frame<Bytes>, BoxError>;
type ChannelBody = StreamBody<Receiver>;

/// A body fed by a channel.
fn channel() -> (mpsc::Sender<Fed>, ChannelBody) {
    let (sender, receiver) = mpsc::channel(8);
    (sender, StreamBody::new(Receiver(receiver)))
}

struct Receiver(mpsc::Receiver<Fed>);

impl futures_core::Stream for Receiver {
    type Item = Fed;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Fed>> {
        self.0.poll_recv(cx)
    }
}

/// A body that says how much of it there is.
struct Declared {
    rest: u64,
    body: Pin<Box<ChannelBody>>,
}

impl Body for Declared {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Fed>> {
        let polled = self.body.as_mut().poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            self.rest -= frame.data_ref().map_or(0, |data| data.len() as u64);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.rest == 0
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(self.rest)
    }
}
