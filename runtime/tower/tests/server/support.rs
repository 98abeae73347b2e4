//! A server on pipes, with a service that has one path per behaviour.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{BufMut, Bytes};
use http::{Method, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use ringwire_service::{Peer, Result};
use ringwire_tower::{Address, BoxError, Drained, Handle, Listener, RequestBody, Server};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// A listener whose connections are pipes.
pub(crate) struct Pipes(mpsc::UnboundedReceiver<io::Result<DuplexStream>>);

impl Listener for Pipes {
    type Io = DuplexStream;

    async fn accept(&mut self) -> io::Result<(DuplexStream, Address)> {
        match self.0.recv().await {
            Some(accepted) => accepted.map(|pipe| (pipe, Address::Unnamed)),
            None => std::future::pending().await,
        }
    }
}

/// Accepts one connection.
pub(crate) struct One<I>(pub(crate) Option<I>);

impl<I: AsyncRead + AsyncWrite + Unpin + Send + 'static> Listener for One<I> {
    type Io = I;

    async fn accept(&mut self) -> io::Result<(I, Address)> {
        match self.0.take() {
            Some(io) => Ok((io, Address::Unnamed)),
            None => std::future::pending().await,
        }
    }
}

pub(crate) struct Running {
    pub(crate) handle: Handle,
    connect: mpsc::UnboundedSender<io::Result<DuplexStream>>,
    server: JoinHandle<Result<(), ringwire_tower::ServeError>>,
}

/// Starts a server as `configure` wants it.
pub(crate) fn start(configure: impl FnOnce(Server<Pipes>) -> Server<Pipes>) -> Running {
    let (connect, accept) = mpsc::unbounded_channel();
    let mut server = configure(Server::on(Pipes(accept)));
    let handle = server.handle();
    Running { handle, connect, server: tokio::spawn(server.serve(Paths)) }
}

impl Running {
    /// A raw connection.
    pub(crate) fn connect(&self) -> DuplexStream {
        let (near, far) = tokio::io::duplex(PIPE);
        self.connect.send(Ok(far)).unwrap();
        near
    }

    /// Makes the next `accept` fail.
    pub(crate) fn fail_accept(&self, error: io::Error) {
        self.connect.send(Err(error)).unwrap();
    }

    pub(crate) async fn http1(&self) -> http1::SendRequest<TestBody> {
        let (sender, connection) = http1::handshake(TokioIo::new(self.connect())).await.unwrap();
        tokio::spawn(connection);
        sender
    }

    pub(crate) async fn http2(&self) -> http2::SendRequest<TestBody> {
        self.http2_with(|_| {}).await.0
    }

    /// An HTTP/2 connection with own settings, and its end.
    pub(crate) async fn http2_with(
        &self,
        configure: impl FnOnce(&mut http2::Builder<TokioExecutor>),
    ) -> (http2::SendRequest<TestBody>, JoinHandle<hyper::Result<()>>) {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        configure(&mut builder);
        let (sender, connection) = builder.handshake(TokioIo::new(self.connect())).await.unwrap();
        (sender, tokio::spawn(connection))
    }

    /// Drains, waits for the end, and says how it went.
    pub(crate) async fn drain(self) -> Drained {
        self.handle.drain();
        self.end().await
    }

    /// Waits for the end.
    pub(crate) async fn end(self) -> Drained {
        self.server.await.unwrap().unwrap();
        self.handle.drained().await
    }
}

/// Reads until the server closes; returns what it said, and how long that took.
pub(crate) async fn read_to_close(pipe: &mut DuplexStream) -> (Vec<u8>, Duration) {
    let started = Instant::now();
    let mut read = Vec::new();
    // A reset and an end are the same to these tests.
    let _ = pipe.read_to_end(&mut read).await;
    (read, started.elapsed())
}

