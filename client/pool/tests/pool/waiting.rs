//! Requests that wait for a connection.

use std::time::Duration;

use ringwire_pool::{HttpVersion, Limits, PoolOptions, State, WaitForReady};
use ringwire_transport::TransportErrorKind::{Connect, Overloaded};
use tokio::time::Instant;

use crate::support::*;

fn narrow(net: &Net, waiting_max: usize) -> PoolOptions {
    let mut limits = Limits::default();
    limits.http2_connections_max = 1;
    limits.waiting_max = waiting_max;
    options(net).http(HttpVersion::Http2).limits(limits)
}

#[tokio::test(start_paused = true)]
async fn one_more_than_may_wait_is_refused() {
    let net = Net::new(|_, _| ordinary(&Seen::default(), 1));
    for waiting_max in [0, 1, 5] {
        let pool = pool(narrow(&net, waiting_max.max(1)));
        assert_eq!(call(&pool, get("/")).await.unwrap(), "hello");
        let pool = if waiting_max == 0 { continue } else { pool };
        let calls: Vec<_> = (0..waiting_max + 3).map(|_| start(&pool, get("/sleep/1"))).collect();
        let mut refused = 0;
        for call in calls {
            if let Err(error) = call.await.unwrap() {
                assert_eq!((error.kind(), error.is_unprocessed()), (Overloaded, true));
                refused += 1;
            }
        }
        assert_eq!(refused, 2);
    }
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_are_served_in_their_order() {
    let net = Net::new(|_, _| ordinary(&Seen::default(), 1));
    let pool = pool(narrow(&net, 100));
    let (done, mut order) = tokio::sync::mpsc::unbounded_channel();
    for number in 0..20 {
        let (pool, done) = (pool.clone(), done.clone());
        tokio::spawn(async move {
            call(&pool, get("/sleep/1")).await.unwrap();
            done.send(number).unwrap();
        });
        settle().await;
    }
    for number in 0..20 {
        assert_eq!(order.recv().await, Some(number));
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_gives_up_leaves_its_place_to_the_next() {
    let net = Net::new(|_, _| ordinary(&Seen::default(), 1));
    let pool = pool(narrow(&net, 3));
    let first = start(&pool, get("/sleep/1"));
    settle().await;
    let given_up = start(&pool, get("/"));
    let next = start(&pool, get("/"));
    settle().await;
    given_up.abort();
    assert_eq!(first.await.unwrap().unwrap(), "hello");
    assert_eq!(next.await.unwrap().unwrap(), "hello");
    // All places in the queue are free again.
    let calls: Vec<_> = (0..4).map(|_| start(&pool, get("/sleep/1"))).collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), "hello");
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_fails_is_left_alone_and_requests_fail_at_once() {
    let net = Net::new(|_, _| Peer::Refuses);
    let pool = http2(&net);
    let started = Instant::now();
    for _ in 0..1000 {
        assert_eq!(failure(&pool, get("/")).await, (Connect, true));
    }
    assert_eq!((net.dials(), started.elapsed()), (1, Duration::ZERO));
    assert_eq!(pool.state(), State::Failing);
    assert!(pool.targets()[0].is_failing);
}

#[tokio::test(start_paused = true)]
async fn requests_wait_for_a_host_that_fails_if_they_are_asked_to() {
    let net = Net::new(|number, _| if number < 5 { Peer::Refuses } else { ordinary(&Seen::default(), 100) });
    let pool = pool(options(&net).http(HttpVersion::Http2).wait_for_ready(true));
    let mut hasty = get("/");
    hasty.extensions_mut().insert(WaitForReady(false));
    assert_eq!(failure(&pool, hasty).await, (Connect, true));
    let calls: Vec<_> = (0..10).map(|_| start(&pool, get("/"))).collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), "hello");
    }
    assert_eq!((net.dials(), pool.state()), (6, State::Ready));
}

#[tokio::test(start_paused = true)]
async fn states_can_be_followed() {
    let net = Net::new(|number, _| if number == 0 { Peer::Stalls } else { ordinary(&Seen::default(), 100) });
    let pool = http2(&net);
    let mut states = pool.states();
    let failing = start(&pool, get("/"));
    assert_eq!(states.next().await, Some(State::Connecting));
    assert_eq!(states.next().await, Some(State::Failing));
    failing.await.unwrap().unwrap_err();
    pause(Duration::from_secs(1)).await;
    let calling = start(&pool, get("/"));
    // Connecting takes no time here, and changes in quick succession are one.
    assert_eq!(states.next().await, Some(State::Ready));
    calling.await.unwrap().unwrap();
    drop(pool);
    assert_eq!(states.next().await, Some(State::Closed));
    assert_eq!(states.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_burst_on_a_cold_pool_opens_no_more_connections_than_it_needs() {
    let net = Net::new(|_, _| ordinary(&Seen::default(), 100));
    let pool = http2(&net);
    let calls: Vec<_> = (0..30).map(|_| start(&pool, get("/"))).collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), "hello");
    }
    assert_eq!(net.dials(), 1);
}
