//! What the tests of this package share: bytes of requests, and ways to drive a call.
#![allow(dead_code)]

use bytes::{BufMut, Bytes, BytesMut};
use ringwire_service::{Arrival, InFlight, PlainHead, Router, Routes, WholeResponse};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

/// Runs a future that never waits.
#[track_caller]
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the future waits"),
    }
}

pub(crate) fn routes(router: Router) -> Arc<Routes> {
    router.build().unwrap()
}

/// Answers a Connect unary call with a JSON body.
#[track_caller]
pub(crate) fn json(routes: &Routes, path: &str, body: &'static str) -> WholeResponse {
    now(routes.answer(PlainHead::post(path, "application/json"), body))
}

/// Answers a gRPC call with messages in the protobuf binary format.
#[track_caller]
pub(crate) fn grpc(routes: &Routes, path: &str, messages: &[&[u8]]) -> WholeResponse {
    now(routes.answer(PlainHead::post(path, "application/grpc"), envelopes(messages)))
}

pub(crate) fn envelopes(messages: &[&[u8]]) -> Bytes {
    let mut out = BytesMut::new();
    for message in messages {
        out.put_u8(0);
        out.put_u32(message.len() as u32);
        out.put_slice(message);
    }
    out.freeze()
}

/// The messages in a body of envelopes.
pub(crate) fn messages(mut body: &[u8]) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    while let [_, a, b, c, d, rest @ ..] = body {
        let (message, rest) = rest.split_at(u32::from_be_bytes([*a, *b, *c, *d]) as usize);
        messages.push(message.to_vec());
        body = rest;
    }
    assert_eq!(body, b"", "a body of envelopes ends after one");
    messages
}

/// A message whose only field, the first, is this string: all the messages of `greet.proto`.
pub(crate) fn text(value: &str) -> Vec<u8> {
    let mut out = vec![0x0a];
    let mut len = value.len();
    while len >= 0x80 {
        out.push(len as u8 | 0x80);
        len >>= 7;
    }
    out.push(len as u8);
    out.extend_from_slice(value.as_bytes());
    out
}

/// A shell without a connection, under a clock that tests move.
pub(crate) struct Driven {
    pub(crate) flight: Option<InFlight>,
    pub(crate) now: Instant,
    pub(crate) status: Option<u16>,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Vec<(String, Vec<u8>)>,
    pub(crate) ended: bool,
    pub(crate) wakes: Arc<Wakes>,
}

#[derive(Default)]
pub(crate) struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Driven {
    pub(crate) fn start(routes: &Routes, head: PlainHead) -> Self {
        let now = Instant::now();
        Self {
            flight: Some(routes.start(Arrival::new(head), now)),
            now,
            status: None,
            headers: Vec::new(),
            body: Vec::new(),
            trailers: Vec::new(),
            ended: false,
            wakes: Arc::default(),
        }
    }

    pub(crate) fn grpc(routes: &Routes, path: &str) -> Self {
        Self::start(routes, PlainHead::post(path, "application/grpc"))
    }

    pub(crate) fn flight(&mut self) -> &mut InFlight {
        self.flight.as_mut().unwrap()
    }

    /// Polls until the call waits for something or has ended.
    pub(crate) fn poll(&mut self) -> &mut Self {
        let waker = Waker::from(self.wakes.clone());
        let mut cx = Context::from_waker(&waker);
        let Some(flight) = &mut self.flight else { return self };
        if self.status.is_none() {
            match flight.poll_head(&mut cx, self.now, &mut self.headers) {
                Poll::Ready(status) => self.status = Some(status),
                Poll::Pending => return self,
            }
        }
        while !self.ended {
            match flight.poll_body(&mut cx, self.now) {
                Poll::Ready(Some(bytes)) => self.body.extend_from_slice(&bytes),
                Poll::Ready(None) => self.ended = true,
                Poll::Pending => return self,
            }
        }
        flight.write_trailers(&mut self.trailers);
        self
    }

    pub(crate) fn push(&mut self, message: &[u8]) -> &mut Self {
        self.flight().push(envelopes(&[message]));
        self.poll()
    }

    pub(crate) fn end(&mut self) -> &mut Self {
        self.flight().push_end();
        self.poll()
    }

    pub(crate) fn pass(&mut self, ms: u64) -> &mut Self {
        self.now += Duration::from_millis(ms);
        self.poll()
    }

    pub(crate) fn wakes(&self) -> usize {
        self.wakes.0.load(Ordering::Relaxed)
    }

    pub(crate) fn trailer(&self, name: &str) -> Option<&str> {
        let fields = if self.trailers.is_empty() { &self.headers } else { &self.trailers };
        let (_, value) = fields.iter().find(|(other, _)| other == name)?;
        std::str::from_utf8(value).ok()
    }

    /// The gRPC status, once the call has ended.
    pub(crate) fn grpc_status(&self) -> Option<&str> {
        assert!(self.ended, "the call has not ended");
        self.trailer("grpc-status")
    }
}
