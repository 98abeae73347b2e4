//! Makes as many unary calls as its argument says, for an instruction counter:
//! `valgrind --tool=callgrind unary_calls 6000`, less the same with 1000, divided by 5000.
//!
//! A second argument chooses the protocol, `grpc` or `connect`; a third puts one interceptor around the
//! service, `static`, or around the router, `dynamic`.

#[path = "../tests/service/greet/mod.rs"]
mod greet;

use bytes::{BufMut, Bytes, BytesMut};
use greet::*;
use ringwire_http::HeadersMut;
use ringwire_service::{Arrival, Call, Interceptor, Next, PlainHead, Response, Rest, Result, Router, Sent};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

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
}

struct Around;

impl Interceptor for Around {
    async fn intercept(&self, call: &mut Call, next: Next<'_, impl Rest>) -> Result<()> {
        next.run(call).await
    }
}

/// Takes header fields as a connection's encoder does: without keeping them.
struct Encoder(usize);

impl HeadersMut for Encoder {
    fn append(&mut self, name: &str, value: &[u8]) {
        self.0 += name.len() + value.len();
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let count: usize = arguments.next().map_or(1, |count| count.parse().expect("a number of calls"));
    let grpc = arguments.next().is_none_or(|protocol| protocol == "grpc");
    let greet = GreetServer::new(Echo);
    let router = match arguments.next().as_deref() {
        Some("static") => Router::new().add(greet.intercept(Around)),
        Some("dynamic") => Router::new().add(greet).intercept(Around),
        _ => Router::new().add(greet),
    };
    let routes = router.build().expect("one service");
    let mut body = BytesMut::new();
    // A name of 64 bytes, as in the other measurements.
    let message = [&[0x0a, 64][..], &[b'x'; 64]].concat();
    if grpc {
        body.put_u8(0);
        body.put_u32(message.len() as u32);
    }
    body.put_slice(&message);
    let content_type = if grpc { "application/grpc" } else { "application/proto" };
    let arrival = Arrival::new(PlainHead::post("/greet.v1.Greet/Greet", content_type));
    let now = Instant::now();
    let body = body.freeze();
    for _ in 0..count {
        call(&routes, &arrival, &body, now);
    }
}

fn call(routes: &ringwire_service::Routes, arrival: &Arrival, body: &Bytes, now: Instant) {
    let mut cx = Context::from_waker(Waker::noop());
    let mut fields = Encoder(0);
    let mut flight = routes.start(arrival.clone(), now);
    flight.push(body.clone());
    flight.push_end();
    assert_eq!(flight.poll_head(&mut cx, now, &mut fields), Poll::Ready(200));
    assert!(matches!(flight.poll_body(&mut cx, now), Poll::Ready(Some(_))));
    assert_eq!(flight.poll_body(&mut cx, now), Poll::Ready(None));
    flight.write_trailers(&mut fields);
    std::hint::black_box(fields.0);
}
