//! Code around calls of every shape.

use crate::greet::*;
use crate::support::{Driven, grpc, json, messages, pass, routes, text};
use ringwire_service::{
    Call, Code, Error, Interceptor, Interceptors, Limits, Mounted, Next, Payload, Requests, Responses,
    Result, Router, Service, with,
};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

struct Echo;

impl Greet for Echo {
    async fn greet(&self, _: &mut Call, request: GreetRequestView<'_>) -> Result<GreetResponse> {
        Ok(GreetResponse { greeting: request.name.to_owned(), ..Default::default() })
    }

    async fn collect(&self, _: &mut Call, mut requests: Requests<'_, GreetRequest>) -> Result<GreetResponse> {
        let mut greeting = String::new();
        while let Some(request) = requests.next().await? {
            greeting += request.name;
        }
        Ok(GreetResponse { greeting, ..Default::default() })
    }

    async fn spell(
        &self,
        _: &mut Call,
        request: GreetRequestView<'_>,
        mut responses: Responses<'_, GreetResponse>,
    ) -> Result<()> {
        responses.send(&GreetResponseView { greeting: request.name, ..Default::default() }).await
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

const METHODS: [&str; 4] = ["Greet", "Collect", "Spell", "Chat"];

fn path(method: &str) -> String {
    format!("/greet.v1.Greet/{method}")
}

/// Writes its name down on the way in and on the way out.
#[derive(Clone)]
struct Named(&'static str, Arc<Mutex<Vec<String>>>);

impl Interceptor<Call> for Named {
    async fn intercept(&self, call: &mut Call, next: Next<'_>) -> Result<()> {
        self.1.lock().unwrap().push(format!("{} {}", self.0, call.spec().method()));
        let outcome = next.run(call).await;
        self.1.lock().unwrap().push(format!("{} {}", self.0, outcome.is_ok()));
        outcome
    }
}

#[test]
fn chains_nest_in_the_order_in_which_they_were_added() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let named = |name| Named(name, log.clone());
    let mut list = Interceptors::new();
    list.push(named("c1"));
    list.push(named("c2"));
    let greet = GreetServer::new(Echo).intercept(named("s1")).intercept(list).intercept(named("s2"));
    let router = Router::new().intercept(named("r1")).add(greet).intercept(named("r2"));
    let routes = routes(router);
    for method in METHODS {
        assert_eq!(messages(&grpc(&routes, &path(method), &[&text("a")]).body), [text("a")]);
        let log = std::mem::take(&mut *log.lock().unwrap());
        let names = ["r1", "r2", "s1", "c1", "c2", "s2"];
        let going_in = names.iter().map(|name| format!("{name} {method}"));
        let coming_out = names.iter().rev().map(|name| format!("{name} true"));
        assert_eq!(log, going_in.chain(coming_out).collect::<Vec<_>>());
    }
}

#[test]
fn a_closure_is_an_interceptor() {
    let router =
        Router::new().add(GreetServer::new(Echo)).intercept(async |call: &mut Call, next: Next<'_>| {
            let outcome = next.run(call).await;
            let method = call.spec().method();
            call.response_trailers_mut().insert("seen", method)?;
            outcome
        });
    let routes = routes(router);
    for method in METHODS {
        assert_eq!(grpc(&routes, &path(method), &[&text("a")]).trailer("seen"), Some(method));
    }
}

#[test]
fn a_closure_can_have_a_state() {
    let count = Arc::new(AtomicUsize::new(0));
    let counting = with(count.clone(), async |count: &Arc<AtomicUsize>, call: &mut Call, next: Next<'_>| {
        count.fetch_add(1, Ordering::Relaxed);
        next.run(call).await
    });
    let routes = routes(Router::new().add(GreetServer::new(Echo)).intercept(counting));
    for method in METHODS {
        grpc(&routes, &path(method), &[&text("a")]);
    }
    assert_eq!(count.load(Ordering::Relaxed), 4);
}