/// Sends one HTTP/1 request by hand and reads its response of `body_len` bytes; the connection stays usable.
pub(crate) async fn raw_get(pipe: &mut DuplexStream, path: &str, body_len: usize) -> String {
    pipe.write_all(format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n").as_bytes()).await.unwrap();
    let head = raw_head(pipe).await;
    let mut body = vec![0; body_len];
    pipe.read_exact(&mut body).await.unwrap();
    head + &String::from_utf8(body).unwrap()
}

/// Reads the head of an HTTP/1 response, and no further.
pub(crate) async fn raw_head(pipe: &mut DuplexStream) -> String {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        assert_ne!(pipe.read_buf(&mut (&mut read).limit(1)).await.unwrap(), 0, "{}", read.escape_ascii());
    }
    String::from_utf8(read).unwrap()
}

pub(crate) type TestBody = UnsyncBoxBody<Bytes, BoxError>;

pub(crate) fn get(path: &str) -> Request<TestBody> {
    Request::get(format!("http://test{path}")).header("host", "test").body(empty()).unwrap()
}

pub(crate) fn post(path: &str, body: TestBody) -> Request<TestBody> {
    Request::builder()
        .method(Method::POST)
        .uri(format!("http://test{path}"))
        .header("host", "test")
        .body(body)
        .unwrap()
}

pub(crate) fn empty() -> TestBody {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

pub(crate) fn full(bytes: impl Into<Bytes>) -> TestBody {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// A body fed by a channel.
pub(crate) fn channel() -> (mpsc::Sender<Bytes>, TestBody) {
    let (sender, receiver) = mpsc::channel(1);
    (sender, StreamBody::new(Receiver(receiver)).boxed_unsync())
}

pub(crate) async fn text(
    response: Response<impl http_body::Body<Data = Bytes, Error: std::fmt::Debug>>,
) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The service: the first segment of the path says what it does, the second how much.
#[derive(Clone)]
pub(crate) struct Paths;

impl tower_service::Service<Request<RequestBody>> for Paths {
    type Response = Response<TestBody>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<TestBody>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        Box::pin(async move {
            let path = request.uri().path().to_owned();
            let mut segments = path.split('/').skip(1);
            let what = segments.next().unwrap_or_default();
            let amount: u64 = segments.next().and_then(|amount| amount.parse().ok()).unwrap_or_default();
            let body = match what {
                "hello" => full("hello"),
                "version" => full(format!("{:?}", request.version())),
                "echo" => request.into_body().map_err(Into::into).boxed_unsync(),
                "sleep" => {
                    tokio::time::sleep(Duration::from_secs(amount)).await;
                    full("slept")
                }
                "flood" => StreamBody::new(Flood(amount)).boxed_unsync(),
                "peer" => {
                    let peer = request.extensions().get::<Arc<Peer>>().unwrap();
                    full(format!("{:?} certificates={}", peer.address(), peer.certificates().len()))
                }
                "read" => match request.into_body().collect().await {
                    Ok(read) => full(format!("{} bytes", read.to_bytes().len())),
                    Err(error) => full(error.to_string()),
                },
                "early" => full("early"),
                "panic" => panic!("the service panics"),
                "task" => full(tokio::task::id().to_string()),
                "spin" => {
                    let started = std::time::Instant::now();
                    while started.elapsed() < Duration::from_millis(amount) {
                        std::hint::spin_loop();
                    }
                    full("spun")
                }
                "fail" => return Err("the service failed".into()),
                _ => {
                    return Ok(Response::builder().status(StatusCode::NOT_FOUND).body(empty()).unwrap());
                }
            };
            Ok(Response::new(body))
        })
    }
}

type Frame = std::result::Result<http_body::Frame<Bytes>, BoxError>;

/// So many chunks of 64 KiB.
struct Flood(u64);

impl futures_core::Stream for Flood {
    type Item = Frame;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Frame>> {
        if self.0 == 0 {
            return Poll::Ready(None);
        }
        self.0 -= 1;
        Poll::Ready(Some(Ok(http_body::Frame::data(Bytes::from_static(&[b'x'; 64 * 1024])))))
    }
}

struct Receiver(mpsc::Receiver<Bytes>);

impl futures_core::Stream for Receiver {
    type Item = Frame;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Frame>> {
        self.0.poll_recv(cx).map(|bytes| bytes.map(|bytes| Ok(http_body::Frame::data(bytes))))
    }
}

pub(crate) const PIPE: usize = 64 * 1024;
