//! What one call allocates, counted: a change of these numbers is a change of what every call costs.

use crate::greet::*;
use crate::least::{Echo, Least};
use crate::support::*;
use allocation_counter::measure;
use ringwire_client::{Call, Channel, ClientProtocol, Next};
use ringwire_local::LocalChannel;
use ringwire_service::Router;

/// The allocations of one call, the second, when everything lazy has happened.
fn count(channel: Channel) -> u64 {
    let client = GreetClient::new(channel);
    let request = GreetRequestView { name: "Ada", ..Default::default() };
    let call = || drop(now(client.greet(&request).view()).unwrap());
    call();
    measure(call).count_total
}

#[test]
fn a_unary_call_allocates_this_often() {
    let least = || Channel::over(Least, "http://least").unwrap();
    assert_eq!(count(least()), UNARY);
    // The path with its prefix.
    assert_eq!(count(Channel::over(Least, "http://least/api").unwrap()), UNARY);
    // What is there once for all calls costs nothing per call.
    assert_eq!(count(least().retry(ringwire_client::RetryPolicy::default())), UNARY);
}

#[test]
fn each_interceptor_allocates_its_future_and_the_rest_of_the_way() {
    let around = async |call: &mut Call, next: Next<'_>| next.run(call).await;
    let least = Channel::over(Least, "http://least").unwrap();
    let one = count(least.clone().intercept(around));
    let two = count(least.intercept(around).intercept(around));
    assert_eq!((one - UNARY, two - one), (FIRST_INTERCEPTOR, INTERCEPTOR));
}

#[test]
fn a_call_to_a_service_in_memory_allocates_this_often() {
    let channel = Channel::local(Router::new().add(GreetServer::new(Echo)));
    let [connect, grpc] = [ClientProtocol::CONNECT, ClientProtocol::GRPC]
        .map(|protocol| count(channel.clone().protocol(protocol)));
    assert_eq!((connect, grpc), LOCAL);
}

/// The allocations of a stream of so many messages each way.
fn stream(rounds: usize) -> u64 {
    let client = greeter();
    let request = ChatRequestView { line: "ADA", ..Default::default() };
    measure(|| {
        now(async {
            let mut chat = client.chat().await.unwrap();
            for _ in 0..rounds {
                chat.send(&request).await.unwrap();
                assert_eq!(chat.next_view().await.unwrap().unwrap().line, "ADA");
            }
        });
    })
    .count_total
}

#[test]
fn the_messages_of_a_stream_share_allocations() {
    let (few, many) = (stream(100), stream(1100));
    // The service makes a string for each answer; what is left is a buffer now and then.
    let per_message = (many - few) as f64 / 1000.0;
    assert!(per_message < 1.5, "{per_message} allocations per message and its answer");
}

/// The map of its headers, twice; of the transport, a future, a body, and the map of headers, twice.
const UNARY: u64 = 6;
/// The interceptor's future.
const INTERCEPTOR: u64 = 1;
/// The future of the call, that of its end, and the response beside the message.
const FIRST_INTERCEPTOR: u64 = INTERCEPTOR + 3;
/// Connect, gRPC: with what the service allocates, and what its fields do on the way.
const LOCAL: (u64, u64) = (18, 21);
