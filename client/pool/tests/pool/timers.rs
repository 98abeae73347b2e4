//! Every timer, by a clock that tests move.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ringwire_pool::{
    Address, Backoff, Balance, HttpVersion, Limits, Name, Pool, PoolOptions, Resolve, Resolving, Timings,
};
use ringwire_transport::TransportErrorKind::{self, Connect, Handshake, Lost};
use tokio::time::Instant;

use crate::support::*;

fn timings(change: impl FnOnce(&mut Timings)) -> Timings {
    let mut timings = Timings::default();
    change(&mut timings);
    timings
}

/// The failure of a call, and the milliseconds it took.
async fn check_failure(pool: Pool, kind: TransportErrorKind, millis: u128) {
    let started = Instant::now();
    assert_eq!(failure(&pool, get("/")).await.0, kind);
    assert_eq!(started.elapsed().as_millis(), millis);
}

#[tokio::test(start_paused = true)]
async fn connecting_is_given_up_in_time() {
    let net = Net::new(|_, _| Peer::Stalls);
    check_failure(http2(&net), Connect, 5_000).await;
    let short = timings(|timings| timings.connect = Duration::from_millis(70));
    check_failure(pool(options(&net).timings(short)), Connect, 70).await;
}

#[tokio::test(start_paused = true)]
async fn a_handshake_is_given_up_in_time() {
    let silent = Net::new(|_, _| says(b""));
    check_failure(http2(&silent), Handshake, 10_000).await;
    let short = timings(|timings| timings.handshake = Duration::from_millis(70));
    check_failure(pool(options(&silent).http(HttpVersion::Http2).timings(short)), Handshake, 70).await;
}

