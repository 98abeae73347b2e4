//! What one unary call allocates, counted: a change of these numbers is a change of what every call costs.

use crate::greet::*;
use crate::support::{envelopes, post, routes, text};
use allocation_counter::measure;
use bytes::{Bytes, BytesMut};
use ringwire_http::HeadersMut;
use ringwire_service::{
    Arrival, Call, CallInFlight, Input, Interceptor, Next, Outbox, Requests, Response, Responses, Result,
    Router, Routes, Sent, Step,
};
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Instant;

/// Borrows its answer, so that what is counted is ours.
struct Echo;

impl Greet for Echo {
    async fn greet_into(
        &self,
        _: &mut Call,
        request: GreetRequestView<'_>,
        response: Response<'_, GreetResponse>,
    ) -> Result<Sent> {
        response.send(&GreetResponseView { greeting: request.name, ..Default::default() }).await
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

struct Around;

impl Interceptor<Call> for Around {
    async fn intercept(&self, call: &mut Call, next: Next<'_>) -> Result<()> {
        next.run(call).await
    }
}

async fn around(call: &mut Call, next: Next<'_>) -> Result<()> {
    next.run(call).await
}

/// Takes header fields as a connection's encoder does: without keeping them.
struct Encoder(usize);

impl HeadersMut for Encoder {
    fn append(&mut self, name: &str, value: &[u8]) {
        self.0 += name.len() + value.len();
    }
}

/// The call of a shell: from the arrival of a request to the last byte of the answer. The buffer is the shell's, and stays.
fn call(routes: &Routes, arrival: Arrival, body: &Bytes, now: Instant, buffer: &mut BytesMut) {
    let mut cx = Context::from_waker(Waker::noop());
    let mut fields = Encoder(0);
    let mut flight = routes.start(arrival, now);
    flight.handle_input(Input::Data(body.clone()));
    flight.handle_input(Input::End);
    let mut outbox = Outbox { fields: &mut fields, body: buffer };
    assert_eq!(flight.poll(&mut cx, now, &mut outbox), Step::Head(200));
    assert!(matches!(flight.poll(&mut cx, now, &mut outbox), Step::Done(_)));
    assert!(!buffer.is_empty());
    buffer.clear();
}

/// Counts the allocations of one call, when everything lazy has happened: with a head that was never seen, with that head for
/// the second time, and for the third.
fn count(routes: &Arc<Routes>, content_type: &str, body: Bytes) -> [u64; 3] {
    let arrive = || Arrival::new(post("/greet.v1.Greet/Greet", content_type));
    let (now, mut buffer) = (Instant::now(), BytesMut::with_capacity(1024));
    call(routes, arrive(), &body, now, &mut buffer);
    let head = arrive();
    [(); 3].map(|()| {
        let arrival = head.clone();
        measure(|| call(routes, arrival, &body, now, &mut buffer)).count_total
    })
}

/// The same for every call, but that the opening is kept with the second.
fn calls(each: u64) -> [u64; 3] {
    [each, each + OPENING, each]
}

fn grpc(router: Router) -> [u64; 3] {
    count(&routes(router), "application/grpc", envelopes(&[&text("Ada")]))
}

fn connect(router: Router) -> [u64; 3] {
    count(&routes(router), "application/proto", text("Ada").into())
}

#[test]
fn a_unary_call_allocates_this_often() {
    let router = || Router::new().add(GreetServer::new(Echo));
    assert_eq!((grpc(router()), connect(router())), (calls(UNARY), calls(UNARY)));
}

#[test]
fn interceptors_allocate_a_future_each_and_one_for_the_end() {
    for (count, router) in
        [Router::new().intercept(Around), Router::new().intercept(Around).intercept(around)]
            .into_iter()
            .enumerate()
    {
        let both = router.clone().add(GreetServer::new(Echo));
        let of_the_service = router.add(GreetServer::new(Echo).intercept(Around));
        let want = UNARY + 2 + count as u64;
        assert_eq!(connect(both), calls(want), "{count}");
        assert_eq!(grpc(of_the_service), calls(want + 1), "{count}");
    }
}

/// Counts the allocations of a stream of so many messages each way, each driven as it comes.
fn stream(routes: &Routes, rounds: usize) -> u64 {
    let arrival = Arrival::new(post("/greet.v1.Greet/Chat", "application/grpc"));
    let (now, chunk) = (Instant::now(), envelopes(&[&text("Ada")]));
    let mut body = BytesMut::with_capacity(1024);
    measure(|| {
        let mut cx = Context::from_waker(Waker::noop());
        let mut fields = Encoder(0);
        let mut flight = routes.start(arrival.clone(), now);
        let mut poll = |flight: &mut CallInFlight| {
            let step = flight.poll(&mut cx, now, &mut Outbox { fields: &mut fields, body: &mut body });
            flight.handle_sent(body.len());
            body.clear();
            step
        };
        assert!(matches!(poll(&mut flight), Step::Wait { input: true, .. }));
        for round in 0..rounds {
            flight.handle_input(Input::Data(chunk.clone()));
            assert_eq!(poll(&mut flight), if round == 0 { Step::Head(200) } else { Step::Body });
        }
    })
    .count_total
}

#[test]
fn the_messages_of_a_stream_share_an_allocation() {
    let routes = routes(Router::new().add(GreetServer::new(Echo)));
    let (few, many) = (stream(&routes, 100), stream(&routes, 1100));
    assert_eq!(many, few, "what one buffer leaves over, the next messages fill");
}

/// The messages of the call, and the future of its handler.
const UNARY: u64 = 2;
/// The opening of a head that has come again, kept beside it.
const OPENING: u64 = 1;
