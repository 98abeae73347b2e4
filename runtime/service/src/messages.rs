//! The messages of one call, both ways: the one place where a handler's ends touch the exchange.

use crate::budget::{Share, exhausted};
use crate::{Call, Result};
use bytes::{Bytes, BytesMut};
use ringwire_call::{Coding, Hooks, Payload, Traffic, Watchers, encode_failed};
use ringwire_http::HeadersMut;
use ringwire_message::{Encode, Message, Writable};
use ringwire_rpc::{End, Ending, Metadata, Received, ServerExchange, Sinks};

/// The exchange of a call, its outgoing bytes, and what watches both.
pub(crate) struct Messages {
    pub(crate) exchange: ServerExchange,
    pub(crate) coding: Coding,
    /// Bytes that were written and not yet handed to the shell.
    pub(crate) out: BytesMut,
    /// The one request of a method that has one, until its handler takes it.
    pub(crate) request: Option<Bytes>,
    watchers: Watchers,
    share: Share,
    /// The bytes of the message that the handler looks at.
    current: usize,
    /// The bytes that the shell has, and that have not left yet.
    unsent: usize,
    received: Traffic,
    sent: Traffic,
}

/// Where the end of a response goes.
pub(crate) struct Closing<'a> {
    /// Gets the head, if it has not left.
    pub(crate) head: &'a mut dyn HeadersMut,
    /// Gets the trailers.
    pub(crate) trailers: &'a mut dyn HeadersMut,
    /// Gets the rest of the body.
    pub(crate) body: &'a mut BytesMut,
}

/// How a response has been ended.
#[derive(Clone, Copy)]
pub(crate) struct Closed {
    pub(crate) end: End,
    /// Whether the body grew.
    pub(crate) grew: bool,
}

/// Bytes of a response that the shell has, and that have not left yet, with their share of the budget.
#[derive(Default)]
pub(crate) struct Unsent {
    bytes: usize,
    share: Option<Share>,
}

impl Messages {
    #[inline]
    pub(crate) fn new(exchange: ServerExchange, coding: Coding, share: Share) -> Self {
        Self {
            exchange,
            coding,
            out: BytesMut::new(),
            request: None,
            watchers: Watchers::default(),
            share,
            current: 0,
            unsent: 0,
            received: Traffic::default(),
            sent: Traffic::default(),
        }
    }

    /// Takes over the wishes of interceptors.
    pub(crate) fn begin(&mut self, call: &mut Call) {
        self.watchers = std::mem::take(&mut call.watchers);
        if let Some(wish) = call.compress.take() {
            self.exchange.set_compress(wish);
        }
    }

    /// Draws from the server's budget what the call holds now.
    #[inline]
    fn account(&mut self) -> Result<()> {
        // No more can be held than has ever come, and small calls draw nothing.
        let bound = self.received.bytes as usize + self.current + self.out.len() + self.unsent;
        if self.share.is_free(bound) { Ok(()) } else { self.draw() }
    }

    fn draw(&mut self) -> Result<()> {
        let held = self.exchange.buffered() + self.current + self.out.len() + self.unsent;
        self.share.hold(held).map_err(exhausted)
    }

    /// Takes what the client said next. The message taken before is no longer looked at.
    #[inline]
    pub(crate) fn receive(&mut self) -> Result<Received> {
        self.current = 0;
        let input = self.exchange.next_input()?;
        if let Received::Message(message) = &input {
            self.current = message.len();
            self.received.messages += 1;
        }
        self.account()?;
        Ok(input)
    }

    /// Shows a message to those who asked for it, in the form in which the handler will get it.
    pub(crate) fn watched<M: Message>(&mut self, message: Bytes) -> Result<Bytes> {
        let Some(hooks) = self.watchers.hooks() else { return Ok(message) };
        let mut payload = Payload::received(M::FULL_NAME, message, &self.coding);
        hooks.request(&mut payload)?;
        Ok(payload.into_encoded().expect("a received message is bytes"))
    }

    /// Writes one message. On an error, or a panic of its encoder, the outgoing bytes are what they were.
    pub(crate) fn send<M: Message, K>(&mut self, message: &impl Encode<M, K>) -> Result<()> {
        self.write(
            |coding, out| message.encode(coding.codec, coding.send_max as usize, out).map_err(encode_failed),
            |watched| message.with(watched),
        )
    }

    /// Writes one message whose type is not known here.
    pub(crate) fn send_any(&mut self, message: &dyn Writable) -> Result<()> {
        self.write(
            |coding, out| coding.codec.encode(message, coding.send_max as usize, out).map_err(encode_failed),
            |watched| watched(message),
        )
    }

