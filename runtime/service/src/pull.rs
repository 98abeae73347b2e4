//! A call whose request is an [`http_body::Body`], and whose response is one: the shell over HTTP implementations that pull.
//!
//! Whoever polls the response polls the handler, and the handler's wish for input polls the body of the request. There is no
//! task and no channel; dropping the response cancels the call.

use crate::{Arrival, CallInFlight, Ended, Error, Input, Instant, Outbox, Routes, Step};
use bytes::{Buf, Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use ringwire_call::HttpFields;
use ringwire_http::{Head, Headers, Token};
use ringwire_rpc::RequestRest;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// A clock and an alarm, as the runtime of a shell has them.
pub trait Alarm {
    /// The time.
    fn now(&self) -> Instant;

    /// Waits until `due`. To be ready too early does no harm.
    fn poll_until(&mut self, cx: &mut Context<'_>, due: Instant) -> Poll<()>;
}

/// An error of any type.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A call, polled together with the body of its request and with its deadline.
///
/// First comes [`poll_head`](Self::poll_head), then [`into_body`](Self::into_body).
pub struct Pull<B, A> {
    call: CallInFlight,
    request: B,
    alarm: A,
    clock: Clock,
    stall: Option<Stall>,
    rest: Rest,
    is_begun: bool,
    status: Option<u16>,
    fields: HttpFields,
    /// The part of the response's body that has not been handed out.
    out: BytesMut,
    trailers: HttpFields,
    ended: Option<Ended>,
}

/// The body of a response. Polling it runs the handler.
pub struct PullBody<B, A>(Option<Box<Pull<B, A>>>);

/// The request did not arrive whole.
#[derive(Debug)]
pub struct Interrupted {
    /// The error of the call.
    pub error: Error,
    /// The error of the request's body.
    pub source: BoxError,
}

impl<B, A> Pull<B, A>
where
    B: Body<Error: Into<BoxError>> + Unpin,
    A: Alarm,
{
    /// Starts a call.
    ///
    /// `stall_max` bounds the time in which nothing arrives while a method that takes one message waits for the rest of it.
    /// Streams of requests are conversations, and bounded by the deadline of the call alone.
    pub fn start(
        routes: &Routes,
        arrival: Arrival,
        request: B,
        alarm: A,
        stall_max: Option<Duration>,
    ) -> Self {
        let now = alarm.now();
        let call = routes.start(arrival, now);
        let has_one_request = call.spec().is_some_and(|spec| spec.shape.has_one_request());
        Self {
            call,
            request,
            alarm,
            clock: Clock { now, is_fresh: true },
            stall: stall_max.filter(|_| has_one_request).map(|max| Stall { max, since: None }),
            rest: Rest::Unread,
            is_begun: false,
            status: None,
            fields: HttpFields::default(),
            out: BytesMut::new(),
            trailers: HttpFields::default(),
            ended: None,
        }
    }

    /// Waits for the head of the response, and returns its status and its fields. By then the length and the end of a unary
    /// response are known.
    ///
    /// # Errors
    /// The request broke off before there was an answer.
    ///
    /// # Panics
    /// The head has been returned already.
    pub fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<(u16, HttpFields), Interrupted>> {
        if self.status.is_none() {
            self.begin(cx)?;
            while self.status.is_none() {
                ready!(self.poll_step(cx))?;
            }
            // A unary call is at its end now, and says so.
            self.poll_call(cx);
        }
        ready!(self.poll_rest(cx));
        let status = self.status.expect("set above");
        Poll::Ready(Ok((status, std::mem::take(&mut self.fields))))
    }

    /// The body of the response.
    pub fn into_body(self: Box<Self>) -> PullBody<B, A> {
        PullBody(Some(self))
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Interrupted>>> {
        loop {
            if !self.out.is_empty() {
                let bytes = self.out.split().freeze();
                // From here on, they are counted by whoever has them.
                self.call.handle_sent(bytes.len());
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            if let Some(ended) = self.ended {
                ready!(self.poll_rest(cx));
                let trailers = ended.trailers.then(|| map(std::mem::take(&mut self.trailers)));
                return Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))));
            }
            ready!(self.poll_step(cx))?;
        }
    }

    /// Gives the call what has arrived already, before it asks: a caller in this process may wait for somebody to take it, and
    /// the handler of a request that is whole has it to itself. Not where a client waits to be told to send.
    fn begin(&mut self, cx: &mut Context<'_>) -> Result<(), Interrupted> {
        if !std::mem::replace(&mut self.is_begun, true) && self.call.spec().is_some() && !self.is_held_back()
        {
            let arrived = self.poll_input(cx)?;
            if arrived.is_ready() && self.request.is_end_stream() {
                self.call.handle_input(Input::End);
            }
        }
        Ok(())
    }

    /// Polls the call, and whatever it waits for, until it has taken a step.
    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Interrupted>> {
        self.clock.advance(&self.alarm);
        loop {
            let due = match self.poll_call(cx) {
                Step::Head(_) | Step::Body | Step::Done(_) => return Poll::Ready(Ok(())),
                Step::Wait { input: false, until } => until,
                Step::Wait { input: true, until } => {
                    if self.poll_input(cx)?.is_ready() {
                        continue;
                    }
                    until.into_iter().chain(self.stall_end()?).min()
                }
            };
            let Some(due) = due else { return Poll::Pending };
            ready!(self.alarm.poll_until(cx, due));
            self.clock.advance(&self.alarm);
        }
    }

    fn poll_call(&mut self, cx: &mut Context<'_>) -> Step {
        let fields = if self.status.is_none() { &mut self.fields } else { &mut self.trailers };
        let step = self.call.poll(cx, self.clock.now, &mut Outbox { fields, body: &mut self.out });
        match step {
            Step::Head(status) => self.status = Some(status),
            Step::Done(ended) => self.ended = Some(ended),
            Step::Body | Step::Wait { .. } => {}
        }
        step
    }

    /// Gives the call the next piece of its request. An error means that there will be none.
    fn poll_input(&mut self, cx: &mut Context<'_>) -> Result<Poll<()>, Interrupted> {
        match Pin::new(&mut self.request).poll_frame(cx) {
            Poll::Pending => return Ok(Poll::Pending),
            Poll::Ready(None) => self.call.handle_input(Input::End),
            Poll::Ready(Some(Err(error))) => return Err(broken(error.into())),
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(mut data) => self.call.handle_input(Input::Data(data.copy_to_bytes(data.remaining()))),
                Err(other) => {
                    if let Ok(trailers) = other.into_trailers() {
                        self.call.handle_input(Input::Trailers(&HttpFields::from(trailers)));
                    }
                }
            },
        }
        if let Some(stall) = &mut self.stall {
            stall.since = None;
        }
        Ok(Poll::Ready(()))
    }

    /// The time at which the wait for input is over; an error if it is.
    fn stall_end(&mut self) -> Result<Option<Instant>, Interrupted> {
        let Some(stall) = &mut self.stall else { return Ok(None) };
        let now = self.clock.now;
        let end = *stall.since.get_or_insert(now) + stall.max;
        if end <= now { Err(stalled(stall.max)) } else { Ok(Some(end)) }
    }

    /// Throws the rest of the request away, if it is short and under way: some clients stop sending at an early answer and
    /// then stumble over themselves, and an HTTP/1 connection could not be used again. For when the call has ended, and
    /// before its answer is given away.
    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.has_short_rest() {
            match Pin::new(&mut self.request).poll_frame(cx) {
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(_)) | None) => self.rest = Rest::GivenUp,
                Poll::Pending => {
                    let now = self.alarm.now();
                    let until = match self.rest {
                        Rest::Discarded { until } => until,
                        Rest::Unread | Rest::GivenUp => now + REST_TIME_MAX,
                    };
                    if until <= now {
                        self.rest = Rest::GivenUp;
                    } else {
                        self.rest = Rest::Discarded { until };
                        ready!(self.alarm.poll_until(cx, until));
                    }
                }
            }
        }
        Poll::Ready(())
    }

    /// Whether [`poll_rest`](Self::poll_rest) has something to do.
    fn has_short_rest(&self) -> bool {
        self.rest != Rest::GivenUp
            && self.ended.is_some_and(|ended| ended.rest == RequestRest::Discard)
            && !self.request.is_end_stream()
            && self.request.size_hint().exact().is_some_and(|rest| rest <= REST_MAX)
            && !self.is_held_back()
    }

    /// Whether the client waits to be told to send the body.
    fn is_held_back(&self) -> bool {
        self.head().fields().known(Token::EXPECT).is_some()
    }
}

