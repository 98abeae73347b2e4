//! Handlers and encoders that panic: the client gets an answer in its protocol, and the server lives.

use crate::greet::*;
use crate::support::{Driven, grpc, json, messages, routes, text};
use bytes::BytesMut;
use ringwire_message::{EncodeError, Writable};
use ringwire_service::{
    Call, Encode, Error, Interceptor, Next, Panicked, Requests, Responses, Result, Router, Routes,
};
use std::future::pending;
use std::sync::{Arc, Mutex};

struct Clumsy;

/// Panics when it is dropped.
struct Fragile;

impl Drop for Fragile {
    fn drop(&mut self) {
        panic!("broken in the fall");
    }
}

/// Panics halfway through its bytes.
struct Halfway;

impl Encode<GreetResponse, Self> for Halfway {
    fn with<R>(&self, look: impl FnOnce(&dyn Writable) -> R) -> R {
        look(self)
    }
}

impl Writable for Halfway {
    fn full_name(&self) -> &'static str {
        "greet.v1.GreetResponse"
    }

    fn write_proto(&self, _: usize, out: &mut BytesMut) -> std::result::Result<(), EncodeError> {
        out.extend_from_slice(b"half");
        panic!("halfway");
    }

    fn write_json(&self, limit: usize, out: &mut BytesMut) -> std::result::Result<(), EncodeError> {
        self.write_proto(limit, out)
    }
}

async fn later() {
    let mut waited = false;
    std::future::poll_fn(|_| {
        if std::mem::replace(&mut waited, true) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
}

impl Greet for Clumsy {
    async fn greet(&self, _: &mut Call, request: GreetRequestView<'_>) -> Result<GreetResponse> {
        match request.name {
            "fragile" => {
                let _fragile = Fragile;
                pending::<()>().await;
            }
            "later" => later().await,
            "any" => std::panic::panic_any(7),
            _ => {}
        }
        panic!("the secret is {}", request.name)
    }

    async fn collect(&self, _: &mut Call, mut requests: Requests<'_, GreetRequest>) -> Result<GreetResponse> {
        requests.next().await?;
        panic!("static text")
    }

    async fn spell(
        &self,
        _: &mut Call,
        _: GreetRequestView<'_>,
        mut responses: Responses<'_, GreetResponse>,
    ) -> Result<()> {
        responses.send(&GreetResponse { greeting: "whole".into(), ..Default::default() }).await?;
        responses.send(&Halfway).await
    }

    async fn chat(
        &self,
        _: &mut Call,
        mut requests: Requests<'_, ChatRequest>,
        mut responses: Responses<'_, ChatResponse>,
    ) -> Result<()> {
        let _fragile = Fragile;
        while let Some(request) = requests.next().await? {
            responses.send(&ChatResponseView { line: request.line, ..Default::default() }).await?;
        }
        pending().await
    }
}

fn serving() -> Arc<Routes> {
    // The panics of these tests are meant; their texts would only be noise.
    static QUIET: std::sync::Once = std::sync::Once::new();
    QUIET.call_once(|| {
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let meant = ["the secret is", "static text", "halfway", "broken in the fall", "Box<dyn Any>"];
            let text = info.to_string();
            if !meant.iter().any(|meant| text.contains(meant)) {
                loud(info);
            }
        }));
    });
    routes(Router::new().add(GreetServer::new(Clumsy)))
}

