//! What an observer is told, and what goes to `tracing` where there is none.

use crate::greet::*;
use crate::support::{Driven, grpc, json, now, post, routes, text};
use ringwire_call::{CallEnded, CallOutcome, Observed, ObservedId, Traffic};
use ringwire_service::{Call, Head, Observer, Requests, Responses, Result, Router, Routes};
use std::fmt::{self, Write};
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};

/// Answers, fails, panics or waits, as the request's name says.
struct Moody;

impl Greet for Moody {
    async fn greet(&self, _: &mut Call, request: GreetRequestView<'_>) -> Result<GreetResponse> {
        match request.name {
            "fail" => Err(std::io::Error::other("disk on fire"))?,
            "panic" => panic!("out of paper"),
            "wait" => std::future::pending().await,
            name => Ok(GreetResponse { greeting: name.to_owned(), ..Default::default() }),
        }
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

fn timed() -> Head {
    post("/greet.v1.Greet/Greet", "application/grpc").with_field("grpc-timeout", "5m")
}

/// Writes down what it is told.
#[derive(Clone, Default)]
struct Log {
    lines: Arc<Mutex<Vec<String>>>,
    /// The calls that have begun and not ended.
    open: Arc<Mutex<Vec<ObservedId>>>,
}

impl Log {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.lines.lock().unwrap())
    }
}

impl Observer for Log {
    fn on(&self, event: &Observed<'_>) {
        let line = match event {
            Observed::CallBegun(call) => {
                self.open.lock().unwrap().push(call.id);
                assert_eq!(call.head.map(|head| head.path()), Some(call.path));
                format!("begun {} {}", call.path, call.spec.is_some())
            }
            Observed::CallEnded(call) => {
                assert_eq!(self.open.lock().unwrap().pop(), Some(call.id), "a call ends as what it began");
                show(call)
            }
            other => panic!("a server in memory has no {other:?}"),
        };
        self.lines.lock().unwrap().push(line);
    }
}

fn show(call: &CallEnded<'_>) -> String {
    let form = call
        .protocol
        .zip(call.codec)
        .map_or(String::new(), |(protocol, codec)| format!(" {protocol} {codec}"));
    let outcome = match call.outcome {
        CallOutcome::Ok => "ok".to_owned(),
        CallOutcome::Failed(error) => {
            format!(
                "failed {} {}",
                error.code().as_str(),
                error.source().map_or(String::new(), |cause| cause.to_string())
            )
        }
        CallOutcome::Refused(error) => format!("refused {}", error.code().as_str()),
        CallOutcome::RefusedByHttp(status) => format!("refused {status}"),
        CallOutcome::Cancelled => "cancelled".to_owned(),
    };
    let traffic = |Traffic { bytes, messages }| format!("{messages}/{bytes}");
    format!("ended{form} {outcome} {} {}", traffic(call.received), traffic(call.sent))
}

fn observed() -> (Arc<Routes>, Log) {
    let log = Log::default();
    (routes(Router::new().add(GreetServer::new(Moody)).observe(log.clone())), log)
}

#[test]
fn an_observer_is_told_of_every_call_and_how_it_ended() {
    let (routes, log) = observed();
    for (name, end) in [
        ("Ada", "ended grpc proto ok 1/10 1/10"),
        ("fail", "ended grpc proto failed internal disk on fire 1/11 0/0"),
        ("panic", "ended grpc proto failed internal the handler panicked: out of paper 1/12 0/0"),
    ] {
        grpc(&routes, "/greet.v1.Greet/Greet", &[&text(name)]);
        assert_eq!(log.take(), ["begun /greet.v1.Greet/Greet true", end]);
    }
}

#[test]
fn calls_that_run_at_once_end_as_what_they_began() {
    let (routes, log) = observed();
    let [mut first, mut second] = [(); 2].map(|()| Driven::grpc(&routes, "/greet.v1.Greet/Greet"));
    second.push(&text("second")).end();
    first.push(&text("1")).end();
    let ends: Vec<_> = log.take().into_iter().skip(2).collect();
    assert_eq!(ends, ["ended grpc proto ok 1/13 1/13", "ended grpc proto ok 1/8 1/8"]);
    assert!(log.open.lock().unwrap().is_empty());
}

