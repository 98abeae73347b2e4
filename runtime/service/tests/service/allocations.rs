//! What one unary call allocates, counted: a change of these numbers is a change of what every call costs.

use crate::greet::*;
use crate::support::{envelopes, routes, text};
use allocation_counter::measure;
use bytes::Bytes;
use ringwire_http::HeadersMut;
use ringwire_service::{
    Arrival, Call, Interceptor, Next, PlainHead, Requests, Response, Responses, Rest, Result, Router, Routes,
    Sent,
};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
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

impl Interceptor for Around {
    async fn intercept(&self, call: &mut Call, next: Next<'_, impl Rest>) -> Result<()> {
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

/// The call of a shell: from the arrival of a request to the last byte of the answer.
fn call(routes: &Routes, arrival: &Arrival, body: &Bytes, now: Instant) {
    let mut cx = Context::from_waker(Waker::noop());
    let mut fields = Encoder(0);
    let mut flight = routes.start(arrival.clone(), now);
    flight.push(body.clone());
    flight.push_end();
    assert_eq!(flight.poll_head(&mut cx, now, &mut fields), Poll::Ready(200));
    assert!(matches!(flight.poll_body(&mut cx, now), Poll::Ready(Some(_))));
    assert_eq!(flight.poll_body(&mut cx, now), Poll::Ready(None));
    flight.write_trailers(&mut fields);
}

/// Counts the allocations of one call, the second, when everything lazy has happened.
fn count(routes: &Arc<Routes>, content_type: &str, body: Bytes) -> u64 {
    let arrival = Arrival::new(PlainHead::post("/greet.v1.Greet/Greet", content_type));
    let now = Instant::now();
    call(routes, &arrival, &body, now);
    measure(|| call(routes, &arrival, &body, now)).count_total
}

fn grpc(router: Router) -> u64 {
    count(&routes(router), "application/grpc", envelopes(&[&text("Ada")]))
}

fn connect(router: Router) -> u64 {
    count(&routes(router), "application/proto", text("Ada").into())
}

#[test]
fn a_unary_call_allocates_this_often() {
    let router = || Router::new().add(GreetServer::new(Echo));
    assert_eq!((grpc(router()), connect(router())), (UNARY, UNARY));
}

#[test]
fn interceptors_of_a_service_allocate_nothing() {
    let router = Router::new().add(GreetServer::new(Echo).intercept(Around).intercept(Around));
    assert_eq!(grpc(router), UNARY);
}

#[test]
fn interceptors_of_a_router_allocate_two_futures_each() {
    for (count, router) in
        [Router::new(), Router::new().intercept(Around), Router::new().intercept(Around).intercept(around)]
            .into_iter()
            .enumerate()
    {
        let router = router.add(GreetServer::new(Echo));
        assert_eq!(connect(router), UNARY + 2 * count as u64, "{count} interceptors");
    }
}

/// Counts the allocations of a stream of so many messages each way, each driven as it comes.
fn stream(routes: &Routes, rounds: usize) -> u64 {
    let arrival = Arrival::new(PlainHead::post("/greet.v1.Greet/Chat", "application/grpc"));
    let (now, chunk) = (Instant::now(), envelopes(&[&text("Ada")]));
    measure(|| {
        let mut cx = Context::from_waker(Waker::noop());
        let mut fields = Encoder(0);
        let mut flight = routes.start(arrival.clone(), now);
        assert!(flight.poll_head(&mut cx, now, &mut fields).is_pending());
        for round in 0..rounds {
            flight.push(chunk.clone());
            assert!(round > 0 || flight.poll_head(&mut cx, now, &mut fields).is_ready());
            assert!(matches!(flight.poll_body(&mut cx, now), Poll::Ready(Some(_))));
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

/// The call, the future of its handler, and the buffer of its response.
const UNARY: u64 = 3;
