//! The two ends of a stream, in two tasks or in one.

use crate::greet::*;
use crate::stub::*;
use crate::support::*;
use ringwire_client::{
    Channel, Code, Compressions, EndedByServer, RequestBody, ResponseBody, Transport, TransportError,
};
use ringwire_local::LocalChannel;
use ringwire_service::{Call, Error, Requests, Responses, Result, Router};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Answers as `Greeter` does, but ends when it has heard enough, or fails when it is told to.
struct Impatient;

impl Greet for Impatient {
    async fn chat(
        &self,
        _: &mut Call,
        mut requests: Requests<'_, ChatRequest>,
        mut responses: Responses<'_, ChatResponse>,
    ) -> Result<()> {
        responses.flush().await?;
        match requests.next().await?.map(|request| request.line.to_owned()).as_deref() {
            Some("fail") => Err(Error::failed_precondition("told to")),
            _ => Ok(()),
        }
    }
}

fn impatient() -> GreetClient {
    GreetClient::new(Channel::local(Router::new().add(GreetServer::new(Impatient))))
}

#[tokio::test]
async fn ends_can_be_used_from_two_tasks() {
    for protocol in PROTOCOLS {
        let (mut outgoing, mut incoming) =
            GreetClient::new(channel().protocol(protocol)).chat().await.unwrap().split();
        let sender = tokio::spawn(async move {
            for number in 0..1000 {
                outgoing.send(&line(&format!("{number:01000}"))).await?;
            }
            outgoing.close_send().await
        });
        for number in 0..1000 {
            assert_eq!(incoming.next().await.unwrap().unwrap().line, format!("{number:01000}"));
        }
        assert!(incoming.next().await.unwrap().is_none());
        sender.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn an_early_end_ends_a_pending_send() {
    for (word, code) in [("enough", None), ("fail", Some(Code::FailedPrecondition))] {
        for protocol in PROTOCOLS {
            let client = impatient();
            let (mut outgoing, mut incoming) = client.chat().protocol(protocol).await.unwrap().split();
            outgoing.send(&line(word)).await.unwrap();
            // More than is kept for a server that does not read: the last send waits.
            let sender = tokio::spawn(async move {
                loop {
                    if let Err(error) = outgoing.send(&line(&"x".repeat(40_000))).await {
                        return error;
                    }
                }
            });
            tokio::task::yield_now().await;
            assert_eq!(incoming.next().await.err().map(|error| error.code()), code);
            assert!(sender.await.unwrap().source().unwrap().is::<EndedByServer>());
        }
    }
}

/// A transport that answers at once, and never lets go of a request: as a connection does that still sends it.
struct Keeper(Mutex<Vec<RequestBody>>);

impl Transport for Keeper {
    fn send(
        &self,
        request: http::Request<RequestBody>,
    ) -> Pin<Box<dyn Future<Output = Result<http::Response<ResponseBody>, TransportError>> + Send>> {
        self.0.lock().unwrap().push(request.into_body());
        let head = [("content-type", "application/connect+proto")];
        let step = answer(200, &head, vec![data(envelope(2, b"{}"))]);
        Stub::new([step]).send(http::Request::new(RequestBody::whole(bytes::Bytes::new())))
    }
}

#[tokio::test]
async fn an_early_end_ends_a_pending_send_whatever_becomes_of_the_request() {
    let channel = Channel::over(Keeper(Mutex::default()), "http://keeper").unwrap();
    let (mut outgoing, mut incoming) = GreetClient::new(channel.clone()).chat().await.unwrap().split();
    let sender = tokio::spawn(async move {
        loop {
            if let Err(error) = outgoing.send(&line(&"x".repeat(40_000))).await {
                return error;
            }
        }
    });
    tokio::task::yield_now().await;
    assert!(incoming.next().await.unwrap().is_none());
    assert!(sender.await.unwrap().source().unwrap().is::<EndedByServer>());
    drop(channel);
}

#[test]
fn an_early_failure_is_what_a_send_says() {
    for protocol in PROTOCOLS {
        let client = impatient();
        let mut chat = now(client.chat().protocol(protocol)).unwrap();
        now(chat.send(&line("fail"))).unwrap();
        let error = loop {
            if let Err(error) = now(chat.send(&line("more"))) {
                break error;
            }
        };
        assert_eq!(error.code(), Code::FailedPrecondition);
        assert_eq!(now(chat.next()).unwrap_err().code(), Code::FailedPrecondition);
    }
}

#[tokio::test]
async fn a_sending_end_that_is_dropped_early_cancels_the_call() {
    let (mut outgoing, mut incoming) = greeter().chat().await.unwrap().split();
    outgoing.send(&line("a")).await.unwrap();
    assert_eq!(incoming.next().await.unwrap().unwrap().line, "A");
    let receiver = tokio::spawn(async move { incoming.next().await });
    tokio::task::yield_now().await;
    drop(outgoing);
    let error = receiver.await.unwrap().unwrap_err();
    assert_eq!(error.code(), Code::Canceled);
    assert!(error.message().contains("close_send"), "{error}");
}

#[tokio::test]
async fn a_receiving_end_that_is_dropped_ends_what_is_sent() {
    let (mut outgoing, incoming) = greeter().chat().await.unwrap().split();
    outgoing.send(&line("a")).await.unwrap();
    drop(incoming);
    assert!(outgoing.send(&line("b")).await.is_err());
}

#[test]
fn a_server_whose_answers_nobody_receives_is_held_back() {
    /// Answers without end, and counts.
    struct Flood(Arc<AtomicUsize>);
    impl Greet for Flood {
        async fn chat(
            &self,
            _: &mut Call,
            _: Requests<'_, ChatRequest>,
            mut responses: Responses<'_, ChatResponse>,
        ) -> Result<()> {
            let message = ChatResponse { line: "x".repeat(10_000), ..Default::default() };
            loop {
                responses.send(&message).await?;
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
    let sent = Arc::default();
    let router = Router::new().add(GreetServer::new(Flood(Arc::clone(&sent))));
    // Compressed, there would be room for a great many of them.
    let channel = Channel::local(router).accept(Compressions::none());
    let client = GreetClient::new(channel);
    let mut chat = now(client.chat()).unwrap();
    for _ in 0..100 {
        now(chat.send(&line("a"))).unwrap();
    }
    // What either end keeps for the other, twice 64 KiB and a piece more of each.
    let kept = sent.load(Ordering::Relaxed);
    assert!((7..=28).contains(&kept), "{kept} messages of 10 kB are kept");
    for _ in 0..100 {
        now(chat.next()).unwrap().unwrap();
    }
    assert!(sent.load(Ordering::Relaxed) <= 128);
}

#[test]
fn a_send_after_the_last_is_refused() {
    let mut chat = now(greeter().chat()).unwrap();
    now(chat.close_send()).unwrap();
    assert_eq!(now(chat.send(&line("a"))).unwrap_err().code(), Code::Internal);
    assert!(now(chat.next()).unwrap().is_none());
}

#[test]
fn messages_come_as_a_stream_to_who_wants_one() {
    use futures_core::Stream;
    let mut letters = now(greeter().spell(&request("A!"))).unwrap().into_stream();
    let mut next = || now(poll_fn(|cx| Pin::new(&mut letters).poll_next(cx)));
    assert_eq!(next().unwrap().unwrap().greeting, "A");
    assert_eq!(next().unwrap().unwrap_err().code(), Code::OutOfRange);
    assert!(next().is_none());
}

#[test]
fn headers_of_a_stream_can_come_before_its_messages() {
    let mut chat = now(impatient().chat()).unwrap();
    assert!(now(chat.wait_for_headers()).unwrap().get("content-type").is_some());
    now(chat.send(&line("enough"))).unwrap();
    assert!(now(chat.next()).unwrap().is_none());
}

#[test]
fn calls_for_which_there_is_no_service_are_unimplemented() {
    for protocol in PROTOCOLS {
        let client = GreetClient::new(Channel::local(Router::new()).protocol(protocol));
        assert_eq!(now(client.greet(&request(""))).unwrap_err().code(), Code::Unimplemented);
        let stream = async { client.spell(&request("")).await?.next().await };
        assert_eq!(now(stream).unwrap_err().code(), Code::Unimplemented);
        let stream = async { client.collect().await?.finish().await };
        assert_eq!(now(stream).unwrap_err().code(), Code::Unimplemented);
        let stream = async { client.chat().await?.next().await };
        assert_eq!(now(stream).unwrap_err().code(), Code::Unimplemented);
    }
}

#[test]
fn a_router_that_does_not_fit_together_fails_every_call() {
    let router = Router::new().add(GreetServer::new(Greeter)).add(GreetServer::new(Greeter));
    let error = now(GreetClient::new(Channel::local(router)).greet(&request(""))).unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    let source = std::error::Error::source(error.source().unwrap()).unwrap();
    assert!(source.to_string().contains("greet.v1.Greet was added twice"), "{source}");
}