#[test]
fn refused_calls_are_told_too() {
    let (routes, log) = observed();
    let greet = "/greet.v1.Greet/Greet";
    for (head, begun, end) in [
        (post("/nowhere", "application/grpc"), "begun /nowhere false", "ended refused unimplemented 0/0 0/0"),
        (post(greet, "text/html"), "begun /greet.v1.Greet/Greet true", "ended refused 415 0/0 0/0"),
        (
            post(greet, "application/grpc").with_field("grpc-timeout", "soon"),
            "begun /greet.v1.Greet/Greet true",
            "ended refused invalid_argument 0/0 0/0",
        ),
    ] {
        now(routes.answer(head, ""));
        assert_eq!(log.take(), [begun, end]);
    }
}

#[test]
fn a_call_that_nobody_waits_for_is_told_as_cancelled() {
    let (routes, log) = observed();
    let mut call = Driven::grpc(&routes, "/greet.v1.Greet/Greet");
    call.push(&text("wait")).end();
    call.flight = None;
    assert_eq!(log.take()[1..], ["ended grpc proto cancelled 1/11 0/0"]);
    let mut call = Driven::grpc(&routes, "/greet.v1.Greet/Greet");
    call.push(&text("Ad")[..3]);
    call.flight = None;
    assert_eq!(log.take()[1..], ["ended grpc proto cancelled 0/8 0/0"], "before the request is whole");
    let mut call = Driven::grpc(&routes, "/greet.v1.Greet/Chat");
    call.push(&text("Ada"));
    call.flight = None;
    assert_eq!(log.take()[1..], ["ended grpc proto cancelled 1/10 1/10"], "while it streams");
}

#[test]
fn a_call_whose_time_runs_out_has_failed_once_its_handler_has_begun_and_is_refused_before() {
    let (routes, log) = observed();
    let mut call = Driven::start(&routes, timed());
    call.push(&text("wait")).end().pass(5);
    assert_eq!(log.take()[1..], ["ended grpc proto failed deadline_exceeded  1/11 0/0"]);
    let mut call = Driven::start(&routes, timed());
    call.push(&text("wait")).pass(5);
    assert_eq!(log.take()[1..], ["ended grpc proto refused deadline_exceeded 0/11 0/0"]);
}

#[test]
fn time_is_told_by_the_clock_of_the_shell() {
    struct Times(Arc<Mutex<Vec<u128>>>);
    impl Observer for Times {
        fn on(&self, event: &Observed<'_>) {
            if let Observed::CallEnded(call) = event {
                let first = call.first_byte.unwrap().as_millis();
                self.0.lock().unwrap().extend([first, call.duration.as_millis()]);
            }
        }
    }
    let times = Arc::new(Mutex::new(Vec::new()));
    let routes = routes(Router::new().add(GreetServer::new(Moody)).observe(Times(times.clone())));
    let mut call = Driven::grpc(&routes, "/greet.v1.Greet/Greet");
    call.poll().pass(7).push(&text("Ada")).pass(5).end();
    assert_eq!(*times.lock().unwrap(), [12, 12]);
}

/// Keeps the fields of each event.
#[derive(Clone, Default)]
struct Traced(Arc<Mutex<Vec<String>>>);

impl tracing::Subscriber for Traced {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::Id {
        tracing::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::Id, _: &tracing::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut fields = Fields(format!("{} {}", event.metadata().level(), event.metadata().target()));
        event.record(&mut fields);
        self.0.lock().unwrap().push(fields.0);
    }

    fn enter(&self, _: &tracing::Id) {}

    fn exit(&self, _: &tracing::Id) {}
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, " {}={value:?}", field.name());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let _ = write!(self.0, " {}={value}", field.name());
    }
}

#[test]
fn without_an_observer_internal_errors_go_to_tracing_with_their_cause() {
    let traced = Traced::default();
    let routes = routes(Router::new().add(GreetServer::new(Moody)));
    tracing::subscriber::with_default(traced.clone(), || {
        assert_eq!(json(&routes, "/greet.v1.Greet/Greet", r#"{"name":"fail"}"#).status, 500);
        assert_eq!(json(&routes, "/greet.v1.Greet/Greet", r#"{"name":"panic"}"#).status, 500);
        assert_eq!(json(&routes, "/greet.v1.Greet/Greet", r#"{"name":"Ada"}"#).status, 200);
        assert_eq!(json(&routes, "/greet.v1.Greet/Greet", "no json").status, 400);
    });
    let method = "ERROR ringwire procedure=/greet.v1.Greet/Greet error=internal error";
    assert_eq!(
        *traced.0.lock().unwrap(),
        [
            format!("{method} cause=disk on fire"),
            format!("{method} cause=the handler panicked: out of paper"),
        ]
    );
}
