//! Ten thousand calls on one host.

use http::Version;
use ringwire_pool::{Balance, Fixed, Pool, PoolOptions};
use ringwire_server::{Server, ServerLimits};

use crate::server::{call, start};

/// 10,000 calls with 64 in flight.
async fn load(pool: &Pool, version: Version) {
    let workers: Vec<_> = (0..64)
        .map(|worker| {
            let pool = pool.clone();
            tokio::spawn(async move {
                for _ in (worker..10_000).step_by(64) {
                    call(&pool, version).await.unwrap();
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http2_needs_few_connections_and_leaks_nothing() {
    let (port, server) = start(Server::bind("127.0.0.1:0"));
    let pool = Pool::new(&format!("http://127.0.0.1:{port}"), PoolOptions::new()).unwrap();
    load(&pool, Version::HTTP_2).await;
    assert_eq!(server.load().requests_accepted, 10_000);
    let connections = server.load().connections_accepted;
    // 64 in flight, one more connection at 32 on each.
    assert!((1..=3).contains(&connections), "{connections} connections");
    let status = &pool.targets()[0];
    assert_eq!((status.in_flight, status.connecting, status.connections as u64), (0, 0, connections));
    drop(pool);
    while server.load().connections > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_takes_few_streams_gets_more_connections() {
    let limits = ServerLimits { streams_max: 10, ..ServerLimits::default() };
    let (port, server) = start(Server::bind("127.0.0.1:0").limits(limits));
    let pool = Pool::new(&format!("http://127.0.0.1:{port}"), PoolOptions::new()).unwrap();
    load(&pool, Version::HTTP_2).await;
    let load = server.load();
    assert_eq!(load.requests_accepted, 10_000);
    assert!((5..=8).contains(&load.connections_accepted), "{} connections", load.connections_accepted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http1_takes_a_connection_for_each_call_in_flight_and_uses_it_again() {
    let (port, server) = start(Server::bind("127.0.0.1:0"));
    let pool = Pool::new(&format!("http://127.0.0.1:{port}"), PoolOptions::new()).unwrap();
    load(&pool, Version::HTTP_11).await;
    let load = server.load();
    assert_eq!(load.requests_accepted, 10_000);
    // Those beyond the idle limit of 32 are closed when they are not needed for a moment.
    assert!(load.connections_accepted < 1_000, "{} connections", load.connections_accepted);
    let status = &pool.targets()[0];
    assert_eq!((status.in_flight, status.connecting), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_servers_share_the_load() {
    let servers: Vec<_> = (0..3).map(|_| start(Server::bind("127.0.0.1:0"))).collect();
    for balance in [Balance::RoundRobin, Balance::LeastLoaded] {
        let before: Vec<_> = servers.iter().map(|(_, server)| server.load().requests_accepted).collect();
        let addresses = servers.iter().map(|(port, _)| std::net::SocketAddr::from(([127, 0, 0, 1], *port)));
        let options = PoolOptions::new().balance(balance).resolver(Fixed::new(addresses));
        let pool = Pool::new("http://greet.example", options).unwrap();
        load(&pool, Version::HTTP_2).await;
        let shares: Vec<_> = servers
            .iter()
            .zip(before)
            .map(|((_, server), before)| server.load().requests_accepted - before)
            .collect();
        assert_eq!(shares.iter().sum::<u64>(), 10_000);
        assert!(shares.iter().all(|share| (2_500..=4_200).contains(share)), "{balance:?} {shares:?}");
    }
}
