//! Where the messages of a call are: its own, or shared with a handler that streams. No other module knows which.
//!
//! The lock of a shared lane is never contended: handler and shell run in the same poll, one after the other.

use crate::error::broken;
use crate::messages::{Closed, Closing, Messages};
use crate::{Error, Result};
use bytes::{Bytes, BytesMut};
use ringwire_call::WakerSlot;
use ringwire_http::HeadersMut;
use ringwire_message::{Encode, Message, Writable};
use ringwire_rpc::{Compress, Metadata, Received};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// Where the messages of a call are.
#[expect(clippy::large_enum_variant, reason = "it lies in the one block of a call, and most calls are unary")]
pub(crate) enum Lane {
    /// With the call: of a unary call whose request is whole before its handler begins.
    Own(Messages),
    /// With the call and with the shell, which moves them while the handler runs.
    Shared(Arc<Shared>),
}

/// A lane, lent to a handler.
pub(crate) enum LaneRef<'c> {
    Own(&'c mut Messages),
    Shared(&'c Shared),
}

impl Lane {
    /// The messages that the shell shares with the handler.
    pub(crate) fn shared(&self) -> Option<&Arc<Shared>> {
        match self {
            Self::Own(_) => None,
            Self::Shared(shared) => Some(shared),
        }
    }

    #[inline]
    pub(crate) fn lend(&mut self) -> LaneRef<'_> {
        match self {
            Self::Own(messages) => LaneRef::Own(messages),
            Self::Shared(shared) => LaneRef::Shared(shared),
        }
    }

    /// Ends the response: writes all that is left of it, its head too if that has not left. A fault of the request takes the
    /// place of a success.
    #[inline]
    pub(crate) fn finish(
        &mut self,
        outcome: &mut Result<()>,
        headers: &Metadata,
        trailers: &Metadata,
        closing: Closing<'_>,
    ) -> Closed {
        match self {
            Self::Own(messages) => messages.finish(outcome, headers, trailers, closing),
            Self::Shared(shared) => shared.finish(outcome, trailers, closing),
        }
    }
}

impl<'c> LaneRef<'c> {
    /// Uses the messages, wherever they are.
    #[inline]
    pub(crate) fn with<T>(&mut self, then: impl FnOnce(&mut Messages) -> T) -> T {
        match self {
            Self::Own(messages) => then(messages),
            Self::Shared(shared) => then(&mut shared.lock().messages),
        }
    }

    /// Waits for the one request of a method that has one.
    pub(crate) fn poll_request(&self, waker: &Waker) -> Poll<Result<()>> {
        match self {
            // The handler began when it was whole.
            Self::Own(_) => Poll::Ready(Ok(())),
            Self::Shared(shared) => shared.poll_receive(waker).map(|received| {
                let request = received?.ok_or_else(|| Error::unimplemented(NO_REQUEST))?;
                shared.lock().messages.request = Some(request);
                Ok(())
            }),
        }
    }

    /// Writes an interceptor's message in place of whatever the handler would have said. The head of a stream leaves with
    /// it, that of another call waits for the end.
    pub(crate) fn reply(&mut self, message: &dyn Writable, is_stream: bool) -> Result<()> {
        match self {
            Self::Shared(shared) if is_stream => shared.lock().said(|messages| messages.send_any(message)),
            lane => lane.with(|messages| messages.send_any(message)),
        }
    }

    /// The shared lane of a method that streams.
    pub(crate) fn shared(self) -> Result<&'c Shared> {
        match self {
            Self::Shared(shared) => Ok(shared),
            Self::Own(_) => Err(broken(WRONG_SHAPE)),
        }
    }
}

/// The headers of a response, where they wait to leave.
pub(crate) enum HeadersLane {
    /// With the call: they leave when the handler has ended. Made when they are asked for.
    Own(Option<Box<Metadata>>),
    /// Where the first message of a stream takes them along.
    Shared(Arc<Shared>),
}

impl HeadersLane {
    pub(crate) fn lock(&mut self) -> Result<ResponseHeaders<'_>> {
        Ok(ResponseHeaders(match self {
            Self::Own(headers) => HeadersRef::Own(headers.get_or_insert_default()),
            Self::Shared(shared) => {
                let state = shared.lock();
                state.headers_are_here()?;
                HeadersRef::Shared(state)
            }
        }))
    }

    /// Passes the wish on to a stream. Otherwise gives it back, for the one response.
    pub(crate) fn set_compress(&self, wish: Compress) -> Option<Compress> {
        match self {
            Self::Own(_) => Some(wish),
            Self::Shared(shared) => {
                shared.set_compress(wish);
                None
            }
        }
    }

    /// The headers that wait with the call.
    pub(crate) fn own(&self) -> Option<&Metadata> {
        match self {
            Self::Own(headers) => headers.as_deref(),
            Self::Shared(_) => None,
        }
    }
}

