//! What an observer is told of calls and their attempts.

use crate::greet::*;
use crate::stub::*;
use crate::support::*;
use ringwire_call::{CallOutcome, Observed, Observer};
use ringwire_client::{Channel, RetryPolicy, TransportErrorKind};
use std::sync::{Arc, Mutex};

/// Writes down what it is told.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Observer for Told {
    fn on(&self, event: &Observed<'_>) {
        let text = match event {
            Observed::CallBegun(begun) => format!("begun {}", begun.path),
            Observed::Attempt(attempt) => {
                let outcome = match attempt.outcome {
                    CallOutcome::Ok => None,
                    CallOutcome::Failed(error) => Some(error.code()),
                    other => panic!("{other:?}"),
                };
                format!("attempt {} {outcome:?}", attempt.previous)
            }
            Observed::CallEnded(ended) => {
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
        self.0.lock().unwrap().push(text);
    }
}

#[track_caller]
fn check(channel: Channel, call: impl FnOnce(&GreetClient), told: &[&str]) {
    let observer = Told::default();
    call(&GreetClient::new(channel.observe(observer.clone())));
    assert_eq!(*observer.0.lock().unwrap(), told);
}

#[test]
fn a_unary_call_has_a_beginning_an_attempt_and_an_end() {
    check(
        channel(),
        |client| drop(now(client.greet(&request("Ada"))).unwrap()),
        &["begun /greet.v1.Greet/Greet", "attempt 0 None", "ok connect/proto 5b1m 13b1m true"],
    );
    check(
        channel(),
        |client| drop(now(client.greet(&request(""))).unwrap_err()),
        &[
            "begun /greet.v1.Greet/Greet",
            "attempt 0 Some(InvalidArgument)",
            "invalid_argument connect/proto 0b1m 63b0m true",
        ],
    );
}

#[tokio::test(start_paused = true)]
async fn each_attempt_is_told() {
    let failed = || Step::Fail(ringwire_client::TransportError::new(TransportErrorKind::Connect));
    let stub = Stub::new([failed()]);
    let observer = Told::default();
    let channel = stub.channel().retry(RetryPolicy { attempts_max: 2, ..RetryPolicy::default() });
    let client = GreetClient::new(channel.observe(observer.clone()));
    client.greet(&request("Ada")).await.unwrap_err();
    let told = observer.0.lock().unwrap().clone();
    assert_eq!(
        told,
        [
            "begun /greet.v1.Greet/Greet",
            "attempt 0 Some(Unavailable)",
            "attempt 1 Some(Unavailable)",
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
    check(channel(), chat(true), &[begun, "attempt 0 None", "ok connect/proto 9b1m 16b1m true"]);
    check(channel(), chat(false), &[begun, "attempt 0 None", "cancelled connect/proto 9b1m 9b1m true"]);
}
