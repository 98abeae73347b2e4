//! A call with one request: its attempts, of which the first is mostly the last.
//!
//! An attempt is over when the reply is known, or, of a stream, when the server has begun to answer: from there on
//! nothing is sent twice.

use crate::call::Call;
use crate::error::bad_argument;
use crate::flow::{Bounds, Flow};
use crate::message::{Sendable, write};
use crate::retry::{self, Verdict};
use crate::{Result, clock, hedge};
use bytes::{Bytes, BytesMut};
use http::{Method, Request, Version};
use ringwire_call::{HttpFields, Instant};
use ringwire_http::HeadersMut;
use ringwire_rpc::{CallHead, ClientExchange, Input, RequestLine, StreamShape};
use ringwire_transport::RequestBody;
use std::future::poll_fn;
use std::task::{Context, Poll};

/// What the attempts of a call have in common.
pub(crate) struct Plan<'m> {
    pub(crate) call: Call,
    message: &'m dyn Sendable,
    /// What interceptors made of the message, if they looked at it: they see it once, not once per attempt.
    replaced: Option<Bytes>,
}

/// A call that the server answers.
pub(crate) struct Answered {
    pub(crate) exchange: ClientExchange,
    pub(crate) flow: Flow,
    /// What the server said first, if that is known: of a call with one response, that.
    pub(crate) first: Option<Input>,
}

impl<'m> Plan<'m> {
    pub(crate) fn new(call: Call, message: &'m dyn Sendable) -> Self {
        Self { call, message, replaced: None }
    }

    /// Makes the call, as often as its policies allow.
    pub(crate) async fn run(&mut self) -> Result<Answered> {
        if !self.call.send_hooks.is_empty() {
            self.replaced = self.message.show(&self.call.channel.coding(), &mut self.call.send_hooks)?;
        }
        if let Some(policy) = hedge::applies(&self.call) {
            return hedge::run(self, policy).await;
        }
        let mut retry = retry::State::default();
        loop {
            let error = match self.attempt(retry.attempts()).await {
                Ok(answered) => {
                    retry.succeeded(&self.call);
                    return Ok(answered);
                }
                Err(error) => error,
            };
            match retry.after(&self.call, &error) {
                Verdict::GiveUp => return Err(error),
                Verdict::Again => {}
                Verdict::AgainAt(at) => {
                    if self.call.deadline.is_some_and(|deadline| deadline <= at) {
                        return Err(error);
                    }
                    self.wait_until(at).await?;
                }
            }
        }
    }

    /// Begins one attempt. `attempts` is how many there were.
    pub(crate) fn start(&self, attempts: u32) -> Result<Running> {
        let Self { call, message, replaced } = self;
        let config = call.channel.config();
        let coding = call.channel.coding();
        let mut exchange = ClientExchange::new(call.spec, config);
        if let Some(wish) = call.compress {
            exchange.set_compress(wish);
        }
        let mut body = BytesMut::new();
        write(&mut exchange, *message, replaced.as_ref(), &coding, &mut body)?;
        let mut request = head(call, &mut exchange, &mut body, attempts)?;
        *request.body_mut() = RequestBody::whole(body.freeze());
        let sending = call.channel.transport().send(request);
        let flow = Flow::new(sending, Bounds::new(call.deadline, call.cancelled.clone()));
        Ok(Running { exchange, flow, has_one_response: call.spec.shape.has_one_response() })
    }

    async fn attempt(&self, attempts: u32) -> Result<Answered> {
        let mut running = self.start(attempts)?;
        let first = poll_fn(|cx| running.poll(cx)).await?;
        Ok(running.answered(first))
    }

    async fn wait_until(&self, at: Instant) -> Result<()> {
        let mut alarm = clock::Alarm::default();
        let mut bounds = Bounds::new(self.call.deadline, self.call.cancelled.clone());
        poll_fn(|cx| match alarm.poll(cx, at) {
            Poll::Ready(()) => Poll::Ready(Ok(())),
            Poll::Pending => bounds.poll(cx).map(Err),
        })
        .await
    }
}

/// An attempt on its way.
pub(crate) struct Running {
    exchange: ClientExchange,
    flow: Flow,
    has_one_response: bool,
}

impl Running {
    /// Waits until the attempt is over.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Input>>> {
        let Self { exchange, flow, has_one_response } = self;
        if *has_one_response {
            flow.poll_input(exchange, cx).map_ok(Some)
        } else {
            flow.poll_begun(exchange, cx)
        }
    }

    pub(crate) fn answered(self, first: Option<Input>) -> Answered {
        Answered { exchange: self.exchange, flow: self.flow, first }
    }
}

/// The head of a request, without its body. `body` is what was sent so far, of which a GET takes its message.
pub(crate) fn head(
    call: &Call,
    exchange: &mut ClientExchange,
    body: &mut BytesMut,
    attempts: u32,
) -> Result<Request<RequestBody>> {
    let base = call.channel.base();
    let timeout = call.remaining()?;
    let mut fields = HttpFields::with_capacity(USUAL_FIELDS);
    let call_head = CallHead { prefix: base.prefix(), headers: &call.headers, timeout };
    let RequestLine { method, target } = exchange.write_head(call_head, body, &mut fields)?;
    if attempts > 0 {
        fields.append(PREVIOUS_ATTEMPTS, attempts.to_string().as_bytes());
    }
    let mut request = Request::new(RequestBody::whole(Bytes::new()));
    *request.method_mut() = if method == Method::GET.as_str() { Method::GET } else { Method::POST };
    *request.uri_mut() = base.uri(target)?;
    *request.headers_mut() = fields.into_map().map_err(bad_argument)?;
    if call.channel.config().protocol.needs_trailers() || call.spec.shape == StreamShape::Bidi {
        // For trailers, and to talk both ways at once: a transport that has the choice must not take HTTP/1.
        *request.version_mut() = Version::HTTP_2;
    }
    if !call.extensions.is_empty() {
        *request.extensions_mut() = call.extensions.clone();
    }
    Ok(request)
}

/// Tells a server that it, or another one, may have seen this call before.
const PREVIOUS_ATTEMPTS: &str = "grpc-previous-rpc-attempts";

/// The fields of a protocol, and a few of the application.
const USUAL_FIELDS: usize = 6;
