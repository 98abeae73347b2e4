//! Limits and the budget: each at, below and above.

use crate::greet::*;
use crate::support::{Driven, envelopes, grpc, json, messages, post, routes, text};
use ringwire_message::DecodeLimits;
use ringwire_service::{
    Budget, Call, Limits, Requests, Responses, Result, Router, Routes, Step, StreamShape,
};
use std::future::pending;
use std::sync::Arc;

/// Answers with as many letters as the request's name says, once or in every message.
struct Letters;

fn letters(count: &str) -> String {
    "x".repeat(count.trim_start_matches('.').parse().unwrap_or(0))
}

impl Greet for Letters {
    async fn greet(&self, _: &mut Call, request: GreetRequestView<'_>) -> Result<GreetResponse> {
        if request.name.starts_with('.') {
            return pending().await;
        }
        Ok(GreetResponse { greeting: letters(request.name), ..Default::default() })
    }

    async fn collect(&self, _: &mut Call, mut requests: Requests<'_, GreetRequest>) -> Result<GreetResponse> {
        let mut greeting = String::new();
        while let Some(request) = requests.next().await? {
            greeting = letters(request.name);
        }
        Ok(GreetResponse { greeting, ..Default::default() })
    }

    async fn spell(
        &self,
        _: &mut Call,
        request: GreetRequestView<'_>,
        mut responses: Responses<'_, GreetResponse>,
    ) -> Result<()> {
        responses.send(&GreetResponse { greeting: letters(request.name), ..Default::default() }).await
    }

    async fn chat(
        &self,
        _: &mut Call,
        mut requests: Requests<'_, ChatRequest>,
        mut responses: Responses<'_, ChatResponse>,
    ) -> Result<()> {
        while let Some(request) = requests.next().await? {
            let line = letters(request.line);
            if request.line.starts_with('.') {
                continue;
            }
            responses.send(&ChatResponse { line, ..Default::default() }).await?;
        }
        Ok(())
    }
}

const METHODS: [&str; 4] = ["Greet", "Collect", "Spell", "Chat"];

fn limits(receive_max: u32, send_max: u32) -> Limits {
    Limits { receive_max, send_max, ..Limits::default() }
}

fn status(routes: &Routes, method: &str, message: &[u8]) -> String {
    let answer = grpc(routes, &format!("/greet.v1.Greet/{method}"), &[message]);
    answer.header("grpc-status").or(answer.trailer("grpc-status")).unwrap().to_owned()
}

#[test]
fn received_messages_are_bounded() {
    let routes = routes(Router::new().add(GreetServer::new(Letters)).limits(limits(100, 1000)));
    for method in METHODS {
        for (len, want) in [(99, "0"), (100, "0"), (101, "8")] {
            // Two bytes are the field's tag and length; the name is a number by its first digit.
            let name = format!("{:0width$}", 1, width = len - 2);
            assert_eq!(status(&routes, method, &text(&name)), want, "{method} {len}");
        }
    }
}