/// The headers of a response, while they can be changed. Drop it before the next await.
#[derive(Debug)]
pub struct ResponseHeaders<'c>(HeadersRef<'c>);

enum HeadersRef<'c> {
    Own(&'c mut Metadata),
    Shared(MutexGuard<'c, State>),
}

impl Deref for ResponseHeaders<'_> {
    type Target = Metadata;

    fn deref(&self) -> &Metadata {
        match &self.0 {
            HeadersRef::Own(headers) => headers,
            HeadersRef::Shared(state) => &state.headers,
        }
    }
}

impl DerefMut for ResponseHeaders<'_> {
    fn deref_mut(&mut self) -> &mut Metadata {
        match &mut self.0 {
            HeadersRef::Own(headers) => headers,
            HeadersRef::Shared(state) => &mut state.headers,
        }
    }
}

impl fmt::Debug for HeadersRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own(headers) => headers.fmt(f),
            Self::Shared(state) => state.headers.fmt(f),
        }
    }
}

/// Messages that a handler's ends share with the shell.
pub(crate) struct Shared(Mutex<State>);

pub(crate) struct State {
    messages: Messages,
    headers: Metadata,
    head: Head,
    /// Whether a message passed since the shell last asked.
    passed: bool,
    /// Whether the handler waits for input, or will when it asks next.
    wants_input: bool,
    reader: WakerSlot,
    writer: WakerSlot,
    /// What was wrong with the request before the handler began.
    early: Option<Error>,
    /// The first thing that was wrong with the request. It ends the call, even if the handler ignores it.
    fault: Option<Error>,
}

/// The head of a response.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Head {
    /// It can still be changed.
    Held,
    /// It must leave.
    Due,
    /// It has left.
    Left,
}

/// What a handler's turn has brought for the shell.
pub(crate) struct Turn {
    /// The HTTP status of the head that was written.
    pub(crate) status: Option<u16>,
    /// Whether the body grew.
    pub(crate) grew: bool,
    /// Whether a message passed, in either direction.
    pub(crate) passed: bool,
    pub(crate) wants_input: bool,
}

impl Shared {
    /// `early` is what has been found wrong with the request already; whoever asks for it is told.
    pub(crate) fn new(messages: Messages, early: Option<Error>) -> Self {
        Self(Mutex::new(State {
            messages,
            headers: Metadata::new(),
            head: Head::Held,
            passed: false,
            wants_input: false,
            reader: WakerSlot::new(),
            writer: WakerSlot::new(),
            early,
            fault: None,
        }))
    }

