//! The response to one attempt of a call, as it comes: what polls the transport.
//!
//! The contract: [`poll_input`](Flow::poll_input) until it gives the end or an error. It never polls the transport
//! while it holds the exchange, because the transport may be polling the request's body at the same time, which
//! needs it too.

use crate::call::Call;
use crate::error::{canceled_around, deadline_reached, transport_failed};
use crate::watch::Watch;
use crate::{Error, Result, clock};
use bytes::Bytes;
use http::{Response, StatusCode};
use http_body::Body;
use ringwire_call::{Cancelled, HttpFields, Instant};
use ringwire_rpc::{ClientExchange, Received};
use ringwire_transport::{PeerAddr, ResponseBody, TransportError};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// Where the exchange of a call is.
pub(crate) trait Hold {
    /// Uses it, for no longer than `with` runs.
    fn hold<R>(&mut self, with: impl FnOnce(&mut ClientExchange<HttpFields>) -> R) -> R;
}

impl Hold for ClientExchange<HttpFields> {
    fn hold<R>(&mut self, with: impl FnOnce(&mut Self) -> R) -> R {
        with(self)
    }
}

pub(crate) type Sending =
    Pin<Box<dyn Future<Output = Result<Response<ResponseBody>, TransportError>> + Send>>;

/// The response to one attempt of a call.
pub(crate) struct Flow {
    stage: Stage,
    bounds: Bounds,
    /// Why nothing more comes. What came before is handed out first.
    fault: Option<Error>,
    has_head: bool,
    /// Whether the status says that what follows is an error and no stream.
    is_refusal: bool,
    peer: Option<PeerAddr>,
    watch: Option<Arc<Watch>>,
}

enum Stage {
    /// Nothing has come back yet.
    Head(Sending),
    Body(ResponseBody),
    /// Nothing more comes, or is wanted.
    Ended,
}

impl Flow {
    /// The response to a request that is yet to be sent.
    pub(crate) fn new(call: &Call) -> Self {
        Self {
            stage: Stage::Ended,
            bounds: Bounds::of(call),
            fault: None,
            has_head: false,
            is_refusal: false,
            peer: None,
            watch: call.watch.clone(),
        }
    }

    /// What is collected for the observer of the call.
    pub(crate) fn watch(&self) -> Option<&Watch> {
        self.watch.as_deref()
    }

    /// The request is on its way.
    pub(crate) fn begin(&mut self, sending: Sending) {
        self.stage = Stage::Head(sending);
    }

    /// Whether the head of the response has come.
    pub(crate) fn has_head(&self) -> bool {
        self.has_head
    }

    /// Who answers, once that is known.
    pub(crate) fn peer(&self) -> Option<&PeerAddr> {
        self.peer.as_ref()
    }

