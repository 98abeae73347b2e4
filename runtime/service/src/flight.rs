//! One call in flight, without task or channel: whoever owns the connection drives it.
//!
//! The contract: [`poll_head`](InFlight::poll_head) until it is ready, then
//! [`poll_body`](InFlight::poll_body) until it yields `None`, then
//! [`write_trailers`](InFlight::write_trailers). A poll that is pending waits for one of three things: for
//! the request, if [`wants_input`](InFlight::wants_input) (push what has arrived, and poll at once); for the
//! waker that it was given; or for the time that [`deadline`](InFlight::deadline) names. Nothing else drives
//! a call, so dropping it is cancelling it.

mod fields;

use crate::budget::Share;
use crate::cell::{Cell, Head as HeadState, Meeting};
use crate::deadline::{Expired, Timer};
use crate::ends::NO_REQUEST;
use crate::messages::Messages;
use crate::router::Routes;
use crate::service::{Mount, Start, Streamed, Unary, drop_caught, poll_caught};
use crate::{Arrival, BoxFuture, Call, Error, Head, Instant};
use bytes::{Bytes, BytesMut};
use fields::{Fields, Nowhere};
use ringwire_http::{Headers, HeadersMut};
use ringwire_rpc::{
    Answer, End, Input, Metadata, RequestRest, ServerExchange, Spec, StreamShape, answer_error,
    answer_unrouted,
};
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

/// One call in flight.
pub struct InFlight {
    stage: Stage,
    timer: Timer,
    /// Kept for the answer to a unary call whose time runs out while its handler holds everything else.
    head: Arc<dyn Head>,
    spec: Option<&'static Spec>,
    status: Option<u16>,
    trailers: Option<Fields>,
    rest: RequestRest,
    input_ended: bool,
}

