//! Our server on a socket of its own, and calls to it.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response, Version};
use http_body_util::{BodyExt, Full};
use ringwire_pool::Pool;
use ringwire_server::{Handle, Server};
use ringwire_transport::{RequestBody, Transport, TransportError};

/// Answers with the version it was spoken to in.
#[derive(Clone)]
pub(crate) struct Says;

impl tower_service::Service<Request<ringwire_server::RequestBody>> for Says {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<ringwire_server::RequestBody>) -> Self::Future {
        ready(Ok(Response::new(Full::new(format!("{:?}", request.version()).into()))))
    }
}

/// Starts the server in this runtime; it ends with it.
pub(crate) fn start(server: Server) -> (u16, Handle) {
    let port = server.local_address().unwrap().tcp().map_or(0, |address| address.port());
    let handle = server.handle();
    tokio::spawn(server.serve(Says));
    (port, handle)
}

pub(crate) async fn call(pool: &Pool, version: Version) -> Result<String, TransportError> {
    let body = RequestBody::whole(Bytes::new());
    let request = Request::get("http://test/").version(version).body(body).unwrap();
    let body = pool.send(request).await?.into_body().collect().await?.to_bytes();
    Ok(String::from_utf8(body.to_vec()).unwrap())
}