impl<B, A> Pull<B, A> {
    /// The head of the request.
    pub fn head(&self) -> &Head {
        self.call.head()
    }
}

impl<B, A> Body for PullBody<B, A>
where
    B: Body<Error: Into<BoxError>> + Unpin,
    A: Alarm + Unpin,
{
    type Data = Bytes;
    type Error = Interrupted;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Interrupted>>> {
        let Some(pull) = &mut self.0 else { return Poll::Ready(None) };
        let frame = ready!(pull.poll_frame(cx));
        if !matches!(&frame, Some(Ok(frame)) if frame.is_data()) {
            self.0 = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|pull| {
            let is_over = pull.ended.is_some_and(|ended| !ended.trailers);
            is_over && pull.out.is_empty() && !pull.has_short_rest()
        })
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            None => SizeHint::with_exact(0),
            // A declared length and trailers exclude each other in HTTP/1.
            Some(pull) if pull.ended.is_some_and(|ended| !ended.trailers) => {
                SizeHint::with_exact(pull.out.len() as u64)
            }
            Some(_) => SizeHint::default(),
        }
    }
}

impl<B, A> fmt::Debug for Pull<B, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.call.fmt(f)
    }
}

impl<B, A> fmt::Debug for PullBody<B, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PullBody").field(&self.0).finish()
    }
}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Interrupted {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.source)
    }
}