    /// An encoder or a hook of the application may have panicked while it held the lock. The exchange has
    /// taken back what was half written, so the lock needs no poison.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn coding(&self) -> ringwire_call::Coding {
        self.lock().messages.coding
    }

    /// Takes a piece of the request body.
    pub(crate) fn push(&self, chunk: Bytes) -> Result<()> {
        let mut state = self.lock();
        state.wants_input = false;
        state.messages.push(chunk)
    }

    /// Takes the end of the request.
    pub(crate) fn push_end(&self) {
        let mut state = self.lock();
        state.wants_input = false;
        state.messages.exchange.push_end();
    }

    /// Takes note of bytes that have left.
    pub(crate) fn sent(&self, bytes: usize) {
        self.lock().messages.sent(bytes);
    }

    /// The next message, or `None` at the end of the request.
    pub(crate) fn poll_receive(&self, waker: &Waker) -> Poll<Result<Option<Bytes>>> {
        let mut state = self.lock();
        if let Some(error) = state.early.take() {
            return Poll::Ready(Err(state.broke(error)));
        }
        match state.messages.receive() {
            Ok(Received::Message(message)) => {
                state.passed = true;
                Poll::Ready(Ok(Some(message)))
            }
            Ok(Received::End) => Poll::Ready(Ok(None)),
            Ok(Received::Pending) => {
                state.wants_input = true;
                state.reader.register(waker);
                Poll::Pending
            }
            Err(error) => Poll::Ready(Err(state.broke(error))),
        }
    }

    /// The next message, as the handler will get it, or `None` at the end of the request.
    pub(crate) fn poll_watched<M: Message>(&self, waker: &Waker) -> Poll<Result<Option<Bytes>>> {
        self.poll_receive(waker).map(|received| {
            let Some(message) = received? else { return Ok(None) };
            let mut state = self.lock();
            state.messages.watched::<M>(message).map(Some).map_err(|error| state.broke(error))
        })
    }

    /// Writes a message, unless the peer is too far behind.
    pub(crate) fn poll_send<M: Message, K>(
        &self,
        message: &impl Encode<M, K>,
        waker: &Waker,
    ) -> Poll<Result<()>> {
        let mut state = self.lock();
        if !state.messages.has_room() {
            state.writer.register(waker);
            return Poll::Pending;
        }
        Poll::Ready(state.said(|messages| messages.send(message)))
    }

    /// Ends the response: writes all that is left of it, its head too if that has not left.
    pub(crate) fn finish(
        &self,
        outcome: &mut Result<()>,
        trailers: &Metadata,
        closing: Closing<'_>,
    ) -> Closed {
        let mut state = self.lock();
        if let (Ok(()), Some(fault)) = (&outcome, state.fault.take()) {
            *outcome = Err(fault);
        }
        let State { messages, headers, .. } = &mut *state;
        messages.finish(outcome, headers, trailers, closing)
    }

    pub(crate) fn set_compress(&self, wish: Compress) {
        self.lock().messages.exchange.set_compress(wish);
    }

    /// Lets the head go, and waits until the shell has taken everything.
    pub(crate) fn poll_flush(&self, waker: &Waker) -> Poll<()> {
        let mut state = self.lock();
        if state.head == Head::Left && state.messages.out.is_empty() {
            return Poll::Ready(());
        }
        state.head = state.head.due();
        state.writer.register(waker);
        Poll::Pending
    }

    /// Prepares a turn of the handler: lends it the free room of `body`, and wakes who waits for what may have happened
    /// since the last one, other than the one who is about to be polled anyway. A handler that joins futures of its own
    /// gives each a waker.
    pub(crate) fn begin_turn(&self, polled: &Waker, body: &mut BytesMut) {
        let mut state = self.lock();
        state.messages.lend_room(body);
        let reader = if state.wants_input { None } else { state.reader.take() };
        let writer = if state.messages.has_room() { state.writer.take() } else { None };
        drop(state);
        for waker in [reader, writer].into_iter().flatten() {
            if !waker.will_wake(polled) {
                waker.wake();
            }
        }
    }

    /// Ends a turn after which the handler waits: writes the head if it must leave and can, and hands out what was written.
    pub(crate) fn end_turn(&self, fields: &mut dyn HeadersMut, body: &mut BytesMut) -> Turn {
        let mut state = self.lock();
        let State { messages, headers, head, .. } = &mut *state;
        let status = match head {
            Head::Due => messages.exchange.write_head(headers, fields),
            Head::Held | Head::Left => None,
        };
        if status.is_some() {
            *head = Head::Left;
        }
        let grew = *head == Head::Left && messages.hand_out(body);
        let passed = std::mem::take(&mut state.passed);
        Turn { status, grew, passed, wants_input: state.wants_input }
    }
}

impl State {
    /// Notes that the call will end with this error.
    fn broke(&mut self, error: Error) -> Error {
        self.fault.get_or_insert_with(|| error.clone());
        error
    }

    /// Sends a message, with which the head leaves.
    fn said(&mut self, send: impl FnOnce(&mut Messages) -> Result<()>) -> Result<()> {
        send(&mut self.messages)?;
        self.head = self.head.due();
        self.passed = true;
        Ok(())
    }

    fn headers_are_here(&self) -> Result<()> {
        match self.head {
            Head::Held => Ok(()),
            Head::Due | Head::Left => Err(broken(LATE_HEADERS)),
        }
    }
}

impl Head {
    fn due(self) -> Self {
        match self {
            Self::Held | Self::Due => Self::Due,
            Self::Left => Self::Left,
        }
    }
}

pub(crate) const NO_REQUEST: &str = "the request has no message";
pub(crate) const WRONG_SHAPE: &str =
    "the code of the method asks for ends of another shape than its spec says";
const LATE_HEADERS: &str = "the response headers have left: change them before the first send or flush";