#[test]
fn a_panic_is_internal_and_says_nothing() {
    let routes = serving();
    let answer = json(&routes, "/greet.v1.Greet/Greet", r#"{"name":"a"}"#);
    let want = br#"{"code":"internal","message":"internal error"}"#;
    assert_eq!((answer.status, &answer.body[..]), (500, &want[..]));
    for method in ["Greet", "Collect"] {
        let answer = grpc(&routes, &format!("/greet.v1.Greet/{method}"), &[b""]);
        assert_eq!((answer.status, answer.header("grpc-status")), (200, Some("13")), "{method}");
        assert_eq!(answer.header("grpc-message"), Some("internal error"));
    }
    assert_eq!(grpc(&routes, "/greet.v1.Greet/Greet", &[&text("any")]).header("grpc-status"), Some("13"));
    assert_eq!(routes.running(), 0);
}

#[test]
fn a_panic_after_a_wait_is_caught_too() {
    let mut call = Driven::grpc(&serving(), "/greet.v1.Greet/Greet");
    assert!(!call.push(&text("later")).end().ended);
    assert_eq!(call.poll().grpc_status(), Some("13"));
}

#[test]
fn a_stream_that_panics_keeps_what_was_sent() {
    let answer = grpc(&serving(), "/greet.v1.Greet/Spell", &[b""]);
    assert_eq!(messages(&answer.body), [text("whole")]);
    assert_eq!(answer.trailer("grpc-status"), Some("13"));
}

#[test]
fn a_panic_in_a_destructor_is_caught() {
    let routes = serving();
    let mut call = Driven::grpc(&routes, "/greet.v1.Greet/Greet");
    call.push(&text("fragile")).end();
    drop(call);
    let mut call = Driven::grpc(&routes, "/greet.v1.Greet/Chat");
    call.poll().push(&text("a"));
    drop(call);
    assert_eq!(routes.running(), 0);
}

#[test]
fn a_panic_in_the_destructor_of_what_a_call_holds_is_caught() {
    async fn leave_in_call(call: &mut Call, next: Next<'_>) -> Result<()> {
        call.extensions_mut().insert(Arc::new(Fragile));
        next.run(call).await
    }
    async fn leave_in_hook(call: &mut Call, next: Next<'_>) -> Result<()> {
        let fragile = Fragile;
        call.on_send(move |_| {
            let _ = &fragile;
            Ok(())
        });
        next.run(call).await
    }
    struct Sound;
    impl Greet for Sound {
        async fn greet(&self, call: &mut Call, _: GreetRequestView<'_>) -> Result<GreetResponse> {
            call.extensions_mut().get_or_insert_with(|| Arc::new(Fragile));
            Ok(GreetResponse::default())
        }
        async fn collect(&self, _: &mut Call, _: Requests<'_, GreetRequest>) -> Result<GreetResponse> {
            Ok(GreetResponse::default())
        }
    }
    serving();
    let router = || Router::new().add(GreetServer::new(Sound));
    for (routes, method, want) in [
        (routes(router().intercept(leave_in_call)), "Greet", "0"),
        (routes(router().intercept(leave_in_hook)), "Greet", "0"),
        (routes(router().intercept(leave_in_call)), "Collect", "0"),
        (routes(router().intercept(leave_in_hook)), "Collect", "0"),
        (routes(router()), "Greet", "0"),
    ] {
        let answer = grpc(&routes, &format!("/greet.v1.Greet/{method}"), &[b""]);
        let status = answer.header("grpc-status").or(answer.trailer("grpc-status"));
        assert_eq!(status, Some(want), "{method}");
        assert_eq!(routes.running(), 0);
    }
}

#[test]
fn interceptors_see_the_panic_of_a_handler() {
    struct See(Arc<Mutex<Option<Panicked>>>);
    impl Interceptor<Call> for See {
        async fn intercept(&self, call: &mut Call, next: Next<'_>) -> Result<()> {
            let error = next.run(call).await.unwrap_err();
            *self.0.lock().unwrap() = error.source().unwrap().downcast_ref::<Panicked>().cloned();
            Err(Error::unavailable("later"))
        }
    }
    serving();
    let seen = Arc::new(Mutex::new(None));
    let routes = routes(Router::new().add(GreetServer::new(Clumsy)).intercept(See(seen.clone())));
    let answer = grpc(&routes, "/greet.v1.Greet/Greet", &[&text("x")]);
    assert_eq!(answer.header("grpc-status"), Some("14"));
    assert_eq!(seen.lock().unwrap().take(), Some(Panicked("the secret is x".into())));
}

#[test]
fn a_panic_of_an_interceptor_is_caught() {
    serving();
    async fn fall(_: &mut Call, _: Next<'_>) -> Result<()> {
        panic!("static text")
    }
    let routes = routes(Router::new().add(GreetServer::new(Clumsy)).intercept(fall));
    for method in ["Greet", "Collect", "Spell", "Chat"] {
        let answer = grpc(&routes, &format!("/greet.v1.Greet/{method}"), &[b""]);
        assert_eq!(answer.header("grpc-status"), Some("13"), "{method}");
    }
}
