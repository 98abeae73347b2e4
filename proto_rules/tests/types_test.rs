//! Generated crates in use: every layout of libraries, and types that all users of a library share.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)] // A test's way to fail.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use greet_rust::ringwire::tests::common::Model;
use greet_rust::ringwire::tests::greet::{Greet, GreetRequestView, GreetServer};
use ringwire_client::Channel;
use ringwire_local::LocalChannel;
use ringwire_service::{Call, Result, Router, post_head};

struct Greeter;

impl Greet for Greeter {
    async fn greet(&self, _: &mut Call, request: GreetRequestView<'_>) -> Result<Model> {
        Ok(Model { name: format!("Hello, {}!", request.who.name), ..Default::default() })
    }
}

#[test]
fn a_service_answers_with_messages_of_other_libraries() {
    let routes = Router::new().add(GreetServer::new(Greeter)).build().unwrap();
    let head = post_head("/ringwire.tests.greet.Greet/Greet", "application/json");
    let response = now(routes.answer(head, r#"{"who":{"name":"Ada"}}"#));
    assert_eq!((response.status, &response.body[..]), (200, br#"{"name":"Hello, Ada!"}"#.as_slice()));
}

#[test]
fn the_sides_of_a_service_may_come_from_two_libraries() {
    use greet_client::ringwire::tests::greet::{GreetClient, GreetRequest, MockGreet};
    use greet_server::ringwire::tests::greet as server;
    struct Echo;
    impl server::Greet for Echo {
        async fn greet(&self, _: &mut Call, request: GreetRequestView<'_>) -> Result<Model> {
            Ok(Model { name: request.who.name.to_owned(), ..Default::default() })
        }
    }
    let who = Model { name: "Ada".to_owned(), ..Default::default() };
    let request = GreetRequest { who: who.clone().into(), ..Default::default() };
    let called = |channel| now(GreetClient::new(channel).greet(&request).into_future()).unwrap().name.clone();
    assert_eq!(called(Channel::local(server::GreetServer::new(Echo))), "Ada");

    let mock = MockGreet::new();
    mock.greet().returns(Model { name: "Bob".to_owned(), ..Default::default() });
    assert_eq!(called(Channel::local(&mock)), "Bob");
    assert_eq!(*mock.greet().asked()[0].request().who, who);
}

fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("nothing here waits"),
    }
}

#[test]
fn two_targets_over_a_library_have_one_set_of_types() {
    use forwarded_rust::ringwire::tests::greet as forwarded;
    use greet_models::ringwire::tests::greet as models;
    let who = Model { name: "Ada".to_owned(), ..Default::default() };
    let request: models::GreetRequest = forwarded::GreetRequest { who: who.into(), ..Default::default() };
    assert_eq!(request.who.name, "Ada");
}

#[test]
fn a_library_without_sources_brings_the_services_of_its_deps() {
    use forwarded_rust::ringwire::tests::greet::GreetServer;
    assert_eq!(GreetServer::GREET.procedure, "/ringwire.tests.greet.Greet/Greet");
}

#[test]
fn files_may_be_imported_by_other_paths_and_made_while_building() {
    use made_rust::ringwire::tests::{made::Made, prefixed::Prefixed, stripped::Stripped};
    let stripped = Stripped { number: 3, ..Default::default() };
    let prefixed = Prefixed { stripped: stripped.into(), ..Default::default() };
    let made = Made { prefixed: prefixed.into(), ..Default::default() };
    assert_eq!(made.prefixed.stripped.number, 3);
}

#[test]
fn names_that_are_no_rust_names_get_along() {
    use names::ringwire::tests::names::{Dot, Hyphen, Line, Type};
    let here = [Dot::default().here, Hyphen::default().here, Line::default().here, Type::default().here];
    assert_eq!(here, [false; 4]);
}

#[test]
fn a_library_can_ask_for_less() {
    use lean_rust::ringwire::tests::lean::Lean;
    // No field for what the schema does not know, and none is hidden.
    let Lean { body } = Lean { body: b"ab".to_vec() };
    assert_eq!(body, b"ab");
}