#[tokio::test(start_paused = true)]
async fn reconnects_come_later_and_later() {
    let net = Net::new(|_, _| Peer::Refuses);
    let mut backoff = Backoff::default();
    backoff.jitter = 0.0;
    backoff.factor = 2.0;
    backoff.max = Duration::from_millis(500);
    let pool = pool(options(&net).http(HttpVersion::Http2).backoff(backoff));
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(2) {
        let _ = call(&pool, get("/")).await.unwrap_err();
        pause(Duration::from_millis(10)).await;
    }
    let gaps: Vec<_> = net.dialed_at(started).windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(gaps, [100, 200, 400, 500, 500]);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_hangs_up_before_its_first_answer_is_left_alone_too() {
    let net = Net::new(|_, _| {
        serves(|pipe| async {
            let mut server = greet(pipe, 100).await;
            let _ = server.accept().await;
        })
    });
    let pool = http2(&net);
    for _ in 0..100 {
        call(&pool, get("/")).await.unwrap_err();
    }
    assert!(net.dials() <= 2, "{} connections", net.dials());
}

/// Calls at these seconds; says how many connections it took.
async fn check_dials(options: PoolOptions, net: &Net, calls_at: &[u64], dials: usize) {
    let pool = pool(options);
    let started = Instant::now();
    for at in calls_at {
        tokio::time::sleep_until(started + Duration::from_secs(*at)).await;
        assert_eq!(call(&pool, get("/")).await.unwrap(), "hello");
    }
    assert_eq!(net.dials(), dials, "{calls_at:?}");
}

#[tokio::test(start_paused = true)]
async fn idle_connections_are_closed_in_time() {
    let one = || Net::new(|_, _| lines(|_, _| Some(OK.into())));
    for (calls_at, dials) in [(&[0, 49][..], 1), (&[0, 51], 2), (&[0, 49, 98, 147], 1), (&[0, 49, 100], 2)] {
        let net = one();
        check_dials(options(&net).http(HttpVersion::Http1), &net, calls_at, dials).await;
    }
    let two = || Net::new(|_, _| ordinary(&Seen::default(), 100));
    for (calls_at, dials) in [(&[0, 299][..], 1), (&[0, 301], 2), (&[0, 299, 598], 1), (&[0, 299, 600], 2)] {
        let net = two();
        check_dials(options(&net).http(HttpVersion::Http2), &net, calls_at, dials).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_before_the_peer_would() {
    let answer = "HTTP/1.1 200 OK\r\nkeep-alive: timeout=5, max=9\r\ncontent-length: 5\r\n\r\nhello";
    for (calls_at, dials) in [(&[0, 3, 6, 9][..], 1), (&[0, 5], 2)] {
        let net = Net::new(move |_, _| lines(move |_, _| Some(answer.into())));
        check_dials(options(&net).http(HttpVersion::Http1), &net, calls_at, dials).await;
    }
}

#[tokio::test(start_paused = true)]
async fn old_connections_get_no_more_requests_and_finish_those_they_have() {
    let aged = |options: PoolOptions| options.timings(timings(|t| t.age = Some(Duration::from_secs(100))));
    let net = Net::new(|_, _| ordinary(&Seen::default(), 100));
    let calls_at: Vec<u64> = (0..20).map(|call| call * 5).collect();
    check_dials(aged(options(&net).http(HttpVersion::Http2)), &net, &[&calls_at[..18], &[111]].concat(), 2)
        .await;
    let net = Net::new(|_, _| lines(|_, _| Some(OK.into())));
    check_dials(aged(options(&net).http(HttpVersion::Http1)), &net, &[&calls_at[..18], &[111]].concat(), 2)
        .await;

    let net = Net::new(|_, _| ordinary(&Seen::default(), 100));
    let pool = pool(aged(options(&net).http(HttpVersion::Http2)));
    let long = start(&pool, get("/sleep/200"));
    pause(Duration::from_secs(150)).await;
    assert_eq!(call(&pool, get("/")).await.unwrap(), "hello");
    assert_eq!((net.dials(), long.await.unwrap().unwrap().as_str()), (2, "hello"));
}

#[tokio::test(start_paused = true)]
async fn the_age_is_spread_by_ten_per_cent() {
    let mut ages = Vec::new();
    for seed in 0..15 {
        let net = Net::new(|_, _| ordinary(&Seen::default(), 100));
        let aged = timings(|timings| timings.age = Some(Duration::from_secs(100)));
        let pool = pool(options(&net).http(HttpVersion::Http2).timings(aged).seed(seed));
        let started = Instant::now();
        while net.dials() < 2 {
            call(&pool, get("/")).await.unwrap();
            pause(Duration::from_secs(1)).await;
        }
        ages.push(net.dialed_at(started)[1]);
    }
    assert!(ages.iter().all(|age| (90_000..=111_000).contains(age)), "{ages:?}");
    assert!(ages.iter().any(|age| *age < 95_000) && ages.iter().any(|age| *age > 105_000), "{ages:?}");
}

/// An HTTP/2 peer that answers nothing, not even PING, once it has served a request.
fn dies(seen: &Seen) -> Net {
    let seen = seen.clone();
    Net::new(move |_, _| {
        let seen = seen.clone();
        serves(|pipe| async move {
            let mut server = greet(pipe, 100).await;
            let (request, respond) = server.accept().await.unwrap().unwrap();
            answer(request, respond, &seen);
            let _ = tokio::time::timeout(Duration::from_secs(1), server.accept()).await;
            std::future::pending::<()>().await;
        })
    })
}

#[tokio::test(start_paused = true)]
async fn a_dead_peer_is_found_by_keepalive() {
    let pool = http2(&dies(&Seen::default()));
    call(&pool, get("/")).await.unwrap();
    pause(Duration::from_secs(5)).await;
    let started = Instant::now();
    assert_eq!(failure(&pool, get("/")).await, (Lost, false));
    assert!((20..=30).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
    assert_eq!(pool.targets()[0].connections, 0);
}

#[tokio::test(start_paused = true)]
async fn an_idle_dead_peer_is_found_if_asked_to() {
    let watching = timings(|timings| timings.keepalive_while_idle = true);
    let pool = pool(options(&dies(&Seen::default())).http(HttpVersion::Http2).timings(watching));
    call(&pool, get("/")).await.unwrap();
    pause(Duration::from_secs(15)).await;
    assert_eq!(pool.targets()[0].connections, 1);
    pause(Duration::from_secs(17)).await;
    assert_eq!(pool.targets()[0].connections, 0);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_is_alive_is_left_to_its_silence() {
    let net = Net::new(|_, _| ordinary(&Seen::default(), 100));
    assert_eq!(call(&http2(&net), get("/sleep/3600")).await.unwrap(), "hello");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_is_annoyed_by_pings_gets_fewer() {
    let pings = Arc::new(Mutex::new(Vec::new()));
    let net = Net::new({
        let pings = pings.clone();
        move |number, _| {
            let pings = pings.clone();
            serves(move |mut pipe| async move {
                use tokio::io::{AsyncReadExt, AsyncWriteExt};
                pipe.write_all(b"\0\0\0\x04\0\0\0\0\0\0\0\0\x04\x01\0\0\0\0").await.unwrap();
                pipe.read_exact(&mut [0; 24]).await.unwrap();
                let mut header = [0; 9];
                while pipe.read_exact(&mut header).await.is_ok() {
                    let mut payload = vec![0; usize::from(header[1]) * 256 + usize::from(header[2])];
                    pipe.read_exact(&mut payload).await.unwrap();
                    if header[3] == 6 && header[4] == 0 {
                        pings.lock().unwrap().push((number, Instant::now()));
                        pipe.write_all(b"\0\0\x08\x06\x01\0\0\0\0").await.unwrap();
                        pipe.write_all(&payload).await.unwrap();
                        if number == 0 {
                            pipe.write_all(b"\0\0\x08\x07\0\0\0\0\0\0\0\0\x01\0\0\0\x0b").await.unwrap();
                            return;
                        }
                    }
                }
            })
        }
    });
    let pool = http2(&net);
    assert_eq!(failure(&pool, get("/")).await, (Lost, false));
    let started = Instant::now();
    let second = start(&pool, get("/"));
    pause(Duration::from_secs(700)).await;
    let pings: Vec<_> = pings
        .lock()
        .unwrap()
        .iter()
        .map(|(n, at)| (*n, (*at).saturating_duration_since(started).as_secs()))
        .collect();
    assert_eq!(pings.iter().filter(|(number, _)| *number == 1).count(), 2, "{pings:?}");
    second.abort();
}

#[tokio::test(start_paused = true)]
async fn superfluous_connections_are_closed_in_time() {
    let net = Net::new(|_, _| ordinary(&Seen::default(), 1000));
    let mut limits = Limits::default();
    limits.streams_grow_at = 4;
    let pool = pool(options(&net).http(HttpVersion::Http2).limits(limits));
    for _ in 0..30 {
        drop(start(&pool, get("/sleep/9")));
        settle().await;
    }
    let grown = pool.targets()[0].connections;
    assert!(grown >= 7, "{grown}");
    // A trickle needs one.
    for _ in 0..700 {
        call(&pool, get("/")).await.unwrap();
        pause(Duration::from_secs(1)).await;
    }
    assert_eq!(pool.targets()[0].connections, 1);
}

/// A resolver that says something else each time.
#[derive(Clone, Default)]
struct Changing {
    asked: Arc<AtomicUsize>,
    /// Fails so many times first.
    fails: usize,
}

impl Resolve for Changing {
    fn resolve<'a>(&'a self, _: &'a Name) -> Resolving<'a> {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            if asked < self.fails {
                return Err("no such name".into());
            }
            let last = u8::try_from(asked - self.fails + 1).unwrap();
            Ok(vec![Address::Tcp(([10, 0, 0, last], 80).into())])
        })
    }
}

#[tokio::test(start_paused = true)]
async fn names_are_resolved_again_on_a_clock() {
    for balance in [Balance::PickFirst, Balance::RoundRobin] {
        let net = Net::new(|_, _| ordinary(&Seen::default(), 100));
        let resolver = Changing::default();
        let asked = resolver.asked.clone();
        let options = options(&net).http(HttpVersion::Http2).balance(balance).resolver(resolver);
        let pool = Pool::new("http://greet.example", options).unwrap();
        let long = start(&pool, get("/sleep/100"));
        pause(Duration::from_secs(26)).await;
        call(&pool, get("/")).await.unwrap();
        assert_eq!((asked.load(Ordering::SeqCst), net.dials()), (1, 1));
        pause(Duration::from_secs(8)).await;
        call(&pool, get("/")).await.unwrap();
        assert_eq!((asked.load(Ordering::SeqCst), net.dials()), (2, 2));
        // What runs on a connection to the old address runs to its end.
        assert_eq!(long.await.unwrap().unwrap(), "hello");
    }
}

#[tokio::test(start_paused = true)]
async fn names_are_resolved_again_when_a_connection_fails() {
    let net = Net::new(|_, address| match address.to_string().as_str() {
        "10.0.0.1:80" => Peer::Refuses,
        _ => ordinary(&Seen::default(), 100),
    });
    let options = options(&net).http(HttpVersion::Http2).resolver(Changing::default());
    let pool = Pool::new("http://greet.example", options.wait_for_ready(true)).unwrap();
    let started = Instant::now();
    assert_eq!(call(&pool, get("/")).await.unwrap(), "hello");
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_not_found_is_asked_for_later_and_later() {
    let net = Net::new(|_, _| ordinary(&Seen::default(), 100));
    let resolver = Changing { fails: 3, ..Changing::default() };
    let asked = resolver.asked.clone();
    let options = options(&net).http(HttpVersion::Http2).resolver(resolver);
    let pool = Pool::new("http://greet.example", options).unwrap();
    let started = Instant::now();
    assert_eq!(failure(&pool, get("/")).await, (TransportErrorKind::Resolve, true));
    assert_eq!(failure(&pool, get("/")).await, (TransportErrorKind::Resolve, true));
    assert_eq!((asked.load(Ordering::SeqCst), started.elapsed()), (1, Duration::ZERO));
    while call(&pool, get("/")).await.is_err() {
        pause(Duration::from_millis(10)).await;
    }
    // 100, 160 and 256 ms, a fifth more or less.
    assert_eq!(asked.load(Ordering::SeqCst), 4);
    assert!((400..=660).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_resolver_that_hangs_is_given_up_in_time() {
    struct Hangs;
    impl Resolve for Hangs {
        fn resolve<'a>(&'a self, _: &'a Name) -> Resolving<'a> {
            Box::pin(std::future::pending())
        }
    }
    let pool = Pool::new("http://greet.example", PoolOptions::new().resolver(Hangs)).unwrap();
    check_failure(pool, TransportErrorKind::Resolve, 10_000).await;
}
