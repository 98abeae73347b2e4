//! Messages as they pass, for interceptors: in the bytes they travel in, and decoded only for those who ask.

use crate::Result;
use crate::error::{decode_failed, encode_failed};
use bytes::{Bytes, BytesMut};
use ringwire_message::{Codec, DecodeLimits, Encode, Message, Writable};
use ringwire_rpc::Error;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// A message on its way to the handler or from it. Looking at it costs what the look costs, and not looking
/// nothing.
pub struct Payload<'m> {
    full_name: &'static str,
    coding: &'m Coding,
    /// The message of a handler; nothing is encoded before somebody looks.
    message: Option<&'m dyn Writable>,
    encoded: Option<Bytes>,
    viewable: Option<Bytes>,
}

/// How the messages of one call are encoded and decoded, on either side of it.
#[derive(Clone, Copy, Debug)]
pub struct Coding {
    /// What messages are as bytes.
    pub codec: &'static dyn Codec,
    /// What decoding one may cost.
    pub decode_limits: DecodeLimits,
    /// How long one to send may be.
    pub send_max: u32,
}

impl<'m> Payload<'m> {
    /// A message that has arrived.
    pub fn received(full_name: &'static str, bytes: Bytes, coding: &'m Coding) -> Self {
        Self { full_name, coding, message: None, encoded: Some(bytes), viewable: None }
    }

    /// A message that is about to leave.
    pub fn to_send(message: &'m dyn Writable, coding: &'m Coding) -> Self {
        let full_name = message.full_name();
        Self { full_name, coding, message: Some(message), encoded: None, viewable: None }
    }

    /// The full name of its type: `greet.v1.GreetRequest`.
    pub fn full_name(&self) -> &'static str {
        self.full_name
    }

    /// The codec that its bytes are in: `proto`, `json`.
    pub fn codec(&self) -> &str {
        self.coding.codec.name()
    }

    /// The message in its codec. One that is on its way out is encoded here, once.
    ///
    /// # Errors
    /// The message is larger than the limit, or has no form in the codec.
    pub fn encoded(&mut self) -> Result<&Bytes> {
        let Self { coding, message, encoded, .. } = self;
        Ok(match encoded {
            Some(bytes) => bytes,
            None => encoded.insert(coding.encode(message.expect("a payload is a message or bytes"))?),
        })
    }

    /// A view of the message, which must be an `M`.
    ///
    /// # Errors
    /// The bytes are not an `M`.
    pub fn view<M: Message>(&mut self) -> Result<M::View<'_>> {
        let limits = &self.coding.decode_limits;
        if self.viewable.is_none() {
            let encoded = self.encoded()?.clone();
            self.viewable = Some(M::viewable(self.coding.codec, encoded, limits).map_err(decode_failed)?);
        }
        let bytes = self.viewable.as_ref().expect("set above");
        M::view(bytes, limits).map_err(decode_failed)
    }

    /// The message, which must be an `M`, decoded.
    ///
    /// # Errors
    /// The bytes are not an `M`.
    pub fn message<M: Message>(&mut self) -> Result<M> {
        let encoded = self.encoded()?.clone();
        M::owned(self.coding.codec, encoded, &self.coding.decode_limits).map_err(decode_failed)
    }

    /// Puts another message of the same type in its place.
    ///
    /// # Errors
    /// The type is another, the message is larger than the limit, or it has no form in the codec.
    pub fn replace<M: Message, K>(&mut self, message: &impl Encode<M, K>) -> Result<()> {
        if M::FULL_NAME != self.full_name {
            let text = format!("{} cannot take the place of {}", M::FULL_NAME, self.full_name);
            return Err(Error::internal("internal error").with_source(text));
        }
        self.encoded = Some(message.with(|message| self.coding.encode(message))?);
        self.viewable = None;
        Ok(())
    }

    /// The bytes, unless the message passed unseen.
    pub fn into_encoded(self) -> Option<Bytes> {
        self.encoded
    }
}

impl fmt::Debug for Payload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payload").field("full_name", &self.full_name).finish_non_exhaustive()
    }
}

impl Coding {
    fn encode(&self, message: &dyn Writable) -> Result<Bytes> {
        let mut out = BytesMut::new();
        self.codec.encode(message, self.send_max as usize, &mut out).map_err(encode_failed)?;
        Ok(out.freeze())
    }
}

/// A function that looks at messages as they pass, and may replace them.
pub type Hook = Box<dyn FnMut(&mut Payload<'_>) -> Result<()> + Send>;

/// The hooks of a call. Most calls have none, and then nothing is allocated.
///
/// Nobody locks the mutex: it is what lets `&Call` go to another thread, whatever hooks capture.
#[derive(Default)]
pub struct Watchers(Option<Box<Mutex<Hooks>>>);

impl Watchers {
    /// The hooks, if there are any.
    pub fn hooks(&mut self) -> Option<&mut Hooks> {
        self.0.as_mut().map(|hooks| hooks.get_mut().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes the hooks for requests out, and leaves those for responses.
    pub fn take_requests(&mut self) -> Self {
        let requests = self.hooks().map(|hooks| std::mem::take(&mut hooks.requests)).unwrap_or_default();
        if requests.is_empty() {
            return Self::default();
        }
        Self(Some(Box::new(Mutex::new(Hooks { requests, responses: Vec::new() }))))
    }

    /// The hooks, to add one.
    pub fn hooks_or_new(&mut self) -> &mut Hooks {
        self.0.get_or_insert_default().get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The hooks of the interceptors of a call, in the order in which they were added: the outermost interceptor's first.
#[derive(Default)]
pub struct Hooks {
    requests: Vec<Hook>,
    responses: Vec<Hook>,
}

impl Hooks {
    /// Adds a hook for requests.
    pub fn on_request(&mut self, hook: Hook) {
        self.requests.push(hook);
    }

    /// Adds a hook for responses.
    pub fn on_response(&mut self, hook: Hook) {
        self.responses.push(hook);
    }

    /// Shows a request, to the outermost first.
    pub fn request(&mut self, payload: &mut Payload<'_>) -> Result<()> {
        self.requests.iter_mut().try_for_each(|hook| hook(payload))
    }

    /// Shows a response, to the innermost first.
    pub fn response(&mut self, payload: &mut Payload<'_>) -> Result<()> {
        self.responses.iter_mut().rev().try_for_each(|hook| hook(payload))
    }
}

impl fmt::Debug for Watchers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watchers")
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks")
            .field("requests", &self.requests.len())
            .field("responses", &self.responses.len())
            .finish()
    }
}
