//! Code around calls of every shape.

use crate::greet::*;
use crate::stub::*;
use crate::support::*;
use ringwire_client::{Call, Channel, Code, Error, Interceptor, Next, Result, with};
use std::sync::{Arc, Mutex};

type Log = Arc<Mutex<Vec<String>>>;

/// Writes its name down on the way in and on the way out.
struct Named(&'static str, Log);

impl Interceptor<Call> for Named {
    async fn intercept(&self, call: &mut Call, next: Next<'_>) -> Result<()> {
        self.1.lock().unwrap().push(format!("{} {}", self.0, call.spec().method()));
        let outcome = next.run(call).await;
        self.1.lock().unwrap().push(format!("{} {}", self.0, outcome.is_ok()));
        outcome
    }
}

/// Makes one call of each shape, and gives what came back of each: all messages in one text.
async fn all_shapes(client: &GreetClient) -> [Result<String>; 4] {
    let unary = async { Ok(client.greet(&request("Ada")).await?.into_message().greeting) };
    let collect = async {
        let mut names = client.collect().await?;
        names.send(&request("Ada")).await?;
        Ok(names.finish().await?.into_message().greeting)
    };
    let spell = async {
        let mut letters = client.spell(&request("Ada")).await?;
        let mut all = String::new();
        while let Some(letter) = letters.next().await? {
            all += &letter.greeting;
        }
        Ok(all)
    };
    let chat = async {
        let mut chat = client.chat().await?;
        chat.send(&line("Ada")).await?;
        chat.close_send().await?;
        let mut all = String::new();
        while let Some(message) = chat.next().await? {
            all += &message.line;
        }
        Ok(all)
    };
    [unary.await, collect.await, spell.await, chat.await]
}

#[track_caller]
fn outcomes(channel: Channel) -> [Result<String>; 4] {
    now(async move { all_shapes(&GreetClient::new(channel)).await })
}

const METHODS: [&str; 4] = ["Greet", "Collect", "Spell", "Chat"];

#[test]
fn the_first_one_added_goes_around_the_rest() {
    let log = Log::default();
    let channel = channel().intercept(Named("a", log.clone())).intercept(Named("b", log.clone()));
    for outcome in outcomes(channel) {
        outcome.unwrap();
    }
    let expected: Vec<String> = METHODS
        .iter()
        .flat_map(|method| [format!("a {method}"), format!("b {method}"), "b true".into(), "a true".into()])
        .collect();
    assert_eq!(*log.lock().unwrap(), expected);
}

#[test]
fn failures_come_out_through_all_of_them() {
    let log = Log::default();
    let client = GreetClient::new(channel().intercept(Named("a", log.clone())));
    now(async move {
        client.greet(&request("")).await.unwrap_err();
        let mut letters = client.spell(&request("A!")).await.unwrap();
        letters.next().await.unwrap().unwrap();
        assert_eq!(log.lock().unwrap().len(), 3, "a stream has not ended before its last message");
        letters.next().await.unwrap_err();
        assert_eq!(log.lock().unwrap()[2..], ["a Spell", "a false"]);
    });
}

#[test]
fn headers_go_out_and_trailers_come_back() {
    let log = Log::default();
    let channel =
        channel().intercept(with(log.clone(), async |log: &Log, call: &mut Call, next: Next<'_>| {
            call.headers_mut().insert("x-team", "rings")?;
            next.run(call).await?;
            let trailer = call.response_trailers().get_str("served-for").unwrap_or("none");
            log.lock().unwrap().push(trailer.to_owned());
            Ok(())
        }));
    for outcome in outcomes(channel) {
        outcome.unwrap();
    }
    assert_eq!(*log.lock().unwrap(), ["rings", "all", "Ada", "none"]);
}

