//! What the tests of this package share: bytes of requests, and ways to drive a call.
#![allow(dead_code)]

use bytes::{BufMut, Bytes, BytesMut};
use ringwire_http::Head;
pub(crate) use ringwire_service::post_head as post;
use ringwire_service::{
    Arrival, Call, CallInFlight, Ended, Input, Next, Outbox, Result, Router, Routes, Step, WholeResponse,
};
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

/// An interceptor that changes nothing.
pub(crate) async fn pass(call: &mut Call, next: Next<'_>) -> Result<()> {
    next.run(call).await
}

/// Answers a Connect unary call with a JSON body.
#[track_caller]
pub(crate) fn json(routes: &Routes, path: &str, body: &'static str) -> WholeResponse {
    now(routes.answer(post(path, "application/json"), body))
}

/// Answers a gRPC call with messages in the protobuf binary format.
#[track_caller]
pub(crate) fn grpc(routes: &Routes, path: &str, messages: &[&[u8]]) -> WholeResponse {
    now(routes.answer(post(path, "application/grpc"), envelopes(messages)))
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
    pub(crate) flight: Option<CallInFlight>,
    pub(crate) now: Instant,
    pub(crate) status: Option<u16>,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Vec<(String, Vec<u8>)>,
    pub(crate) ended: bool,
    pub(crate) end: Option<Ended>,
    /// What the call waited for when it was polled last.
    pub(crate) wants_input: bool,
    pub(crate) until: Option<Instant>,
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
    pub(crate) fn start(routes: &Routes, head: Head) -> Self {
        let now = Instant::now();
        Self {
            flight: Some(routes.start(Arrival::new(head), now)),
            now,
            status: None,
            headers: Vec::new(),
            body: Vec::new(),
            trailers: Vec::new(),
            ended: false,
            end: None,
            wants_input: false,
            until: None,
            wakes: Arc::default(),
        }
    }

    pub(crate) fn grpc(routes: &Routes, path: &str) -> Self {
        Self::start(routes, post(path, "application/grpc"))
    }

    pub(crate) fn flight(&mut self) -> &mut CallInFlight {
        self.flight.as_mut().unwrap()
    }

    /// Gives the call bytes of its request, and does not poll.
    pub(crate) fn feed(&mut self, bytes: Bytes) {
        self.flight().handle_input(Input::Data(bytes));
    }

    /// Tells the call that its request has ended, and does not poll.
    pub(crate) fn feed_end(&mut self) {
        self.flight().handle_input(Input::End);
    }

    /// Polls once; returns what came of it, and how many bytes of the body, which count as unsent.
    pub(crate) fn step(&mut self) -> (Step, usize) {
        let waker = Waker::from(self.wakes.clone());
        let fields = if self.status.is_none() { &mut self.headers } else { &mut self.trailers };
        let mut body = BytesMut::new();
        let flight = self.flight.as_mut().unwrap();
        let mut outbox = Outbox { fields, body: &mut body };
        let step = flight.poll(&mut Context::from_waker(&waker), self.now, &mut outbox);
        self.body.extend_from_slice(&body);
        (self.wants_input, self.until) = (false, None);
        match step {
            Step::Head(status) => {
                assert_eq!(self.status.replace(status), None, "one head");
            }
            Step::Body => assert!(self.status.is_some() && !body.is_empty(), "the head comes first"),
            Step::Done(ended) => {
                assert!(self.status.is_some() && body.is_empty() && self.end.is_none(), "the end comes last");
                assert_eq!(ended.trailers, !self.trailers.is_empty());
                self.end = Some(ended);
                self.ended = true;
            }
            Step::Wait { input, until } => (self.wants_input, self.until) = (input, until),
        }
        (step, body.len())
    }

    /// Polls until the call waits for something or has ended.
    pub(crate) fn poll(&mut self) -> &mut Self {
        while self.flight.is_some() && !self.ended {
            let (step, sent) = self.step();
            self.flight().handle_sent(sent);
            if matches!(step, Step::Wait { .. }) {
                break;
            }
        }
        self
    }

    pub(crate) fn push(&mut self, message: &[u8]) -> &mut Self {
        self.feed(envelopes(&[message]));
        self.poll()
    }

    pub(crate) fn end(&mut self) -> &mut Self {
        self.feed_end();
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
