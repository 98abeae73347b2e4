//! How a shell drives a call: by pushing what arrives, or by pulling it; with a bound on what waits.

use crate::greet::*;
use crate::support::{Driven, envelopes, messages, post, routes, text};
use bytes::{Bytes, BytesMut};
use ringwire_rpc::RequestRest;
use ringwire_service::{
    Arrival, Call, CallInFlight, Ended, Input, Outbox, Requests, Responses, Result, Router, Routes, Step,
};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

struct Talker;

impl Greet for Talker {
    async fn greet(&self, _: &mut Call, request: GreetRequestView<'_>) -> Result<GreetResponse> {
        Ok(GreetResponse { greeting: request.name.to_owned(), ..Default::default() })
    }

    /// Sends a thousand messages of a kilobyte.
    async fn spell(
        &self,
        _: &mut Call,
        _: GreetRequestView<'_>,
        mut responses: Responses<'_, GreetResponse>,
    ) -> Result<()> {
        let message = GreetResponse { greeting: "x".repeat(1024 - 5 - 3), ..Default::default() };
        for _ in 0..1000 {
            responses.send(&message).await?;
        }
        Ok(())
    }

    /// Reads in one future and writes in another, each polled when it is woken.
    async fn chat(
        &self,
        _: &mut Call,
        mut requests: Requests<'_, ChatRequest>,
        mut responses: Responses<'_, ChatResponse>,
    ) -> Result<()> {
        let mut read = pin!(async {
            let mut lines = Vec::new();
            while let Some(request) = requests.next().await? {
                lines.push(request.line.to_owned());
            }
            Ok::<_, ringwire_service::Error>(lines)
        });
        let mut write = pin!(async {
            let line = "x".repeat(1024 - 5 - 3);
            for _ in 0..200 {
                responses.send(&ChatResponse { line: line.clone(), ..Default::default() }).await?;
            }
            Ok::<_, ringwire_service::Error>(())
        });
        let (reads, writes) = (Arc::new(Relay::default()), Arc::new(Relay::default()));
        let (mut lines, mut written) = (None, false);
        poll_fn(|cx| {
            if lines.is_none()
                && reads.begin(cx.waker())
                && let Poll::Ready(done) = read.as_mut().poll(&mut Context::from_waker(&reads.clone().into()))
            {
                lines = Some(done);
            }
            if !written
                && writes.begin(cx.waker())
                && let Poll::Ready(done) =
                    write.as_mut().poll(&mut Context::from_waker(&writes.clone().into()))
            {
                done.unwrap();
                written = true;
            }
            if written && lines.is_some() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        lines.take().unwrap().map(drop)
    }
}

/// The waker of one of several futures that are polled together: only those that were woken are polled.
#[derive(Default)]
struct Relay {
    state: std::sync::Mutex<(bool, Option<Waker>)>,
}

impl Relay {
    fn begin(&self, waker: &Waker) -> bool {
        let mut state = self.state.lock().unwrap();
        let first = state.1.is_none();
        state.1 = Some(waker.clone());
        std::mem::take(&mut state.0) || first
    }
}

impl std::task::Wake for Relay {
    fn wake(self: Arc<Self>) {
        let outer = {
            let mut state = self.state.lock().unwrap();
            state.0 = true;
            state.1.clone()
        };
        outer.into_iter().for_each(Waker::wake);
    }
}

fn serving() -> Arc<Routes> {
    routes(Router::new().add(GreetServer::new(Talker)))
}

/// The body of a request as HTTP implementations hand it out: in pieces, some of which take their time.
struct Body(VecDeque<Option<Bytes>>);

impl Body {
    fn poll(&mut self) -> Poll<Option<Bytes>> {
        match self.0.pop_front() {
            Some(Some(chunk)) => Poll::Ready(Some(chunk)),
            Some(None) => Poll::Pending,
            None => Poll::Ready(None),
        }
    }
}

/// A shell that pulls, written from the crate's documentation.
struct PullShell {
    call: CallInFlight,
    request: Body,
    status: Option<u16>,
    fields: Vec<(String, Vec<u8>)>,
    body: BytesMut,
}

impl PullShell {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Ended> {
        loop {
            let before = self.body.len();
            let mut outbox = Outbox { fields: &mut self.fields, body: &mut self.body };
            let step = self.call.poll(cx, Instant::now(), &mut outbox);
            self.call.handle_sent(self.body.len() - before);
            match step {
                Step::Head(status) => self.status = Some(status),
                Step::Body => {}
                Step::Done(ended) => return Poll::Ready(ended),
                Step::Wait { input: false, .. } => return Poll::Pending,
                Step::Wait { input: true, .. } => match self.request.poll() {
                    Poll::Ready(Some(chunk)) => self.call.handle_input(Input::Data(chunk)),
                    Poll::Ready(None) => self.call.handle_input(Input::End),
                    Poll::Pending => return Poll::Pending,
                },
            }
        }
    }
}

#[test]
fn a_shell_can_pull() {
    let call =
        serving().start(Arrival::new(post("/greet.v1.Greet/Greet", "application/grpc")), Instant::now());
    let wire = envelopes(&[&text("Ada")]);
    let chunks = wire.chunks(3).flat_map(|chunk| [Some(Bytes::copy_from_slice(chunk)), None]);
    let request = Body(chunks.collect());
    let waits = request.0.iter().filter(|chunk| chunk.is_none()).count();
    let mut shell =
        PullShell { call, request, status: None, fields: Vec::new(), body: BytesMut::from("before") };
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..waits {
        assert!(shell.poll(&mut cx).is_pending());
    }
    let Poll::Ready(ended) = shell.poll(&mut cx) else { panic!("no answer") };
    assert_eq!(shell.status, Some(200));
    assert_eq!(messages(shell.body.strip_prefix(b"before").unwrap()), [text("Ada")]);
    assert!(ended.trailers && ended.code.is_none() && ended.rest == RequestRest::Ended);
    assert_eq!(shell.fields.last(), Some(&("grpc-status".to_owned(), b"0".to_vec())));
    assert!(shell.poll(&mut cx).is_pending(), "nothing follows the end");
}

#[test]
fn what_lies_in_the_buffer_stays_and_the_room_behind_it_is_used() {
    let routes = serving();
    let mut buffer = BytesMut::with_capacity(1024);
    buffer.extend_from_slice(b"before");
    let place = buffer.as_ptr();
    let mut cx = Context::from_waker(Waker::noop());
    let mut fields = |_: &str, _: &[u8]| {};
    for count in 1..=3 {
        let mut call =
            routes.start(Arrival::new(post("/greet.v1.Greet/Greet", "application/grpc")), Instant::now());
        call.handle_input(Input::Data(envelopes(&[&text("Ada")])));
        call.handle_input(Input::End);
        let mut outbox = Outbox { fields: &mut fields, body: &mut buffer };
        assert_eq!(call.poll(&mut cx, Instant::now(), &mut outbox), Step::Head(200));
        assert!(matches!(call.poll(&mut cx, Instant::now(), &mut outbox), Step::Done(_)));
        let bodies = buffer.strip_prefix(b"before").unwrap();
        assert_eq!(messages(bodies), vec![text("Ada"); count]);
        assert_eq!(buffer.as_ptr(), place, "nothing has moved");
    }
}

#[test]
fn a_slow_peer_makes_the_handler_wait_within_a_bound() {
    let mut call = Driven::grpc(&serving(), "/greet.v1.Greet/Spell");
    call.feed(envelopes(&[b""]));
    call.feed_end();
    let (mut total, mut unsent, mut most) = (0, 0, 0);
    loop {
        let (step, len) = call.step();
        total += len;
        unsent += len;
        most = most.max(unsent);
        match step {
            Step::Head(_) | Step::Body => {}
            Step::Done(_) => break,
            Step::Wait { .. } => {
                assert!(unsent > 64 * 1024, "the handler waits for nothing else");
                // A little leaves, and the handler writes as much again.
                call.flight().handle_sent(2048);
                unsent -= 2048;
            }
        }
    }
    assert_eq!(total, 1000 * 1024);
    assert!(most <= 64 * 1024 + 1024, "{most}");
}

#[test]
fn nobody_is_woken_who_is_polled_anyway() {
    let mut call = Driven::grpc(&serving(), "/greet.v1.Greet/Spell");
    call.poll().push(b"").end();
    assert_eq!((call.grpc_status(), call.wakes()), (Some("0"), 0));
}

#[test]
fn futures_that_a_handler_joins_are_woken_one_by_one() {
    let mut call = Driven::grpc(&serving(), "/greet.v1.Greet/Chat");
    call.poll();
    assert_eq!(messages(&call.body).len(), 200, "the writer is woken whenever there is room");
    call.push(&text("a")).push(&text("b"));
    assert_eq!(call.end().grpc_status(), Some("0"));
}

#[test]
fn a_reader_is_fed_only_when_it_asks() {
    let mut call = Driven::grpc(&serving(), "/greet.v1.Greet/Chat");
    assert!(call.poll().wants_input);
    let chunk = envelopes(&[&text("a")]);
    call.feed(chunk.slice(..3));
    assert!(call.poll().wants_input, "part of a message is not enough");
    call.feed(chunk.slice(3..));
    assert!(call.poll().wants_input, "the next one");
    call.end();
    assert!(!call.wants_input);
}

#[test]
fn a_call_moves_between_threads() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let flight = is_send(
        serving().start(Arrival::new(post("/greet.v1.Greet/Chat", "application/grpc")), Instant::now()),
    );
    std::thread::spawn(move || drop(flight)).join().unwrap();
}

#[test]
fn requests_arrive_in_any_pieces() {
    let routes = serving();
    let wire = envelopes(&[&text("Ada")]);
    for cut in 0..=wire.len() {
        let mut call = Driven::grpc(&routes, "/greet.v1.Greet/Greet");
        for part in [wire.slice(..cut), wire.slice(cut..)] {
            call.feed(part);
            call.poll();
        }
        assert_eq!(messages(&call.end().body), [text("Ada")], "cut at {cut}");
    }
    for len in 1..wire.len() {
        let mut call = Driven::grpc(&routes, "/greet.v1.Greet/Greet");
        call.feed(wire.slice(..len));
        assert_ne!(call.poll().end().grpc_status(), Some("0"), "only {len} bytes");
    }
}

#[test]
fn streams_arrive_in_any_pieces() {
    struct Echo;
    impl Greet for Echo {
        async fn chat(
            &self,
            _: &mut Call,
            mut requests: Requests<'_, ChatRequest>,
            mut responses: Responses<'_, ChatResponse>,
        ) -> Result<()> {
            while let Some(request) = requests.next().await? {
                responses.send(&ChatResponseView { line: request.line, ..Default::default() }).await?;
            }
            assert!(requests.next().await?.is_none(), "the end is the end");
            Ok(())
        }
    }
    let routes = routes(Router::new().add(GreetServer::new(Echo)));
    let wire = envelopes(&[&text("a"), b"", &text("bc")]);
    for first in 0..=wire.len() {
        for second in first..=wire.len() {
            let mut call = Driven::grpc(&routes, "/greet.v1.Greet/Chat");
            for part in [wire.slice(..first), wire.slice(first..second), wire.slice(second..)] {
                call.feed(part);
                call.poll();
            }
            assert_eq!(messages(&call.end().body), [text("a"), vec![], text("bc")], "{first} {second}");
            assert_eq!(call.grpc_status(), Some("0"));
        }
    }
}

#[test]
fn request_trailers_end_the_request() {
    let mut call = Driven::grpc(&serving(), "/greet.v1.Greet/Greet");
    call.poll().push(&text("Ada"));
    call.flight().handle_input(Input::Trailers(&[("x", "y")]));
    assert_eq!(messages(&call.poll().body), [text("Ada")]);
}

#[test]
fn the_rest_of_a_request_is_the_shells_to_discard() {
    use ringwire_rpc::RequestRest::{Discard, Ended};
    let routes = serving();
    for path in ["/greet.v1.Greet/Greet", "/nowhere"] {
        let mut call = Driven::grpc(&routes, path);
        // Two messages where there must be one end the call at once.
        call.feed(envelopes(&[b"", b""]));
        assert!(call.poll().ended, "{path}");
        assert_eq!(call.end.map(|end| end.rest), Some(Discard), "{path}");
        let mut call = Driven::grpc(&routes, path);
        call.feed(envelopes(&[b"", b""]));
        assert!(matches!(call.step(), (Step::Head(_), _)), "{path}");
        call.feed_end();
        assert_eq!(call.poll().end.map(|end| end.rest), Some(Ended), "{path}");
    }
}
