//! What an observer is told of connections, and what the counts of a shard say.

use std::collections::BTreeMap;

use ringwire_call::{Connection, ConnectionChange, ConnectionEnd, Observed, ObservedId, Observer};
use ringwire_server::{ServerLimits, ServerTimeouts};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

/// The changes of each connection, in words.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<BTreeMap<ObservedId, Vec<String>>>>);

impl Observer for Log {
    fn on(&self, event: &Observed<'_>) {
        let Observed::ServerConnection(Connection { id, peer, origin, change }) = event else { return };
        assert!(peer.is_some_and(|peer| peer.ip().is_loopback()) && origin.is_none());
        let word = match change {
            ConnectionChange::Opened => "opened".to_owned(),
            ConnectionChange::Failed(error) => format!("failed: {error}"),
            ConnectionChange::Ended { reason: ConnectionEnd::Broken(error), .. } => {
                format!("broken: {error}")
            }
            ConnectionChange::Ended { reason, .. } => format!("{reason:?}"),
            _ => unreachable!("{change:?}"),
        };
        self.0.lock().unwrap().entry(*id).or_default().push(word);
    }
}

impl Log {
    /// Waits until so many connections have ended, and gives what was told of each.
    async fn ended(&self, connections: usize) -> Vec<Vec<String>> {
        let ended = |words: &&Vec<String>| words.last().is_some_and(|word| word != "opened");
        until(|| self.0.lock().unwrap().values().filter(ended).count() == connections).await;
        self.0.lock().unwrap().values().cloned().collect()
    }
}

async fn check<F: Future<Output = ()>>(
    configure: impl Fn(Server) -> Server,
    act: impl Fn(Arc<Running>) -> F,
    expected: &[&str],
) {
    for &driver in DRIVERS {
        let log = Log::default();
        let running = start(driver, echo::router().observe(log.clone()), &configure);
        let running = Arc::new(running);
        act(running.clone()).await;
        assert_eq!(log.ended(1).await, [expected], "{driver:?}");
        Arc::into_inner(running).expect("the act is over").drain().await;
        // Nothing follows.
        assert_eq!(log.ended(1).await, [expected], "{driver:?}");
    }
}

async fn call(running: &Running) -> http2::SendRequest<Body> {
    let mut two = running.http2().await;
    read(two.send_request(post("Say", "application/grpc", full(envelope("a")))).await.unwrap()).await;
    two
}

#[tokio::test]
async fn the_peer_closes() {
    check(|server| server, async |running| drop(call(&running).await), &["opened", "Peer"]).await;
    let http1 = async |running: Arc<Running>| {
        let mut one = running.http1().await;
        let request = post("Say", "application/json", full(Bytes::from_static(b"\"a\"")));
        read(one.send_request(request).await.unwrap()).await;
    };
    check(|server| server, http1, &["opened", "Peer"]).await;
}

#[tokio::test]
async fn the_connection_is_idle() {
    let idle = |server: Server| {
        server.timeouts(ServerTimeouts { idle: Duration::from_millis(50), ..ServerTimeouts::default() })
    };
    let act = async |running: Arc<Running>| {
        let two = call(&running).await;
        until(|| two.is_closed()).await;
    };
    check(idle, act, &["opened", "Idle"]).await;
}

#[tokio::test]
async fn the_connection_is_used_up() {
    let once = |server: Server| {
        server.limits(ServerLimits { requests_per_connection_max: Some(1), ..ServerLimits::default() })
    };
    let act = async |running: Arc<Running>| {
        let two = call(&running).await;
        until(|| two.is_closed()).await;
    };
    check(once, act, &["opened", "Age"]).await;
}

#[tokio::test]
async fn the_server_drains() {
    let act = async |running: Arc<Running>| {
        let two = call(&running).await;
        running.handle.drain();
        until(|| two.is_closed()).await;
    };
    check(|server| server, act, &["opened", "Drain"]).await;
}

#[tokio::test]
async fn the_peer_breaks_a_rule() {
    let act = async |running: Arc<Running>| {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        // SETTINGS on a stream.
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\x01").await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    };
    for &driver in DRIVERS {
        let log = Log::default();
        let running = Arc::new(start(driver, echo::router().observe(log.clone()), |server| server));
        act(running.clone()).await;
        let told = log.ended(1).await;
        let [words] = &told[..] else { panic!("{told:?}") };
        assert_eq!(words[0], "opened");
        assert!(words[1].starts_with("broken: the peer broke a rule: PROTOCOL_ERROR"), "{words:?}");
        Arc::into_inner(running).unwrap().drain().await;
    }
}

#[tokio::test]
async fn the_peer_says_nothing() {
    let act = async |running: Arc<Running>| {
        drop(TcpStream::connect(running.address).await.unwrap());
    };
    check(|server| server, act, &["failed: the connection was closed before its end"]).await;
}

#[tokio::test]
async fn an_observer_of_the_server_is_told_without_a_router() {
    let log = Log::default();
    let running = start(DriverChoice::Auto, echo::router(), |server| server.observe(log.clone()));
    drop(call(&running).await);
    assert_eq!(log.ended(1).await, [["opened", "Peer"]]);
    running.drain().await;
}

#[tokio::test]
async fn a_shard_counts_what_it_does() {
    for &driver in DRIVERS {
        let running = start(driver, echo::router(), |server| server.shards(1));
        let mut two = running.http2().await;
        for _ in 0..20 {
            read(two.send_request(post("Say", "application/grpc", full(envelope("a")))).await.unwrap()).await;
        }
        for _ in 0..3 {
            read(two.send_request(post("Fail", "application/grpc", full(envelope("a")))).await.unwrap())
                .await;
        }
        read(two.send_request(post("None", "application/grpc", full(envelope("a")))).await.unwrap()).await;
        let mut waiting = two.clone();
        let waiting = tokio::spawn(async move {
            waiting.send_request(post("Wait", "application/grpc", full(envelope("")))).await
        });
        until(|| running.handle.load().requests == 1).await;
        waiting.abort();
        until(|| running.handle.load().requests == 0).await;
        let shard = running.handle.shards()[0];
        let failed: Vec<_> = Code::ALL.into_iter().filter(|code| shard.responses.failed(*code) > 0).collect();
        assert_eq!(failed, [Code::Canceled, Code::ResourceExhausted, Code::Unimplemented]);
        assert_eq!((shard.responses.ok(), shard.responses.failed(Code::ResourceExhausted)), (20, 3));
        assert_eq!(shard.responses.failed(Code::Canceled), 1);
        assert_eq!((shard.requests_accepted, shard.requests_shed), (25, 0));
        let body = envelope("a").len() as u64;
        assert!(shard.bytes_received > 25 * body && shard.bytes_sent > 20 * body, "{shard:?}");
        assert!((24..=shard.completions).contains(&shard.receives), "{shard:?}");
        assert!((24..=shard.bytes_sent / 9).contains(&shard.sends), "{shard:?}");
        assert!(shard.turns >= 25 && shard.completions_max >= 1, "{shard:?}");
        assert_eq!(shard.ring_entries > 25, driver != DriverChoice::Readiness, "{shard:?}");
        // The buffer of the last receive is offered again with the next turn.
        assert!(shard.buffers_out <= 1 && shard.buffers_exhausted == 0, "{shard:?}");
        drop(two);
        running.drain().await;
    }
}
