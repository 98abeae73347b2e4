//! Deadlines, cancellation, retries and hedges, under a clock that only waits move.

use crate::greet::*;
use crate::stub::*;
use crate::support::*;
use ringwire_client::{
    Channel, ClientProtocol, Code, DeadlineReached, Error, HedgePolicy, Origin, Reset, RetryBudget,
    RetryPolicy, TransportErrorKind,
};
use ringwire_local::LocalChannel;
use ringwire_service::{Call, Requests, Responses, Result, Router};
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// How long a future takes.
async fn timed<T>(future: impl IntoFuture<Output = T>) -> (T, Duration) {
    let start = Instant::now();
    let output = future.into_future().await;
    (output, start.elapsed())
}

#[track_caller]
fn is_our_deadline(error: &Error) {
    assert_eq!((error.code(), error.origin()), (Code::DeadlineExceeded, Origin::Local));
    assert!(error.source().unwrap().is::<DeadlineReached>(), "{error:?}");
}

/// A service that takes its time, and writes down which of its calls were cancelled.
#[derive(Clone, Default)]
struct Slow(Arc<Mutex<Vec<&'static str>>>);

impl Slow {
    fn channel(&self) -> Channel {
        Channel::local(Router::new().add(GreetServer::new(self.clone())))
    }

    /// Notes when a call is cancelled, long after its handler has been dropped.
    fn watch(&self, call: &Call) {
        let (cancelled, log, method) = (call.cancelled(), self.0.clone(), call.spec().method());
        tokio::spawn(async move {
            cancelled.await;
            log.lock().unwrap().push(method);
        });
    }

    async fn cancelled(&self) -> Vec<&'static str> {
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        self.0.lock().unwrap().clone()
    }
}

impl Greet for Slow {
    async fn greet(&self, call: &mut Call, _: GreetRequestView<'_>) -> Result<GreetResponse> {
        self.watch(call);
        pending().await
    }

    async fn collect(&self, call: &mut Call, _: Requests<'_, GreetRequest>) -> Result<GreetResponse> {
        self.watch(call);
        pending().await
    }

    async fn spell(
        &self,
        call: &mut Call,
        _: GreetRequestView<'_>,
        mut responses: Responses<'_, GreetResponse>,
    ) -> Result<()> {
        self.watch(call);
        responses.send(&response("A")).await?;
        pending().await
    }