    fn write(
        &mut self,
        encode: impl FnOnce(&Coding, &mut BytesMut) -> Result<()>,
        with: impl FnOnce(&mut dyn FnMut(&dyn Writable) -> Result<()>) -> Result<()>,
    ) -> Result<()> {
        let Self { exchange, coding, out, watchers, .. } = self;
        if out.capacity() == 0 {
            out.reserve(FIRST_RESERVE);
        }
        match watchers.hooks() {
            None => exchange.send(out, |out| encode(coding, out)),
            Some(hooks) => with(&mut |message| send_watched(message, hooks, exchange, coding, out)),
        }?;
        self.sent.messages += 1;
        self.account()
    }

    /// Takes a piece of the request body.
    #[inline]
    pub(crate) fn push(&mut self, chunk: Bytes) -> Result<()> {
        self.received.bytes += chunk.len() as u64;
        self.exchange.push(chunk, false);
        self.account()
    }

    /// Writes into the free room of the shell's buffer from here on, unless there is a buffer already.
    #[inline]
    pub(crate) fn lend_room(&mut self, body: &mut BytesMut) {
        if self.out.capacity() == 0 {
            self.out = if body.is_empty() { std::mem::take(body) } else { body.split_off(body.len()) };
        }
    }

    /// Appends the bytes written so far to the shell's buffer; returns whether there were any. Where it lent the room that they
    /// were written to, nothing is copied.
    #[inline]
    pub(crate) fn hand_out(&mut self, body: &mut BytesMut) -> bool {
        let len = self.out.len();
        if self.out.capacity() > 0 {
            body.unsplit(std::mem::take(&mut self.out));
        }
        self.unsent += len;
        self.sent.bytes += len as u64;
        len > 0
    }

    /// Whether the shell has so few unsent bytes that a handler may write on.
    pub(crate) fn has_room(&self) -> bool {
        self.out.len() + self.unsent <= SEND_AHEAD_MAX
    }

    /// Takes note of bytes that have left.
    pub(crate) fn sent(&mut self, bytes: usize) {
        self.unsent = self.unsent.saturating_sub(bytes);
        // Less than before, which no budget refuses.
        let _ = self.account();
    }

    /// Ends the response, and hands out all of it.
    #[inline]
    pub(crate) fn finish(
        &mut self,
        outcome: &Result<()>,
        headers: &Metadata,
        trailers: &Metadata,
        closing: Closing<'_>,
    ) -> Closed {
        let ending = Ending { outcome: outcome.as_ref().copied(), headers, trailers };
        let sinks = Sinks { head: closing.head, body: &mut self.out, trailers: closing.trailers };
        let end = self.exchange.finish(ending, sinks);
        let grew = self.hand_out(closing.body);
        self.current = 0;
        self.request = None;
        // More than before only by the few bytes that end a response, which no budget should refuse.
        let _ = self.account();
        Closed { end, grew }
    }

    /// The bytes that have not left yet, when the response has been ended.
    #[inline]
    pub(crate) fn take_unsent(&mut self) -> Unsent {
        Unsent { bytes: self.unsent, share: self.share.hand_over() }
    }

    /// What has arrived and what was sent so far.
    pub(crate) fn traffic(&self) -> (Traffic, Traffic) {
        (self.received, self.sent)
    }
}

impl Unsent {
    /// Takes note of bytes that have left.
    pub(crate) fn sent(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
        if let Some(share) = &mut self.share {
            // Less than before, which no budget refuses.
            let _ = share.hold(self.bytes);
        }
    }
}

#[cold]
fn send_watched(
    message: &dyn Writable,
    hooks: &mut Hooks,
    exchange: &mut ServerExchange,
    coding: &Coding,
    out: &mut BytesMut,
) -> Result<()> {
    let mut payload = Payload::to_send(message, coding);
    hooks.response(&mut payload)?;
    exchange.send(out, |out| match payload.into_encoded() {
        Some(bytes) => {
            out.extend_from_slice(&bytes);
            Ok(())
        }
        None => coding.codec.encode(message, coding.send_max as usize, out).map_err(encode_failed),
    })
}

/// A small answer and its envelope: one allocation, where prefix and message would take one and a copy.
const FIRST_RESERVE: usize = 256;

/// More than this many bytes that have not left make `send` wait. A few full HTTP/2 frames: enough
/// to keep a connection busy, little enough for thousands of streams whose clients do not read.
const SEND_AHEAD_MAX: usize = 64 * 1024;
