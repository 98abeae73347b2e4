//! One HTTP request over one connection of its own, and all that came back: hyper and h2 at their lowest, none of ours.

use bytes::Bytes;
use http::{HeaderMap, Version};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpStream;

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) version: Version,
    pub(crate) method: &'static str,
    pub(crate) target: String,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Bytes,
    /// Whether the request goes on after these bytes, and nothing comes.
    pub(crate) is_open: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: HeaderMap,
    /// The code with which the server asked, after its answer, for no more of the request.
    pub(crate) stopped: Option<u32>,
}

impl Request {
    /// Sends it; an `Err` says how the server refused to answer.
    pub(crate) async fn send(self, port: u16) -> Result<Answer, String> {
        let socket = TcpStream::connect(("127.0.0.1", port)).await.map_err(|_| "refused".to_owned())?;
        if self.version == Version::HTTP_2 {
            self.over_http2(socket).await
        } else {
            self.over_http1(socket).await
        }
    }

    async fn over_http1(self, socket: TcpStream) -> Result<Answer, String> {
        let (mut client, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(socket)).await.map_err(|_| "closed")?;
        tokio::spawn(connection);
        let mut request = self.head(&self.target).header("host", "test");
        if self.body.is_empty() && !self.is_open && self.method != "GET" {
            request = request.header("content-length", "0");
        }
        let request = request.body(Sent { bytes: self.body.clone(), is_open: self.is_open });
        let request = request.map_err(|error| error.to_string())?;
        let response = client.send_request(request).await.map_err(|_| "closed")?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(|_| "broken off")?;
        let trailers = body.trailers().cloned().unwrap_or_default();
        let body = body.to_bytes().into();
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body, trailers, stopped: None })
    }

    async fn over_http2(self, socket: TcpStream) -> Result<Answer, String> {
        let mut settings = h2::client::Builder::new();
        settings.initial_window_size(WINDOW).initial_connection_window_size(WINDOW);
        let (client, connection) = settings.handshake::<_, Bytes>(socket).await.map_err(refusal)?;
        tokio::spawn(connection);
        let mut client = client.ready().await.map_err(refusal)?;
        let target = format!("http://test{}", self.target);
        let request =
            self.head(&target).version(Version::HTTP_2).body(()).map_err(|error| error.to_string())?;
        let is_whole = self.body.is_empty() && !self.is_open;
        let (response, mut sending) = client.send_request(request, is_whole).map_err(refusal)?;
        if !is_whole {
            // The rest does not interest a server that has answered.
            let _ = sending.send_data(self.body, !self.is_open);
        }
        let (head, mut body) = response.await.map_err(refusal)?.into_parts();
        let mut answer = Answer { status: head.status.as_u16(), headers: head.headers, ..Answer::default() };
        while let Some(chunk) = body.data().await {
            let chunk = chunk.map_err(refusal)?;
            let _ = body.flow_control().release_capacity(chunk.len());
            answer.body.extend_from_slice(&chunk);
        }
        answer.trailers = body.trailers().await.map_err(refusal)?.unwrap_or_default();
        if self.is_open {
            let reset = tokio::time::timeout(MOMENT, poll_fn(|cx| sending.poll_reset(cx))).await;
            answer.stopped = reset.ok().and_then(Result::ok).map(u32::from);
        }
        Ok(answer)
    }

    fn head(&self, target: &str) -> http::request::Builder {
        let head = http::Request::builder().method(self.method).uri(target);
        self.fields.iter().fold(head, |head, (name, value)| head.header(name, value))
    }
}

/// How a server says over HTTP/2 that it does not answer.
fn refusal(error: h2::Error) -> String {
    match error.reason() {
        Some(reason) if error.is_go_away() => format!("goaway {}", u32::from(reason)),
        Some(reason) => format!("reset {}", u32::from(reason)),
        None => "closed".to_owned(),
    }
}

/// The body of a request: what there is of it, and then its end, or nothing.
struct Sent {
    bytes: Bytes,
    is_open: bool,
}

impl Body for Sent {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match (self.bytes.is_empty(), self.is_open) {
            (false, _) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.bytes))))),
            (true, true) => Poll::Pending,
            (true, false) => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_empty() && !self.is_open
    }

    fn size_hint(&self) -> SizeHint {
        if self.is_open { SizeHint::default() } else { SizeHint::with_exact(self.bytes.len() as u64) }
    }
}

// More than any answer holds.
const WINDOW: u32 = 16 * 1024 * 1024;
// What a server says after its answer comes with it, or never.
const MOMENT: Duration = Duration::from_secs(2);
