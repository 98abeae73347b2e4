//! From messages to a body: the one place that frames, bounds and compresses them.

use bytes::BytesMut;
use ringwire_compress::{Compress, Compression, CompressionPolicy};
use ringwire_wire::base64::{self, Alphabet};
use ringwire_wire::envelope::{Flags, OpenFrame};

use crate::Error;
use crate::receive::Framing;

#[derive(Debug)]
pub(crate) struct Transmit {
    framing: Framing,
    is_text: bool,
    compression: Option<&'static dyn Compression>,
    policy: CompressionPolicy,
    wish: Compress,
    limit: u32,
    /// Where in the caller's buffer a body that is one message begins, once it is there.
    whole: Option<WholeBody>,
    has_one: bool,
    sent: bool,
    /// Made for the first message that is compressed or becomes text.
    scratch: Option<Box<BytesMut>>,
}

#[derive(Clone, Copy, Debug)]
struct WholeBody {
    start: usize,
    compressed: bool,
}

impl Transmit {
    /// Sends as base64 if `is_text`.
    #[inline]
    pub(crate) fn new(framing: Framing, limit: u32, is_text: bool) -> Self {
        Self {
            framing,
            is_text,
            compression: None,
            policy: CompressionPolicy::default(),
            wish: Compress::ByPolicy,
            limit,
            whole: None,
            has_one: framing == Framing::Whole,
            sent: false,
            scratch: None,
        }
    }

    /// Lets no more than one message be sent, as no whole body ever does.
    #[inline]
    pub(crate) fn set_one(&mut self, has_one: bool) {
        self.has_one |= has_one;
    }

    #[inline]
    pub(crate) fn set_compression(
        &mut self,
        compression: Option<&'static dyn Compression>,
        policy: CompressionPolicy,
    ) {
        self.compression = compression;
        self.policy = policy;
    }

    pub(crate) fn set_wish(&mut self, wish: Compress) {
        self.wish = wish;
    }

    /// What messages that are worth it are compressed with.
    #[inline]
    pub(crate) fn compression(&self) -> Option<&'static dyn Compression> {
        self.compression
    }

    /// What the one message of a whole body has been compressed with.
    pub(crate) fn whole_compression(&self) -> Option<&'static dyn Compression> {
        self.compression.filter(|_| self.whole.is_some_and(|whole| whole.compressed))
    }

    /// Whether any message has been sent.
    pub(crate) fn has_sent(&self) -> bool {
        self.sent
    }

    /// Appends a message. On an error, `out` is as it was.
    #[inline]
    pub(crate) fn message(
        &mut self,
        out: &mut BytesMut,
        encode: impl FnOnce(&mut BytesMut) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if self.has_one && self.sent {
            return Err(Error::internal("a second message where there is room for one"));
        }
        match self.framing {
            Framing::Envelopes => self.enveloped(out, encode)?,
            Framing::Whole => self.whole(out, encode)?,
        }
        self.sent = true;
        Ok(())
    }

    /// Appends an envelope that is not a message, and so is neither bounded nor compressed.
    pub(crate) fn frame(&mut self, out: &mut BytesMut, flags: Flags, write: impl FnOnce(&mut BytesMut)) {
        let undo = Undo::new(out);
        let frame = OpenFrame::begin(undo.out);
        write(undo.out);
        if frame.finish(undo.out, flags, u32::MAX).is_ok() {
            if self.is_text {
                self.armor(undo.out, undo.start);
            }
            undo.keep();
        }
    }

    /// Takes back the one message of a whole body.
    pub(crate) fn take_back_whole(&mut self, out: &mut BytesMut) {
        if let Some(whole) = self.whole.take() {
            out.truncate(whole.start);
        }
    }

    /// The one message of a whole body, as it lies in the caller's buffer.
    pub(crate) fn whole_message<'a>(&self, out: &'a BytesMut) -> Option<&'a [u8]> {
        self.whole.map(|whole| &out[whole.start..])
    }

    #[inline]
    fn enveloped(
        &mut self,
        out: &mut BytesMut,
        encode: impl FnOnce(&mut BytesMut) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let undo = Undo::new(out);
        let frame = OpenFrame::begin(undo.out);
        let payload_start = undo.out.len();
        encode(undo.out)?;
        let compressed = self.bound_and_compress(undo.out, payload_start)?;
        let flags = if compressed { Flags::COMPRESSED } else { Flags::default() };
        frame.finish(undo.out, flags, u32::MAX).map_err(|_| too_large(u32::MAX))?;
        if self.is_text {
            self.armor(undo.out, undo.start);
        }
        undo.keep();
        Ok(())
    }

    fn whole(
        &mut self,
        out: &mut BytesMut,
        encode: impl FnOnce(&mut BytesMut) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let undo = Undo::new(out);
        encode(undo.out)?;
        let start = undo.start;
        let compressed = self.bound_and_compress(undo.out, start)?;
        self.whole = Some(WholeBody { start, compressed });
        undo.keep();
        Ok(())
    }

    /// Checks the message that begins at `start`, and compresses it where that is worth it; returns whether
    /// it did.
    #[inline]
    fn bound_and_compress(&mut self, out: &mut BytesMut, start: usize) -> Result<bool, Error> {
        let message = &out[start..];
        if message.len() > self.limit as usize {
            return Err(too_large(self.limit));
        }
        let Some(compression) = self.compression else { return Ok(false) };
        let is_worth_it = self.policy.applies(message.len(), self.wish);
        if is_worth_it {
            self.compress(compression, out, start);
        }
        Ok(is_worth_it)
    }

    fn compress(&mut self, compression: &'static dyn Compression, out: &mut BytesMut, start: usize) {
        let scratch = self.scratch.get_or_insert_default();
        scratch.clear();
        compression.compress(&out[start..], self.policy.level, scratch);
        out.truncate(start);
        out.extend_from_slice(scratch);
    }

    /// Turns what begins at `start` into base64.
    fn armor(&mut self, out: &mut BytesMut, start: usize) {
        let scratch = self.scratch.get_or_insert_default();
        scratch.clear();
        scratch.extend_from_slice(&out[start..]);
        out.truncate(start);
        base64::encode_padded(Alphabet::Standard, scratch, out);
    }
}

/// Takes back what was appended to a buffer, unless told to keep it: on an error, and when an encoder panics.
struct Undo<'a> {
    out: &'a mut BytesMut,
    start: usize,
    armed: bool,
}

impl<'a> Undo<'a> {
    fn new(out: &'a mut BytesMut) -> Self {
        let start = out.len();
        Self { out, start, armed: true }
    }

    fn keep(mut self) {
        self.armed = false;
    }
}

impl Drop for Undo<'_> {
    fn drop(&mut self) {
        if self.armed {
            self.out.truncate(self.start);
        }
    }
}

fn too_large(limit: u32) -> Error {
    Error::resource_exhausted(format!("message to send is larger than the limit of {limit} bytes"))
}
