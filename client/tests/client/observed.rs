//! What an observer is told of calls and their attempts.

use crate::greet::*;
use crate::stub::*;
use crate::support::*;
use ringwire_call::{CallOutcome, Observed, ObservedId, Observer};
use ringwire_client::{
    Channel, HedgePolicy, RequestBody, ResponseBody, RetryPolicy, Transport, TransportError,
    TransportErrorKind,
};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Writes down what it is told.
#[derive(Clone, Default)]
struct Told {
    lines: Arc<Mutex<Vec<String>>>,
    /// The call that has begun and not ended.
    open: Arc<Mutex<Option<ObservedId>>>,
}

impl Told {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.lines.lock().unwrap())
    }
}

impl Observer for Told {
    fn on(&self, event: &Observed<'_>) {
        let text = match event {
            Observed::CallBegun(begun) => {
                assert_eq!(self.open.lock().unwrap().replace(begun.id), None, "one call at a time");
                format!("begun {}", begun.path)
            }
            Observed::Attempt(attempt) => {
                assert_eq!(*self.open.lock().unwrap(), Some(attempt.call), "an attempt of the call");
                let outcome = match attempt.outcome {
                    CallOutcome::Ok => "ok",
                    CallOutcome::Failed(error) => error.code().as_str(),
                    CallOutcome::Cancelled => "cancelled",
                    other => panic!("{other:?}"),
                };
                format!("attempt {} {outcome}", attempt.previous)
            }
            Observed::CallEnded(ended) => {
                assert_eq!(self.open.lock().unwrap().take(), Some(ended.id), "a call ends as what it began");
                let outcome = match ended.outcome {
                    CallOutcome::Ok => "ok".to_owned(),
                    CallOutcome::Failed(error) => error.code().as_str().to_owned(),
                    CallOutcome::Cancelled => "cancelled".to_owned(),
                    other => format!("{other:?}"),
                };
                let form = [ended.protocol.unwrap(), ended.codec.unwrap()].join("/");
                let (sent, received) = (ended.sent, ended.received);
                format!(
                    "{outcome} {form} {}b{}m {}b{}m {}",
                    sent.bytes,
                    sent.messages,
                    received.bytes,
                    received.messages,
                    ended.first_byte.is_some()
                )
            }
            other => format!("{other:?}"),
        };
        self.lines.lock().unwrap().push(text);
    }
}

#[track_caller]
fn check(channel: Channel, call: impl FnOnce(&GreetClient), told: &[&str]) {
    let observer = Told::default();
    call(&GreetClient::new(channel.observe(observer.clone())));
    assert_eq!(observer.take(), told);
}

#[test]
fn a_unary_call_has_a_beginning_an_attempt_and_an_end() {
    check(
        channel(),
        |client| drop(now(client.greet(&request("Ada"))).unwrap()),
        &["begun /greet.v1.Greet/Greet", "attempt 0 ok", "ok connect/proto 5b1m 13b1m true"],
    );
    check(
        channel(),
        |client| drop(now(client.greet(&request(""))).unwrap_err()),
        &[
            "begun /greet.v1.Greet/Greet",
            "attempt 0 invalid_argument",
            "invalid_argument connect/proto 0b1m 63b0m true",
        ],
    );
}

#[tokio::test(start_paused = true)]
async fn each_attempt_is_told() {
    let failed = || Step::Fail(TransportError::new(TransportErrorKind::Connect));
    let stub = Stub::new([failed()]);
    let observer = Told::default();
    let channel = stub.channel().retry(RetryPolicy { attempts_max: 2, ..RetryPolicy::default() });
    let client = GreetClient::new(channel.observe(observer.clone()));
    client.greet(&request("Ada")).await.unwrap_err();
    assert_eq!(
        observer.take(),
        [
            "begun /greet.v1.Greet/Greet",
            "attempt 0 unavailable",
            "attempt 1 unavailable",
            "unavailable connect/proto 10b2m 0b0m false",
        ]
    );
}

#[test]
fn streams_end_where_they_are_received_and_dropped_ones_are_cancelled() {
    let chat = |until_end: bool| {
        move |client: &GreetClient| {
            now(async {
                let mut chat = client.chat().await.unwrap();
                chat.send(&line("hi")).await.unwrap();
                assert_eq!(chat.next().await.unwrap().unwrap().line, "HI");
                if until_end {
                    chat.close_send().await.unwrap();
                    assert!(chat.next().await.unwrap().is_none());
                }
            });
        }
    };
    let begun = "begun /greet.v1.Greet/Chat";
    check(channel(), chat(true), &[begun, "attempt 0 ok", "ok connect/proto 9b1m 16b1m true"]);
    check(channel(), chat(false), &[begun, "attempt 0 cancelled", "cancelled connect/proto 9b1m 9b1m true"]);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_a_hedge_overtakes_is_told_as_cancelled() {
    let stub = Stub::new([
        Step::Never,
        answer(200, &[("content-type", "application/proto")], vec![data(text("hi"))]),
    ]);
    let observer = Told::default();
    let channel = stub.channel().hedge(HedgePolicy::after(Duration::from_millis(10)));
    let client = GreetClient::new(channel.observe(observer.clone()));
    client.greet(&request("Ada")).await.unwrap();
    assert_eq!(
        observer.take(),
        [
            "begun /greet.v1.Greet/Greet",
            "attempt 1 ok",
            "attempt 0 cancelled",
            "ok connect/proto 10b2m 4b1m true"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn the_attempt_of_a_call_that_is_given_up_is_cancelled_with_it() {
    let stub = Stub::new([Step::Never]);
    let observer = Told::default();
    let client = GreetClient::new(stub.channel().observe(observer.clone()));
    let request = request("Ada");
    let call = tokio::time::timeout(Duration::from_millis(5), client.greet(&request).into_future());
    assert!(call.await.is_err());
    assert_eq!(
        observer.take(),
        ["begun /greet.v1.Greet/Greet", "attempt 0 cancelled", "cancelled connect/proto 5b1m 0b0m false"]
    );
}

/// Knows connections, and makes none.
struct Connected(Arc<Mutex<Vec<Arc<dyn Observer>>>>);

impl Transport for Connected {
    fn send(
        &self,
        _: http::Request<RequestBody>,
    ) -> Pin<Box<dyn Future<Output = Result<http::Response<ResponseBody>, TransportError>> + Send>> {
        unreachable!("no call is made")
    }

    fn observe(&self, observer: &Arc<dyn Observer>) {
        self.0.lock().unwrap().push(observer.clone());
    }
}

#[test]
fn the_observer_of_a_channel_is_that_of_its_connections() {
    let observers = Arc::default();
    let told = Told::default();
    let _channel =
        Channel::over(Connected(Arc::clone(&observers)), "http://test").unwrap().observe(told.clone());
    let call = ringwire_call::CallBegun {
        id: ObservedId::next(),
        side: ringwire_call::CallSide::Client,
        spec: None,
        path: "/",
        head: None,
        at: std::time::Instant::now(),
    };
    observers.lock().unwrap()[0].on(&Observed::CallBegun(&call));
    assert_eq!(told.take(), ["begun /"]);
}
