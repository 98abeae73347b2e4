//! The checked-in Rust of `greet/greet.proto`: a handler against the generated trait answers calls in memory.

/// The name by which the facade knows the crate of its messages, which is this one.
extern crate self as greet_messages;

#[path = "greet/messages.rs"]
mod messages;
#[path = "greet/services.rs"]
mod services;

pub use messages::*;

use ringwire_client::{Channel, Code};
use ringwire_local::LocalChannel;
use ringwire_service::{
    Call, Error, Idempotency, Requests, Response, Responses, Result, Router, Sent, Service, StreamShape,
    WholeResponse, post_head,
};
use services::greet::v1::*;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

#[derive(Debug)]
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
            // By nothing but the types of the package.
            names.push(request.to_owned_message()?.name);
        }
        Ok(GreetResponse { greeting: names.join(" and "), ..Default::default() })
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

/// Answers with what it was asked, without a copy.
#[derive(Debug)]
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
}

fn now<T>(future: impl IntoFuture<Output = T>) -> T {
    match pin!(future.into_future()).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("nothing here waits"),
    }
}

fn client(greet: impl Greet) -> GreetClient {
    GreetClient::new(Channel::local(GreetServer::new(greet)))
}

fn hello(name: &str) -> GreetRequest {
    GreetRequest { name: name.to_owned(), ..Default::default() }
}

fn greeting(text: &str) -> GreetResponse {
    GreetResponse { greeting: text.to_owned(), ..Default::default() }
}

fn answer(greet: impl Greet, method: &str, content_type: &str, body: impl Into<Vec<u8>>) -> WholeResponse {
    let routes = Router::new().add(GreetServer::new(greet)).build().expect("one service");
    let head = post_head(format!("/greet.v1.Greet/{method}"), content_type);
    now(routes.answer(head, body.into()))
}

fn check_json(greet: impl Greet, method: &str, body: &str, status: u16, expected: &str) {
    let response = answer(greet, method, "application/json", body);
    assert_eq!(response.status, status);
    assert_eq!(String::from_utf8_lossy(&response.body), expected);
}

/// The messages of `greet.proto` are one string each.
fn enveloped(texts: &[&str]) -> Vec<u8> {
    let message =
        |text: &&str| [&[0, 0, 0, 0, text.len() as u8 + 2, 10, text.len() as u8], text.as_bytes()].concat();
    texts.iter().flat_map(message).collect()
}

