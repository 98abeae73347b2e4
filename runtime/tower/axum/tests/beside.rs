//! Our services in an axum router, beside routes of its own and a tonic service, on one port.

#![allow(clippy::unwrap_used, reason = "helpers of a test fail it as its body would")]

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::routing::get;
use buffa_types::google::protobuf::StringValue;
use bytes::{Buf, BufMut, Bytes};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use ringwire_axum::IntoAxumRouter;
use ringwire_rpc::{Spec, StreamShape};
use ringwire_server::Server;
use ringwire_service::{Call, Ends, Mounted, Router, Service};
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

#[tokio::test]
async fn everything_on_one_port_and_layers_before_it() {
    let server = Server::bind("127.0.0.1:0");
    let address = server.local_address().unwrap().tcp().unwrap();
    let handle = server.handle();
    let serving = tokio::spawn(server.serve(everything()));
    check_everything(address).await;
    handle.drain();
    serving.await.unwrap().unwrap();

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let make = everything().into_make_service_with_connect_info::<SocketAddr>();
    let serving = tokio::spawn(async move { axum::serve(listener, make).await });
    check_everything(address).await;
    serving.abort();
}

fn everything() -> axum::Router {
    ours()
        .merge(axum::Router::new().route("/healthz", get(|| async { "well" })))
        .merge(tonic::service::Routes::new(Shout).into_axum_router())
        .layer(from_fn(async |mut request: Request, next: Next| {
            request.extensions_mut().insert(Tenant("ring"));
            next.run(request).await
        }))
}

async fn check_everything(address: SocketAddr) {
    let (local, replies) =
        ask(address, Version::Http2, &["/test.WhoAmI/Ask", "/test.Shout/Say", "/healthz"]).await;
    assert_eq!(replies[0].message(), format!("ring at {local}"));
    assert_eq!(replies[0].trailers["grpc-status"], "0");
    assert_eq!(replies[1].message(), "HI");
    assert_eq!(replies[1].trailers["grpc-status"], "0");
    assert_eq!(replies[2].body, "well");

    let (_, replies) = ask(address, Version::Http1, &["/healthz", "/test.WhoAmI/Missing", "/nowhere"]).await;
    assert_eq!(replies[0].body, "well");
    // A path of our service is ours, also where it has no such method.
    assert_eq!(replies[1].head["grpc-status"], "12");
    // The fallback is tonic's.
    assert_eq!(replies[2].head["grpc-status"], "12");
}

#[tokio::test]
async fn under_the_server_of_axum_the_peer_is_known_too() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let make = ours().into_make_service_with_connect_info::<SocketAddr>();
    let serving = tokio::spawn(async move { axum::serve(listener, make).await });
    let (local, replies) = ask(address, Version::Http1, &["/test.WhoAmI/Ask"]).await;
    assert_eq!(replies[0].message(), format!("nobody at {local}"));
    serving.abort();
}

#[test]
fn services_that_do_not_fit_together_are_an_error() {
    let twice = Router::new().add(Mounted::new(WhoAmI)).add(Mounted::new(WhoAmI));
    assert!(twice.into_axum_router::<()>().is_err());
}

fn ours() -> axum::Router {
    Router::new().add(Mounted::new(WhoAmI)).into_axum_router().unwrap()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    Http1,
    Http2,
}

impl Version {
    fn content_type(self) -> &'static str {
        match self {
            Self::Http1 => "application/grpc-web+proto",
            Self::Http2 => "application/grpc",
        }
    }
}

struct Reply {
    head: http::HeaderMap,
    body: Bytes,
    trailers: http::HeaderMap,
}

impl Reply {
    /// The text in the envelope: both services answer with one short `StringValue`.
    fn message(&self) -> String {
        String::from_utf8(self.body[7..7 + usize::from(self.body[6])].to_vec()).unwrap()
    }
}

/// Calls each path with the message "hi" in an envelope, over one connection.
async fn ask(address: SocketAddr, version: Version, paths: &[&str]) -> (SocketAddr, Vec<Reply>) {
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let local = stream.local_addr().unwrap();
    let io = TokioIo::new(stream);
    let mut replies = Vec::new();
    let requests = paths.iter().map(|path| {
        let method = if *path == "/healthz" { "GET" } else { "POST" };
        let body = if method == "GET" { Bytes::new() } else { Bytes::from_static(b"\0\0\0\0\x04\x0a\x02hi") };
        let request = http::Request::builder().method(method).header("content-type", version.content_type());
        let request = match version {
            Version::Http1 => request.uri(*path).header("host", "test"),
            // The authority is the host: RFC 9113 section 8.3.1.
            Version::Http2 => request.uri(format!("http://{address}{path}")),
        };
        request.header("te", "trailers").body(Full::new(body)).unwrap()
    });
    match version {
        Version::Http1 => {
            let (mut client, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
            tokio::spawn(connection);
            for request in requests {
                client.ready().await.unwrap();
                replies.push(reply(client.send_request(request).await.unwrap()).await);
            }
        }
        Version::Http2 => {
            let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), io);
            let (mut client, connection) = handshake.await.unwrap();
            tokio::spawn(connection);
            for request in requests {
                replies.push(reply(client.send_request(request).await.unwrap()).await);
            }
        }
    }
    (local, replies)
}

async fn reply(response: http::Response<hyper::body::Incoming>) -> Reply {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap();
    let trailers = body.trailers().cloned().unwrap_or_default();
    Reply { head: parts.headers, trailers, body: body.to_bytes() }
}

#[derive(Clone)]
struct Tenant(&'static str);

struct WhoAmI;

impl Service for WhoAmI {
    const NAME: &'static str = "test.WhoAmI";
    const METHODS: &'static [Spec] = &[Spec::new("/test.WhoAmI/Ask", StreamShape::Unary)];

    fn find(method: &str) -> Option<usize> {
        (method == "Ask").then_some(0)
    }

    async fn serve(&self, _: usize, call: &mut Call, ends: Ends<'_>) -> ringwire_service::Result<()> {
        let (_, response) = ends.unary::<StringValue, StringValue>()?;
        let tenant = call.extensions().get::<Tenant>().map_or("nobody", |tenant| tenant.0);
        let address = call.peer().socket_address().map_or_else(String::new, |address| address.to_string());
        let value = format!("{tenant} at {address}");
        response.send(&StringValue { value, ..Default::default() }).await?;
        Ok(())
    }
}

/// A tonic service, as its generator would write it: answers in upper case.
#[derive(Clone)]
struct Shout;

impl tonic::server::NamedService for Shout {
    const NAME: &'static str = "test.Shout";
}

impl tower_service::Service<http::Request<tonic::body::Body>> for Shout {
    type Response = http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<tonic::body::Body>) -> Self::Future {
        Box::pin(async move { Ok(tonic::server::Grpc::new(Raw).unary(Say, request).await) })
    }
}

struct Say;

impl tonic::server::UnaryService<Bytes> for Say {
    type Response = Bytes;
    type Future = Ready<Result<tonic::Response<Bytes>, Status>>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        ready(Ok(tonic::Response::new(request.into_inner().to_ascii_uppercase().into())))
    }
}

/// Messages as bytes.
#[derive(Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, bytes: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(bytes.copy_to_bytes(bytes.remaining())))
    }
}
