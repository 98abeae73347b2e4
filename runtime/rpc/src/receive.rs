//! From chunks of a body to messages: the one place that cuts, bounds and decompresses them.
//!
//! The contract: after each `push`, call `next` until it returns `Pending` or `End`, and `decode` each frame.

use bytes::{Bytes, BytesMut};
use ringwire_compress::{Compression, DecompressError};
use ringwire_wire::base64::{Alphabet, StreamDecoder};
use ringwire_wire::envelope::{Deframer, Flags, Frame, TooLarge};

use crate::Error;

/// How messages lie in a body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Framing {
    /// The body is one message.
    Whole,
    /// The body is a sequence of envelopes.
    Envelopes,
}

/// Which half of an exchange this is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Side {
    Server,
    Client,
}

#[derive(Debug)]
pub(crate) struct Receive {
    side: Side,
    text: Option<StreamDecoder>,
    body: Body,
    compression: Option<&'static dyn Compression>,
    /// The longest message.
    limit: u32,
    /// The longest envelope, message or not.
    frame_max: u32,
    ended: bool,
    fault: Option<Fault>,
}

#[derive(Debug)]
enum Body {
    Envelopes(Deframer),
    Whole(Whole),
}

/// What lies next in the body.
#[derive(Debug)]
pub(crate) enum Cut {
    Frame(Frame),
    End,
    Pending,
}

impl Receive {
    #[inline]
    pub(crate) fn new(side: Side, framing: Framing, limit: u32) -> Self {
        let body = match framing {
            Framing::Whole => Body::Whole(Whole::default()),
            Framing::Envelopes => Body::Envelopes(Deframer::default()),
        };
        Self { side, text: None, body, compression: None, limit, frame_max: limit, ended: false, fault: None }
    }

    /// Lets envelopes that are not messages be longer than those.
    pub(crate) fn set_frame_max(&mut self, frame_max: u32) {
        self.frame_max = frame_max.max(self.limit);
    }

    /// Reads the body as base64, or as it is.
    #[inline]
    pub(crate) fn set_text(&mut self, is_text: bool) {
        self.text = is_text.then(|| StreamDecoder::new(Alphabet::Standard));
    }

    /// Names what flagged messages are compressed with; `None` where none may be.
    #[inline]
    pub(crate) fn set_compression(&mut self, compression: Option<&'static dyn Compression>) {
        self.compression = compression;
    }

    #[inline]
    pub(crate) fn push(&mut self, chunk: Bytes, end: bool) {
        if self.ended || self.fault.is_some() {
            self.ended |= end;
            return;
        }
        self.ended = end;
        if self.text.is_some() {
            self.push_text(&chunk);
        } else if !chunk.is_empty() {
            self.push_binary(chunk);
        }
    }

    #[cold]
    fn push_text(&mut self, chunk: &[u8]) {
        let Some(text) = &mut self.text else { return };
        let mut binary = BytesMut::new();
        let mut decoded = text.decode(chunk, &mut binary);
        if self.ended
            && let (Ok(()), Some(text)) = (decoded, self.text.take())
        {
            decoded = text.finish(&mut binary);
        }
        self.push_binary(binary.freeze());
        if decoded.is_err() {
            self.fault = Some(Fault::NotBase64);
        }
    }

    /// Takes the end of the body.
    #[inline]
    pub(crate) fn end(&mut self) {
        match self.text {
            None => self.ended = true,
            Some(_) => self.push(Bytes::new(), true),
        }
    }

    #[inline]
    fn push_binary(&mut self, chunk: Bytes) {
        match &mut self.body {
            Body::Envelopes(deframer) => deframer.push(chunk),
            Body::Whole(Whole::One(first)) if first.is_empty() && chunk.len() <= self.limit as usize => {
                *first = chunk;
            }
            Body::Whole(_) => self.push_whole(chunk),
        }
    }

    #[inline(never)]
    fn push_whole(&mut self, chunk: Bytes) {
        let limit = self.wire_limit();
        match &mut self.body {
            Body::Envelopes(_) => {}
            Body::Whole(whole) => {
                if let Err(too_large) = whole.push(chunk, limit) {
                    self.fault = Some(too_large.into());
                }
            }
        }
    }

    /// Bytes pushed and not taken.
    #[inline]
    pub(crate) fn buffered(&self) -> usize {
        match &self.body {
            Body::Envelopes(deframer) => deframer.buffered(),
            Body::Whole(whole) => whole.len(),
        }
    }

    /// Whether nothing lies in the body any more, and nothing will: the next cut is its end.
    #[inline]
    pub(crate) fn is_over(&self) -> bool {
        self.ended
            && self.fault.is_none()
            && match &self.body {
                Body::Envelopes(deframer) => deframer.is_at_boundary(),
                Body::Whole(whole) => matches!(whole, Whole::Taken),
            }
    }

    /// Whether the last chunk has been pushed.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Drops what was pushed, and what will be.
    pub(crate) fn abandon(&mut self) {
        self.body = Body::Whole(Whole::Taken);
        self.fault = Some(Fault::Abandoned);
    }

