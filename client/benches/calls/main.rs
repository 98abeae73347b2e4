//! What a unary call costs: over nothing, to a service in memory, and to one behind a loopback socket.
//!
//! `cargo bench -p ringwire-client`. The numbers of a change belong in its commit.

#![forbid(unsafe_code)]

#[path = "../../tests/client/greet.rs"]
mod greet;
mod least;

use criterion::{Criterion, criterion_group, criterion_main};
use greet::*;
use least::{Echo, Least};
use ringwire_client::{Channel, ClientProtocol};
use ringwire_local::LocalChannel;
use ringwire_server::Server;
use ringwire_service::Router;
use std::hint::black_box;
use tokio::runtime::Runtime;

const PROTOCOLS: [(&str, ClientProtocol); 3] = [
    ("connect", ClientProtocol::CONNECT),
    ("grpc", ClientProtocol::GRPC),
    ("grpc-web", ClientProtocol::GRPC_WEB),
];

fn router() -> Router {
    Router::new().add(GreetServer::new(Echo))
}

fn unary(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("threads can be had");
    let (at, serving) = {
        let _inside = runtime.enter();
        let server = Server::bind("127.0.0.1:0");
        let at = server.local_address().expect("there is a free port");
        (format!("http://{at}"), runtime.spawn(server.serve(router())))
    };
    let mut group = criterion.benchmark_group("unary");
    let mut measure = |name: &str, channel: Channel| {
        let client = GreetClient::new(channel);
        let name_of_64 = "x".repeat(64);
        let request = GreetRequestView { name: &name_of_64, ..Default::default() };
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let reply = runtime.block_on(client.greet(&request).view().into_future());
                black_box(reply.expect("nothing goes wrong here"))
            });
        });
    };
    measure("over nothing, connect", Channel::over(Least, "http://least").expect("it is an origin"));
    for (name, protocol) in PROTOCOLS {
        measure(&format!("in memory, {name}"), Channel::local(router()).protocol(protocol));
        let channel = Channel::new(&at).expect("it is an origin").protocol(protocol);
        measure(&format!("loopback, {name}"), channel);
    }
    group.finish();
    serving.abort();
}

criterion_group!(calls, unary);
criterion_main!(calls);
