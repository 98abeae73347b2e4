//! The crate h2, and hyper around it, under the requests.

use crate::input::Requests;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Serves `count` requests, one at a time.
pub(crate) fn run(count: u32) {
    let requests = Requests::new();
    let mut cx = Context::from_waker(Waker::noop());
    let transport = Transport { input: Requests::preface(), requests, left: count, waits: false };
    let served = async {
        let mut connection = h2::server::handshake(transport).await.expect("a handshake");
        for _ in 0..count {
            let (request, mut respond) = connection.accept().await.expect("a request").expect("a request");
            assert_eq!(request.uri().path(), "/greet.v1.Greet/Greet");
            let mut body = request.into_body();
            let mut data = Bytes::new();
            while let Some(piece) = poll_fn(|cx| {
                let piece = body.poll_data(cx);
                if piece.is_pending() {
                    let _ = connection.poll_closed(cx);
                }
                piece
            })
            .await
            {
                data = piece.expect("a body");
                body.flow_control().release_capacity(data.len()).expect("a window");
            }
            let response = http::Response::builder()
                .header("content-type", "application/grpc")
                .body(())
                .expect("a head");
            let mut send = respond.send_response(response, false).expect("a response");
            send.send_data(data, false).expect("it is sent");
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", HeaderValue::from_static("0"));
            send.send_trailers(trailers).expect("they are sent");
        }
    };
    let mut served = pin!(served);
    // Nothing ever waits: the transport has the next request whenever it is asked.
    while served.as_mut().poll(&mut cx).is_pending() {}
}

/// Serves `count` requests by hyper.
pub(crate) fn run_hyper(count: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let served = Rc::new(Cell::new(0));
    let service = service_fn(|request: http::Request<Incoming>| {
        let served = served.clone();
        async move {
            let body = request.into_body().collect().await?.to_bytes();
            served.set(served.get() + 1);
            let trailers = HeaderMap::from_iter([(GRPC_STATUS, HeaderValue::from_static("0"))]);
            let body = Full::new(body).with_trailers(std::future::ready(Some(Ok(trailers))));
            let response = http::Response::builder().header("content-type", "application/grpc");
            Ok::<_, hyper::Error>(response.body(body).expect("a head"))
        }
    });
    let transport =
        Transport { input: Requests::preface(), requests: Requests::new(), left: count, waits: false };
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let server = hyper::server::conn::http2::Builder::new(Local);
        let mut connection = pin!(server.serve_connection(TokioIo::new(transport), service));
        poll_fn(|cx| {
            let _ = connection.as_mut().poll(cx);
            if served.get() == count { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    });
}

/// Runs hyper's futures beside the connection.
#[derive(Clone)]
struct Local;

impl<F: Future<Output = ()> + 'static> hyper::rt::Executor<F> for Local {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}

const GRPC_STATUS: http::HeaderName = http::HeaderName::from_static("grpc-status");

struct Transport {
    input: Bytes,
    requests: Requests,
    left: u32,
    waits: bool,
}

impl AsyncRead for Transport {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.input.is_empty() {
            self.waits = !self.waits;
            if self.waits || self.left == 0 {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            self.left -= 1;
            self.input = self.requests.next();
        }
        let len = self.input.len().min(buffer.remaining());
        buffer.put_slice(&self.input.split_to(len));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Transport {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