    /// Cuts off what lies next. The payload of a frame is still compressed if its flags say so.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Cut, Error> {
        self.cut().map_err(|fault| fault.blame(self.side))
    }

    #[inline]
    fn cut(&mut self) -> Result<Cut, Fault> {
        let limit = self.wire_limit();
        match &mut self.body {
            Body::Envelopes(deframer) => {
                let frame = deframer.next_frame(limit);
                if let Some(frame) = frame.map_err(|long| TooLarge { limit: self.limit, ..long })? {
                    return Ok(Cut::Frame(frame));
                }
                // What came before a fault is good, however the chunks were cut.
                match self.fault {
                    Some(fault) => Err(fault),
                    None if !self.ended => Ok(Cut::Pending),
                    None if deframer.is_at_boundary() => Ok(Cut::End),
                    None => Err(Fault::Truncated),
                }
            }
            Body::Whole(whole) => match self.fault {
                Some(fault) => Err(fault),
                None if !self.ended => Ok(Cut::Pending),
                None => Ok(whole.take().map_or(Cut::End, |payload| {
                    let flags = if self.compression.is_some() { Flags::COMPRESSED } else { Flags::default() };
                    Cut::Frame(Frame { flags, payload })
                })),
            },
        }
    }

    /// The message, or whatever else the payload of a frame is: decompressed, and within the limit.
    #[inline]
    pub(crate) fn decode(&self, frame: Frame) -> Result<Bytes, Error> {
        self.inflate(frame, self.limit).map_err(|fault| fault.blame(self.side))
    }

    /// The same, with a limit of its own.
    pub(crate) fn decode_within(&self, frame: Frame, limit: u32) -> Result<Bytes, Error> {
        self.inflate(frame, limit).map_err(|fault| fault.blame(self.side))
    }

    #[inline]
    fn inflate(&self, Frame { flags, payload }: Frame, limit: u32) -> Result<Bytes, Fault> {
        if !flags.is_compressed() {
            let len = u32::try_from(payload.len()).unwrap_or(u32::MAX);
            return if len > limit { Err(TooLarge { len, limit }.into()) } else { Ok(payload) };
        }
        let compression = self.compression.ok_or(Fault::NotNegotiated)?;
        if payload.is_empty() {
            // Nothing stands for nothing in every compression, and peers send it so.
            return Ok(payload);
        }
        let mut message = BytesMut::new();
        match compression.decompress(&payload, limit as usize, &mut message) {
            Ok(()) => Ok(message.freeze()),
            Err(DecompressError::TooLarge { .. }) => Err(Fault::InflatesPast { limit }),
            Err(DecompressError::Corrupt) => Err(Fault::Corrupt),
        }
    }

    /// The most bytes that a payload may have before it is decompressed.
    #[inline]
    fn wire_limit(&self) -> u32 {
        match self.compression {
            None => self.frame_max,
            // Data that does not compress grows a little: the limit is on what comes out.
            Some(_) => self.frame_max.saturating_add(self.frame_max / 16).saturating_add(GROWTH_MAX),
        }
    }
}

/// A body that is one message.
#[derive(Debug)]
enum Whole {
    /// As long as there is one chunk, it is not copied.
    One(Bytes),
    Many(BytesMut),
    Taken,
}

impl Default for Whole {
    fn default() -> Self {
        Self::One(Bytes::new())
    }
}

impl Whole {
    #[inline]
    fn push(&mut self, chunk: Bytes, limit: u32) -> Result<(), TooLarge> {
        let len = self.len().saturating_add(chunk.len());
        if len > limit as usize {
            *self = Self::Taken;
            // How much longer it would have become, nobody knows.
            return Err(TooLarge { len: u32::MAX, limit });
        }
        match self {
            Self::One(first) if first.is_empty() => *first = chunk,
            Self::One(_) if chunk.is_empty() => {}
            Self::One(first) => {
                let mut many = BytesMut::with_capacity(len);
                many.extend_from_slice(first);
                many.extend_from_slice(&chunk);
                *self = Self::Many(many);
            }
            Self::Many(many) => many.extend_from_slice(&chunk),
            Self::Taken => {}
        }
        Ok(())
    }

    fn take(&mut self) -> Option<Bytes> {
        match std::mem::replace(self, Self::Taken) {
            Self::One(bytes) => Some(bytes),
            Self::Many(bytes) => Some(bytes.freeze()),
            Self::Taken => None,
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::One(bytes) => bytes.len(),
            Self::Many(bytes) => bytes.len(),
            Self::Taken => 0,
        }
    }
}

/// The error of an envelope whose flags mean nothing; to pass it on or over would lose what it is.
pub(crate) fn unknown_flags(flags: Flags) -> Error {
    Error::internal(format!("envelope has unknown flags {:#04x}", flags.0))
}

/// What can be wrong with a body. The peer is at fault in all but the last.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fault {
    TooLarge(TooLarge),
    InflatesPast { limit: u32 },
    Truncated,
    NotNegotiated,
    Corrupt,
    NotBase64,
    Abandoned,
}

impl From<TooLarge> for Fault {
    fn from(too_large: TooLarge) -> Self {
        Self::TooLarge(too_large)
    }
}

impl Fault {
    /// The error of the RPC. Data that a client got wrong is its argument; data that a server got wrong is no
    /// one's.
    fn blame(self, side: Side) -> Error {
        let malformed = match side {
            Side::Server => Error::invalid_argument,
            Side::Client => Error::internal,
        };
        match self {
            Self::TooLarge(TooLarge { len: u32::MAX, limit }) | Self::InflatesPast { limit } => {
                Error::resource_exhausted(format!("message is larger than the limit of {limit} bytes"))
            }
            Self::TooLarge(TooLarge { len, limit }) => Error::resource_exhausted(format!(
                "message of {len} bytes is larger than the limit of {limit} bytes"
            )),
            Self::Truncated => malformed("body ends inside a message"),
            Self::NotNegotiated => {
                Error::internal("message is flagged as compressed, but no encoding is named")
            }
            Self::Corrupt => match side {
                Side::Server => Error::invalid_argument("compressed message is corrupt"),
                Side::Client => Error::data_loss("compressed message is corrupt"),
            },
            Self::NotBase64 => malformed("body is not base64"),
            Self::Abandoned => Error::canceled("the rest of the body is not read"),
        }
    }
}

// What headers and checksums of a compressed stream take, whatever its length.
const GROWTH_MAX: u32 = 1024;
