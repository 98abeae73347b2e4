//! Deadlines, under a clock that only the tests move.

use crate::greet::*;
use crate::support::{Driven, messages, pass, post, routes, text};
use ringwire_service::{Call, DeadlinePolicy, Requests, Responses, Result, Router, Routes};
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

/// Unary calls never end; a chat answers each line but those that say otherwise.
struct Slow;

impl Greet for Slow {
    async fn greet(&self, _: &mut Call, _: GreetRequestView<'_>) -> Result<GreetResponse> {
        pending().await
    }

    async fn collect(&self, _: &mut Call, mut requests: Requests<'_, GreetRequest>) -> Result<GreetResponse> {
        while requests.next().await?.is_some() {}
        pending().await
    }

    async fn chat(
        &self,
        _: &mut Call,
        mut requests: Requests<'_, ChatRequest>,
        mut responses: Responses<'_, ChatResponse>,
    ) -> Result<()> {
        while let Some(request) = requests.next().await? {
            match request.line {
                "swallow" => {}
                line => responses.send(&ChatResponseView { line, ..Default::default() }).await?,
            }
        }
        pending().await
    }
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn serving(policy: DeadlinePolicy) -> Arc<Routes> {
    routes(Router::new().add(GreetServer::new(Slow)).deadlines(policy))
}

fn bounded() -> DeadlinePolicy {
    DeadlinePolicy { min: Some(ms(10)), max: Some(ms(100)), default: Some(ms(50)), message_gap: None }
}

/// Starts a call whose client asks for `asked`, and expects it to end after `want` and not before.
#[track_caller]
fn check(method: &str, policy: DeadlinePolicy, asked: Option<&str>, want: u64) {
    let router = || Router::new().add(GreetServer::new(Slow)).deadlines(policy);
    for routes in [routes(router()), routes(router().intercept(pass))] {
        check_with(&routes, method, asked, want);
    }
}

#[track_caller]
fn check_with(routes: &Routes, method: &str, asked: Option<&str>, want: u64) {
    let mut head = post(format!("/greet.v1.Greet/{method}"), "application/grpc");
    if let Some(asked) = asked {
        head = head.with_field("grpc-timeout", asked);
    }
    let mut call = Driven::start(routes, head);
    call.poll().push(b"").end();
    assert!(!call.ended, "{method}");
    let start = call.now;
    assert_eq!(call.until, Some(start + ms(want)), "{method}");
    assert!(!call.pass(want - 1).ended, "{method}: one millisecond before");
    assert_eq!(call.pass(1).grpc_status(), Some("4"), "{method}");
    assert_eq!(call.until, None);
}

#[test]
fn every_shape_ends_when_its_time_is_up() {
    for method in ["Greet", "Collect", "Chat"] {
        check(method, DeadlinePolicy::default(), Some("20m"), 20);
        check(method, bounded(), Some("20m"), 20);
        check(method, bounded(), Some("1m"), 10);
        check(method, bounded(), Some("5H"), 100);
        check(method, bounded(), None, 50);
    }
}

#[test]
fn without_any_bound_a_call_may_wait_for_ever() {
    for method in ["Greet", "Collect", "Chat"] {
        let mut call =
            Driven::grpc(&serving(DeadlinePolicy::default()), &format!("/greet.v1.Greet/{method}"));
        call.poll().push(b"").end();
        assert_eq!(call.until, None);
        assert!(!call.pass(1_000_000_000).ended);
    }
}

#[test]
fn a_request_that_does_not_arrive_runs_out_too() {
    for method in ["Greet", "Collect", "Spell", "Chat"] {
        let mut call = Driven::grpc(&serving(bounded()), &format!("/greet.v1.Greet/{method}"));
        assert!(!call.poll().pass(49).ended);
        assert_eq!(call.pass(1).grpc_status(), Some("4"), "{method}");
    }
}

#[test]
fn a_time_of_nothing_runs_out_before_the_handler() {
    let head = post("/greet.v1.Greet/Greet", "application/json").with_field("connect-timeout-ms", "0");
    let mut call = Driven::start(&serving(DeadlinePolicy::default()), head);
    call.feed("{}".into());
    call.end();
    assert_eq!((call.status, call.ended), (Some(504), true));
    assert!(call.body.starts_with(br#"{"code":"deadline_exceeded""#));
}

#[test]
fn what_was_sent_before_the_deadline_is_kept() {
    let mut call = Driven::grpc(&serving(bounded()), "/greet.v1.Greet/Chat");
    call.poll().push(&text("a"));
    assert_eq!(call.pass(50).grpc_status(), Some("4"));
    assert_eq!(messages(&call.body), [text("a")]);
}

#[test]
fn the_policy_of_a_service_wins() {
    let quick = DeadlinePolicy { max: Some(ms(5)), ..DeadlinePolicy::default() };
    let router = Router::new().add(GreetServer::new(Slow).deadlines(quick)).deadlines(bounded());
    let mut call = Driven::grpc(&routes(router), "/greet.v1.Greet/Greet");
    assert_eq!(call.poll().pass(5).grpc_status(), Some("4"));
}

#[test]
fn a_stream_that_passes_no_message_for_too_long_ends() {
    let policy = DeadlinePolicy { message_gap: Some(ms(10)), ..DeadlinePolicy::default() };
    let routes = serving(policy);
    for line in ["answer", "swallow"] {
        let mut call = Driven::grpc(&routes, "/greet.v1.Greet/Chat");
        call.poll();
        for _ in 0..5 {
            assert!(!call.pass(9).push(&text(line)).ended, "{line}");
        }
        let now = call.now;
        assert_eq!(call.until, Some(now + ms(10)));
        assert!(!call.pass(9).ended);
        assert_eq!(call.pass(1).grpc_status(), Some("4"), "{line}");
    }
    let intercepted = Router::new().add(GreetServer::new(Slow)).deadlines(policy).intercept(pass);
    for routes in [routes, crate::support::routes(intercepted)] {
        let mut unary = Driven::grpc(&routes, "/greet.v1.Greet/Greet");
        assert!(!unary.poll().push(b"").end().pass(10).ended, "unary calls have no gaps");
    }
}