#[test]
fn sent_messages_are_bounded() {
    let routes = routes(Router::new().add(GreetServer::new(Letters)).limits(limits(1000, 100)));
    for method in METHODS {
        for (count, want) in [("97", "0"), ("98", "0"), ("99", "8")] {
            assert_eq!(status(&routes, method, &text(count)), want, "{method} {count}");
        }
    }
    let answer = json(&routes, "/greet.v1.Greet/Greet", r#"{"name":"99"}"#);
    assert!((answer.status, answer.body.starts_with(br#"{"code":"resource_exhausted""#)) == (429, true));
}

#[test]
fn a_refused_send_leaves_the_stream_whole() {
    struct Insistent;
    impl Greet for Insistent {
        async fn spell(
            &self,
            _: &mut Call,
            _: GreetRequestView<'_>,
            mut responses: Responses<'_, GreetResponse>,
        ) -> Result<()> {
            for count in ["1", "99", "2"] {
                let large = GreetResponse { greeting: letters(count), ..Default::default() };
                let _ = responses.send(&large).await;
            }
            Ok(())
        }
    }
    let routes = routes(Router::new().add(GreetServer::new(Insistent)).limits(limits(1000, 100)));
    let answer = grpc(&routes, "/greet.v1.Greet/Spell", &[b""]);
    assert_eq!(messages(&answer.body), [text("x"), text("xx")]);
    assert_eq!(answer.trailer("grpc-status"), Some("0"));
}

#[test]
fn the_nearest_limit_wins() {
    let greet = GreetServer::new(Letters).limits(limits(50, 50)).method_limits("Chat", limits(10, 10));
    let routes = routes(Router::new().add(greet).limits(limits(1000, 1000)));
    for (method, max) in [("Greet", 50), ("Collect", 50), ("Spell", 50), ("Chat", 10)] {
        let name = |len: usize| format!("{:0width$}", 1, width = len - 2);
        assert_eq!(status(&routes, method, &text(&name(max))), "0", "{method}");
        assert_eq!(status(&routes, method, &text(&name(max + 1))), "8", "{method}");
    }
}

#[test]
fn decoding_is_bounded() {
    let strict = DecodeLimits { unknown_fields_max: 2, ..DecodeLimits::DEFAULT };
    for routes in [
        routes(Router::new().add(GreetServer::new(Letters)).decode_limits(strict)),
        routes(Router::new().add(GreetServer::new(Letters).decode_limits(strict))),
    ] {
        for method in METHODS {
            assert_eq!(status(&routes, method, &[0x10, 1].repeat(2)), "0", "{method}");
            assert_eq!(status(&routes, method, &[0x10, 1].repeat(3)), "8", "{method}");
        }
    }
}

#[test]
fn a_stream_that_has_broken_ends_with_what_broke_it() {
    struct Deaf;
    impl Greet for Deaf {
        async fn chat(
            &self,
            _: &mut Call,
            mut requests: Requests<'_, ChatRequest>,
            _: Responses<'_, ChatResponse>,
        ) -> Result<()> {
            while let Ok(Some(_)) = requests.next().await {}
            Ok(())
        }
    }
    let routes = routes(Router::new().add(GreetServer::new(Deaf)).limits(limits(10, 10)));
    assert_eq!(status(&routes, "Chat", &[0; 11]), "8");
}

/// Bytes of a call that are not drawn from the budget.
const FREE: usize = 4096;

fn budgeted(total: usize) -> (Arc<Routes>, Budget) {
    let budget = Budget::new(total);
    let routes = routes(Router::new().add(GreetServer::new(Letters)).budget(budget.clone()));
    (routes, budget)
}

/// A message of this many bytes in its envelope, that makes the handler wait.
fn waiting(len: usize) -> Vec<u8> {
    let message = text(&format!(".{:0width$}", 1, width = len - 5 - 3 - 1));
    assert_eq!(message.len() + 5, len);
    message
}

#[test]
fn calls_draw_what_they_have_received_and_give_it_back() {
    for method in METHODS {
        let (routes, budget) = budgeted(1000);
        let path = format!("/greet.v1.Greet/{method}");
        let head = || post(&path, "application/grpc");
        for (extra, drawn) in [(0, 0), (1, 1), (1000, 1000)] {
            // All but the last byte, so that no message is whole.
            let mut call = Driven::start(&routes, head());
            let bytes = envelopes(&[&waiting(FREE + extra + 1)]);
            call.feed(bytes.slice(..FREE + extra));
            call.poll();
            assert_eq!(budget.held(), drawn, "{method} {extra}");
            assert!(!call.ended);
            drop(call);
            assert_eq!(budget.held(), 0, "{method} {extra}");
        }
        let mut call = Driven::start(&routes, head());
        call.feed(envelopes(&[&waiting(FREE + 1002)]).slice(..FREE + 1001));
        assert_eq!(call.poll().grpc_status(), Some("8"), "{method}");
        drop(call);
        assert_eq!(budget.held(), 0, "{method}");
    }
}

#[test]
fn a_call_beside_one_that_holds_it_all_is_refused_until_that_one_ends() {
    let (routes, budget) = budgeted(1000);
    let mut large = Driven::grpc(&routes, "/greet.v1.Greet/Greet");
    large.push(&waiting(FREE + 1000)).end();
    assert!(budget.held() > 900 && !large.ended, "the handler looks at its request");
    let other = waiting(FREE + 200);
    assert_eq!(status(&routes, "Chat", &other), "8");
    drop(large);
    assert_eq!(status(&routes, "Chat", &other), "0");
    assert_eq!(budget.held(), 0);
}

#[test]
fn a_message_is_given_back_when_the_next_is_asked_for() {
    let (routes, budget) = budgeted(10_000);
    let mut call = Driven::grpc(&routes, "/greet.v1.Greet/Chat");
    for _ in 0..5 {
        call.poll().push(&waiting(FREE + 6_000));
        assert_eq!(budget.held(), 0, "the handler waits for the next message");
    }
    assert_eq!(call.end().grpc_status(), Some("0"));
}

#[test]
fn responses_draw_until_they_have_left() {
    let (routes, budget) = budgeted(10_000);
    for method in METHODS {
        let mut call = Driven::grpc(&routes, &format!("/greet.v1.Greet/{method}"));
        call.feed(envelopes(&[&text("9000")]));
        call.feed_end();
        let (step, len) = call.step();
        assert!(matches!(step, Step::Head(200)) && len > 9000, "{method}");
        assert!(budget.held() >= 9000 - FREE, "{method}");
        call.flight().handle_sent(1000);
        assert_eq!(budget.held(), len - 1000 - FREE, "{method}: unsent bytes count");
        while !call.ended {
            call.step();
        }
        assert_eq!(budget.held(), len - 1000 - FREE, "{method}: after the end too");
        call.flight().handle_sent(len - 1000);
        assert_eq!(budget.held(), 0, "{method}");
        assert_eq!(status(&routes, method, &text("15000")), "8", "{method}");
        assert_eq!(budget.held(), 0, "{method}");
    }
}

#[test]
fn shapes_are_what_the_tests_take_them_for() {
    let (routes, _) = budgeted(0);
    let shapes: Vec<_> = routes.methods().map(|spec| spec.shape).collect();
    use StreamShape::{Bidi, ClientStream, ServerStream, Unary};
    assert_eq!(shapes, [Unary, ClientStream, ServerStream, Bidi]);
}
