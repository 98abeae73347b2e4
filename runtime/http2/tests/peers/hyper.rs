//! Our engine against hyper.

use crate::shell::{BODIES, Calls, bytes, check, run, serve};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use ringwire_http::Names;
use ringwire_http2::{Connection, Limits, Outcome};
use std::convert::Infallible;
use std::time::Instant;
use tokio::io::{DuplexStream, duplex};

#[tokio::test]
async fn their_client_gets_its_bodies_back_from_our_server() {
    for wire in [100, 100_000] {
        let bodies = if wire == 100 { &BODIES[..6] } else { BODIES };
        let (ours, theirs) = duplex(wire);
        let server = tokio::spawn(serve(ours));
        let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(theirs));
        let (send, connection) = handshake.await.expect("a handshake");
        let connection = tokio::spawn(connection);
        let calls = bodies.iter().enumerate().map(|(n, &len)| {
            let mut send = send.clone();
            tokio::spawn(async move {
                let request = Request::post("http://a.example/echo?b").header("x-number", n);
                let request = request.body(body(len, n % 2 == 0)).expect("a request");
                send.ready().await.expect("room");
                let response = send.send_request(request).await.expect("a response");
                assert_eq!(response.status(), 200);
                assert_eq!(response.headers()["x-number"], n.to_string().as_str());
                let received = response.into_body().collect().await.expect("a body");
                let trailers = received.trailers().cloned();
                assert_eq!(trailers.is_some_and(|trailers| trailers["x-end"] == "1"), n % 2 == 0);
                let received = received.to_bytes();
                assert_eq!(received.len(), len);
                check(&received, 0);
            })
        });
        for call in calls.collect::<Vec<_>>() {
            call.await.expect("a call");
        }
        drop(send);
        connection.await.expect("a task").expect("an end in peace");
        assert_eq!(server.await.expect("a server"), Outcome::Disconnected);
    }
}

#[tokio::test]
async fn their_client_is_told_of_a_reset() {
    let (ours, theirs) = duplex(100_000);
    tokio::spawn(serve(ours));
    let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(theirs));
    let (mut send, connection) = handshake.await.expect("a handshake");
    tokio::spawn(connection);
    let request = |path: &str| Request::post(format!("http://a.example{path}")).body(body(9, false)).unwrap();
    let error = send.send_request(request("/reset")).await.expect_err("a reset");
    let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<h2::Error>());
    assert_eq!(source.and_then(h2::Error::reason), Some(h2::Reason::REFUSED_STREAM));
    assert_eq!(send.send_request(request("/echo")).await.expect("a response").status(), 200);
}

#[tokio::test]
async fn our_client_gets_its_bodies_back_from_their_server() {
    for wire in [100, 100_000] {
        let (ours, theirs) = duplex(wire);
        let server = tokio::spawn(their_server(theirs));
        let bodies = if wire == 100 { &BODIES[..6] } else { BODIES };
        let plans: Vec<(usize, bool)> =
            bodies.iter().enumerate().map(|(n, &len)| (len, n % 2 == 0)).collect();
        let mut calls = Calls { plans, ..Calls::default() };
        let connection = Connection::client(Limits::default(), Names::HTTP, Instant::now());
        let outcome = run(ours, connection, &mut calls).await;
        assert_eq!((outcome, calls.done), (Outcome::Closed, bodies.len()));
        server.await.expect("a server");
    }
}

/// Sends each request's body and trailers back, as they come.
async fn their_server(io: DuplexStream) {
    let service = service_fn(|request: Request<Incoming>| async {
        let (head, body) = request.into_parts();
        Ok::<_, Infallible>(
            Response::builder().header("x-a", &head.headers["x-a"]).body(body).expect("a head"),
        )
    });
    let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    // Our client says goodbye and closes.
    let _ = server.serve_connection(TokioIo::new(io), service).await;
}

fn body(len: usize, trailers: bool) -> impl Body<Data = Bytes, Error = Infallible> + Send + Unpin {
    let fields = [(HeaderName::from_static("x-end"), HeaderValue::from_static("1"))];
    let trailers = trailers.then(|| Ok(HeaderMap::from_iter(fields)));
    Full::new(bytes(len)).with_trailers(std::future::ready(trailers))
}