#[derive(Debug)]
struct Stall {
    max: Duration,
    since: Option<Instant>,
}

/// The time, read once per poll: on many machines that costs more than the rest of a poll.
struct Clock {
    now: Instant,
    /// Read and not used yet: the first poll follows the start at once.
    is_fresh: bool,
}

impl Clock {
    fn advance(&mut self, alarm: &impl Alarm) {
        if !std::mem::take(&mut self.is_fresh) {
            self.now = alarm.now();
        }
    }
}

/// The part of a request that the call left unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    Unread,
    Discarded { until: Instant },
    GivenUp,
}

fn map(fields: HttpFields) -> HeaderMap {
    fields.into_map().expect("an exchange writes valid fields")
}

fn broken(source: BoxError) -> Interrupted {
    let error = match is_malformed(&*source) {
        true => Error::invalid_argument("the request's body is malformed"),
        false => Error::canceled("the request broke off"),
    };
    Interrupted { error, source }
}

/// Whether the peer has sent what is no body, such as a chunk without a size. HTTP implementations say so by the kind of an
/// I/O error.
fn is_malformed(error: &(dyn std::error::Error + 'static)) -> bool {
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    matches!(kind, Some(io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData))
        || error.source().is_some_and(is_malformed)
}

fn stalled(max: Duration) -> Interrupted {
    let source = format!("nothing of the request arrived for {max:?}").into();
    Interrupted { error: Error::deadline_exceeded("the request stopped arriving"), source }
}

// As much as one stream's window holds: it is in flight already, or about to be.
const REST_MAX: u64 = 1024 * 1024;
const REST_TIME_MAX: Duration = Duration::from_secs(5);
