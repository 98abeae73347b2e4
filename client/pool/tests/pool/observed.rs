//! What an observer is told of connections.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ringwire_call::{Connection, ConnectionChange, ConnectionEnd, Observed, ObservedId, Observer};
use ringwire_pool::{HttpVersion, Limits, Pool, PoolOptions, Timings};
use ringwire_transport::Transport;

use crate::support::*;

/// Writes down what it is told.
#[derive(Clone, Default)]
struct Told {
    lines: Arc<Mutex<Vec<String>>>,
    /// The names by which tests call the connections that are open: by number.
    open: Arc<Mutex<HashMap<ObservedId, usize>>>,
}

impl Told {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.lines.lock().unwrap())
    }
}

impl Observer for Told {
    fn on(&self, event: &Observed<'_>) {
        let Observed::ClientConnection(Connection { id, peer, origin, change }) = event else {
            panic!("a pool has no {event:?}");
        };
        assert_eq!(*origin, Some("http://10.0.0.1:80"));
        let mut open = self.open.lock().unwrap();
        let mut lines = self.lines.lock().unwrap();
        lines.push(match change {
            ConnectionChange::Opened => {
                assert_eq!(peer.map(|peer| peer.to_string()).as_deref(), Some("10.0.0.1:80"));
                let number = open.len();
                assert_eq!(open.insert(*id, number), None);
                format!("{number} opened")
            }
            ConnectionChange::Failed(error) => {
                assert!(!open.contains_key(id));
                format!("failed: {error}")
            }
            ConnectionChange::Ended { reason, open: lasted } => {
                let reason = match reason {
                    ConnectionEnd::Peer => "peer",
                    ConnectionEnd::Idle => "idle",
                    ConnectionEnd::Age => "age",
                    ConnectionEnd::Drain => "drain",
                    ConnectionEnd::Cancelled => "cancelled",
                    ConnectionEnd::Broken(error) => {
                        assert!(!error.to_string().is_empty());
                        "broken"
                    }
                    other => panic!("{other:?}"),
                };
                format!("{} {reason} after {}", open[id], lasted.as_secs())
            }
            other => panic!("{other:?}"),
        });
    }
}

fn watched(options: PoolOptions) -> (Pool, Told) {
    let told = Told::default();
    let pool = pool(options);
    pool.observe(&(Arc::new(told.clone()) as Arc<dyn Observer>));
    (pool, told)
}

fn timings(change: impl FnOnce(&mut Timings)) -> Timings {
    let mut timings = Timings::default();
    change(&mut timings);
    timings
}

