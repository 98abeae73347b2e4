//! The four shapes of a method, as handlers write them, over two protocols and two codecs.

use crate::greet::*;
use crate::support::{Driven, grpc, json, messages, now, routes, text};
use ringwire_http::{Fields, Head, Method, Version};
use ringwire_rpc::NAMES;
use ringwire_service::{Call, Error, Requests, Response, Responses, Result, Router, Routes, Sent};
use std::sync::Arc;

struct Greeter;

impl Greet for Greeter {
    async fn greet(&self, _: &mut Call, request: GreetRequestView<'_>) -> Result<GreetResponse> {
        if request.name.is_empty() {
            return Err(Error::invalid_argument("a greeting needs a name"));
        }
        Ok(GreetResponse { greeting: format!("Hello, {}!", request.name), ..Default::default() })
    }

    async fn collect(&self, _: &mut Call, mut requests: Requests<'_, GreetRequest>) -> Result<GreetResponse> {
        let mut names = Vec::new();
        while let Some(request) = requests.next().await? {
            names.push(request.name.to_owned());
        }
        Ok(GreetResponse { greeting: format!("Hello, {}!", names.join(" and ")), ..Default::default() })
    }

    async fn spell(
        &self,
        _: &mut Call,
        request: GreetRequestView<'_>,
        mut responses: Responses<'_, GreetResponse>,
    ) -> Result<()> {
        for letter in request.name.chars() {
            responses.send(&GreetResponse { greeting: letter.to_string(), ..Default::default() }).await?;
        }
        Ok(())
    }

    async fn chat(
        &self,
        _: &mut Call,
        mut requests: Requests<'_, ChatRequest>,
        mut responses: Responses<'_, ChatResponse>,
    ) -> Result<()> {
        while let Some(request) = requests.next().await? {
            responses.send(&ChatResponse { line: request.line.to_uppercase(), ..Default::default() }).await?;
        }
        Ok(())
    }
}

struct Borrowing;

impl Greet for Borrowing {
    async fn greet_into(
        &self,
        _: &mut Call,
        request: GreetRequestView<'_>,
        response: Response<'_, GreetResponse>,
    ) -> Result<Sent> {
        response.send(&GreetResponseView { greeting: request.name, ..Default::default() }).await
    }

    async fn chat(
        &self,
        _: &mut Call,
        mut requests: Requests<'_, ChatRequest>,
        mut responses: Responses<'_, ChatResponse>,
    ) -> Result<()> {
        while let Some(request) = requests.next().await? {
            responses.send(&ChatResponseView { line: request.line, ..Default::default() }).await?;
        }
        Ok(())
    }
}

/// Uses streams where others use ends.
struct Streaming;

impl Greet for Streaming {
    async fn chat(
        &self,
        _: &mut Call,
        requests: Requests<'_, ChatRequest>,
        mut responses: Responses<'_, ChatResponse>,
    ) -> Result<()> {
        responses.send_all(Lines(requests.into_stream())).await
    }
}

struct Lines<S>(S);

impl<S: futures_core::Stream<Item = Result<ChatRequest>> + Unpin> futures_core::Stream for Lines<S> {
    type Item = Result<ChatResponse>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        let next = std::pin::Pin::new(&mut self.0).poll_next(cx);
        next.map_ok(|request| ChatResponse { line: request.line + "!", ..Default::default() })
    }
}

fn serving(service: impl Greet) -> Arc<Routes> {
    routes(Router::new().add(GreetServer::new(service)))
}

