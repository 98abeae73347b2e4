//! Our engine against the `h2` crate.

use crate::shell::{BODIES, Calls, bytes, check, run, serve};
use bytes::Bytes;
use h2::RecvStream;
use http::{HeaderMap, Method as HttpMethod, Request, Response};
use ringwire_http::Names;
use ringwire_http2::{Connection, ErrorCode, Limits, Outcome};
use std::time::Instant;
use tokio::io::{DuplexStream, duplex};

#[tokio::test]
async fn their_client_gets_its_bodies_back_from_our_server() {
    for wire in [1, 100, 100_000] {
        let bodies = &BODIES[..[3, 6, 9][usize::from(wire > 1) + usize::from(wire > 100)]];
        let (ours, theirs) = duplex(wire);
        let server = tokio::spawn(serve(ours));
        let (send, connection) = h2::client::handshake(theirs).await.expect("a handshake");
        let connection = tokio::spawn(connection);
        let calls = bodies.iter().enumerate().map(|(n, &len)| {
            let mut send = send.clone();
            async move {
                let request = Request::builder()
                    .method(HttpMethod::POST)
                    .uri("http://a.example/echo?b")
                    .body(())
                    .unwrap();
                send = send.ready().await.expect("room");
                let (response, stream) = send.send_request(request, false).expect("a request");
                let sending = tokio::spawn(send_body(stream, len, n % 2 == 0));
                let response = response.await.expect("a response");
                assert_eq!(response.status(), 200);
                assert_eq!(response.headers()["content-type"], "text/plain");
                let (received, trailers) = receive_body(response.into_body()).await;
                assert_eq!(received, len);
                assert_eq!(trailers.is_some_and(|trailers| trailers["x-end"] == "1"), n % 2 == 0);
                sending.await.expect("a body").expect("it is sent");
            }
        });
        for call in calls.map(tokio::spawn).collect::<Vec<_>>() {
            call.await.expect("a call");
        }
        drop(send);
        connection.await.expect("a task").expect("an end in peace");
        assert_eq!(server.await.expect("a server"), Outcome::Disconnected);
    }
}

#[tokio::test]
async fn their_client_repeats_itself_and_gets_short_heads() {
    let (ours, theirs) = duplex(100_000);
    tokio::spawn(serve(ours));
    let (mut send, connection) = h2::client::handshake(theirs).await.expect("a handshake");
    tokio::spawn(connection);
    for n in 0..300 {
        let request = Request::get("http://a.example/echo").header("x-number", n % 7).body(()).unwrap();
        let (response, _) = send.send_request(request, true).expect("a request");
        let response = response.await.expect("a response");
        assert_eq!(response.headers()["x-number"], (n % 7).to_string().as_str());
        assert_eq!(receive_body(response.into_body()).await.0, 0);
        send = send.ready().await.expect("room");
    }
}

#[tokio::test]
async fn their_client_is_told_of_resets_and_tells_of_its_own() {
    let (ours, theirs) = duplex(100_000);
    tokio::spawn(serve(ours));
    let (mut send, connection) = h2::client::handshake(theirs).await.expect("a handshake");
    tokio::spawn(connection);
    let request = Request::post("http://a.example/reset").body(()).unwrap();
    let (response, _stream) = send.send_request(request, false).expect("a request");
    assert_eq!(response.await.expect_err("a reset").reason(), Some(h2::Reason::REFUSED_STREAM));
    // The server counts what it is told, and says it in its next answer.
    send = send.ready().await.expect("room");
    let request = Request::post("http://a.example/echo").body(()).unwrap();
    let (response, mut stream) = send.send_request(request, false).expect("a request");
    let response = response.await.expect("a response");
    stream.send_reset(h2::Reason::CANCEL);
    drop(response);
    // Their reset may leave after their next request.
    let mut resets = String::new();
    while resets != "1" {
        send = send.ready().await.expect("room");
        let request = Request::get("http://a.example/resets").body(()).unwrap();
        let (response, _) = send.send_request(request, true).expect("a request");
        resets =
            response.await.expect("a response").headers()["x-resets"].to_str().expect("a number").to_owned();
    }
}

#[tokio::test]
async fn their_client_is_drained_in_two_steps() {
    let (ours, theirs) = duplex(100_000);
    let server = tokio::spawn(serve(ours));
    let (mut send, connection) = h2::client::handshake(theirs).await.expect("a handshake");
    let connection = tokio::spawn(connection);
    let request = Request::post("http://a.example/drain").body(()).unwrap();
    let (response, mut stream) = send.send_request(request, false).expect("a request");
    let response = response.await.expect("a response");
    assert!(
        send.clone().ready().await.is_err()
            || send.send_request(Request::get("http://a/").body(()).unwrap(), true).is_err()
    );
    // What runs goes on.
    stream.send_data(bytes(5000), true).expect("it is sent");
    assert_eq!(receive_body(response.into_body()).await.0, 5000);
    connection.await.expect("a task").expect("an end in peace");
    assert_eq!(server.await.expect("a server"), Outcome::Closed);
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
        let outcome =
            run(ours, Connection::client(Limits::default(), Names::HTTP, Instant::now()), &mut calls).await;
        assert_eq!((outcome, calls.done), (Outcome::Closed, bodies.len()));
        server.await.expect("a server");
    }
}

async fn their_server(io: DuplexStream) {
    let mut connection = h2::server::handshake(io).await.expect("a handshake");
    while let Some(request) = connection.accept().await {
        let (request, mut respond) = request.expect("a request");
        tokio::spawn(async move {
            let (head, mut body) = request.into_parts();
            let response = Response::builder().header("x-a", &head.headers["x-a"]).body(()).expect("a head");
            let mut send = respond.send_response(response, false).expect("a response");
            while let Some(data) = body.data().await {
                let data = data.expect("a body");
                body.flow_control().release_capacity(data.len()).expect("a window");
                send.send_data(data, false).expect("it is sent");
            }
            match body.trailers().await.expect("an end") {
                Some(trailers) => send.send_trailers(trailers).expect("they are sent"),
                None => send.send_data(Bytes::new(), true).expect("it is sent"),
            }
        });
    }
}

async fn send_body(mut stream: h2::SendStream<Bytes>, len: usize, trailers: bool) -> Result<(), h2::Error> {
    stream.send_data(bytes(len), !trailers)?;
    if trailers {
        let mut fields = HeaderMap::new();
        fields.insert("x-end", "1".parse().expect("a value"));
        stream.send_trailers(fields)?;
    }
    Ok(())
}

async fn receive_body(mut body: RecvStream) -> (usize, Option<HeaderMap>) {
    let mut received = 0;
    while let Some(data) = body.data().await {
        let data = data.expect("a body");
        check(&data, received);
        received += data.len();
        body.flow_control().release_capacity(data.len()).expect("a window");
    }
    (received, body.trailers().await.expect("an end"))
}

#[test]
fn codes_have_the_numbers_of_the_crate() {
    for code in (0..14).map(ErrorCode) {
        assert_eq!(format!("{code}"), format!("{:?}", h2::Reason::from(code.0)));
    }
}
