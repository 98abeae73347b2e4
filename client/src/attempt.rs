//! One attempt of a call with one request.
//!
//! An attempt is over when the reply is known, or, of a stream, when the server has begun to answer: from there on
//! nothing is sent twice.

use crate::call::Call;
use crate::error::bad_argument;
use crate::flow::Flow;
use crate::message::{Sendable, write};
use crate::watch::AttemptWatch;
use crate::{Error, Reply, Result};
use bytes::{Bytes, BytesMut};
use http::{Method, Request, Version};
use ringwire_call::HttpFields;
use ringwire_rpc::{CallHead, ClientExchange, Received, RequestLine, StreamShape};
use ringwire_transport::RequestBody;
use std::task::{Context, Poll};

/// An attempt on its way.
pub(crate) struct Attempt {
    exchange: ClientExchange<HttpFields>,
    flow: Flow,
    /// What its observer will be told of it, if there is one.
    observed: Option<AttemptWatch>,
}

/// A call that the server answers.
pub(crate) struct Answered {
    pub(crate) exchange: ClientExchange<HttpFields>,
    pub(crate) flow: Flow,
    /// The beginning of the answer, if it is known: of a call with one response, that.
    pub(crate) first: Option<Received>,
}

impl Attempt {
    /// An attempt that has not begun.
    pub(crate) fn new(call: &Call) -> Self {
        Self { exchange: exchange(call), flow: Flow::new(call), observed: None }
    }

    /// Sends the request, after `previous` other attempts. `replaced` is the message as interceptors have replaced it.
    pub(crate) fn start(
        &mut self,
        call: &Call,
        message: &dyn Sendable,
        replaced: Option<&Bytes>,
        previous: u32,
    ) -> Result<()> {
        let Self { exchange, flow, observed } = self;
        let mut body = call.channel.buffer().take();
        write(exchange, message, replaced, &call.coding(), &mut body)?;
        let mut request = head(call, exchange, &mut body, previous)?;
        let body = call.channel.buffer().freeze(body);
        if let Some(watch) = &call.watch {
            watch.sent(body.len());
            *observed = Some(watch.attempt(previous));
        }
        *request.body_mut() = RequestBody::whole(body);
        flow.begin(call.channel.transport().send(request));
        Ok(())
    }

    /// Waits until the attempt is over.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Received>>> {
        let Self { exchange, flow, observed } = self;
        let polled = if exchange.spec().shape.has_one_response() {
            flow.poll_input(exchange, cx).map_ok(Some)
        } else {
            flow.poll_begun(exchange, cx)
        };
        if let Poll::Ready(outcome) = &polled
            && let Some(observed) = observed.take()
        {
            observed.end(outcome.as_ref().err());
        }
        polled
    }

    pub(crate) fn answered(self, first: Option<Received>) -> Answered {
        Answered { exchange: self.exchange, flow: self.flow, first }
    }

    /// The reply to a call with one response, taken out of an attempt that is over.
    pub(crate) fn take_reply(&mut self, first: Option<Received>) -> Result<Reply<Bytes>> {
        reply(&mut self.exchange, &self.flow, first)
    }
}

impl Answered {
    /// The reply to a call with one response.
    pub(crate) fn into_reply(mut self) -> Result<Reply<Bytes>> {
        reply(&mut self.exchange, &self.flow, self.first)
    }
}

fn reply(
    exchange: &mut ClientExchange<HttpFields>,
    flow: &Flow,
    first: Option<Received>,
) -> Result<Reply<Bytes>> {
    let Some(Received::Message(message)) = first else {
        return Err(Error::internal("the response has no message"));
    };
    Ok(Reply { message, metadata: exchange.take_metadata(), peer: flow.peer().cloned() })
}

/// The exchange of a call that begins.
pub(crate) fn exchange(call: &Call) -> ClientExchange<HttpFields> {
    let mut exchange = ClientExchange::new(call.spec, call.config());
    if let Some(wish) = call.compress() {
        exchange.set_compress(wish);
    }
    exchange
}

/// The head of a request, without its body. `body` is what was sent so far; a GET takes its message out of it.
pub(crate) fn head(
    call: &Call,
    exchange: &mut ClientExchange<HttpFields>,
    body: &mut BytesMut,
    previous: u32,
) -> Result<Request<RequestBody>> {
    let base = call.channel.base();
    let timeout = call.remaining()?;
    let is_usual = call.has_usual_config() && exchange.has_usual_head(&call.headers);
    let mut request = Request::new(RequestBody::whole(Bytes::new()));
    let mut fields = if is_usual {
        *request.method_mut() = Method::POST;
        *request.uri_mut() = call.channel.uri_of(call.spec)?;
        let mut fields = call.channel.usual_head(call.spec.shape, || written(call, exchange, body))?;
        if let Some(timeout) = timeout {
            exchange.write_timeout(timeout, &mut fields);
        }
        fields
    } else {
        let mut fields = HttpFields::with_capacity(USUAL_FIELDS);
        let call_head = CallHead { prefix: base.prefix(), headers: &call.headers, timeout };
        let RequestLine { method, target } = exchange.write_head(call_head, body, &mut fields)?;
        *request.method_mut() = if method == Method::GET.as_str() { Method::GET } else { Method::POST };
        *request.uri_mut() = base.uri(target)?;
        fields
    };
    if previous > 0 {
        exchange.write_previous_attempts(previous, &mut fields);
    }
    *request.headers_mut() = fields.into_map().map_err(bad_argument)?;
    if call.config().protocol.needs_trailers() || call.spec.shape == StreamShape::Bidi {
        // For trailers, and to talk both ways at once: a transport that has the choice must not take HTTP/1.
        *request.version_mut() = Version::HTTP_2;
    }
    if let Some(extensions) = call.extensions() {
        *request.extensions_mut() = extensions.clone();
    }
    Ok(request)
}

/// The fields that are the same for every call of this shape.
fn written(
    call: &Call,
    exchange: &mut ClientExchange<HttpFields>,
    body: &mut BytesMut,
) -> Result<HttpFields> {
    let mut fields = HttpFields::with_capacity(USUAL_FIELDS);
    let call_head = CallHead { prefix: "", headers: &call.headers, timeout: None };
    exchange.write_head(call_head, body, &mut fields)?;
    Ok(fields)
}

/// The fields of a protocol, and a few of the application.
const USUAL_FIELDS: usize = 6;
