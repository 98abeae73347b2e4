//! The per-call cell: where a streaming handler's two ends meet the shell that drives the call.
//!
//! Its lock is never contended: handler and shell run in the same poll, one after the other.

use crate::error::broken;
use crate::messages::Messages;
use crate::{Error, Result};
use bytes::{Bytes, BytesMut};
use ringwire_call::WakerSlot;
use ringwire_http::{Headers, HeadersMut};
use ringwire_message::{Encode, Message};
use ringwire_rpc::{Input, Metadata};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

pub(crate) struct Cell(Mutex<Meeting>);

/// What handler and shell share.
pub(crate) struct Meeting {
    pub(crate) messages: Messages,
    pub(crate) headers: Metadata,
    pub(crate) head: Head,
    /// Whether a message passed since the shell last asked.
    passed: bool,
    /// Whether the handler waits for input, or will when it asks next.
    hungry: bool,
    reader: WakerSlot,
    writer: WakerSlot,
    /// What was wrong with the request. It ends the call, even if the handler looks away.
    fault: Option<Error>,
}

/// The head of a response.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Head {
    /// Nobody has asked for it to leave.
    Held,
    /// It must leave.
    Due,
    /// It has left.
    Left,
}

impl Cell {
    pub(crate) fn new(messages: Messages) -> Self {
        Self(Mutex::new(Meeting {
            messages,
            headers: Metadata::new(),
            head: Head::Held,
            passed: false,
            hungry: false,
            reader: WakerSlot::new(),
            writer: WakerSlot::new(),
            fault: None,
        }))
    }

    /// An encoder or a hook of the application may have panicked while it held the lock. The exchange has
    /// taken back what was half written, so the lock needs no poison.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Meeting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next message, or `None` at the end of the request.
    pub(crate) fn poll_receive(&self, waker: &Waker) -> Poll<Result<Option<Bytes>>> {
        let mut meeting = self.lock();
        match meeting.messages.receive() {
            Ok(Input::Message(message)) => {
                meeting.passed = true;
                Poll::Ready(Ok(Some(message)))
            }
            Ok(Input::End) => Poll::Ready(Ok(None)),
            Ok(Input::Pending) => {
                meeting.hungry = true;
                meeting.reader.register(waker);
                Poll::Pending
            }
            Err(error) => Poll::Ready(Err(meeting.broke(error))),
        }
    }

    /// The next message, as the handler will get it, or `None` at the end of the request.
    pub(crate) fn poll_watched<M: Message>(&self, waker: &Waker) -> Poll<Result<Option<Bytes>>> {
        self.poll_receive(waker).map(|received| {
            let Some(message) = received? else { return Ok(None) };
            let mut meeting = self.lock();
            meeting.messages.watched::<M>(message).map(Some).map_err(|error| meeting.broke(error))
        })
    }

    /// Writes a message, unless the peer is too far behind.
    pub(crate) fn poll_send<M: Message, K>(
        &self,
        message: &impl Encode<M, K>,
        waker: &Waker,
    ) -> Poll<Result<()>> {
        let mut meeting = self.lock();
        if meeting.messages.out.len() > SEND_AHEAD_MAX {
            meeting.writer.register(waker);
            return Poll::Pending;
        }
        Poll::Ready(meeting.send(message))
    }

    /// Lets the head go, and waits until the shell has taken everything.
    pub(crate) fn poll_flush(&self, waker: &Waker) -> Poll<()> {
        let mut meeting = self.lock();
        if meeting.head == Head::Left && meeting.messages.out.is_empty() {
            return Poll::Ready(());
        }
        meeting.head = meeting.head.due();
        meeting.writer.register(waker);
        Poll::Pending
    }

    /// Wakes who waits for what may have happened since, other than the one who is about to be polled anyway:
    /// a handler that joins futures of its own gives each a waker.
    pub(crate) fn wake_others(&self, polled: &Waker) {
        let mut meeting = self.lock();
        let reader = if meeting.hungry { None } else { meeting.reader.take() };
        let room = meeting.messages.out.len() <= SEND_AHEAD_MAX;
        let writer = if room { meeting.writer.take() } else { None };
        drop(meeting);
        for waker in [reader, writer].into_iter().flatten() {
            if !waker.will_wake(polled) {
                waker.wake();
            }
        }
    }
}

impl Meeting {
    /// The call will end with this error.
    fn broke(&mut self, error: Error) -> Error {
        self.fault.get_or_insert_with(|| error.clone());
        error
    }

    pub(crate) fn send<M: Message, K>(&mut self, message: &impl Encode<M, K>) -> Result<()> {
        self.messages.send(message)?;
        self.head = self.head.due();
        self.passed = true;
        Ok(())
    }

    /// The headers, while they can be changed.
    pub(crate) fn headers_are_here(&self) -> Result<()> {
        match self.head {
            Head::Held => Ok(()),
            Head::Due | Head::Left => Err(broken(LATE_HEADERS)),
        }
    }

    pub(crate) fn push(&mut self, chunk: Bytes, end: bool) -> Result<()> {
        self.hungry = false;
        self.messages.push(chunk, end)
    }

    pub(crate) fn push_trailers(&mut self, trailers: &dyn Headers) {
        self.hungry = false;
        self.messages.exchange.push_trailers(trailers);
    }

    pub(crate) fn is_hungry(&self) -> bool {
        self.hungry
    }

    /// Whether a message passed since this was last asked.
    pub(crate) fn message_passed(&mut self) -> bool {
        std::mem::take(&mut self.passed)
    }

    /// Writes the head, if it must leave and can.
    pub(crate) fn write_due_head(&mut self, head: &mut dyn HeadersMut) -> Option<u16> {
        if self.head != Head::Due {
            return None;
        }
        let status = self.messages.exchange.write_head(&self.headers, head)?;
        self.head = Head::Left;
        Some(status)
    }

    pub(crate) fn take_out(&mut self) -> Option<BytesMut> {
        self.messages.take_out()
    }

    /// How the call ends when its handler ended like this.
    pub(crate) fn outcome(&mut self, of_handler: Result<()>) -> Result<()> {
        match self.fault.take() {
            Some(fault) => of_handler.and(Err(fault)),
            None => of_handler,
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

const LATE_HEADERS: &str = "the response headers have left: change them before the first send or flush";

/// More than this many bytes that the shell has not taken make `send` wait. A few full HTTP/2 frames: enough
/// to keep a connection busy, little enough for thousands of streams whose clients do not read.
const SEND_AHEAD_MAX: usize = 64 * 1024;