#[test]
fn a_function_is_an_interceptor() {
    async fn refuse(_: &mut Call, _: Next<'_>) -> Result<()> {
        Err(Error::unauthenticated("no"))
    }
    for routes in [
        routes(Router::new().add(GreetServer::new(Echo)).intercept(refuse)),
        routes(Router::new().add(GreetServer::new(Echo).intercept(refuse))),
    ] {
        for method in METHODS {
            assert_eq!(grpc(&routes, &path(method), &[b""]).header("grpc-status"), Some("16"), "{method}");
        }
        assert_eq!(json(&routes, "/greet.v1.Greet/Greet", "{}").status, 401);
    }
}

#[test]
fn a_call_is_refused_before_its_first_message() {
    async fn refuse(_: &mut Call, _: Next<'_>) -> Result<()> {
        Err(Error::permission_denied("not you"))
    }
    for routes in [
        routes(Router::new().add(GreetServer::new(Echo)).intercept(refuse)),
        routes(Router::new().add(GreetServer::new(Echo).intercept(refuse))),
    ] {
        for method in METHODS {
            let mut call = Driven::grpc(&routes, &path(method));
            assert_eq!(call.poll().grpc_status(), Some("7"), "{method}");
        }
    }
}

#[test]
fn an_interceptor_sees_what_was_wrong_with_the_request() {
    let codes = Arc::new(Mutex::new(Vec::new()));
    let log = with(codes.clone(), async |codes: &Arc<Mutex<Vec<Code>>>, call: &mut Call, next: Next<'_>| {
        let outcome = next.run(call).await;
        codes.lock().unwrap().extend(outcome.as_ref().err().map(Error::code));
        outcome
    });
    let limits = Limits { receive_max: 1, ..Limits::default() };
    let routes = routes(Router::new().add(GreetServer::new(Echo)).intercept(log).limits(limits));
    for method in METHODS {
        grpc(&routes, &path(method), &[b"ab"]);
        assert_eq!(std::mem::take(&mut *codes.lock().unwrap()), [Code::ResourceExhausted], "{method}");
    }
}

#[test]
fn headers_of_one_response_can_be_changed_until_the_interceptors_are_done() {
    let router =
        Router::new().add(GreetServer::new(Echo)).intercept(async |call: &mut Call, next: Next<'_>| {
            let outcome = next.run(call).await;
            let changed =
                call.response_headers_mut().and_then(|mut headers| Ok(headers.insert("took", "1")?));
            let is_one = call.spec().shape.has_one_response();
            assert_eq!(changed.is_ok(), is_one, "the headers of a stream have left with its first message");
            outcome
        });
    for routes in [routes(router.clone()), routes(router.intercept(Cached))] {
        for (method, want) in METHODS.into_iter().zip([Some("1"), Some("1"), None, None]) {
            let answer = grpc(&routes, &path(method), &[&text("a")]);
            assert_eq!(answer.header("took"), want, "{method}");
            assert_eq!(answer.trailer("grpc-status"), Some("0"), "{method}");
        }
    }
}

/// Answers without the handler.
struct Cached;

impl Interceptor<Call> for Cached {
    async fn intercept(&self, call: &mut Call, next: Next<'_>) -> Result<()> {
        call.response_headers_mut()?.insert("cache", "hit")?;
        match call.spec().method() {
            "Chat" => next.reply(call, &ChatResponse { line: "cached".into(), ..Default::default() }),
            _ => next.reply(call, &GreetResponse { greeting: "cached".into(), ..Default::default() }),
        }
    }
}

#[test]
fn an_interceptor_can_answer_in_place_of_the_handler() {
    for routes in [
        routes(Router::new().add(GreetServer::new(Echo)).intercept(Cached)),
        routes(Router::new().add(GreetServer::new(Echo).intercept(Cached))),
        routes(Router::new().add(GreetServer::new(Echo).intercept(Cached)).intercept(pass)),
    ] {
        for method in METHODS {
            let answer = grpc(&routes, &path(method), &[&text("a")]);
            assert_eq!(messages(&answer.body), [text("cached")], "{method}");
            assert_eq!(answer.header("cache"), Some("hit"));
        }
    }
}

