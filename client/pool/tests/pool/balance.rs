//! Several addresses.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::StatusCode;
use ringwire_pool::{Address, Balance, HttpVersion, Pool};
use ringwire_transport::{PeerAddr, Transport};

use crate::support::*;

/// Which peers answered so many calls, one after the other.
async fn peers(pool: &Pool, calls: usize) -> HashMap<String, usize> {
    let mut peers = HashMap::new();
    for _ in 0..calls {
        let response = pool.send(get("/")).await.unwrap();
        let PeerAddr(peer) = response.extensions().get().unwrap();
        *peers.entry(peer.to_string()).or_default() += 1;
        text(response).await.unwrap();
    }
    peers
}

fn last(address: &Address) -> u8 {
    match address {
        Address::Tcp(address) => address.to_string().as_bytes()[7] - b'0',
        _ => unreachable!(),
    }
}

#[tokio::test(start_paused = true)]
async fn round_robin_gives_each_its_share() {
    let net = Net::new(|_, _| ordinary(&Seen::default(), 100));
    let pool = several(options(&net).http(HttpVersion::Http2).balance(Balance::RoundRobin), 3);
    assert_eq!(peers(&pool, 300).await.into_values().collect::<Vec<_>>(), [100, 100, 100]);
    assert_eq!(net.dials(), 3);
}

#[tokio::test(start_paused = true)]
async fn pick_first_takes_the_first_that_answers_and_stays_there() {
    let net = Net::new(|_, address| match last(address) {
        1 => Peer::Refuses,
        2 => Peer::Stalls,
        _ => ordinary(&Seen::default(), 100),
    });
    let pool = several(options(&net).http(HttpVersion::Http2), 4);
    assert_eq!(peers(&pool, 100).await, HashMap::from([("10.0.0.3:80".to_owned(), 100)]));
    assert_eq!(net.dials(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_least_loaded_gets_the_next() {
    let net = Net::new(|_, _| ordinary(&Seen::default(), 1000));
    let pool = several(options(&net).http(HttpVersion::Http2).balance(Balance::LeastLoaded), 2);
    // Long calls stay with one, and the short ones go to the other.
    let held: Vec<_> = (0..10).map(|_| start(&pool, get("/sleep/100"))).collect();
    settle().await;
    let loads: Vec<_> = pool.targets().iter().map(|target| target.in_flight).collect();
    assert_eq!(loads, [5, 5]);
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn a_target_that_cannot_be_reached_is_passed_over() {
    let net = Net::new(|_, address| match last(address) {
        2 => Peer::Refuses,
        _ => ordinary(&Seen::default(), 100),
    });
    let pool = several(options(&net).http(HttpVersion::Http2).balance(Balance::RoundRobin), 3);
    let peers = peers(&pool, 300).await;
    assert_eq!((peers.len(), net.dials_by_address()["10.0.0.2:80"]), (2, 1));
    assert!(peers.values().all(|count| *count >= 100), "{peers:?}");
}

#[tokio::test(start_paused = true)]
async fn a_target_that_keeps_failing_is_ejected_and_comes_back() {
    let is_ill = Arc::new(AtomicBool::new(true));
    let net = Net::new({
        let is_ill = is_ill.clone();
        move |_, address| {
            let is_bad = last(address) == 1;
            let is_ill = is_ill.clone();
            serves(move |pipe| async move {
                let mut server = greet(pipe, 100).await;
                while let Some(Ok((_, mut respond))) = server.accept().await {
                    let mut head = http::Response::new(());
                    if is_bad && is_ill.load(Ordering::SeqCst) {
                        *head.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                    }
                    respond.send_response(head, true).unwrap();
                }
            })
        }
    });
    let pool = several(options(&net).http(HttpVersion::Http2).balance(Balance::RoundRobin), 2);
    let bad = |peers: HashMap<String, usize>| peers.get("10.0.0.1:80").copied().unwrap_or_default();
    assert_eq!(bad(peers(&pool, 100).await), 5);
    assert!(pool.targets()[0].is_ejected && !pool.targets()[1].is_ejected);
    // Ten seconds, and then twenty.
    pause(Duration::from_millis(9_990)).await;
    assert_eq!(bad(peers(&pool, 10).await), 0);
    pause(Duration::from_millis(10)).await;
    assert_eq!(bad(peers(&pool, 100).await), 5);
    pause(Duration::from_millis(19_990)).await;
    assert_eq!(bad(peers(&pool, 10).await), 0);
    is_ill.store(false, Ordering::SeqCst);
    pause(Duration::from_millis(10)).await;
    assert_eq!(bad(peers(&pool, 100).await), 50);
}

#[tokio::test(start_paused = true)]
async fn the_last_target_is_never_ejected() {
    let net = Net::new(|_, _| {
        serves(|pipe| async {
            let mut server = greet(pipe, 100).await;
            while let Some(Ok((_, mut respond))) = server.accept().await {
                let mut head = http::Response::new(());
                *head.status_mut() = StatusCode::BAD_GATEWAY;
                respond.send_response(head, true).unwrap();
            }
        })
    });
    for (count, ejected) in [(1, 0), (2, 1), (4, 2)] {
        let pool = several(options(&net).http(HttpVersion::Http2).balance(Balance::RoundRobin), count);
        assert_eq!(peers(&pool, 100).await.values().sum::<usize>(), 100);
        assert_eq!(pool.targets().iter().filter(|target| target.is_ejected).count(), ejected);
    }
}
