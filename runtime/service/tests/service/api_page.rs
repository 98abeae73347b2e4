//! The server's half of the page that says what a user types, as it stands there.

use crate::greet::*;
use crate::support::{grpc, json, messages, now, post, routes, text};
use ringwire_service::{Call, Code, Error, KIB, Limits, Next, Requests, Responses, Result, Router, Routes};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

struct Greeter;

impl Greet for Greeter {
    async fn greet(&self, _: &mut Call, request: GreetRequestView<'_>) -> Result<GreetResponse> {
        if request.name.is_empty() {
            return Err(Error::invalid_argument("a greeting needs a name"));
        }
        Ok(GreetResponse { greeting: format!("Hello, {}!", request.name), ..Default::default() })
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

static LOG: Mutex<Vec<(&str, Option<Code>)>> = Mutex::new(Vec::new());

fn log(procedure: &'static str, _: Duration, outcome: &Result<()>) {
    LOG.lock().unwrap().push((procedure, outcome.as_ref().err().map(Error::code)));
}

fn router() -> Router {
    Router::new()
        .add(GreetServer::new(Greeter).limits(Limits { receive_max: 64 * KIB, ..Limits::default() }))
        // The page has `|call: &mut Call, next: Next<'_>| async move { … }`, which the borrow checker
        // refuses.
        .intercept(async |call: &mut Call, next: Next<'_>| {
            let started = Instant::now();
            let outcome = next.run(call).await;
            log(call.spec().procedure(), started.elapsed(), &outcome);
            outcome
        })
}

/// What an async test would await: no port, no sleep, the same bytes on the absent wire.
fn serving() -> Arc<Routes> {
    routes(router())
}

#[test]
fn the_page_works_as_it_reads() {
    let routes = serving();
    let answer = json(&routes, "/greet.v1.Greet/Greet", r#"{"name":"Ada"}"#);
    assert_eq!(&answer.body[..], br#"{"greeting":"Hello, Ada!"}"#);
    let answer = grpc(&routes, "/greet.v1.Greet/Chat", &[&text("hi")]);
    assert_eq!(messages(&answer.body), [text("HI")]);
    let head = post("/greet.v1.Greet/Greet", "application/proto");
    assert_eq!(now(routes.answer(head.clone(), "")).status, Code::InvalidArgument.http_status());
    assert_eq!(now(routes.answer(head, vec![0; 64 * KIB as usize + 1])).status, 429);
    let want = [
        ("/greet.v1.Greet/Greet", None),
        ("/greet.v1.Greet/Chat", None),
        ("/greet.v1.Greet/Greet", Some(Code::InvalidArgument)),
        ("/greet.v1.Greet/Greet", Some(Code::ResourceExhausted)),
    ];
    assert_eq!(*LOG.lock().unwrap(), want);
}
