//! One call, polled together with the two things that it waits for: its request's body, and its deadline.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Buf;
use http_body::Body;
use ringwire_call::HttpFields;
use ringwire_rpc::{Error, RequestHead, RequestRest, StreamShape};
use ringwire_service::{Arrival, Head, InFlight, Routes};
use tokio::time::Sleep;

use crate::BoxError;

/// A call in flight, and its request's body.
pub(crate) struct Pull<B> {
    call: InFlight,
    head: Arc<dyn Head>,
    body: B,
    clock: Clock,
    stall: Option<Stall>,
    alarm: Option<Pin<Box<Sleep>>>,
    rest: Rest,
}

impl<B> fmt::Debug for Pull<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.call.fmt(f)
    }
}

/// The request did not arrive whole.
#[derive(Debug)]
pub(crate) struct Interrupted {
    /// What that means for the call.
    pub(crate) error: Error,
    /// What the body said.
    pub(crate) source: BoxError,
}

impl<B> Pull<B>
where
    B: Body<Error: Into<BoxError>> + Unpin,
{
    pub(crate) fn start(routes: &Routes, arrival: Arrival, body: B, stall_max: Duration) -> Self {
        let (head, now) = (arrival.head.clone(), now());
        let call = routes.start(arrival, now);
        let stall = match call.spec().map(|spec| spec.shape) {
            Some(StreamShape::Unary | StreamShape::ServerStream) => {
                Some(Stall { max: stall_max, since: None })
            }
            Some(StreamShape::ClientStream | StreamShape::Bidi) | None => None,
        };
        Self {
            call,
            head,
            body,
            clock: Clock { now, is_fresh: true },
            stall,
            alarm: None,
            rest: Rest::Unread,
        }
    }

    /// Polls the call, and whatever it waits for, until `poll` is ready or nothing moves.
    pub(crate) fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut poll: impl FnMut(&mut InFlight, &mut Context<'_>, Instant) -> Poll<T>,
    ) -> Poll<Result<T, Interrupted>> {
        // Once the handler has ended, nothing is late any more.
        if self.call.remaining().is_none() {
            self.clock.advance();
        }
        loop {
            let now = self.clock.now;
            if let Poll::Ready(output) = poll(&mut self.call, cx, now) {
                return Poll::Ready(Ok(output));
            }
            let mut due = self.call.deadline();
            if self.call.wants_input() {
                if self.poll_input(cx)?.is_ready() {
                    continue;
                }
                if let Some(stall) = &mut self.stall {
                    let end = *stall.since.get_or_insert(now) + stall.max;
                    if end <= now {
                        return Poll::Ready(Err(stalled(stall.max)));
                    }
                    due = Some(due.map_or(end, |due| due.min(end)));
                }
            }
            let Some(due) = due else { return Poll::Pending };
            ready!(self.poll_alarm(cx, due));
            self.clock.advance();
        }
    }

    /// Throws the rest of the request away, if it is short and under way: some clients stop sending at an early answer and
    /// then stumble over themselves, and an HTTP/1 connection could not be used again. For when the call has ended, and
    /// before its answer is given away.
    pub(crate) fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.has_short_rest() {
            match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Ready(Some(Ok(_))) => continue,
                Poll::Ready(Some(Err(_)) | None) => self.rest = Rest::GivenUp,
                Poll::Pending => {
                    let until = match self.rest {
                        Rest::Discarded { until } => until,
                        Rest::Unread | Rest::GivenUp => now() + REST_TIME_MAX,
                    };
                    if until <= now() {
                        self.rest = Rest::GivenUp;
                    } else {
                        self.rest = Rest::Discarded { until };
                        ready!(self.poll_alarm(cx, until));
                    }
                }
            }
        }
        Poll::Ready(())
    }

    /// Whether [`poll_rest`](Self::poll_rest) has something to do.
    pub(crate) fn has_short_rest(&self) -> bool {
        self.rest != Rest::GivenUp
            && self.call.remaining().is_some()
            && self.call.rest() == RequestRest::Discard
            && !self.body.is_end_stream()
            && self.body.size_hint().exact().is_some_and(|rest| rest <= REST_MAX)
            // Who waits to be told to send its body is not sending it.
            && self.request().headers.get("expect").is_none()
    }

    pub(crate) fn request(&self) -> RequestHead<'_> {
        self.head.request()
    }

    pub(crate) fn call(&self) -> &InFlight {
        &self.call
    }

    /// Gives the call the next piece of its request. An error means that there will be none.
    fn poll_input(&mut self, cx: &mut Context<'_>) -> Result<Poll<()>, Interrupted> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Pending => return Ok(Poll::Pending),
            Poll::Ready(None) => self.call.push_end(),
            Poll::Ready(Some(Err(error))) => return Err(broken(error.into())),
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(mut data) => self.call.push(data.copy_to_bytes(data.remaining())),
                Err(other) => {
                    if let Ok(trailers) = other.into_trailers() {
                        self.call.push_trailers(&HttpFields::from(trailers));
                    }
                }
            },
        }
        if let Some(stall) = &mut self.stall {
            stall.since = None;
        }
        Ok(Poll::Ready(()))
    }

    /// Waits until `due`. The timer is made when a call first has to wait, which most never do, and is only ever moved
    /// closer: ringing early costs one poll.
    fn poll_alarm(&mut self, cx: &mut Context<'_>, due: Instant) -> Poll<()> {
        let due = tokio::time::Instant::from_std(due);
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
        if due < alarm.deadline() || alarm.is_elapsed() {
            alarm.as_mut().reset(due);
        }
        alarm.as_mut().poll(cx)
    }
}

#[derive(Debug)]
struct Stall {
    max: Duration,
    since: Option<Instant>,
}

/// The time, read once per poll: on many machines that costs more than what a poll has to do.
struct Clock {
    now: Instant,
    /// Read and not used yet: the first poll follows the start at once.
    is_fresh: bool,
}

impl Clock {
    fn advance(&mut self) {
        if !std::mem::take(&mut self.is_fresh) {
            self.now = now();
        }
    }
}

/// What became of the part of a request that the call left unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    Unread,
    Discarded { until: Instant },
    GivenUp,
}

/// The runtime's clock, which tests can hold.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

fn broken(source: BoxError) -> Interrupted {
    let error = match is_malformed(&*source) {
        true => Error::invalid_argument("the request's body is malformed"),
        false => Error::canceled("the request broke off"),
    };
    Interrupted { error, source }
}

/// Whether the peer has sent what is no body, such as a chunk without a size. HTTP says so by the kind of an I/O error.
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