    /// Waits for what the server says next. An error, or the end, lets go of the transport.
    pub(crate) fn poll_input(
        &mut self,
        exchange: &mut impl Hold,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Received>> {
        loop {
            if self.bounds.have_passed() {
                return Poll::Ready(Err(self.end(deadline_reached())));
            }
            match exchange.hold(ClientExchange::next_input) {
                Ok(Received::Message(message)) => {
                    if let Some(watch) = &self.watch {
                        watch.received_message();
                    }
                    return Poll::Ready(Ok(Received::Message(message)));
                }
                Ok(Received::End) => {
                    self.stage = Stage::Ended;
                    return Poll::Ready(Ok(Received::End));
                }
                Ok(Received::Pending) => {}
                Err(error) => return Poll::Ready(Err(self.end(error))),
            }
            if self.has_ended() {
                let silent = || Error::internal("the response ended without an outcome");
                return Poll::Ready(Err(self.fault.get_or_insert_with(silent).clone()));
            }
            if self.poll_more(exchange, cx).is_pending() {
                let error = ready!(self.bounds.poll(cx));
                return Poll::Ready(Err(self.end(error)));
            }
        }
    }

    /// Waits until the server has begun to answer, and gives what it says first, as far as that is known. An error
    /// that comes in place of a stream is known here.
    pub(crate) fn poll_begun(
        &mut self,
        exchange: &mut impl Hold,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Received>>> {
        ready!(self.poll_head(exchange, cx));
        if self.has_ended() || self.is_refusal {
            return self.poll_input(exchange, cx).map_ok(Some);
        }
        Poll::Ready(match exchange.hold(ClientExchange::next_input) {
            Ok(Received::Pending) => Ok(None),
            Ok(input @ (Received::Message(_) | Received::End)) => {
                if let (Received::Message(_), Some(watch)) = (&input, &self.watch) {
                    watch.received_message();
                }
                Ok(Some(input))
            }
            Err(error) => Err(self.end(error)),
        })
    }

    /// Waits for the head of the response. Whatever is wrong with it, [`poll_input`](Self::poll_input) says.
    pub(crate) fn poll_head(&mut self, exchange: &mut impl Hold, cx: &mut Context<'_>) -> Poll<()> {
        while matches!(self.stage, Stage::Head(_)) {
            if self.poll_more(exchange, cx).is_pending() {
                let error = ready!(self.bounds.poll(cx));
                self.end(error);
            }
        }
        Poll::Ready(())
    }

    /// Lets the transport work while nobody asks for its messages: it may be what takes the request. No more than
    /// some of the response is taken; its sender waits with the rest.
    pub(crate) fn poll_ahead(&mut self, exchange: &mut impl Hold, cx: &mut Context<'_>) {
        while !self.has_ended() && exchange.hold(|exchange| exchange.buffered()) < READ_AHEAD_MAX {
            if self.poll_more(exchange, cx).is_pending() {
                if let Poll::Ready(error) = self.bounds.poll(cx) {
                    self.end(error);
                }
                return;
            }
        }
    }

    /// Whether the transport has nothing more to say.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.stage, Stage::Ended)
    }

    /// Why the transport has nothing more to say, if that is an error.
    pub(crate) fn fault(&self) -> Option<&Error> {
        self.fault.as_ref()
    }

    /// Ends the call on this side. What is left of it is cancelled on the wire.
    pub(crate) fn end(&mut self, error: Error) -> Error {
        self.stage = Stage::Ended;
        self.fault.get_or_insert(error).clone()
    }

    /// Takes the next piece of the response.
    fn poll_more(&mut self, exchange: &mut impl Hold, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.stage {
            Stage::Head(sending) => match ready!(sending.as_mut().poll(cx)) {
                Ok(response) => self.take_head(exchange, response),
                Err(error) => self.fail(error),
            },
            Stage::Body(body) => match ready!(Pin::new(&mut *body).poll_frame(cx)) {
                None => {
                    exchange.hold(|exchange| exchange.push(Bytes::new(), true));
                    self.stage = Stage::Ended;
                }
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => {
                        let end = body.is_end_stream();
                        if let Some(watch) = &self.watch {
                            watch.received_bytes(data.len());
                        }
                        exchange.hold(|exchange| exchange.push(data, end));
                        if end {
                            self.stage = Stage::Ended;
                        }
                    }
                    Err(other) => {
                        if let Ok(trailers) = other.into_trailers() {
                            exchange.hold(|exchange| exchange.push_trailers(trailers.into()));
                            self.stage = Stage::Ended;
                        }
                    }
                },
                Some(Err(error)) => self.fail(error),
            },
            Stage::Ended => {}
        }
        Poll::Ready(())
    }

    fn take_head(&mut self, exchange: &mut impl Hold, response: Response<ResponseBody>) {
        let (mut parts, body) = response.into_parts();
        self.peer = parts.extensions.remove();
        self.has_head = true;
        if let Some(watch) = &self.watch {
            watch.head();
        }
        self.is_refusal = parts.status != StatusCode::OK;
        let (status, end) = (parts.status.as_u16(), body.is_end_stream());
        exchange.hold(|exchange| exchange.head(status, parts.headers.into(), end));
        self.stage = if end { Stage::Ended } else { Stage::Body(body) };
    }

    fn fail(&mut self, error: TransportError) {
        let mut error = transport_failed(error);
        if self.bounds.have_passed() {
            // A server that gives up at the deadline resets the stream a moment before this side would.
            error = deadline_reached().with_source(error.into_std());
        }
        self.end(error);
    }
}

impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flow").field("peer", &self.peer).field("fault", &self.fault).finish_non_exhaustive()
    }
}

/// What ends a call from this side: its deadline, and the end of the call that it was made within.
#[derive(Debug, Default)]
pub(crate) struct Bounds {
    deadline: Option<Instant>,
    cancelled: Option<Cancelled>,
    alarm: clock::Alarm,
}

impl Bounds {
    pub(crate) fn of(call: &Call) -> Self {
        Self { deadline: call.deadline, cancelled: call.cancelled(), alarm: clock::Alarm::default() }
    }

    /// Whether the deadline has passed.
    pub(crate) fn have_passed(&self) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= clock::now())
    }

    /// Waits for the earlier of the two.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        if let Some(deadline) = self.deadline
            && self.alarm.poll(cx, deadline).is_ready()
        {
            return Poll::Ready(deadline_reached());
        }
        if let Some(cancelled) = &mut self.cancelled
            && Pin::new(cancelled).poll(cx).is_ready()
        {
            return Poll::Ready(canceled_around());
        }
        Poll::Pending
    }
}

impl Clone for Bounds {
    /// The same bounds, waited for by somebody else.
    fn clone(&self) -> Self {
        Self { deadline: self.deadline, cancelled: self.cancelled.clone(), alarm: clock::Alarm::default() }
    }
}

/// As much as is read of a response that nobody asks for: enough for a server that answers as it reads.
const READ_AHEAD_MAX: usize = 64 * 1024;
