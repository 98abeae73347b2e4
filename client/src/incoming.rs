//! The end of a stream that receives.

use crate::attempt;
use crate::call::{Call, Response};
use crate::cell::Cell;
use crate::chain::{Chain, Ended};
use crate::error::decode_failed;
use crate::flow::{Flow, Hold};
use crate::message::watched;
use crate::{Error, Result};
use bytes::Bytes;
use futures_core::Stream;
use ringwire_call::{Coding, HttpFields, Watchers};
use ringwire_message::Message;
use ringwire_rpc::{ClientExchange, Metadata, Received, ResponseMetadata};
use ringwire_transport::PeerAddr;
use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

/// The messages that the server sends. Dropping it cancels the call.
pub struct Incoming<A> {
    receiving: Box<Receiving>,
    /// What the last view borrows from.
    current: Bytes,
    of: PhantomData<fn() -> A>,
}

impl<A: Message> Incoming<A> {
    /// Waits for the next message; `None` says that the server has ended the call with success. A future that is
    /// dropped before it is ready has taken no message.
    ///
    /// # Errors
    /// How the call failed, and the same again when asked again. Or the message is not an `A`: the next one may be, if
    /// the caller cares to go on.
    pub async fn next(&mut self) -> Result<Option<A>> {
        poll_fn(|cx| self.poll_next_message(cx)).await
    }

    /// The same, borrowed: the view lives until the next message is asked for.
    ///
    /// # Errors
    /// As those of [`next`](Self::next).
    pub async fn next_view(&mut self) -> Result<Option<A::View<'_>>> {
        self.current = Bytes::new();
        let Some(message) = poll_fn(|cx| self.receiving.poll_message(cx)).await? else { return Ok(None) };
        let Coding { codec, decode_limits, .. } = self.receiving.coding;
        self.current = A::viewable(codec, message, &decode_limits).map_err(decode_failed)?;
        A::view(&self.current, &decode_limits).map(Some).map_err(decode_failed)
    }

    /// The messages as a stream. It ends at the first error.
    pub fn into_stream(self) -> IncomingStream<A> {
        IncomingStream(Some(self))
    }

    /// Waits for the headers of the response, which some servers send before the first message, and gives them.
    ///
    /// # Errors
    /// How the call failed, if it did before there were any.
    pub async fn wait_for_headers(&mut self) -> Result<&Metadata> {
        poll_fn(|cx| self.receiving.poll_headers(cx)).await?;
        Ok(self.headers())
    }

    fn poll_next_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<A>>> {
        let received = ready!(self.receiving.poll_message(cx));
        let Coding { codec, decode_limits, .. } = self.receiving.coding;
        Poll::Ready(match received? {
            None => Ok(None),
            Some(message) => A::owned(codec, message, &decode_limits).map(Some).map_err(decode_failed),
        })
    }
}

impl<A> Incoming<A> {
    pub(crate) fn new(receiving: Receiving) -> Self {
        Self { receiving: Box::new(receiving), current: Bytes::new(), of: PhantomData }
    }

    /// The headers of the response; empty until they have come.
    pub fn headers(&self) -> &Metadata {
        self.receiving.headers()
    }

    /// The trailers of the response; empty until the last message has been received.
    pub fn trailers(&self) -> &Metadata {
        self.receiving.trailers()
    }

    /// Who answers, where the transport says so, once the headers have come: `127.0.0.1:8080`.
    pub fn peer(&self) -> Option<&str> {
        self.receiving.peer().map(|peer| &*peer.0)
    }

    pub(crate) fn receiving(&mut self) -> &mut Receiving {
        &mut self.receiving
    }
}

impl<A> fmt::Debug for Incoming<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("flow", &self.receiving.flow).finish_non_exhaustive()
    }
}

/// The messages that the server sends, as a stream. See [`Incoming::into_stream`].
#[derive(Debug)]
pub struct IncomingStream<A>(Option<Incoming<A>>);

impl<A: Message> Stream for IncomingStream<A> {
    type Item = Result<A>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<A>>> {
        let Some(incoming) = &mut self.0 else { return Poll::Ready(None) };
        let item = ready!(incoming.poll_next_message(cx)).transpose();
        if !matches!(item, Some(Ok(_))) {
            self.0 = None;
        }
        Poll::Ready(item)
    }
}

