//! The per-call cell of a call with many requests: where its two ends meet the transport, which takes the request's
//! body when it can.
//!
//! Its lock is held for as long as one message takes to be encoded, and never while anything else is polled.

use crate::error::{abandoned, ended_by_server};
use crate::flow::Hold;
use crate::message::{Sendable, write};
use crate::watch::Watch;
use crate::{Error, Result};
use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame};
use ringwire_call::{Coding, HttpFields, WakerSlot, Watchers};
use ringwire_rpc::{ClientExchange, Compress};
use ringwire_transport::BoxError;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

pub(crate) struct Cell(Mutex<Outbox>);

struct Outbox {
    exchange: ClientExchange<HttpFields>,
    coding: Coding,
    watchers: Watchers,
    watch: Option<Arc<Watch>>,
    /// What was sent, and not yet taken by the transport.
    out: BytesMut,
    state: State,
    /// Whether the transport has begun to take the body.
    is_taken: bool,
    writer: WakerSlot,
    body: WakerSlot,
    receiver: WakerSlot,
}

/// The way of requests.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Open,
    /// There will be no more.
    Closed,
    /// The sending end was dropped without saying that there will be no more: what was sent is no whole request.
    Abandoned,
    /// Nobody takes them any more.
    Gone,
}

impl Cell {
    pub(crate) fn new(
        exchange: ClientExchange<HttpFields>,
        coding: Coding,
        watchers: Watchers,
        watch: Option<Arc<Watch>>,
    ) -> Self {
        Self(Mutex::new(Outbox {
            exchange,
            coding,
            watchers,
            watch,
            out: BytesMut::new(),
            state: State::Open,
            is_taken: false,
            writer: WakerSlot::new(),
            body: WakerSlot::new(),
            receiver: WakerSlot::new(),
        }))
    }

    /// Writes a message, unless the server is too far behind.
    pub(crate) fn poll_send(&self, message: &dyn Sendable, cx: &Context<'_>) -> Poll<Result<()>> {
        let mut outbox = self.lock();
        match outbox.state {
            State::Open => {}
            State::Closed => return Poll::Ready(Err(Error::internal("a send after `close_send`"))),
            State::Abandoned | State::Gone => return Poll::Ready(Err(ended_by_server())),
        }
        if outbox.out.len() > SEND_AHEAD_MAX {
            outbox.writer.register(cx.waker());
            return Poll::Pending;
        }
        let sent = outbox.send(message);
        let body = outbox.body.take();
        drop(outbox);
        wake(body);
        Poll::Ready(sent)
    }

    /// There will be no more requests.
    pub(crate) fn close(&self) {
        self.settle(State::Open, State::Closed);
    }

    /// The sending end is gone.
    pub(crate) fn abandon(&self) {
        self.settle(State::Open, State::Abandoned);
    }

    /// Nobody takes requests any more.
    pub(crate) fn gone(&self) {
        self.settle(State::Open, State::Gone);
    }

    /// Whether the call ends because its sending end is gone. Who asks is woken when it goes.
    pub(crate) fn poll_abandoned(&self, cx: &Context<'_>) -> Poll<Error> {
        let mut outbox = self.lock();
        if outbox.state == State::Abandoned {
            return Poll::Ready(abandoned());
        }
        outbox.receiver.register(cx.waker());
        Poll::Pending
    }

    /// Waits until the transport has begun to take the request.
    pub(crate) fn poll_taken(&self, cx: &Context<'_>) -> Poll<()> {
        let mut outbox = self.lock();
        if outbox.is_taken {
            return Poll::Ready(());
        }
        outbox.receiver.register(cx.waker());
        Poll::Pending
    }

    pub(crate) fn set_compress(&self, wish: Compress) {
        self.lock().exchange.set_compress(wish);
    }

    pub(crate) fn with_exchange<R>(&self, with: impl FnOnce(&mut ClientExchange<HttpFields>) -> R) -> R {
        with(&mut self.lock().exchange)
    }

    fn settle(&self, from: State, to: State) {
        let mut outbox = self.lock();
        if outbox.state != from {
            return;
        }
        outbox.state = to;
        let waiting = [outbox.writer.take(), outbox.body.take(), outbox.receiver.take()];
        drop(outbox);
        waiting.into_iter().for_each(wake);
    }

    /// An encoder or a hook of the application may have panicked while it held the lock. The exchange has taken back
    /// what was half written, so the lock needs no poison.
    fn lock(&self) -> MutexGuard<'_, Outbox> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outbox {
    fn send(&mut self, message: &dyn Sendable) -> Result<()> {
        let Self { exchange, coding, watchers, watch, out, .. } = self;
        let before = out.len();
        let replaced = match watchers.hooks() {
            Some(hooks) => message.show(coding, hooks)?,
            None => None,
        };
        write(exchange, message, replaced.as_ref(), coding, out)?;
        if let Some(watch) = watch {
            watch.sent(out.len() - before);
        }
        Ok(())
    }
}

impl Hold for Arc<Cell> {
    fn hold<R>(&mut self, with: impl FnOnce(&mut ClientExchange<HttpFields>) -> R) -> R {
        self.with_exchange(with)
    }
}

/// The body of the request, as the transport takes it.
pub(crate) struct OutBody(pub(crate) Arc<Cell>);

impl Body for OutBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut outbox = self.0.lock();
        let opener =
            if std::mem::replace(&mut outbox.is_taken, true) { None } else { outbox.receiver.take() };
        let mut writer = None;
        let polled = if outbox.out.is_empty() {
            match outbox.state {
                State::Open => {
                    outbox.body.register(cx.waker());
                    Poll::Pending
                }
                State::Closed => Poll::Ready(None),
                State::Abandoned | State::Gone => Poll::Ready(Some(Err(abandoned().into_std().into()))),
            }
        } else {
            writer = outbox.writer.take();
            // Splitting, not replacing, lets the next message go into what is left of the same allocation.
            Poll::Ready(Some(Ok(Frame::data(outbox.out.split().freeze()))))
        };
        drop(outbox);
        wake(opener);
        wake(writer);
        polled
    }

    fn is_end_stream(&self) -> bool {
        let outbox = self.0.lock();
        outbox.state == State::Closed && outbox.out.is_empty()
    }
}

/// The transport has let go of the request, whole or not.
impl Drop for OutBody {
    fn drop(&mut self) {
        self.0.gone();
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// More than this many bytes that the transport has not taken make `send` wait. A few full HTTP/2 frames: enough to
/// keep a connection busy, little enough for thousands of streams whose servers do not read.
const SEND_AHEAD_MAX: usize = 64 * 1024;