#[test]
fn unary() {
    let routes = serving(Greeter);
    let answer = json(&routes, "/greet.v1.Greet/Greet", r#"{"name":"Ada"}"#);
    assert_eq!((answer.status, &answer.body[..]), (200, &br#"{"greeting":"Hello, Ada!"}"#[..]));
    let answer = grpc(&routes, "/greet.v1.Greet/Greet", &[&text("Ada")]);
    assert_eq!(messages(&answer.body), [text("Hello, Ada!")]);
    assert_eq!(answer.trailer("grpc-status"), Some("0"));
}

#[test]
fn unary_error() {
    let routes = serving(Greeter);
    let answer = json(&routes, "/greet.v1.Greet/Greet", "{}");
    let want = br#"{"code":"invalid_argument","message":"a greeting needs a name"}"#;
    assert_eq!((answer.status, &answer.body[..]), (400, &want[..]));
    let answer = grpc(&routes, "/greet.v1.Greet/Greet", &[b""]);
    assert_eq!((answer.status, answer.header("grpc-status")), (200, Some("3")));
}

#[test]
fn unary_over_get() {
    let target = "/greet.v1.Greet/Greet?connect=v1&encoding=json&message=%7B%22name%22%3A%22Ada%22%7D";
    let head = Head::new(Method::Get, target, Version::Http2, Fields::new(&NAMES));
    let answer = now(serving(Greeter).answer(head, ""));
    assert_eq!((answer.status, &answer.body[..]), (200, &br#"{"greeting":"Hello, Ada!"}"#[..]));
}

#[test]
fn client_stream() {
    let routes = serving(Greeter);
    let answer = grpc(&routes, "/greet.v1.Greet/Collect", &[&text("Ada"), &text("Alan")]);
    assert_eq!(messages(&answer.body), [text("Hello, Ada and Alan!")]);
    let answer = grpc(&routes, "/greet.v1.Greet/Collect", &[]);
    assert_eq!(messages(&answer.body), [text("Hello, !")]);
}

#[test]
fn server_stream() {
    let routes = serving(Greeter);
    let answer = grpc(&routes, "/greet.v1.Greet/Spell", &[&text("Ada")]);
    assert_eq!(messages(&answer.body), [text("A"), text("d"), text("a")]);
    let answer = grpc(&routes, "/greet.v1.Greet/Spell", &[b""]);
    assert_eq!((&answer.body[..], answer.header("grpc-status")), (&b""[..], Some("0")));
}

#[test]
fn bidi_is_full_duplex() {
    let mut call = Driven::grpc(&serving(Greeter), "/greet.v1.Greet/Chat");
    call.poll();
    assert!(call.wants_input);
    assert_eq!(messages(&call.push(&text("ping")).body), [text("PING")]);
    assert_eq!(messages(&call.push(&text("pong")).body), [text("PING"), text("PONG")]);
    assert_eq!(call.end().grpc_status(), Some("0"));
}

#[test]
fn an_answer_can_be_borrowed_from_the_request() {
    let routes = serving(Borrowing);
    let answer = json(&routes, "/greet.v1.Greet/Greet", r#"{"name":"Ada"}"#);
    assert_eq!(&answer.body[..], br#"{"greeting":"Ada"}"#);
    let answer = grpc(&routes, "/greet.v1.Greet/Chat", &[&text("a"), &text("b")]);
    assert_eq!(messages(&answer.body), [text("a"), text("b")]);
}

#[test]
fn ends_are_streams_for_those_who_want_them() {
    let answer = grpc(&serving(Streaming), "/greet.v1.Greet/Chat", &[&text("a"), &text("b")]);
    assert_eq!(messages(&answer.body), [text("a!"), text("b!")]);
}

#[test]
fn a_stream_of_requests_ends_at_the_first_error() {
    struct Counting;
    impl Greet for Counting {
        async fn collect(&self, _: &mut Call, requests: Requests<'_, GreetRequest>) -> Result<GreetResponse> {
            let mut requests = std::pin::pin!(requests.into_stream());
            let mut seen = Vec::new();
            while let Some(request) =
                std::future::poll_fn(|cx| futures_core::Stream::poll_next(requests.as_mut(), cx)).await
            {
                seen.push(request.map_or("error".to_owned(), |request| request.name));
            }
            Ok(GreetResponse { greeting: seen.join(" "), ..Default::default() })
        }
    }
    let answer = grpc(&serving(Counting), "/greet.v1.Greet/Collect", &[&text("a"), b"\xff", &text("b")]);
    assert_eq!(messages(&answer.body), [text("a error")]);
}

#[test]
fn methods_that_are_not_written_are_unimplemented() {
    struct Nothing;
    impl Greet for Nothing {}
    let routes = serving(Nothing);
    for method in ["Greet", "Collect", "Spell", "Chat"] {
        let answer = grpc(&routes, &format!("/greet.v1.Greet/{method}"), &[b""]);
        assert_eq!(answer.header("grpc-status"), Some("12"), "{method}");
        let text = format!("greet.v1.Greet/{method} is not implemented");
        assert_eq!(answer.header("grpc-message"), Some(&text[..]));
    }
}

#[test]
fn one_request_means_exactly_one() {
    let routes = serving(Greeter);
    for (method, count) in [("Greet", 0), ("Greet", 2), ("Spell", 0), ("Spell", 2)] {
        let requests = vec![&b""[..]; count];
        let answer = grpc(&routes, &format!("/greet.v1.Greet/{method}"), &requests);
        assert_eq!(answer.header("grpc-status"), Some("12"), "{method} with {count} requests");
    }
}

#[test]
fn requests_that_are_no_messages_are_refused() {
    let routes = serving(Greeter);
    for method in ["Greet", "Collect", "Spell", "Chat"] {
        let answer = grpc(&routes, &format!("/greet.v1.Greet/{method}"), &[b"\x0a\x05abc"]);
        assert_eq!(answer.header("grpc-status"), Some("3"), "{method}");
    }
    let answer = json(&routes, "/greet.v1.Greet/Greet", r#"{"name":"#);
    assert_eq!(answer.status, 400);
}
