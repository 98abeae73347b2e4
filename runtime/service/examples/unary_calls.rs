//! Makes as many unary calls as its argument says, for an instruction counter:
//! `valgrind --tool=callgrind --collect-atstart=no --toggle-collect=unary_calls::call unary_calls 6000`, less the same with
//! 1000, divided by 5000.
//!
//! A second argument chooses the protocol, `grpc` or `connect`. A third says `again` for one head that comes again with every
//! call, `new` for heads that were never seen; a fourth puts that many interceptors around the service.

#[path = "../tests/service/greet/mod.rs"]
mod greet;

use bytes::{BufMut, Bytes, BytesMut};
use greet::*;
use ringwire_http::{Head, HeadersMut};
use ringwire_service::{Arrival, Call, Input, Next, Outbox, Response, Result, Router, Routes, Sent, Step};
use std::task::{Context, Waker};
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

fn main() {
    let mut arguments = std::env::args().skip(1);
    let count: usize = arguments.next().map_or(1, |count| count.parse().expect("a number of calls"));
    let grpc = arguments.next().is_none_or(|protocol| protocol == "grpc");
    let again = arguments.next().is_some_and(|heads| heads == "again");
    let interceptors: usize =
        arguments.next().map_or(0, |count| count.parse().expect("a number of interceptors"));
    let mut greet = GreetServer::new(Echo);
    for _ in 0..interceptors {
        greet = greet.intercept(around);
    }
    let routes = Router::new().add(greet).build().expect("one service");
    let mut body = BytesMut::new();
    // A name of 64 bytes, as in the other measurements.
    let message = [&[0x0a, 64][..], &[b'x'; 64]].concat();
    if grpc {
        body.put_u8(0);
        body.put_u32(message.len() as u32);
    }
    body.put_slice(&message);
    let body = body.freeze();
    let content_type = if grpc { "application/grpc" } else { "application/proto" };
    let arrive = || Arrival::new(Head::post("/greet.v1.Greet/Greet", content_type, &ringwire_rpc::NAMES));
    let now = Instant::now();
    let mut buffer = BytesMut::with_capacity(4096);
    let same = arrive();
    for _ in 0..count {
        // A head is the connection's to make and to drop.
        let arrival = if again { same.clone() } else { arrive() };
        call(&routes, arrival.clone(), &body, now, &mut buffer);
    }
}

/// All that a shell does for a call, and all that is counted.
#[inline(never)]
fn call(routes: &Routes, arrival: Arrival, body: &Bytes, now: Instant, buffer: &mut BytesMut) {
    let mut cx = Context::from_waker(Waker::noop());
    let mut fields = Encoder(0);
    let mut flight = routes.start(arrival, now);
    flight.handle_input(Input::Data(body.clone()));
    flight.handle_input(Input::End);
    let mut outbox = Outbox { fields: &mut fields, body: buffer };
    assert_eq!(flight.poll(&mut cx, now, &mut outbox), Step::Head(200));
    assert!(matches!(flight.poll(&mut cx, now, &mut outbox), Step::Done(_)));
    std::hint::black_box((fields.0, buffer.len()));
    buffer.clear();
}