#[test]
fn a_unary_method_answers() {
    check_json(Greeter, "Greet", r#"{"name":"Ada"}"#, 200, r#"{"greeting":"Hello, Ada!"}"#);
    let refused = r#"{"code":"invalid_argument","message":"a greeting needs a name"}"#;
    check_json(Greeter, "Greet", "{}", 400, refused);
}

#[test]
fn the_form_that_writes_the_response_takes_its_place() {
    check_json(Borrowing, "Greet", r#"{"name":"Ada"}"#, 200, r#"{"greeting":"Ada"}"#);
}

#[test]
fn streams_answer() {
    let collected = answer(Greeter, "Collect", "application/grpc", enveloped(&["Ada", "Bob"]));
    assert_eq!(
        (&collected.body[..], collected.trailer("grpc-status")),
        (&enveloped(&["Ada and Bob"])[..], Some("0"))
    );
    let chatted = answer(Greeter, "Chat", "application/grpc", enveloped(&["hi", "you"]));
    assert_eq!(
        (&chatted.body[..], chatted.trailer("grpc-status")),
        (&enveloped(&["HI", "YOU"])[..], Some("0"))
    );
}

#[test]
fn a_method_that_is_not_written_is_unimplemented() {
    let answered = answer(Greeter, "Spell", "application/grpc", enveloped(&["Ada"]));
    let status = answered.trailer("grpc-status").or(answered.header("grpc-status"));
    assert_eq!((&answered.body[..], status), (&[][..], Some("12")));
    let expected = r#"{"code":"unimplemented","message":"greet.v1.Greet/Greet is not implemented"}"#;
    struct Nothing;
    impl Greet for Nothing {}
    check_json(Nothing, "Greet", "{}", 501, expected);
}

#[test]
fn a_client_calls_each_shape() {
    let greet = client(Greeter);
    assert_eq!(now(greet.greet(&hello("Ada"))).expect("greeted").greeting, "Hello, Ada!");
    // Views are sent like what they are views of, and received.
    let view = GreetRequestView { name: "Bob", ..Default::default() };
    assert_eq!(now(greet.greet(&view).view()).expect("greeted").greeting(), "Hello, Bob!");
    assert_eq!(now(greet.greet(&hello(""))).expect_err("refused").code(), Code::InvalidArgument);
    now(async {
        let mut collect = greet.collect().await.expect("begun");
        collect.send(&hello("Ada")).await.expect("sent");
        collect.send(&hello("Bob")).await.expect("sent");
        assert_eq!(collect.finish().await.expect("collected").greeting, "Ada and Bob");
    });
    now(async {
        let mut chat = greet.chat().await.expect("begun");
        let line = |line: &str| ChatRequest { line: line.to_owned(), ..Default::default() };
        chat.send(&line("hi")).await.expect("sent");
        assert_eq!(chat.next().await.expect("answered").expect("a line").line, "HI");
        chat.close_send().await.expect("closed");
        assert!(chat.next().await.expect("ended").is_none());
    });
    let mut spell = now(greet.spell(&hello("Ada"))).expect("begun");
    assert_eq!(now(spell.next()).expect_err("not written").code(), Code::Unimplemented);
}

#[test]
fn a_mock_answers_as_it_is_told_and_records() {
    let mock = MockGreet::new();
    let greet = GreetClient::new(Channel::local(&mock));
    mock.greet().returns(greeting("one")).fails(Error::unavailable("later")).returns(greeting("three"));
    assert_eq!(now(greet.greet(&hello("a")).header("x-team", "rings")).expect("told so").greeting, "one");
    assert_eq!(now(greet.greet(&hello("b"))).expect_err("told so").code(), Code::Unavailable);
    assert_eq!(now(greet.greet(&hello("c"))).expect("told so").greeting, "three");
    let unanswered = now(greet.greet(&hello("d"))).expect_err("no answer is left");
    assert_eq!(unanswered.code(), Code::Unimplemented);
    assert!(unanswered.message().starts_with("greet.v1.Greet/Greet was called"), "{unanswered}");
    mock.greet().answers(|asked| Ok(greeting(&asked.request().name.to_uppercase())));
    assert_eq!(now(greet.greet(&hello("e"))).expect("computed").greeting, "E");

    let asked = mock.greet().asked();
    let names: Vec<_> = asked.iter().map(|asked| asked.request().name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c", "d", "e"]);
    let teams = asked.iter().map(|asked| asked.headers.get("x-team").is_some());
    assert_eq!(teams.collect::<Vec<_>>(), [true, false, false, false, false]);
}

#[test]
fn a_mock_answers_streams() {
    let mock = MockGreet::new();
    let greet = GreetClient::new(Channel::local(&mock));
    mock.spell().fails_after([greeting("A"), greeting("d")], Error::data_loss("the rest is gone"));
    now(async {
        let mut spell = greet.spell(&hello("Ada")).await.expect("begun");
        assert_eq!(spell.next().await.expect("told so").expect("a letter").greeting, "A");
        assert_eq!(spell.next().await.expect("told so").expect("a letter").greeting, "d");
        assert_eq!(spell.next().await.expect_err("told so").code(), Code::DataLoss);
    });
    mock.collect().answers(|asked| Ok(greeting(&asked.requests.len().to_string())));
    now(async {
        let mut collect = greet.collect().await.expect("begun");
        collect.send(&hello("Ada")).await.expect("sent");
        collect.send(&hello("Bob")).await.expect("sent");
        assert_eq!(collect.finish().await.expect("counted").greeting, "2");
    });
    assert_eq!(mock.collect().asked()[0].requests, [hello("Ada"), hello("Bob")]);
    // A client may wait for answers before it says all that it has.
    let line = |line: &str| ChatResponse { line: line.to_owned(), ..Default::default() };
    mock.chat().returns([line("first")]);
    now(async {
        let mut chat = greet.chat().await.expect("begun");
        assert_eq!(chat.next().await.expect("told so").expect("a line").line, "first");
        chat.send(&ChatRequest { line: "second".to_owned(), ..Default::default() }).await.expect("sent");
        chat.close_send().await.expect("closed");
        assert!(chat.next().await.expect("ended").is_none());
    });
    assert_eq!(mock.chat().asked()[0].request().line, "second");
}

#[test]
fn specs_say_what_the_schema_says() {
    let specs = <GreetServer<Greeter> as Service>::METHODS;
    let shapes = specs.iter().map(|spec| (spec.procedure, spec.shape, spec.idempotency)).collect::<Vec<_>>();
    let expected = [
        ("/greet.v1.Greet/Greet", StreamShape::Unary, Idempotency::NoSideEffects),
        ("/greet.v1.Greet/Collect", StreamShape::ClientStream, Idempotency::Unknown),
        ("/greet.v1.Greet/Spell", StreamShape::ServerStream, Idempotency::Unknown),
        ("/greet.v1.Greet/Chat", StreamShape::Bidi, Idempotency::Unknown),
    ];
    assert_eq!(shapes, expected);
    assert_eq!(GreetClient::GREET.procedure, GreetServer::GREET.procedure);
    assert_eq!(<MockGreet as Service>::METHODS.len(), specs.len());
    let descriptor = GreetServer::GREET.descriptor.expect("descriptors are on");
    assert!(descriptor.method.starts_with(b"\n\x05Greet"));
    assert!(descriptor.files.starts_with(b"\n"));
}
