//! One message on its way out, past those who want to see it.

use crate::error::encode_failed;
use crate::{Error, Result};
use bytes::{Bytes, BytesMut};
use ringwire_call::{Coding, Payload};
use ringwire_message::{Encode, Writable};
use ringwire_rpc::ClientExchange;
use std::marker::PhantomData;
use std::sync::{Mutex, PoisonError};

/// What an interceptor wants to do with the messages that pass.
///
/// The mutex is never locked: it lets who owns the hook share what is beside it.
pub(crate) struct Hook(Mutex<Box<Look>>);

type Look = dyn FnMut(&mut Payload<'_>) -> Result<()> + Send;

impl Hook {
    pub(crate) fn new(look: impl FnMut(&mut Payload<'_>) -> Result<()> + Send + 'static) -> Self {
        Self(Mutex::new(Box::new(look)))
    }

    fn look(&mut self, payload: &mut Payload<'_>) -> Result<()> {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)(payload)
    }
}

/// A message of any type that is lent for as long as a call needs it.
pub(crate) trait Sendable: Sync {
    /// Appends it to `out`, in the codec of the call.
    fn encode(&self, coding: &Coding, out: &mut BytesMut) -> Result<()>;

    /// Shows it to the hooks, and gives the bytes that it has become, if any of them looked.
    fn show(&self, coding: &Coding, hooks: &mut [Hook]) -> Result<Option<Bytes>>;
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

    fn show(&self, coding: &Coding, hooks: &mut [Hook]) -> Result<Option<Bytes>> {
        self.message.with(|message: &dyn Writable| {
            let mut payload = Payload::to_send(message, coding);
            hooks.iter_mut().try_for_each(|hook| hook.look(&mut payload))?;
            Ok(payload.into_encoded())
        })
    }
}

/// Writes a message into `out`, or the bytes that it was replaced with.
pub(crate) fn write(
    exchange: &mut ClientExchange,
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

/// Shows a message that has arrived to the hooks: the one that is nearest to the wire first.
pub(crate) fn watched(
    full_name: &'static str,
    message: Bytes,
    coding: &Coding,
    hooks: &mut [Hook],
) -> Result<Bytes> {
    if hooks.is_empty() {
        return Ok(message);
    }
    let mut payload = Payload::received(full_name, message, coding);
    hooks.iter_mut().rev().try_for_each(|hook| hook.look(&mut payload))?;
    Ok(payload.into_encoded().expect("a received message is bytes"))
}

/// A small message and its envelope: one allocation, where prefix and message would take one and a copy.
const FIRST_RESERVE: usize = 256;
