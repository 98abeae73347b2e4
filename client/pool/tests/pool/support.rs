//! Peers that follow a script, at the other end of pipes.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use h2::server::{Connection, SendResponse};
use http::{HeaderMap, Request, Response, StatusCode, Version};
use http_body_util::BodyExt;
use ringwire_pool::{Address, Dial, Dialing, Fixed, HttpVersion, Io, Pool, PoolOptions};
use ringwire_transport::{
    BoxError, RequestBody, ResponseBody, Transport, TransportError, TransportErrorKind,
};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// What the peer of one connection does.
pub(crate) enum Peer {
    Refuses,
    /// Never answers the connect.
    Stalls,
    Serves(Box<dyn FnOnce(DuplexStream) + Send>),
}

/// A peer that runs this with its end of the pipe.
pub(crate) fn serves<F: Future<Output = ()> + Send + 'static>(
    run: impl FnOnce(DuplexStream) -> F + Send + 'static,
) -> Peer {
    Peer::Serves(Box::new(|pipe| drop(tokio::spawn(run(pipe)))))
}

type Script = Box<dyn Fn(usize, &Address) -> Peer + Send + Sync>;

/// A dialer of pipes. The script is asked for each connection, with its number and its address.
#[derive(Clone)]
pub(crate) struct Net(Arc<(Script, Mutex<Dials>)>);

type Dials = Vec<(Address, Instant)>;

impl Net {
    pub(crate) fn new(script: impl Fn(usize, &Address) -> Peer + Send + Sync + 'static) -> Self {
        Self(Arc::new((Box::new(script), Mutex::default())))
    }

    /// How many connections were wanted.
    pub(crate) fn dials(&self) -> usize {
        self.0.1.lock().unwrap().len()
    }

    /// When, in milliseconds after `since`.
    pub(crate) fn dialed_at(&self, since: Instant) -> Vec<u128> {
        self.0.1.lock().unwrap().iter().map(|(_, at)| (*at - since).as_millis()).collect()
    }

    /// How often each address was wanted.
    pub(crate) fn dials_by_address(&self) -> HashMap<String, usize> {
        let mut counts = HashMap::new();
        for (address, _) in &*self.0.1.lock().unwrap() {
            *counts.entry(address.to_string()).or_default() += 1;
        }
        counts
    }
}

impl Dial for Net {
    fn dial<'a>(&'a self, address: &'a Address) -> Dialing<'a> {
        Box::pin(async move {
            let number = {
                let mut dials = self.0.1.lock().unwrap();
                dials.push((address.clone(), Instant::now()));
                dials.len() - 1
            };
            match (self.0.0)(number, address) {
                Peer::Refuses => Err(io::ErrorKind::ConnectionRefused.into()),
                Peer::Stalls => std::future::pending().await,
                Peer::Serves(serve) => {
                    let (near, far) = tokio::io::duplex(PIPE);
                    serve(far);
                    Ok(Box::new(near) as Box<dyn Io>)
                }
            }
        })
    }
}

/// Options for tests: over `net`, with jitter that repeats.
pub(crate) fn options(net: &Net) -> PoolOptions {
    PoolOptions::new().dialer(net.clone()).seed(1)
}

pub(crate) fn pool(options: PoolOptions) -> Pool {
    Pool::new("http://10.0.0.1:80", options).unwrap()
}

/// HTTP/2 to one address.
pub(crate) fn http2(net: &Net) -> Pool {
    pool(options(net).http(HttpVersion::Http2))
}

/// HTTP/1.1 to one address.
pub(crate) fn http1(net: &Net) -> Pool {
    pool(options(net).http(HttpVersion::Http1))
}

/// A name with so many addresses: 10.0.0.1 and so on.
pub(crate) fn several(options: PoolOptions, count: u8) -> Pool {
    let addresses = (1..=count).map(|last| SocketAddr::from(([10, 0, 0, last], 80)));
    Pool::new("http://greet.example", options.resolver(Fixed::new(addresses))).unwrap()
}

pub(crate) fn get(path: &str) -> Request<RequestBody> {
    Request::get(format!("http://test{path}")).body(RequestBody::whole(Bytes::new())).unwrap()
}

pub(crate) fn get_http2(path: &str) -> Request<RequestBody> {
    let mut request = get(path);
    *request.version_mut() = Version::HTTP_2;
    request
}

pub(crate) fn post(path: &str, body: impl Into<Bytes>) -> Request<RequestBody> {
    Request::post(format!("http://test{path}")).body(RequestBody::whole(body.into())).unwrap()
}

pub(crate) fn post_stream(path: &str, body: Channel) -> Request<RequestBody> {
    Request::post(format!("http://test{path}")).body(RequestBody::stream(body)).unwrap()
}

/// A body fed by a channel; an error in it is the body's.
pub(crate) struct Channel(mpsc::Receiver<Result<Bytes, BoxError>>);

pub(crate) fn channel() -> (mpsc::Sender<Result<Bytes, BoxError>>, Channel) {
    let (sender, receiver) = mpsc::channel(1);
    (sender, Channel(receiver))
}

impl http_body::Body for Channel {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, BoxError>>> {
        self.0.poll_recv(cx).map(|next| next.map(|next| next.map(http_body::Frame::data)))
    }
}

pub(crate) async fn text(response: Response<ResponseBody>) -> Result<String, TransportError> {
    let bytes = response.into_body().collect().await?.to_bytes();
    Ok(String::from_utf8(bytes.to_vec()).unwrap())
}

/// Sends, and reads the answer to its end.
pub(crate) async fn call(pool: &Pool, request: Request<RequestBody>) -> Result<String, TransportError> {
    text(pool.send(request).await?).await
}