#[test]
fn who_refuses_sends_nothing() {
    let stub = Stub::new([hello("hi")]);
    let channel =
        stub.channel().intercept(async |_: &mut Call, _: Next<'_>| Err(Error::unauthenticated("no")));
    for outcome in outcomes(channel) {
        assert_eq!(outcome.unwrap_err().code(), Code::Unauthenticated);
    }
    assert!(stub.asked().is_empty());
}

#[test]
fn who_answers_sends_nothing() {
    let stub = Stub::new([hello("hi")]);
    let channel =
        stub.channel().intercept(async |call: &mut Call, next: Next<'_>| match call.spec().method() {
            "Chat" => next.reply(call, &ChatResponse { line: "cached".into(), ..Default::default() }),
            _ => next.reply(call, &response("cached")),
        });
    let client = GreetClient::new(channel);
    now(async move {
        assert_eq!(client.greet(&request("Ada")).await.unwrap().greeting, "cached");
        assert_eq!(client.collect().await.unwrap().finish().await.unwrap().greeting, "cached");
        let mut letters = client.spell(&request("Ada")).await.unwrap();
        assert_eq!(letters.next().await.unwrap().unwrap().greeting, "cached");
        assert!(letters.next().await.unwrap().is_none());
        let mut chat = client.chat().await.unwrap();
        assert!(chat.send(&line("a")).await.is_err(), "nobody listens");
        assert_eq!(chat.next().await.unwrap().unwrap().line, "cached");
        assert!(chat.next().await.unwrap().is_none());
    });
    assert!(stub.asked().is_empty());
}

#[test]
fn who_says_ok_without_an_answer_is_told() {
    let channel = channel().intercept(async |_: &mut Call, _: Next<'_>| Ok(()));
    let [unary, collect, spell, chat] = outcomes(channel);
    assert_eq!(unary.unwrap_err().code(), Code::Internal);
    collect.unwrap_err();
    // A stream of nothing is a stream; but nobody takes what is sent.
    assert_eq!(spell.unwrap(), "");
    chat.unwrap_err();
}

#[test]
fn the_last_word_is_the_outermost_ones() {
    let channel = channel().intercept(async |call: &mut Call, next: Next<'_>| {
        let outcome = next.run(call).await;
        outcome.and(Err(Error::aborted("after all")))
    });
    for outcome in outcomes(channel) {
        assert_eq!(outcome.unwrap_err().code(), Code::Aborted);
    }
}

#[test]
fn a_call_can_be_dropped_by_who_goes_around_it() {
    let channel = channel().intercept(async |call: &mut Call, next: Next<'_>| {
        drop(next.run(call));
        Err(Error::aborted("not today"))
    });
    for outcome in outcomes(channel) {
        assert_eq!(outcome.unwrap_err().code(), Code::Aborted);
    }
}

/// Notes the messages that pass, and makes each longer.
async fn watch(log: &(&'static str, Log), call: &mut Call, next: Next<'_>) -> Result<()> {
    let (name, log) = (log.0, log.1.clone());
    let sent = log.clone();
    let is_chat = call.spec().method() == "Chat";
    call.on_send(move |message| {
        sent.lock().unwrap().push(format!("{name} sends {}", message.full_name()));
        if is_chat {
            let line = message.message::<ChatRequest>()?.line + name;
            return message.replace(&ChatRequest { line, ..Default::default() });
        }
        let text = message.view::<GreetRequest>()?.name.to_owned() + name;
        message.replace(&request(&text))
    });
    call.on_receive(move |message| {
        log.lock().unwrap().push(format!("{name} receives {}", message.full_name()));
        if is_chat {
            let line = message.message::<ChatResponse>()?.line + name;
            return message.replace(&ChatResponse { line, ..Default::default() });
        }
        let text = message.message::<GreetResponse>()?.greeting + name;
        message.replace(&response(&text))
    });
    next.run(call).await
}

#[test]
fn messages_pass_from_outermost_to_innermost_and_back() {
    let log = Log::default();
    let watching = |name| with((name, log.clone()), watch);
    let outcomes = outcomes(channel().intercept(watching("1")).intercept(watching("2")));
    let texts = outcomes.map(Result::unwrap);
    assert_eq!(texts, ["Hello, Ada12!21", "Ada1221", "A21d21a21121221", "ADA1221"].map(str::to_owned));
    let unary = ["1 sends greet.v1.GreetRequest", "2 sends greet.v1.GreetRequest"];
    let back = ["2 receives greet.v1.GreetResponse", "1 receives greet.v1.GreetResponse"];
    assert_eq!(log.lock().unwrap()[..4], [unary, back].concat());
}

#[test]
fn who_looks_can_end_the_call() {
    let sending = channel().intercept(async |call: &mut Call, next: Next<'_>| {
        call.on_send(|_| Err(Error::permission_denied("not that")));
        next.run(call).await
    });
    let receiving = channel().intercept(async |call: &mut Call, next: Next<'_>| {
        call.on_receive(|_| Err(Error::permission_denied("not that")));
        next.run(call).await
    });
    for outcome in outcomes(sending).into_iter().chain(outcomes(receiving)) {
        assert_eq!(outcome.unwrap_err().code(), Code::PermissionDenied);
    }
}
