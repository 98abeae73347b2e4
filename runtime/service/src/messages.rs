//! The messages of one call, both ways: the one place where a handler's ends touch the exchange.

use crate::budget::{Share, exhausted};
use crate::{Call, Result};
use bytes::{Bytes, BytesMut};
use ringwire_call::{Coding, Payload, Watchers, encode_failed};
use ringwire_http::HeadersMut;
use ringwire_message::{Encode, Message};
use ringwire_rpc::{End, Ending, Input, Metadata, ServerExchange, Sinks};

/// The exchange of a call, its outgoing bytes, and what watches both.
pub(crate) struct Messages {
    pub(crate) exchange: ServerExchange,
    pub(crate) coding: Coding,
    /// What was written and not yet taken.
    pub(crate) out: BytesMut,
    watchers: Watchers,
    share: Share,
    /// The bytes of the message that the handler looks at.
    current: usize,
}

impl Messages {
    pub(crate) fn new(exchange: ServerExchange, coding: Coding, share: Share) -> Self {
        Self { exchange, coding, out: BytesMut::new(), watchers: Watchers::default(), share, current: 0 }
    }

    /// Takes over what interceptors wish for.
    pub(crate) fn begin(&mut self, call: &mut Call) {
        self.watchers = std::mem::take(&mut call.watchers);
        if let Some(wish) = call.compress.take() {
            self.exchange.set_compress(wish);
        }
    }

    /// Draws from the server's budget what the call holds now.
    pub(crate) fn account(&mut self) -> Result<()> {
        self.share.hold(self.exchange.buffered() + self.current + self.out.len()).map_err(exhausted)
    }

    /// Takes what the client said next. The message taken before is no longer looked at.
    pub(crate) fn receive(&mut self) -> Result<Input> {
        self.current = 0;
        let input = self.exchange.next_input()?;
        if let Input::Message(message) = &input {
            self.current = message.len();
        }
        self.account()?;
        Ok(input)
    }

    /// Shows a message to those who asked for it, in the form in which the handler will get it.
    pub(crate) fn watched<M: Message>(&mut self, message: Bytes) -> Result<Bytes> {
        let Some(hooks) = self.watchers.hooks() else { return Ok(message) };
        let mut payload = Payload::received(M::FULL_NAME, message, &self.coding);
        hooks.received(&mut payload)?;
        Ok(payload.into_encoded().expect("a received message is bytes"))
    }

    /// Writes one message. On an error, or a panic of its encoder, the outgoing bytes are what they were.
    pub(crate) fn send<M: Message, K>(&mut self, message: &impl Encode<M, K>) -> Result<()> {
        let Self { exchange, coding, out, watchers, .. } = self;
        let limit = coding.send_max as usize;
        if out.capacity() == 0 {
            out.reserve(FIRST_RESERVE);
        }
        match watchers.hooks() {
            None => exchange.send(out, |out| message.encode(coding.codec, limit, out).map_err(encode_failed)),
            Some(hooks) => message.with(|message| {
                let mut payload = Payload::to_send(message, coding);
                hooks.sending(&mut payload)?;
                exchange.send(out, |out| match payload.into_encoded() {
                    Some(bytes) => {
                        out.extend_from_slice(&bytes);
                        Ok(())
                    }
                    None => coding.codec.encode(message, limit, out).map_err(encode_failed),
                })
            }),
        }?;
        self.account()
    }

    /// Takes the bytes written so far; they are the shell's from here on, and no longer counted.
    pub(crate) fn take_out(&mut self) -> Option<BytesMut> {
        if self.out.is_empty() {
            return None;
        }
        // Splitting, not replacing, lets the next message go into what is left of the same allocation.
        let out = self.out.split();
        self.account().expect("holding less never exceeds a budget");
        Some(out)
    }

    /// Takes a piece of the request body.
    pub(crate) fn push(&mut self, chunk: Bytes, end: bool) -> Result<()> {
        self.exchange.push(chunk, end);
        self.account()
    }

    /// Ends the response.
    pub(crate) fn finish(
        &mut self,
        outcome: &Result<()>,
        headers: &Metadata,
        trailers: &Metadata,
        head: &mut dyn HeadersMut,
        trailers_out: &mut dyn HeadersMut,
    ) -> End {
        let ending = Ending { outcome: outcome.as_ref().copied(), headers, trailers };
        self.exchange.finish(ending, Sinks { head, body: &mut self.out, trailers: trailers_out })
    }

    /// Takes what is left to send, with its share of the budget.
    pub(crate) fn take_body(&mut self) -> (BytesMut, Share) {
        self.current = 0;
        // More than before only by the few bytes that end a response, which no budget should refuse.
        let _ = self.account();
        (std::mem::take(&mut self.out), self.share.hand_over())
    }
}

/// A small answer and its envelope: one allocation, where prefix and message would take one and a copy.
const FIRST_RESERVE: usize = 256;