/// What is received of a call, before it has a type.
pub(crate) struct Receiving {
    flow: Flow,
    held: Held,
    pub(crate) coding: Coding,
    full_name: &'static str,
    watchers: Watchers,
    /// What the server said next, where somebody had to look.
    ahead: Option<Result<Received>>,
    around: Option<Around>,
    /// How the call has ended.
    outcome: Option<Result<()>>,
    headers: OnceLock<Metadata>,
    trailers: OnceLock<Metadata>,
}

/// The interceptors around a call.
pub(crate) struct Around {
    pub(crate) chain: Chain,
    /// Theirs when the call has ended.
    pub(crate) call: Option<Call>,
}

/// Where the exchange is: with who receives, unless there is somebody who sends.
pub(crate) enum Held {
    Own(Box<ClientExchange<HttpFields>>),
    Shared(Arc<Cell>),
}

impl Receiving {
    pub(crate) fn new(
        flow: Flow,
        held: Held,
        call: &mut Call,
        full_name: &'static str,
        first: Option<Received>,
    ) -> Self {
        Self {
            flow,
            held,
            coding: call.coding(),
            full_name,
            watchers: std::mem::take(&mut call.watchers),
            ahead: first.map(Ok),
            around: None,
            outcome: None,
            headers: OnceLock::new(),
            trailers: OnceLock::new(),
        }
    }

    /// What interceptors have answered in place of a server.
    pub(crate) fn answered(ended: Ended, full_name: &'static str) -> Result<Self> {
        let Ended { mut call, outcome, reply } = ended;
        outcome?;
        let exchange = attempt::exchange(&call);
        let mut receiving =
            Self::new(Flow::new(&call), Held::Own(Box::new(exchange)), &mut call, full_name, None);
        receiving.settle(Ended { call, outcome: Ok(()), reply });
        Ok(receiving)
    }

    pub(crate) fn set_around(&mut self, chain: Chain, call: Call) {
        self.around = Some(Around { chain, call: Some(call) });
    }

    /// The next message, past those who want to see it.
    pub(crate) fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>>> {
        loop {
            if let Some(Ok(Received::Message(message))) = &mut self.ahead
                && self.outcome.is_some()
            {
                let message = std::mem::take(message);
                self.ahead = None;
                return Poll::Ready(Ok(Some(message)));
            }
            if let Some(outcome) = &self.outcome {
                return Poll::Ready(outcome.clone().map(|()| None));
            }
            if let Some(around) = &mut self.around {
                match around.chain.poll(cx) {
                    Poll::Ready(ended) => {
                        self.settle(*ended);
                        continue;
                    }
                    Poll::Pending if around.call.is_none() => return Poll::Pending,
                    Poll::Pending => {}
                }
            }
            let ended = match ready!(self.poll_ahead_input(cx)) {
                Ok(Received::Message(message)) => {
                    match watched(self.full_name, message, &self.coding, &mut self.watchers) {
                        Ok(message) => return Poll::Ready(Ok(Some(message))),
                        Err(error) => Err(self.flow.end(error)),
                    }
                }
                Ok(Received::End | Received::Pending) => Ok(()),
                Err(error) => Err(error),
            };
            self.end(ended);
        }
    }

    /// Waits for the head of the response.
    pub(crate) fn poll_headers(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        if self.outcome.is_none() {
            ready!(self.flow.poll_head(&mut self.held, cx));
        }
        match self.flow.fault() {
            Some(error) if !self.flow.has_head() => Poll::Ready(Err(error.clone())),
            _ => Poll::Ready(Ok(())),
        }
    }

    /// Lets the transport work while somebody sends, and says why it does not, if it does not.
    pub(crate) fn poll_beside_send(&mut self, cx: &mut Context<'_>) {
        if self.outcome.is_none() {
            self.flow.poll_ahead(&mut self.held, cx);
            self.let_go();
        }
    }

