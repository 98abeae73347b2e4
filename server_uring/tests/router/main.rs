//! A router over real sockets, with each driver and both versions of HTTP.

#![allow(clippy::unwrap_used, reason = "helpers of a test fail it as its body would")]

#[cfg(target_os = "linux")]
mod child;
#[path = "../echo/mod.rs"]
mod echo;
mod faults;
mod observe;
mod shed;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use buffa_types::google::protobuf::StringValue;
use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use ringwire_rpc::{Spec, StreamShape};
use ringwire_server::{Address, DriverChoice, Handle, Listener, Notice, ServeError, Server};
use ringwire_service::{Call, Code, Ends, Mounted, Result, Router, Service};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

const DRIVERS: &[DriverChoice] = &[
    DriverChoice::Readiness,
    #[cfg(target_os = "linux")]
    DriverChoice::Ring,
];

type Body = http_body_util::combinators::UnsyncBoxBody<Bytes, std::convert::Infallible>;

struct Running {
    address: SocketAddr,
    handle: Handle,
    serving: JoinHandle<Result<(), ServeError>>,
}

fn start(driver: DriverChoice, router: Router, configure: impl FnOnce(Server) -> Server) -> Running {
    let server = configure(Server::bind("127.0.0.1:0").driver(driver).shards(2));
    let address = server.local_address().unwrap().tcp().unwrap();
    let handle = server.handle();
    Running { address, handle, serving: tokio::spawn(server.serve(router)) }
}

impl Running {
    async fn http2(&self) -> http2::SendRequest<Body> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        sender
    }

    async fn http1(&self) -> http1::SendRequest<Body> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        sender
    }

    async fn drain(self) {
        self.handle.drain();
        self.serving.await.unwrap().unwrap();
        let load = self.handle.load();
        assert_eq!((load.connections, load.requests), (0, 0));
    }
}

/// Waits until something is so.
async fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        tokio::task::yield_now().await;
    }
}

async fn each<F: Future<Output = ()>>(check: impl Fn(Arc<Running>) -> F) {
    for &driver in DRIVERS {
        let running = Arc::new(start(driver, echo::router(), |server| server));
        check(running.clone()).await;
        Arc::into_inner(running).expect("the check is over").drain().await;
    }
}

/// A `StringValue`.
fn message(text: &str) -> Bytes {
    let mut bytes = BytesMut::new();
    if !text.is_empty() {
        bytes.put_u8(0x0a);
        let mut len = text.len();
        while len >= 0x80 {
            bytes.put_u8(len as u8 | 0x80);
            len >>= 7;
        }
        bytes.put_u8(len as u8);
        bytes.put_slice(text.as_bytes());
    }
    bytes.freeze()
}

fn envelope(text: &str) -> Bytes {
    let message = message(text);
    let mut bytes = BytesMut::new();
    bytes.put_u8(0);
    bytes.put_u32(message.len() as u32);
    bytes.put_slice(&message);
    bytes.freeze()
}

fn full(bytes: Bytes) -> Body {
    Full::new(bytes).boxed_unsync()
}

fn post(method: &str, content_type: &str, body: Body) -> Request<Body> {
    Request::post(format!("http://test/ringwire.peers.v1.Echo/{method}"))
        .header("host", "test")
        .header("content-type", content_type)
        .header("te", "trailers")
        .body(body)
        .unwrap()
}

async fn read(response: Response<hyper::body::Incoming>) -> (Bytes, HeaderMap) {
    let collected = response.into_body().collect().await.unwrap();
    let trailers = collected.trailers().cloned().unwrap_or_default();
    (collected.to_bytes(), trailers)
}