enum Stage {
    /// A unary call without interceptors whose request is not whole.
    Collecting(Arc<dyn Mount>, Box<Unary>),
    /// Such a call whose handler runs.
    Unary(BoxFuture<'static, Box<Unary>>),
    /// Such a call that has ended; its head has not left.
    Answered(Box<Unary>),
    /// A call whose interceptors run, or, if it is a stream, whose handler.
    Stream(BoxFuture<'static, Streamed>, Arc<Cell>),
    /// Such a call that has ended; its head has not left.
    Streamed(Streamed, Arc<Cell>),
    /// An answer that needs no exchange; its head has not left.
    Refused(Box<Answer>),
    /// The end is known, and written. The share is what the bytes draw from the budget.
    Body(BytesMut, Option<Share>),
}

impl InFlight {
    pub(crate) fn new(routes: &Routes, arrival: Arrival, now: Instant) -> Self {
        let head = arrival.head.clone();
        let request = head.request();
        let Some(route) = routes.route(request.path) else {
            let answer = answer_unrouted(&request);
            return Self::at(Stage::Refused(Box::new(answer)), Timer::default(), head.clone(), None);
        };
        let spec = route.spec();
        let exchange = match ServerExchange::accept(&request, spec, route.config()) {
            Ok(exchange) => exchange,
            Err(answer) => {
                return Self::at(Stage::Refused(answer), Timer::default(), head.clone(), Some(spec));
            }
        };
        let policy = &route.entry.deadlines;
        let mut timer = Timer::new(policy, exchange.timeout(), now);
        let coding = route.coding(routes, exchange.codec());
        let (protocol, codec) = (exchange.protocol(), coding.codec.name());
        let call = Call::new(spec, protocol, codec, arrival, timer.deadline, &routes.tracker);
        let mut start = Start { method: route.method, call, around: routes.around.clone() };
        let messages = Messages::new(exchange, coding, Share::new(&routes.budget));
        let mount = route.entry.mount.clone();
        let is_unary = spec.shape == StreamShape::Unary;
        let stage = if is_unary && start.around.is_none() && !mount.is_intercepted() {
            let unary = Unary { start, messages, request: None, outcome: Ok(()) };
            Stage::Collecting(mount, Box::new(unary))
        } else {
            if !is_unary {
                timer.watch_messages(policy, now);
            }
            let cell = Arc::new(Cell::new(messages));
            start.call.headers_into(cell.clone());
            Stage::Stream(mount.stream(start, cell.clone()), cell)
        };
        Self::at(stage, timer, head.clone(), Some(spec))
    }

    fn at(stage: Stage, timer: Timer, head: Arc<dyn Head>, spec: Option<&'static Spec>) -> Self {
        let rest = RequestRest::Discard;
        Self { stage, timer, head, spec, status: None, trailers: None, rest, input_ended: false }
    }

    /// The method that is called, if the path leads to one.
    pub fn spec(&self) -> Option<&'static Spec> {
        self.spec
    }

    /// Takes a piece of the request body. Poll next.
    pub fn push(&mut self, chunk: Bytes) {
        self.take_in(chunk, false);
    }

    /// Takes the news that the request has ended. Poll next.
    pub fn push_end(&mut self) {
        self.input_ended = true;
        self.take_in(Bytes::new(), true);
    }

    /// Takes the trailers of the request, which end it. Poll next.
    pub fn push_trailers(&mut self, trailers: &dyn Headers) {
        self.input_ended = true;
        match &mut self.stage {
            Stage::Collecting(_, unary) => unary.messages.exchange.push_trailers(trailers),
            Stage::Stream(_, cell) => cell.lock().push_trailers(trailers),
            Stage::Unary(_) | Stage::Answered(_) | Stage::Streamed(..) => {}
            Stage::Refused(_) | Stage::Body(..) => {}
        }
    }

    /// Whether the call waits for more of the request. A shell that reads only then passes the handler's pace
    /// on to the peer.
    pub fn wants_input(&self) -> bool {
        !self.input_ended
            && match &self.stage {
                Stage::Collecting(..) => true,
                Stage::Stream(_, cell) => cell.lock().is_hungry(),
                Stage::Unary(_) | Stage::Answered(_) | Stage::Streamed(..) => false,
                Stage::Refused(_) | Stage::Body(..) => false,
            }
    }

    /// When to poll next, if nothing else happens before. `None` once the handler has ended: from there on it
    /// is the connection that bounds how long a peer may take to read.
    pub fn deadline(&self) -> Option<Instant> {
        match &self.stage {
            Stage::Collecting(..) | Stage::Unary(_) | Stage::Stream(..) => self.timer.next(),
            Stage::Answered(_) | Stage::Streamed(..) | Stage::Refused(_) | Stage::Body(..) => None,
        }
    }

    /// Drives the call until the head of its response is known, writes it, and returns the HTTP status. Ready
    /// again, with nothing written, when polled after that.
    pub fn poll_head(&mut self, cx: &mut Context<'_>, now: Instant, head: &mut dyn HeadersMut) -> Poll<u16> {
        if let Some(status) = self.status {
            return Poll::Ready(status);
        }
        self.drive(cx, now);
        let status = match &mut self.stage {
            Stage::Collecting(..) | Stage::Unary(_) => None,
            Stage::Stream(_, cell) => cell.lock().write_due_head(head),
            Stage::Answered(_) | Stage::Streamed(..) | Stage::Refused(_) | Stage::Body(..) => {
                self.finish(head)
            }
        };
        self.status = status;
        status.map_or(Poll::Pending, Poll::Ready)
    }

    /// Drives the call until it has more of the response body, or is at its end: `None`.
    ///
    /// # Panics
    /// If the head has not been polled until it was ready.
    pub fn poll_body(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<Option<BytesMut>> {
        assert!(self.status.is_some(), "the head leaves before the body");
        self.drive(cx, now);
        match &mut self.stage {
            Stage::Stream(_, cell) => match cell.lock().take_out() {
                Some(bytes) => Poll::Ready(Some(bytes)),
                None => Poll::Pending,
            },
            Stage::Body(bytes, share) => {
                *share = None;
                Poll::Ready(Some(std::mem::take(bytes)).filter(|bytes| !bytes.is_empty()))
            }
            Stage::Collecting(..)
            | Stage::Unary(_)
            | Stage::Answered(_)
            | Stage::Streamed(..)
            | Stage::Refused(_) => unreachable!("a head leaves a running stream, or a body"),
        }
    }

    /// How many bytes of the body are left, if that is known: the handler has ended then.
    pub fn remaining(&self) -> Option<usize> {
        match &self.stage {
            Stage::Body(bytes, _) => Some(bytes.len()),
            Stage::Collecting(..) | Stage::Unary(_) | Stage::Stream(..) => None,
            Stage::Answered(_) | Stage::Streamed(..) | Stage::Refused(_) => None,
        }
    }

    /// Whether trailers follow the body. Known when [`remaining`](Self::remaining) is.
    pub fn has_trailers(&self) -> bool {
        self.trailers.is_some()
    }

    /// Writes the trailers, if there are any; for after the body.
    pub fn write_trailers(&self, sink: &mut dyn HeadersMut) {
        if let Some(trailers) = &self.trailers {
            trailers.write(sink);
        }
    }

    /// What to do with the part of the request that nobody will read; for after the body.
    pub fn rest(&self) -> RequestRest {
        if self.input_ended { RequestRest::Ended } else { self.rest }
    }

    fn take_in(&mut self, chunk: Bytes, end: bool) {
        let taken = match &mut self.stage {
            Stage::Collecting(_, unary) => unary.messages.push(chunk, end),
            Stage::Stream(_, cell) => cell.lock().push(chunk, end),
            Stage::Unary(_) | Stage::Answered(_) | Stage::Streamed(..) => Ok(()),
            Stage::Refused(_) | Stage::Body(..) => Ok(()),
        };
        if let Err(error) = taken {
            self.fail(error);
        }
    }

    /// Lets the handler run, if there is one that can.
    fn drive(&mut self, cx: &mut Context<'_>, now: Instant) {
        self.begin_unary();
        if !matches!(self.stage, Stage::Collecting(..) | Stage::Unary(_) | Stage::Stream(..)) {
            return;
        }
        if let Some(expired) = self.timer.expired(now) {
            return self.fail(expired.into_error());
        }
        match &mut self.stage {
            Stage::Unary(run) => match poll_caught(run.as_mut(), cx) {
                Poll::Ready(Ok(unary)) => self.stage = Stage::Answered(unary),
                Poll::Ready(Err(panic)) => self.fail(panic),
                Poll::Pending => {}
            },
            Stage::Stream(run, cell) => {
                cell.wake_others(cx.waker());
                let polled = poll_caught(run.as_mut(), cx);
                if cell.lock().message_passed() {
                    self.timer.message_passed(now);
                }
                match polled {
                    Poll::Ready(Ok(streamed)) => {
                        let cell = cell.clone();
                        self.end_stream(streamed, cell);
                    }
                    Poll::Ready(Err(panic)) => self.fail(panic),
                    Poll::Pending => {}
                }
            }
            Stage::Collecting(..) | Stage::Answered(_) | Stage::Streamed(..) => {}
            Stage::Refused(_) | Stage::Body(..) => {}
        }
    }

    /// Hands the request of a unary call over to its handler, once it is whole.
    fn begin_unary(&mut self) {
        let Stage::Collecting(_, unary) = &mut self.stage else { return };
        match unary.messages.receive() {
            Ok(Input::Message(request)) => unary.request = Some(request),
            Ok(Input::Pending) => return,
            Ok(Input::End) => return self.fail(Error::unimplemented(NO_REQUEST)),
            Err(error) => return self.fail(error),
        }
        if let Stage::Collecting(mount, unary) = self.take_stage() {
            self.stage = Stage::Unary(mount.unary(unary));
        }
    }

    /// Ends the call in place of its handler, which is dropped where it waits.
    fn fail(&mut self, error: Error) {
        match self.take_stage() {
            Stage::Collecting(_, mut unary) => {
                unary.outcome = Err(error);
                self.stage = Stage::Answered(unary);
            }
            Stage::Unary(run) => {
                drop_caught(run);
                self.stage = Stage::Refused(Box::new(answer_error(&self.head.request(), &error)));
            }
            Stage::Stream(run, cell) => {
                drop_caught(run);
                self.end_stream(Streamed { trailers: Metadata::new(), outcome: Err(error) }, cell);
            }
            ended => self.stage = ended,
        }
    }

    fn end_stream(&mut self, streamed: Streamed, cell: Arc<Cell>) {
        let head_has_left = cell.lock().head == HeadState::Left;
        self.stage = Stage::Streamed(streamed, cell);
        if head_has_left {
            self.finish(&mut Nowhere);
        }
    }

    /// Writes the end of the response, and its head unless that has left.
    fn finish(&mut self, head: &mut dyn HeadersMut) -> Option<u16> {
        let mut trailers = Fields::default();
        let (end, body, share) = match self.take_stage() {
            Stage::Answered(mut unary) => {
                let Unary { start, messages, outcome, .. } = &mut *unary;
                let (headers, custom) = start.call.response();
                let end = messages.finish(outcome, headers, custom, head, &mut trailers);
                let (body, share) = messages.take_body();
                drop_caught(unary);
                (end, body, Some(share))
            }
            Stage::Streamed(streamed, cell) => {
                let mut meeting = cell.lock();
                let outcome = meeting.outcome(streamed.outcome);
                let Meeting { messages, headers, .. } = &mut *meeting;
                let end = messages.finish(&outcome, headers, &streamed.trailers, head, &mut trailers);
                let (body, share) = messages.take_body();
                drop(meeting);
                drop_caught(cell);
                (end, body, Some(share))
            }
            Stage::Refused(answer) => {
                for (name, value) in &answer.headers {
                    head.append(name, value);
                }
                let end = End { status: Some(answer.status), trailers: false, rest: answer.rest };
                (end, BytesMut::from(answer.body), None)
            }
            running @ (Stage::Collecting(..) | Stage::Unary(_) | Stage::Stream(..) | Stage::Body(..)) => {
                self.stage = running;
                return None;
            }
        };
        self.stage = Stage::Body(body, share);
        self.rest = end.rest;
        self.trailers = end.trailers.then_some(trailers);
        end.status
    }

    fn take_stage(&mut self) -> Stage {
        std::mem::replace(&mut self.stage, Stage::Body(BytesMut::new(), None))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        drop_caught(self.take_stage());
    }
}

impl fmt::Debug for InFlight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InFlight")
            .field("request", &self.head.request())
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl Expired {
    fn into_error(self) -> Error {
        Error::deadline_exceeded(match self {
            Self::Deadline => "the deadline of the call has passed",
            Self::MessageGap => "no message has passed for too long",
        })
    }
}