    /// Why a send finds nobody to take its message, if the call has failed.
    pub(crate) fn poll_failure(&mut self, cx: &mut Context<'_>) -> Option<Error> {
        if let Some(outcome) = &self.outcome {
            return outcome.clone().err();
        }
        if self.ahead.is_none()
            && let Poll::Ready(input) = self.flow.poll_input(&mut self.held, cx)
        {
            self.ahead = Some(input);
        }
        self.ahead.as_ref()?.as_ref().err().cloned()
    }

    pub(crate) fn headers(&self) -> &Metadata {
        match &self.held {
            _ if !self.flow.has_head() => self.headers.get().unwrap_or(NONE),
            Held::Own(exchange) => self.headers.get().unwrap_or(exchange.headers()),
            Held::Shared(cell) => {
                self.headers.get_or_init(|| cell.with_exchange(|exchange| exchange.headers().clone()))
            }
        }
    }

    pub(crate) fn trailers(&self) -> &Metadata {
        match &self.held {
            _ if self.outcome.is_none() => NONE,
            Held::Own(exchange) => self.trailers.get().unwrap_or(exchange.trailers()),
            Held::Shared(cell) => {
                self.trailers.get_or_init(|| cell.with_exchange(|exchange| exchange.trailers().clone()))
            }
        }
    }

    pub(crate) fn peer(&self) -> Option<&PeerAddr> {
        self.flow.peer()
    }

    fn poll_ahead_input(&mut self, cx: &mut Context<'_>) -> Poll<Result<Received>> {
        if let Some(input) = self.ahead.take() {
            return Poll::Ready(input);
        }
        if let Held::Shared(cell) = &self.held
            && let Poll::Ready(error) = cell.poll_abandoned(cx)
        {
            return Poll::Ready(Err(self.flow.end(error)));
        }
        let input = self.flow.poll_input(&mut self.held, cx);
        self.let_go();
        input
    }

    /// A call that has ended takes no more requests.
    fn let_go(&self) {
        if let Held::Shared(cell) = &self.held
            && self.flow.has_ended()
        {
            cell.gone();
        }
    }

    /// The server, or the way to it, has ended the call; the interceptors have the last word.
    fn end(&mut self, outcome: Result<()>) {
        self.let_go();
        let (headers, trailers) = match &self.held {
            _ if self.around.is_none() => return self.set_outcome(outcome),
            Held::Own(exchange) => (exchange.headers().clone(), exchange.trailers().clone()),
            Held::Shared(cell) => {
                cell.with_exchange(|exchange| (exchange.headers().clone(), exchange.trailers().clone()))
            }
        };
        if let Some(Around { chain, call }) = &mut self.around
            && let Some(mut call) = call.take()
        {
            let metadata = ResponseMetadata::new(headers, trailers);
            call.response = Some(Box::new(Response { metadata, peer: self.flow.peer().cloned() }));
            chain.end(call, outcome);
        }
    }

    /// The interceptors have ended the call.
    fn settle(&mut self, ended: Ended) {
        let Ended { call, outcome, reply } = ended;
        self.flow.end(Error::canceled("an interceptor has ended the call"));
        if let Held::Shared(cell) = &self.held {
            cell.gone();
        }
        self.around = None;
        let response = call.response.map_or_else(Response::default, |response| *response);
        let (headers, trailers) = response.metadata.into_parts();
        self.headers = OnceLock::from(headers);
        self.trailers = OnceLock::from(trailers);
        self.ahead = reply.map(|message| Ok(Received::Message(message)));
        self.set_outcome(outcome);
    }

    fn set_outcome(&mut self, outcome: Result<()>) {
        if let Some(watch) = self.flow.watch() {
            watch.end(outcome.as_ref().err());
        }
        self.outcome = Some(outcome);
    }
}

impl Hold for Held {
    fn hold<R>(&mut self, with: impl FnOnce(&mut ClientExchange<HttpFields>) -> R) -> R {
        match self {
            Self::Own(exchange) => with(exchange),
            Self::Shared(cell) => cell.with_exchange(with),
        }
    }
}

/// Who receives nothing any more has no use for what is sent.
impl Drop for Receiving {
    fn drop(&mut self) {
        if let Held::Shared(cell) = &self.held {
            cell.gone();
        }
    }
}

const NONE: &Metadata = &Metadata::new();