#[tokio::test]
async fn a_unary_call_of_each_protocol() {
    each(async |running| {
        let mut two = running.http2().await;
        let mut one = running.http1().await;
        for _ in 0..3 {
            let response =
                two.send_request(post("Say", "application/grpc", full(envelope("hello")))).await.unwrap();
            assert_eq!(response.status(), 200);
            let (body, trailers) = read(response).await;
            assert_eq!((body, trailers["grpc-status"].as_bytes()), (envelope("hello"), &b"0"[..]));

            let json = full(Bytes::from_static(b"\"hello\""));
            let response = one.send_request(post("Say", "application/json", json)).await.unwrap();
            assert_eq!(response.headers()["content-length"], "7");
            assert!(response.headers().contains_key("date"));
            assert_eq!(read(response).await.0, "\"hello\"");

            let response = one
                .send_request(post("Say", "application/grpc-web+proto", full(envelope("hello"))))
                .await
                .unwrap();
            let (body, _) = read(response).await;
            assert!(
                body.starts_with(&envelope("hello")) && body.ends_with(b"grpc-status: 0\r\n"),
                "{body:?}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn an_error_without_a_body_is_one_head() {
    each(async |running| {
        let mut two = running.http2().await;
        let response =
            two.send_request(post("Missing", "application/grpc", full(envelope("")))).await.unwrap();
        assert_eq!(response.headers()["grpc-status"], "12");
        assert!(http_body::Body::is_end_stream(response.body()), "trailers only");
        let response =
            two.send_request(post("Fail", "application/grpc", full(envelope("why")))).await.unwrap();
        assert_eq!(response.headers()["grpc-status"], "8");
    })
    .await;
}

#[tokio::test]
async fn large_messages_go_both_ways() {
    each(async |running| {
        let text = "x".repeat(1024 * 1024);
        let mut two = running.http2().await;
        let mut one = running.http1().await;
        for _ in 0..3 {
            let response =
                two.send_request(post("Say", "application/grpc", full(envelope(&text)))).await.unwrap();
            assert!(read(response).await.0 == envelope(&text));
            let response =
                one.send_request(post("Say", "application/proto", full(message(&text)))).await.unwrap();
            assert!(read(response).await.0 == message(&text));
        }
    })
    .await;
}

#[tokio::test]
async fn a_long_stream_arrives_in_order() {
    each(async |running| {
        let expected: Vec<u8> = (1..=20_000).flat_map(|n: u32| envelope(&n.to_string())).collect();
        let mut two = running.http2().await;
        let response =
            two.send_request(post("Count", "application/grpc", full(envelope("20000")))).await.unwrap();
        let (body, trailers) = read(response).await;
        assert!(body == expected && trailers["grpc-status"] == "0");
        let mut one = running.http1().await;
        let request = post("Count", "application/connect+proto", full(envelope("20000")));
        let (body, _) = read(one.send_request(request).await.unwrap()).await;
        assert!(body.starts_with(&expected));
    })
    .await;
}

#[tokio::test]
async fn a_conversation_goes_back_and_forth() {
    each(async |running| {
        let mut two = running.http2().await;
        let (feed, body) = tokio::sync::mpsc::channel::<Bytes>(1);
        let stream = futures_util::stream::unfold(body, |mut body| async {
            Some((Ok(http_body::Frame::data(body.recv().await?)), body))
        });
        let body = StreamBody::new(stream).boxed_unsync();
        feed.send(envelope("a")).await.unwrap();
        let mut answer = two.send_request(post("Chat", "application/grpc", body)).await.unwrap().into_body();
        assert_eq!(answer.frame().await.unwrap().unwrap().into_data().unwrap(), envelope("A"));
        for n in 0..1000 {
            let word = format!("word{n}");
            feed.send(envelope(&word)).await.unwrap();
            let said = answer.frame().await.unwrap().unwrap().into_data().unwrap();
            assert_eq!(said, envelope(&word.to_uppercase()));
        }
        drop(feed);
        let trailers = answer.frame().await.unwrap().unwrap().into_trailers().unwrap();
        assert_eq!(trailers["grpc-status"], "0");
    })
    .await;
}

#[tokio::test]
async fn a_call_that_is_given_up_is_dropped() {
    each(async |running| {
        let mut two = running.http2().await;
        let waiting = tokio::spawn(two.send_request(post("Wait", "application/grpc", full(envelope("")))));
        while running.handle.load().requests == 0 {
            tokio::task::yield_now().await;
        }
        waiting.abort();
        while running.handle.load().requests > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_deadline_ends_a_call_that_waits() {
    each(async |running| {
        let mut two = running.http2().await;
        let mut request = post("Wait", "application/grpc", full(envelope("")));
        request.headers_mut().insert("grpc-timeout", "50m".parse().unwrap());
        let began = Instant::now();
        let response = two.send_request(request).await.unwrap();
        assert_eq!(response.headers()["grpc-status"], "4");
        assert!(began.elapsed() >= Duration::from_millis(50));
    })
    .await;
}

#[tokio::test]
async fn many_calls_on_many_connections() {
    each(async |running| {
        let (mut tasks, mut senders) = (Vec::new(), Vec::new());
        for connection in 0..16 {
            let sender = running.http2().await;
            senders.push(sender.clone());
            for stream in 0..16 {
                let mut sender = sender.clone();
                tasks.push(tokio::spawn(async move {
                    for n in 0..20 {
                        let text = format!("{connection} {stream} {n}");
                        let request = post("Say", "application/grpc", full(envelope(&text)));
                        let (body, _) = read(sender.send_request(request).await.unwrap()).await;
                        assert_eq!(body, envelope(&text));
                    }
                }));
            }
        }
        for task in tasks {
            task.await.unwrap();
        }
        let shards = running.handle.shards();
        assert!(shards.iter().all(|shard| shard.connections >= 6), "{shards:?}");
        assert_eq!(running.handle.load().requests_accepted, 16 * 16 * 20);
    })
    .await;
}

/// How often the runtimes of [`a_busy_shard_lets_its_runtime_park`] have parked.
static PARKS: AtomicU64 = AtomicU64::new(0);

#[tokio::test]
async fn a_busy_shard_lets_its_runtime_park() {
    for &driver in DRIVERS {
        let running = start(driver, Router::new().add(Mounted::new(Odd)), |server| {
            server.shards(1).runtime(|shard| {
                let mut builder = tokio::runtime::Builder::new_current_thread();
                builder.enable_all().on_thread_park(|| {
                    PARKS.fetch_add(1, Ordering::Relaxed);
                });
                tokio::task::LocalSet::new().block_on(&builder.build().unwrap(), shard);
            })
        });
        let mut two = running.http2().await;
        let response = two.send_request(post("Spin", "application/grpc", full(envelope("")))).await.unwrap();
        assert_eq!(read(response).await.1["grpc-status"], "0", "{driver:?}");
        drop(two);
        running.drain().await;
    }
}

/// A service whose handlers misbehave, and one that uses the runtime around it.
struct Odd;

impl Service for Odd {
    const NAME: &'static str = "ringwire.peers.v1.Echo";
    const METHODS: &'static [Spec] = &[
        Spec::new("/ringwire.peers.v1.Echo/Block", StreamShape::Unary),
        Spec::new("/ringwire.peers.v1.Echo/Tokio", StreamShape::Unary),
        Spec::new("/ringwire.peers.v1.Echo/Panic", StreamShape::Unary),
        Spec::new("/ringwire.peers.v1.Echo/Say", StreamShape::Unary),
        Spec::new("/ringwire.peers.v1.Echo/Spin", StreamShape::Unary),
    ];

    fn find(method: &str) -> Option<usize> {
        ["Block", "Tokio", "Panic", "Say", "Spin"].iter().position(|name| *name == method)
    }

    async fn serve(&self, method: usize, _: &mut Call, ends: Ends<'_>) -> Result<()> {
        let (request, response) = ends.unary::<StringValue, StringValue>()?;
        let value = request.view()?.value.to_owned();
        match method {
            // As long as it is told, in milliseconds.
            0 => std::thread::sleep(Duration::from_millis(value.parse()?)),
            1 => {
                tokio::time::sleep(Duration::from_millis(1)).await;
                tokio::spawn(async {}).await?;
                assert_eq!(tokio::task::spawn_blocking(|| 1).await?, 1);
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
                let address = listener.local_addr()?;
                let (connected, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
                drop((connected?, accepted?));
            }
            2 => panic!("a handler of a test"),
            // Keeps its shard busy until the runtime around it has parked ten times.
            4 => {
                let until = PARKS.load(Ordering::Relaxed) + 10;
                std::future::poll_fn(|cx| {
                    cx.waker().wake_by_ref();
                    if PARKS.load(Ordering::Relaxed) < until { Poll::Pending } else { Poll::Ready(()) }
                })
                .await;
            }
            _ => {}
        }
        response.send(&StringValue { value, ..Default::default() }).await?;
        Ok(())
    }
}

#[tokio::test]
async fn a_handler_that_blocks_its_shard_is_named() {
    for &driver in DRIVERS {
        let said = Arc::new(Mutex::new(Vec::new()));
        let take = said.clone();
        let running = start(driver, Router::new().add(Mounted::new(Odd)), |server| {
            server.notices(move |notice| take.lock().unwrap().push(notice))
        });
        let mut two = running.http2().await;
        two.send_request(post("Block", "application/grpc", full(envelope("800")))).await.unwrap();
        let said = std::mem::take(&mut *said.lock().unwrap());
        let [Notice::Blocked { procedure, since, .. }] = &said[..] else { panic!("{said:?}") };
        assert_eq!(procedure.as_deref(), Some("/ringwire.peers.v1.Echo/Block"));
        assert!(*since >= Duration::from_millis(500));
        running.drain().await;
    }
}

#[tokio::test]
async fn a_handler_may_use_the_runtime_around_it() {
    for &driver in DRIVERS {
        let running = start(driver, Router::new().add(Mounted::new(Odd)), |server| server.pinned());
        let mut two = running.http2().await;
        for _ in 0..10 {
            let response =
                two.send_request(post("Tokio", "application/grpc", full(envelope("")))).await.unwrap();
            assert_eq!(read(response).await.1["grpc-status"], "0");
        }
        running.drain().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_draining_server_waits_for_work_that_outlives_its_handler() {
    let (near, far) = tokio::io::duplex(1024);
    let server = Server::on(One(Some(far)));
    let handle = server.handle();
    let serving = tokio::spawn(server.serve(Router::new().add(Mounted::new(Lingers))));
    let (mut client, connection) = http1::handshake(TokioIo::new(near)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::post("/test.Lingers/Ask")
        .header("host", "test")
        .header("content-type", "application/json")
        .body(full(Bytes::from_static(b"\"\"")))
        .unwrap();
    assert_eq!(client.send_request(request).await.unwrap().status(), 200);
    let started = tokio::time::Instant::now();
    handle.drain();
    serving.await.unwrap().unwrap();
    assert_eq!(started.elapsed().as_secs(), 7);
}

#[tokio::test]
async fn a_router_that_does_not_fit_together_is_not_served() {
    let router = Router::new().add(Mounted::new(Lingers)).add(Mounted::new(Lingers));
    let error = Server::bind("127.0.0.1:0").serve(router).await.unwrap_err();
    assert!(error.to_string().contains("test.Lingers"), "{error}");
}

/// Accepts one connection.
struct One(Option<tokio::io::DuplexStream>);

impl Listener for One {
    type Io = tokio::io::DuplexStream;

    fn poll_accept(&mut self, _: &mut Context<'_>) -> Poll<std::io::Result<(Self::Io, Address)>> {
        self.0.take().map_or(Poll::Pending, |io| Poll::Ready(Ok((io, Address::Unnamed))))
    }
}

/// Answers at once, and has something to do for seven seconds more.
struct Lingers;

impl Service for Lingers {
    const NAME: &'static str = "test.Lingers";
    const METHODS: &'static [Spec] = &[Spec::new("/test.Lingers/Ask", StreamShape::Unary)];

    fn find(method: &str) -> Option<usize> {
        (method == "Ask").then_some(0)
    }

    async fn serve(&self, _: usize, call: &mut Call, ends: Ends<'_>) -> Result<()> {
        let (_, response) = ends.unary::<StringValue, StringValue>()?;
        let guard = call.guard();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(7)).await;
            drop(guard);
        });
        response.send(&StringValue::default()).await?;
        Ok(())
    }
}