/// The kind of the error, and whether the request is known not to have been processed.
pub(crate) async fn failure(pool: &Pool, request: Request<RequestBody>) -> (TransportErrorKind, bool) {
    let error = call(pool, request).await.unwrap_err();
    (error.kind(), error.is_unprocessed())
}

/// Starts a call; the result is awaited later.
pub(crate) fn start(
    pool: &Pool,
    request: Request<RequestBody>,
) -> tokio::task::JoinHandle<Result<String, TransportError>> {
    let pool = pool.clone();
    tokio::spawn(async move { call(&pool, request).await })
}

/// Lets everything run that can, for a moment of virtual time.
pub(crate) async fn settle() {
    pause(Duration::from_millis(1)).await;
}

/// Lets virtual time pass.
pub(crate) async fn pause(time: Duration) {
    tokio::time::sleep_until(Instant::now() + time).await;
}

/// How many requests an HTTP/2 peer has seen, and how many of them it was told to forget.
#[derive(Clone, Default)]
pub(crate) struct Seen(Arc<[AtomicUsize; 3]>);

impl Seen {
    pub(crate) fn requests(&self) -> usize {
        self.0[0].load(Ordering::SeqCst)
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.0[1].load(Ordering::SeqCst)
    }

    pub(crate) fn cancelled(&self) -> usize {
        self.0[2].load(Ordering::SeqCst)
    }
}

pub(crate) type Server = Connection<DuplexStream, Bytes>;

/// An ordinary HTTP/2 peer: see [`answer`].
pub(crate) fn ordinary(seen: &Seen, streams_max: u32) -> Peer {
    let seen = seen.clone();
    serves(move |pipe| async move {
        let mut server = greet(pipe, streams_max).await;
        serve(&mut server, &seen).await;
    })
}

/// Shakes hands.
pub(crate) async fn greet(pipe: DuplexStream, streams_max: u32) -> Server {
    h2::server::Builder::new().max_concurrent_streams(streams_max).handshake(pipe).await.unwrap()
}

/// Serves until the connection ends.
pub(crate) async fn serve(server: &mut Server, seen: &Seen) {
    while let Some(Ok((request, respond))) = server.accept().await {
        answer(request, respond, seen);
    }
}

/// Answers in a task of its own, as the first segment of the path says: `/sleep/3` after so many seconds, `/never`, `/status/503`,
/// `/echo`, and everything else with `hello` and trailers.
pub(crate) fn answer(request: Request<h2::RecvStream>, mut respond: SendResponse<Bytes>, seen: &Seen) {
    let seen = seen.clone();
    seen.0[0].fetch_add(1, Ordering::SeqCst);
    seen.0[1].fetch_add(1, Ordering::SeqCst);
    tokio::spawn(async move {
        let path = request.uri().path().to_owned();
        let mut segments = path.split('/').skip(1);
        let what = segments.next().unwrap_or_default();
        let amount: u64 = segments.next().and_then(|amount| amount.parse().ok()).unwrap_or_default();
        let work = async {
            match what {
                "sleep" => pause(Duration::from_secs(amount)).await,
                "never" => std::future::pending().await,
                _ => {}
            }
        };
        let reset = tokio::select! {
            () = work => false,
            _ = std::future::poll_fn(|cx| respond.poll_reset(cx)) => true,
        };
        if reset {
            seen.0[2].fetch_add(1, Ordering::SeqCst);
        } else {
            let mut head = Response::new(());
            if what == "status" {
                *head.status_mut() = StatusCode::from_u16(u16::try_from(amount).unwrap()).unwrap();
            }
            let mut body = request.into_body();
            let mut stream = respond.send_response(head, false).unwrap();
            if what == "echo" {
                while let Some(Ok(data)) = body.data().await {
                    let _ = body.flow_control().release_capacity(data.len());
                    let _ = stream.send_data(data, false);
                }
            } else if what == "begun" {
                let _ = stream.send_data("begun".into(), false);
                let _ = std::future::poll_fn(|cx| stream.poll_reset(cx)).await;
                seen.0[2].fetch_add(1, Ordering::SeqCst);
            } else {
                let _ = stream.send_data("hello".into(), false);
            }
            let _ = stream.send_trailers(HeaderMap::new());
        }
        seen.0[1].fetch_sub(1, Ordering::SeqCst);
    });
}

/// An HTTP/1.1 peer that reads heads, and answers each with what the script says for its number; `None` closes.
pub(crate) fn lines(answers: impl Fn(usize, &str) -> Option<String> + Send + 'static) -> Peer {
    serves(move |pipe| async move {
        let mut pipe = BufReader::new(pipe);
        for number in 0.. {
            let Some(head) = read_head(&mut pipe).await else { return };
            match answers(number, &head) {
                Some(answer) => pipe.get_mut().write_all(answer.as_bytes()).await.unwrap(),
                None => return,
            }
        }
    })
}

/// A peer that writes these bytes, and then reads until the end.
pub(crate) fn says(bytes: &'static [u8]) -> Peer {
    serves(move |mut pipe| async move {
        pipe.write_all(bytes).await.unwrap();
        let _ = pipe.read_to_end(&mut Vec::new()).await;
    })
}

/// The head of a request and its body if it has a length; `None` at the end.
pub(crate) async fn read_head(pipe: &mut BufReader<DuplexStream>) -> Option<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if pipe.read_line(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    if let Some(length) = length {
        pipe.read_exact(&mut vec![0; length.parse().unwrap()]).await.ok()?;
    }
    Some(head)
}

pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
pub(crate) const PIPE: usize = 64 * 1024;
