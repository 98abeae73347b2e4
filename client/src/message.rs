//! One message on its way out or in, past the hooks of interceptors.

use crate::error::encode_failed;
use crate::{Error, Result};
use bytes::{Bytes, BytesMut};
use ringwire_call::{Coding, Hooks, HttpFields, Payload, Watchers};
use ringwire_message::{Encode, Writable};
use ringwire_rpc::ClientExchange;
use std::marker::PhantomData;

/// A message of any type that is lent for as long as a call needs it.
pub(crate) trait Sendable: Sync {
    /// Appends it to `out`, in the codec of the call.
    fn encode(&self, coding: &Coding, out: &mut BytesMut) -> Result<()>;

    /// Shows it to the hooks, and gives the bytes that it has become, if any of them looked.
    fn show(&self, coding: &Coding, hooks: &mut Hooks) -> Result<Option<Bytes>>;
}

/// A `Q`, or what can be sent in its place.
pub(crate) struct Lent<'r, Q, T, K> {
    message: &'r T,
    of: PhantomData<fn() -> (Q, K)>,
}

impl<'r, Q, T, K> Lent<'r, Q, T, K> {
    pub(crate) fn new(message: &'r T) -> Self {
        Self { message, of: PhantomData }
    }
}

impl<Q, T: Encode<Q, K>, K> Sendable for Lent<'_, Q, T, K> {
    fn encode(&self, coding: &Coding, out: &mut BytesMut) -> Result<()> {
        self.message.encode(coding.codec, coding.send_max as usize, out).map_err(encode_failed)
    }

    fn show(&self, coding: &Coding, hooks: &mut Hooks) -> Result<Option<Bytes>> {
        self.message.with(|message: &dyn Writable| {
            let mut payload = Payload::to_send(message, coding);
            hooks.request(&mut payload)?;
            Ok(payload.into_encoded())
        })
    }
}

/// Writes a message into `out`, or the bytes that it was replaced with.
pub(crate) fn write(
    exchange: &mut ClientExchange<HttpFields>,
    message: &(impl Sendable + ?Sized),
    replaced: Option<&Bytes>,
    coding: &Coding,
    out: &mut BytesMut,
) -> Result<(), Error> {
    if out.capacity() == 0 {
        out.reserve(FIRST_RESERVE);
    }
    exchange.send(out, |out| match replaced {
        Some(bytes) => {
            out.extend_from_slice(bytes);
            Ok(())
        }
        None => message.encode(coding, out),
    })
}

/// Shows a message that has arrived to the hooks.
pub(crate) fn watched(
    full_name: &'static str,
    message: Bytes,
    coding: &Coding,
    watchers: &mut Watchers,
) -> Result<Bytes> {
    let Some(hooks) = watchers.hooks() else { return Ok(message) };
    let mut payload = Payload::received(full_name, message, coding);
    hooks.response(&mut payload)?;
    Ok(payload.into_encoded().expect("a received message is bytes"))
}

/// A small message and its envelope: one allocation, where prefix and message would take one and a copy.
const FIRST_RESERVE: usize = 256;
