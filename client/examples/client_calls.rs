//! Makes as many unary calls as its argument says, for an instruction counter:
//! `valgrind --tool=callgrind client_calls 6000`, less the same with 1000, divided by 5000.
//!
//! A second argument says over what: `least`, a transport that does nothing, or `local`, a service in memory. A third puts so many
//! interceptors around.

#[path = "../tests/client/greet.rs"]
mod greet;
#[path = "../benches/calls/least.rs"]
mod least;

use greet::*;
use least::{Echo, Least};
use ringwire_client::{Call, Channel, Next};
use ringwire_local::LocalChannel;
use ringwire_service::Router;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let count: usize = arguments.next().map_or(1, |count| count.parse().expect("a number of calls"));
    let mut channel = match arguments.next().as_deref() {
        Some("local") => Channel::local(Router::new().add(GreetServer::new(Echo))),
        _ => Channel::over(Least, "http://least").expect("it is an origin"),
    };
    for _ in 0..arguments.next().map_or(0, |count| count.parse().expect("a number of interceptors")) {
        channel = channel.intercept(async |call: &mut Call, next: Next<'_>| next.run(call).await);
    }
    let client = GreetClient::new(channel);
    // A name of 64 bytes, as in the other measurements.
    let name = "x".repeat(64);
    let request = GreetRequestView { name: &name, ..Default::default() };
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..count {
        let mut call = pin!(client.greet(&request).view().into_future());
        let Poll::Ready(Ok(_)) = call.as_mut().poll(&mut cx) else { panic!("nothing waits here") };
    }
}
