//! How a shell drives a call: by pushing what arrives, or by pulling it; with a bound on what waits.

use crate::greet::*;
use crate::support::{Driven, envelopes, messages, routes, text};
use ringwire_service::{Arrival, Call, InFlight, PlainHead, Requests, Responses, Result, Router, Routes};
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

/// What hyper's body is to the portable shell.
struct Body(VecDeque<Option<bytes::Bytes>>);

impl Body {
    fn poll(&mut self) -> Poll<Option<bytes::Bytes>> {
        match self.0.pop_front() {
            Some(Some(chunk)) => Poll::Ready(Some(chunk)),
            Some(None) => Poll::Pending,
            None => Poll::Ready(None),
        }
    }
}

/// The loop of a shell that pulls.
fn pull(flight: &mut InFlight, body: &mut Body, cx: &mut Context<'_>) -> Poll<Option<bytes::BytesMut>> {
    let mut headers: Vec<(String, Vec<u8>)> = Vec::new();
    loop {
        let now = Instant::now();
        if flight.poll_head(cx, now, &mut headers).is_ready()
            && let Poll::Ready(piece) = flight.poll_body(cx, now)
        {
            return Poll::Ready(piece);
        }
        if !flight.wants_input() {
            return Poll::Pending;
        }
        match body.poll() {
            Poll::Ready(Some(chunk)) => flight.push(chunk),
            Poll::Ready(None) => flight.push_end(),
            Poll::Pending => return Poll::Pending,
        }
    }
}

#[test]
fn a_shell_can_pull() {
    let head = PlainHead::post("/greet.v1.Greet/Greet", "application/grpc");
    let mut flight = serving().start(Arrival::new(head), Instant::now());
    let wire = envelopes(&[&text("Ada")]);
    let chunks = wire.chunks(3).flat_map(|chunk| [Some(bytes::Bytes::copy_from_slice(chunk)), None]);
    let mut body = Body(chunks.collect());
    let waits = body.0.iter().filter(|chunk| chunk.is_none()).count();
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..waits {
        assert!(pull(&mut flight, &mut body, &mut cx).is_pending());
    }
    let Poll::Ready(Some(piece)) = pull(&mut flight, &mut body, &mut cx) else { panic!("no answer") };
    assert_eq!(messages(&piece), [text("Ada")]);
    assert_eq!(pull(&mut flight, &mut body, &mut cx), Poll::Ready(None));
    assert!(flight.has_trailers());
}

#[test]
fn a_slow_peer_makes_the_handler_wait_within_a_bound() {
    let mut call = Driven::grpc(&serving(), "/greet.v1.Greet/Spell");
    call.flight().push(envelopes(&[b""]));
    call.flight().push_end();
    let mut cx = Context::from_waker(Waker::noop());
    let (now, mut headers) = (call.now, Vec::<(String, Vec<u8>)>::new());
    assert!(call.flight().poll_head(&mut cx, now, &mut headers).is_ready());
    let (mut total, mut most) = (0, 0);
    while let Poll::Ready(Some(piece)) = call.flight().poll_body(&mut cx, now) {
        most = most.max(piece.len());
        total += piece.len();
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
fn a_reader_is_fed_only_when_it_is_hungry() {
    let mut call = Driven::grpc(&serving(), "/greet.v1.Greet/Chat");
    assert!(!call.flight().wants_input(), "a handler that has not run has not asked");
    assert!(call.poll().flight().wants_input());
    let chunk = envelopes(&[&text("a")]);
    call.flight().push(chunk.slice(..3));
    assert!(!call.flight().wants_input(), "poll first");
    assert!(call.poll().flight().wants_input());
    call.end();
    assert!(!call.flight().wants_input());
}

#[test]
fn a_call_moves_between_threads() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let flight = is_send(
        serving()
            .start(Arrival::new(PlainHead::post("/greet.v1.Greet/Chat", "application/grpc")), Instant::now()),
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
            call.flight().push(part);
            call.poll();
        }
        assert_eq!(messages(&call.end().body), [text("Ada")], "cut at {cut}");
    }
    for len in 1..wire.len() {
        let mut call = Driven::grpc(&routes, "/greet.v1.Greet/Greet");
        call.flight().push(wire.slice(..len));
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
                call.flight().push(part);
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
    call.flight().push_trailers(&[("x", "y")]);
    assert_eq!(messages(&call.poll().body), [text("Ada")]);
}

#[test]
fn the_rest_of_a_request_is_the_shells_to_discard() {
    use ringwire_rpc::RequestRest::{Discard, Ended};
    let routes = serving();
    for path in ["/greet.v1.Greet/Greet", "/nowhere"] {
        let mut call = Driven::grpc(&routes, path);
        // Two messages where there must be one end the call at once.
        call.flight().push(envelopes(&[b"", b""]));
        assert!(call.poll().ended, "{path}");
        assert_eq!(call.flight().rest(), Discard, "{path}");
        call.end();
        assert_eq!(call.flight().rest(), Ended, "{path}");
    }
}