    async fn chat(
        &self,
        call: &mut Call,
        _: Requests<'_, ChatRequest>,
        mut responses: Responses<'_, ChatResponse>,
    ) -> Result<()> {
        self.watch(call);
        responses.flush().await?;
        pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_waited_for_until_the_deadline() {
    for protocol in PROTOCOLS {
        let client = GreetClient::new(Stub::new([Step::Never]).channel().protocol(protocol).timeout(ms(200)));
        let (error, took) = timed(client.greet(&request("Ada"))).await;
        is_our_deadline(&error.unwrap_err());
        assert_eq!(took, ms(200));
        let (error, took) = timed(client.greet(&request("Ada")).timeout(ms(50))).await;
        is_our_deadline(&error.unwrap_err());
        assert_eq!(took, ms(50), "a call's own timeout wins");
    }
}

#[tokio::test(start_paused = true)]
async fn the_deadline_holds_inside_of_a_body() {
    let head = [("content-type", "application/grpc")];
    let stub = Stub::new([answer(200, &head, vec![data(envelope(0, &text("A"))), Piece::Never])]);
    let client = GreetClient::new(stub.channel().protocol(ClientProtocol::GRPC).timeout(ms(200)));
    let (error, took) = timed(client.greet(&request("Ada"))).await;
    is_our_deadline(&error.unwrap_err());
    assert_eq!((took, stub.cancelled()), (ms(200), 1));
    let (mut letters, _) = timed(client.spell(&request("Ada"))).await;
    let letters = letters.as_mut().unwrap();
    assert_eq!(letters.next().await.unwrap().unwrap().greeting, "A");
    let (error, took) = timed(letters.next()).await;
    is_our_deadline(&error.unwrap_err());
    assert_eq!((took, stub.cancelled()), (ms(200), 2));
    is_our_deadline(&letters.next().await.unwrap_err());
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_never_ends_ends_at_the_deadline() {
    let head = [("content-type", "application/grpc")];
    let letters = vec![data(envelope(0, &text("A"))); 1000];
    let client = GreetClient::new(Stub::new([answer(200, &head, letters)]).channel());
    let call = client.spell(&request("Ada")).protocol(ClientProtocol::GRPC).timeout(ms(10)).await;
    let mut letters = call.unwrap();
    for _ in 0..10 {
        letters.next().await.unwrap().unwrap();
        tokio::time::advance(ms(1)).await;
    }
    is_our_deadline(&letters.next().await.unwrap_err());
}

#[tokio::test(start_paused = true)]
async fn a_send_waits_no_longer_than_the_deadline() {
    let client = GreetClient::new(Slow::default().channel());
    let mut names = client.collect().timeout(ms(200)).await.unwrap();
    let long = request(&"x".repeat(60_000));
    let start = Instant::now();
    let error = loop {
        if let Err(error) = names.send(&long).await {
            break error;
        }
    };
    is_our_deadline(&error);
    assert_eq!(start.elapsed(), ms(200));
    // The sending half alone too.
    let (mut outgoing, incoming) = client.chat().timeout(ms(300)).await.unwrap().split();
    let start = Instant::now();
    let error = loop {
        if let Err(error) = outgoing.send(&line(&"x".repeat(60_000))).await {
            break error;
        }
    };
    is_our_deadline(&error);
    assert_eq!(start.elapsed(), ms(300));
    drop(incoming);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_has_passed_sends_nothing() {
    let stub = Stub::new([hello("hi")]);
    let client = GreetClient::new(stub.channel());
    is_our_deadline(&client.greet(&request("")).timeout(Duration::ZERO).await.unwrap_err());
    is_our_deadline(&client.chat().timeout(Duration::ZERO).await.unwrap_err());
    assert!(stub.asked().is_empty());
    client.greet(&request("")).timeout(Duration::MAX).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_servers_deadline_is_told_from_ours() {
    let status = [("content-type", "application/grpc"), ("grpc-status", "4")];
    let stub = Stub::new([answer(200, &status, vec![])]);
    let client = GreetClient::new(stub.channel().protocol(ClientProtocol::GRPC).timeout(ms(200)));
    let error = client.greet(&request("")).await.unwrap_err();
    assert_eq!((error.code(), error.origin()), (Code::DeadlineExceeded, Origin::Peer));
    // A reset at the deadline is the deadline.
    let reset = Stub::new([after(200, fail(TransportErrorKind::Reset(Reset::Cancelled)))]);
    let client = GreetClient::new(reset.channel().timeout(ms(200)));
    let error = client.greet(&request("")).await.unwrap_err();
    assert_eq!((error.code(), error.origin()), (Code::DeadlineExceeded, Origin::Local));
}

#[tokio::test(start_paused = true)]
async fn a_service_is_told_how_long_it_has() {
    struct Told;
    impl Greet for Told {
        async fn greet(&self, call: &mut Call, _: GreetRequestView<'_>) -> Result<GreetResponse> {
            let left = call.deadline().unwrap() - Instant::now().into_std();
            Ok(response(&left.as_millis().to_string()))
        }
    }
    for protocol in PROTOCOLS {
        let channel = Channel::local(Router::new().add(GreetServer::new(Told))).protocol(protocol);
        let reply = GreetClient::new(channel).greet(&request("")).timeout(ms(1234)).await.unwrap();
        assert_eq!(reply.greeting, "1234");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_within_another_ends_with_it() {
    /// Calls another service while it answers.
    struct Middle(GreetClient, Duration);
    impl Greet for Middle {
        async fn greet(&self, call: &mut Call, request: GreetRequestView<'_>) -> Result<GreetResponse> {
            let (reply, took) = timed(self.0.greet(&request).within(call).timeout(self.1)).await;
            let error = reply.unwrap_err();
            let text = format!("{} after {} ms", error.code().as_str(), took.as_millis());
            Err(Error::aborted(text))
        }
    }
    let backend = Slow::default();
    for (around, own, ended) in [(200, 1000, 200), (1000, 100, 100)] {
        let middle = Middle(GreetClient::new(backend.channel()), ms(own));
        // The backend's deadline passes a moment before that of the call around it.
        let client = GreetClient::new(Channel::local(Router::new().add(GreetServer::new(middle))));
        let (error, took) = timed(client.greet(&request("")).timeout(ms(around))).await;
        assert_eq!(took, ms(ended));
        let code = error.unwrap_err().code();
        assert!(matches!(code, Code::Aborted | Code::DeadlineExceeded), "{code:?}");
    }
    assert_eq!(backend.cancelled().await, ["Greet", "Greet"]);
}

#[tokio::test(start_paused = true)]
async fn work_that_outlives_a_cancelled_call_is_cancelled() {
    /// Leaves a call to a task of its own, and waits.
    struct Leaves(GreetClient, Arc<Mutex<Option<Error>>>);
    impl Greet for Leaves {
        async fn greet(&self, call: &mut Call, _: GreetRequestView<'_>) -> Result<GreetResponse> {
            let (names, place) = (self.0.collect().within(call), self.1.clone());
            tokio::spawn(async move {
                let error = names.await.unwrap().finish().await.unwrap_err();
                *place.lock().unwrap() = Some(error);
            });
            pending().await
        }
    }
    let (backend, place) = (Slow::default(), Arc::default());
    let service = Leaves(GreetClient::new(backend.channel()), Arc::clone(&place));
    let client = GreetClient::new(Channel::local(Router::new().add(GreetServer::new(service))));
    let request = request("");
    let call = tokio::time::timeout(ms(10), client.greet(&request).into_future()).await;
    assert!(call.is_err(), "nobody answers");
    assert_eq!(backend.cancelled().await, ["Collect"]);
    assert_eq!(place.lock().unwrap().take().unwrap().code(), Code::Canceled);
}

#[tokio::test(start_paused = true)]
async fn services_see_calls_of_every_shape_cancelled() {
    let slow = Slow::default();
    for protocol in PROTOCOLS {
        let client = GreetClient::new(slow.channel().protocol(protocol));
        let request = request("Ada");
        let unary = tokio::time::timeout(ms(1), client.greet(&request).into_future()).await;
        assert!(unary.is_err());
        let mut letters = client.spell(&request).await.unwrap();
        letters.next().await.unwrap().unwrap();
        let mut names = client.collect().await.unwrap();
        names.send(&request).await.unwrap();
        let chat = client.chat().await.unwrap();
        assert_eq!(slow.cancelled().await, ["Greet"]);
        drop(letters);
        assert_eq!(slow.cancelled().await, ["Greet", "Spell"]);
        drop(names);
        assert_eq!(slow.cancelled().await, ["Greet", "Spell", "Collect"]);
        drop(chat);
        assert_eq!(slow.cancelled().await, ["Greet", "Spell", "Collect", "Chat"]);
        slow.0.lock().unwrap().clear();
    }
}

fn retrying(stub: &Stub) -> GreetClient {
    GreetClient::new(stub.channel().retry(RetryPolicy::default()))
}

fn unavailable(headers: &[(&'static str, &str)]) -> Step {
    answer(503, headers, vec![])
}

#[track_caller]
fn attempts(stub: &Stub) -> Vec<Option<String>> {
    stub.asked().iter().map(|asked| asked.header("grpc-previous-rpc-attempts").map(str::to_owned)).collect()
}

#[track_caller]
fn is_about(took: Duration, wanted_ms: u64) {
    let wanted = ms(wanted_ms).as_secs_f64();
    let took = took.as_secs_f64();
    assert!((wanted * 0.79..=wanted * 1.21 + 0.002).contains(&took), "{took} s are not about {wanted} s");
}

#[tokio::test(start_paused = true)]
async fn calls_are_made_again_after_growing_waits() {
    let stub = Stub::new([unavailable(&[]), unavailable(&[]), hello("hi")]);
    let (reply, took) = timed(retrying(&stub).greet(&request("Ada"))).await;
    assert_eq!(reply.unwrap().greeting, "hi");
    is_about(took, 100 + 200);
    assert_eq!(attempts(&stub), [None, Some("1".to_owned()), Some("2".to_owned())]);
    assert!(stub.asked().iter().all(|asked| asked.body == text("Ada")));
}

#[tokio::test(start_paused = true)]
async fn calls_are_not_made_more_often_than_the_policy_allows() {
    let stub = Stub::new([unavailable(&[])]);
    assert_eq!(retrying(&stub).greet(&request("")).await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(stub.asked().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_retried_unless_asked() {
    let stub = Stub::new([unavailable(&[])]);
    GreetClient::new(stub.channel()).greet(&request("")).await.unwrap_err();
    assert_eq!(stub.asked().len(), 1);
    // A channel's policy can be left out for a call.
    retrying(&stub).greet(&request("")).retry(None).await.unwrap_err();
    assert_eq!(stub.asked().len(), 2);
    // An error of another code is final.
    let stub = Stub::new([answer(404, &[], vec![])]);
    retrying(&stub).greet(&request("")).await.unwrap_err();
    assert_eq!(stub.asked().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn calls_that_may_do_something_are_never_made_twice() {
    // The schema knows nothing of `Spell`.
    let stub = Stub::new([unavailable(&[])]);
    retrying(&stub).spell(&request("")).await.unwrap_err();
    assert_eq!(stub.asked().len(), 1);
    // Unless nobody has seen the first one.
    let stub = Stub::new([unprocessed(TransportErrorKind::Connect), unavailable(&[])]);
    retrying(&stub).spell(&request("")).await.unwrap_err();
    assert_eq!(stub.asked().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_has_seen_is_sent_once_more_at_once() {
    let lost = || unprocessed(TransportErrorKind::Reset(Reset::Refused));
    let head = [("content-type", "application/connect+proto")];
    let stub = Stub::new([lost(), answer(200, &head, vec![data(envelope(2, b"{}"))])]);
    let (stream, took) = timed(GreetClient::new(stub.channel()).spell(&request("Ada"))).await;
    assert!(stream.unwrap().next().await.unwrap().is_none());
    assert_eq!((took, attempts(&stub)), (Duration::ZERO, vec![None, None]));
    // Once.
    let stub = Stub::new([lost()]);
    GreetClient::new(stub.channel()).greet(&request("")).await.unwrap_err();
    assert_eq!(stub.asked().len(), 2);
    // Not where it is the way that is broken.
    let stub = Stub::new([unprocessed(TransportErrorKind::Connect)]);
    GreetClient::new(stub.channel()).greet(&request("")).await.unwrap_err();
    assert_eq!(stub.asked().len(), 1);
    // And not what somebody may have seen.
    let stub = Stub::new([fail(TransportErrorKind::Lost)]);
    GreetClient::new(stub.channel()).greet(&request("")).await.unwrap_err();
    assert_eq!(stub.asked().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn servers_can_push_back() {
    let pushed = |value: &str| {
        let head = [("content-type", "application/grpc"), ("grpc-status", "14")];
        answer(200, &[&head[..], &[("grpc-retry-pushback-ms", value)]].concat(), vec![])
    };
    let stub = Stub::new([pushed("7000"), pushed("-1")]);
    let client = retrying(&stub);
    let (error, took) = timed(client.greet(&request("")).protocol(ClientProtocol::GRPC)).await;
    assert_eq!(error.unwrap_err().code(), Code::Unavailable);
    assert_eq!((took, stub.asked().len()), (ms(7000), 2));
    let stub = Stub::new([unavailable(&[("retry-after", "3")]), hello("hi")]);
    let (reply, took) = timed(retrying(&stub).greet(&request(""))).await;
    assert_eq!((reply.unwrap().greeting.as_str(), took), ("hi", ms(3000)));
}

#[tokio::test(start_paused = true)]
async fn the_deadline_is_one_for_all_attempts() {
    let stub = Stub::new([after(40, unavailable(&[]))]);
    let policy = RetryPolicy { attempts_max: 100, backoff_max: ms(10), ..RetryPolicy::default() };
    let client = GreetClient::new(stub.channel().retry(policy).timeout(ms(200)));
    let (error, took) = timed(client.greet(&request(""))).await;
    let code = error.unwrap_err().code();
    assert!(matches!(code, Code::DeadlineExceeded | Code::Unavailable), "{code:?}");
    assert!(took <= ms(200) && took >= ms(150), "{took:?}");
    let timeouts: Vec<u64> = stub
        .asked()
        .iter()
        .map(|asked| asked.header("connect-timeout-ms").unwrap().parse().unwrap())
        .collect();
    assert!(timeouts.len() >= 4 && timeouts.is_sorted_by(|a, b| a > b), "{timeouts:?}");
    // A wait that would not end in time is not begun.
    let stub = Stub::new([unavailable(&[("retry-after", "3")])]);
    let (error, took) = timed(retrying(&stub).greet(&request("")).timeout(ms(2000))).await;
    assert_eq!((error.unwrap_err().code(), took), (Code::Unavailable, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_budget_stops_retries_in_an_outage() {
    let stub = Stub::new([unavailable(&[])]);
    let policy = RetryPolicy { budget: RetryBudget::new(10, 0.5), ..RetryPolicy::default() };
    let client = GreetClient::new(stub.channel().retry(policy));
    for _ in 0..20 {
        client.greet(&request("")).await.unwrap_err();
    }
    // The first call is made three times, the second twice; five tokens of ten are left then, no more than half.
    assert_eq!(stub.asked().len(), 20 + 2 + 1);
}

#[tokio::test(start_paused = true)]
async fn what_interceptors_see_of_a_message_they_see_once() {
    let seen = Arc::new(Mutex::new(0));
    let stub = Stub::new([unavailable(&[]), hello("hi")]);
    let channel = stub.channel().retry(RetryPolicy::default()).intercept(ringwire_client::with(
        seen.clone(),
        async |seen: &Arc<Mutex<i32>>, call: &mut ringwire_client::Call, next: ringwire_client::Next<'_>| {
            let seen = seen.clone();
            call.on_send(move |message| {
                *seen.lock().unwrap() += 1;
                message.replace(&request("Grace"))
            });
            next.run(call).await
        },
    ));
    GreetClient::new(channel).greet(&request("Ada")).await.unwrap();
    assert_eq!(*seen.lock().unwrap(), 1);
    assert!(stub.asked().iter().all(|asked| asked.body == text("Grace")));
    assert_eq!(stub.asked().len(), 2);
}

fn hedging(stub: &Stub, policy: HedgePolicy) -> GreetClient {
    GreetClient::new(stub.channel().hedge(policy))
}

#[tokio::test(start_paused = true)]
async fn a_slow_call_is_made_beside_itself() {
    let stub = Stub::new([after(500, hello("slow")), after(10, hello("fast"))]);
    let policy = HedgePolicy::after(ms(100));
    let (reply, took) = timed(hedging(&stub, policy).greet(&request("Ada"))).await;
    assert_eq!((reply.unwrap().greeting.as_str(), took), ("fast", ms(110)));
    assert_eq!((attempts(&stub), stub.cancelled()), (vec![None, Some("1".to_owned())], 1));
}

#[tokio::test(start_paused = true)]
async fn a_fast_call_is_made_once() {
    let stub = Stub::new([after(99, hello("hi"))]);
    hedging(&stub, HedgePolicy::after(ms(100))).greet(&request("")).await.unwrap();
    assert_eq!(stub.asked().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn calls_with_side_effects_are_not_hedged() {
    let stub = Stub::new([after(500, unavailable(&[]))]);
    hedging(&stub, HedgePolicy::after(ms(100))).spell(&request("")).await.unwrap_err();
    assert_eq!(stub.asked().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn failures_send_the_next_attempt_at_once() {
    let policy = HedgePolicy { attempts_max: 3, ..HedgePolicy::after(ms(100)) };
    let stub = Stub::new([unavailable(&[]), after(10, unavailable(&[])), after(10, hello("hi"))]);
    let (reply, took) = timed(hedging(&stub, policy.clone()).greet(&request(""))).await;
    assert_eq!((reply.unwrap().greeting.as_str(), took), ("hi", ms(20)));
    // A final failure is final.
    let stub = Stub::new([answer(404, &[], vec![])]);
    let error = hedging(&stub, policy.clone()).greet(&request("")).await.unwrap_err();
    assert_eq!((error.code(), stub.asked().len()), (Code::Unimplemented, 1));
    // And so is the last one.
    let stub = Stub::new([unavailable(&[])]);
    let error = hedging(&stub, policy).greet(&request("")).await.unwrap_err();
    assert_eq!((error.code(), stub.asked().len()), (Code::Unavailable, 3));
}

#[tokio::test(start_paused = true)]
async fn hedges_end_at_the_deadline() {
    let stub = Stub::new([Step::Never]);
    let client = hedging(&stub, HedgePolicy::after(ms(100)));
    let (error, took) = timed(client.greet(&request("")).timeout(ms(150))).await;
    is_our_deadline(&error.unwrap_err());
    assert_eq!((took, stub.asked().len(), stub.cancelled()), (ms(150), 2, 2));
}