#[test]
fn ending_well_without_the_one_response_is_an_error() {
    let router =
        Router::new().add(GreetServer::new(Echo)).intercept(async |_: &mut Call, _: Next<'_>| Ok(()));
    let routes = routes(router);
    for (method, want) in [("Greet", "13"), ("Collect", "13"), ("Spell", "0"), ("Chat", "0")] {
        let answer = grpc(&routes, &path(method), &[b""]);
        assert_eq!(answer.header("grpc-status"), Some(want), "{method}");
    }
}

#[test]
fn the_cause_of_an_error_is_there_for_interceptors() {
    struct Broken;
    impl Greet for Broken {
        async fn greet(&self, _: &mut Call, _: GreetRequestView<'_>) -> Result<GreetResponse> {
            Err(std::io::Error::other("disk on fire"))?
        }
    }
    struct Expose;
    impl Interceptor<Call> for Expose {
        async fn intercept(&self, call: &mut Call, next: Next<'_>) -> Result<()> {
            let error = next.run(call).await.unwrap_err();
            let cause = error.source().unwrap().downcast_ref::<std::io::Error>().unwrap();
            assert_eq!(cause.to_string(), "disk on fire");
            Err(error.expose())
        }
    }
    let routes = routes(Router::new().add(GreetServer::new(Broken)).intercept(Expose));
    let answer = grpc(&routes, "/greet.v1.Greet/Greet", &[b""]);
    assert_eq!(answer.header("grpc-message"), Some("disk on fire"));
}

/// Marks what passes, and counts what it has seen.
#[derive(Clone)]
struct Marks(&'static str, Arc<AtomicUsize>);

impl Marks {
    fn mark(&self, payload: &mut Payload<'_>) -> Result<()> {
        self.1.fetch_add(1, Ordering::Relaxed);
        let mark = self.0;
        match payload.full_name() {
            "greet.v1.GreetRequest" => {
                let name = format!("{}{mark}", payload.view::<GreetRequest>()?.name);
                payload.replace(&GreetRequest { name, ..Default::default() })
            }
            "greet.v1.GreetResponse" => {
                let greeting = payload.message::<GreetResponse>()?.greeting + mark;
                payload.replace(&GreetResponse { greeting, ..Default::default() })
            }
            "greet.v1.ChatRequest" => {
                let line = format!("{}{mark}", payload.view::<ChatRequest>()?.line);
                payload.replace(&ChatRequest { line, ..Default::default() })
            }
            _ => {
                let line = format!("{}{mark}", payload.view::<ChatResponse>()?.line);
                payload.replace(&ChatResponse { line, ..Default::default() })
            }
        }
    }
}

impl Interceptor<Call> for Marks {
    async fn intercept(&self, call: &mut Call, next: Next<'_>) -> Result<()> {
        let (receive, send) = (self.clone(), self.clone());
        call.on_receive(move |payload| receive.mark(payload));
        call.on_send(move |payload| send.mark(payload));
        next.run(call).await
    }
}

#[test]
fn messages_are_replaced_as_they_pass() {
    let seen = Arc::new(AtomicUsize::new(0));
    let router = Router::new().add(GreetServer::new(Echo)).intercept(Marks("1", seen.clone()));
    let routes = routes(router.intercept(Marks("2", seen.clone())));
    for method in METHODS {
        let answer = grpc(&routes, &path(method), &[&text("a")]);
        assert_eq!(messages(&answer.body), [text("a1221")], "{method}");
        assert_eq!(seen.swap(0, Ordering::Relaxed), 4);
    }
    let answer = json(&routes, "/greet.v1.Greet/Greet", r#"{"name":"a"}"#);
    assert_eq!(&answer.body[..], br#"{"greeting":"a1221"}"#);
    let answer = grpc(&routes, "/greet.v1.Greet/Chat", &[&text("a"), &text("b")]);
    assert_eq!(messages(&answer.body), [text("a1221"), text("b1221")]);
}

#[test]
fn replies_of_interceptors_pass_those_outside_of_them() {
    let seen = Arc::new(AtomicUsize::new(0));
    let router = Router::new().add(GreetServer::new(Echo)).intercept(Marks("1", seen)).intercept(Cached);
    let routes = routes(router);
    for method in METHODS {
        assert_eq!(messages(&grpc(&routes, &path(method), &[b""]).body), [text("cached1")], "{method}");
    }
}

#[test]
fn an_error_of_a_hook_ends_the_call() {
    struct Refuse(bool);
    impl Interceptor<Call> for Refuse {
        async fn intercept(&self, call: &mut Call, next: Next<'_>) -> Result<()> {
            let refuse = |_: &mut Payload<'_>| Err(Error::failed_precondition("no"));
            if self.0 {
                call.on_receive(refuse);
            } else {
                call.on_send(refuse);
            }
            next.run(call).await
        }
    }
    for receive in [true, false] {
        let routes = routes(Router::new().add(GreetServer::new(Echo)).intercept(Refuse(receive)));
        for method in METHODS {
            assert_eq!(grpc(&routes, &path(method), &[b""]).header("grpc-status"), Some("9"), "{method}");
        }
    }
}

#[test]
fn a_handler_cannot_look_away_from_a_hooks_error() {
    struct Deaf;
    impl Greet for Deaf {
        async fn collect(
            &self,
            _: &mut Call,
            mut requests: Requests<'_, GreetRequest>,
        ) -> Result<GreetResponse> {
            while let Ok(Some(_)) = requests.next().await {}
            Ok(GreetResponse::default())
        }
    }
    struct Refuse;
    impl Interceptor<Call> for Refuse {
        async fn intercept(&self, call: &mut Call, next: Next<'_>) -> Result<()> {
            call.on_receive(|_| Err(Error::failed_precondition("no")));
            next.run(call).await
        }
    }
    let routes = routes(Router::new().add(GreetServer::new(Deaf)).intercept(Refuse));
    let answer = grpc(&routes, "/greet.v1.Greet/Collect", &[b""]);
    assert_eq!(answer.header("grpc-status").or(answer.trailer("grpc-status")), Some("9"));
}

#[test]
fn a_hook_that_does_not_look_decodes_nothing() {
    struct Sizes(Arc<AtomicUsize>);
    impl Interceptor<Call> for Sizes {
        async fn intercept(&self, call: &mut Call, next: Next<'_>) -> Result<()> {
            let seen = self.0.clone();
            call.on_receive(move |payload| {
                assert_eq!(payload.codec(), "proto");
                seen.fetch_add(payload.encoded()?.len(), Ordering::Relaxed);
                Ok(())
            });
            next.run(call).await
        }
    }
    let seen = Arc::new(AtomicUsize::new(0));
    let routes = routes(Router::new().add(GreetServer::new(Echo)).intercept(Sizes(seen.clone())));
    // The bytes are no message, which only the decoder can tell, and it comes after the hook.
    let answer = grpc(&routes, "/greet.v1.Greet/Greet", &[b"\x0a\x05abc"]);
    assert_eq!((answer.header("grpc-status"), seen.load(Ordering::Relaxed)), (Some("3"), 5));
}

#[test]
fn a_message_of_another_type_is_no_replacement() {
    struct Wrong;
    impl Interceptor<Call> for Wrong {
        async fn intercept(&self, call: &mut Call, next: Next<'_>) -> Result<()> {
            call.on_receive(|payload| payload.replace(&ChatRequest::default()));
            next.run(call).await
        }
    }
    let routes = routes(Router::new().add(GreetServer::new(Echo)).intercept(Wrong));
    assert_eq!(grpc(&routes, "/greet.v1.Greet/Greet", &[b""]).header("grpc-status"), Some("13"));
}

#[test]
fn a_mounted_service_can_be_named() {
    fn name<S: Service>(_: &Mounted<S>) -> &'static str {
        S::NAME
    }
    assert_eq!(name(&GreetServer::new(Echo).intercept(Cached)), "greet.v1.Greet");
}