/// The two versions of HTTP, each with a peer that answers.
fn both() -> [(HttpVersion, Net); 2] {
    [
        (HttpVersion::Http1, Net::new(|_, _| lines(|_, _| Some(OK.into())))),
        (HttpVersion::Http2, Net::new(|_, _| ordinary(&Seen::default(), 100))),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_told_when_it_opens_and_why_it_ends() {
    let idle = timings(|timings| {
        timings.http1_idle = Duration::from_secs(20);
        timings.http2_idle = Duration::from_secs(20);
    });
    let age = timings(|timings| timings.age = Some(Duration::from_secs(10)));
    for (http, net) in both() {
        for (timings, end) in [(&idle, "0 idle after 20"), (&age, "0 age after ")] {
            let (pool, told) = watched(options(&net).http(http).timings(timings.clone()));
            call(&pool, get("/")).await.unwrap();
            assert_eq!(told.take(), ["0 opened"]);
            pause(Duration::from_secs(25)).await;
            let ends = told.take();
            assert!(ends.len() == 1 && ends[0].starts_with(end), "{http:?}: {ends:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_pool_that_closes_drains_its_connections() {
    for (http, net) in both() {
        let (pool, told) = watched(options(&net).http(http));
        call(&pool, get("/")).await.unwrap();
        settle().await;
        assert_eq!(pool.close(Duration::from_secs(1)).await, 0);
        settle().await;
        assert_eq!(told.take(), ["0 opened", "0 drain after 0"], "{http:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_closes_or_says_goaway_has_ended_the_connection() {
    let net = Net::new(|_, _| lines(|number, _| (number == 0).then(|| OK.into())));
    let (pool, told) = watched(options(&net).http(HttpVersion::Http1));
    call(&pool, get("/")).await.unwrap();
    let _ = start(&pool, post("/", "x")).await.unwrap();
    settle().await;
    assert_eq!(told.take()[..2], ["0 opened", "0 peer after 0"]);

    let net = Net::new(|_, _| {
        serves(|pipe| async {
            let mut server = greet(pipe, 100).await;
            let (request, respond) = server.accept().await.unwrap().unwrap();
            answer(request, respond, &Seen::default());
            server.graceful_shutdown();
            serve(&mut server, &Seen::default()).await;
        })
    });
    let (pool, told) = watched(options(&net).http(HttpVersion::Http2));
    call(&pool, get("/")).await.unwrap();
    settle().await;
    assert_eq!(told.take(), ["0 opened", "0 peer after 0"]);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_talks_nonsense_has_broken_the_connection() {
    for (http, net) in [
        (HttpVersion::Http1, Net::new(|_, _| lines(|_, _| Some("no HTTP at all\r\n\r\n".into())))),
        (
            HttpVersion::Http2,
            Net::new(|_, _| {
                serves(|mut pipe| async move {
                    use tokio::io::{AsyncReadExt, AsyncWriteExt};
                    // An empty SETTINGS, and then a frame on stream 0 that must not be there.
                    pipe.write_all(b"\0\0\0\x04\0\0\0\0\0").await.unwrap();
                    pipe.read_exact(&mut [0; 24]).await.unwrap();
                    pipe.write_all(b"\0\0\0\0\0\0\0\0\0").await.unwrap();
                    let _ = pipe.read_to_end(&mut Vec::new()).await;
                })
            }),
        ),
    ] {
        let (pool, told) = watched(options(&net).http(http));
        call(&pool, get("/")).await.unwrap_err();
        settle().await;
        assert_eq!(told.take()[..2], ["0 opened", "0 broken after 0"], "{http:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_given_up_ends_a_connection_of_http1_alone() {
    for ((http, _), (net, end)) in both().into_iter().zip([
        (Net::new(|_, _| says(b"")), Some("0 cancelled after 0")),
        (Net::new(|_, _| ordinary(&Seen::default(), 100)), None),
    ]) {
        let (pool, told) = watched(options(&net).http(http));
        let calling = start(&pool, get("/never"));
        settle().await;
        calling.abort();
        settle().await;
        let want: Vec<&str> = [Some("0 opened"), end].into_iter().flatten().collect();
        assert_eq!(told.take(), want, "{http:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_connection_too_many_is_idle() {
    let net = Net::new(|_, _| lines(|_, _| Some(OK.into())));
    let mut limits = Limits::default();
    limits.http1_idle_max = 1;
    let (pool, told) = watched(options(&net).http(HttpVersion::Http1).limits(limits));
    let calls = [start(&pool, get("/")), start(&pool, get("/"))];
    for call in calls {
        call.await.unwrap().unwrap();
    }
    settle().await;
    assert_eq!(told.take(), ["0 opened", "1 opened", "0 idle after 0"]);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_cannot_be_opened_is_told_with_its_reason() {
    let net = Net::new(|_, _| Peer::Refuses);
    let (pool, told) = watched(options(&net).http(HttpVersion::Http1));
    call(&pool, get("/")).await.unwrap_err();
    let lines = told.take();
    assert!(
        lines.len() == 1 && lines[0].starts_with("failed: ") && lines[0].contains("10.0.0.1"),
        "{lines:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_first_observer_stays() {
    let net = Net::new(|_, _| lines(|_, _| Some(OK.into())));
    let (pool, first) = watched(options(&net).http(HttpVersion::Http1));
    let second = Told::default();
    pool.observe(&(Arc::new(second.clone()) as Arc<dyn Observer>));
    call(&pool, get("/")).await.unwrap();
    assert_eq!((first.take().len(), second.take().len()), (1, 0));
}
