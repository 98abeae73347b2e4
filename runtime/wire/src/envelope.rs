//! The envelope: a five-byte prefix (flags, big-endian length) before each message.
//!
//! Protocols give different meanings to every flag but the lowest, so this module carries them and
//! interprets none. Reading is [`Deframer`]; writing is [`write_frame`], or [`OpenFrame`] where the
//! flags are known only after the payload.

use std::collections::VecDeque;
use std::fmt;

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// Cuts a body, arriving in chunks, into frames.
///
/// A frame that lies inside one chunk is handed out as a slice of that chunk; a frame that spans
/// chunks is copied once. Chunks however small cost memory and time in proportion to their bytes.
/// Between calls that drain it, a deframer holds what was pushed; [`buffered`](Self::buffered) says
/// how much, so that the caller can stop pushing.
#[derive(Debug, Default)]
pub struct Deframer {
    // INVARIANT: `front` is empty only where the chunks behind it are too.
    front: Bytes,
    buffered: usize,
    /// Made when a chunk first ends inside a frame, or comes before the one in front is used up. Most bodies are one chunk.
    spanning: Option<Box<Spanning>>,
}

/// The chunks behind the one in front, and what has been read of a frame that spans chunks.
#[derive(Debug, Default)]
struct Spanning {
    // INVARIANT: no part of `rest` is empty.
    rest: VecDeque<Bytes>,
    tail: BytesMut,
    prefix: PartialPrefix,
    gather: Option<Gather>,
}

impl Deframer {
    /// Takes the next chunk of the body.
    #[inline]
    pub fn push(&mut self, chunk: Bytes) {
        self.buffered += chunk.len();
        match &mut self.spanning {
            None if self.front.is_empty() => self.front = chunk,
            spanning => spanning.get_or_insert_default().push(&mut self.front, chunk),
        }
    }

    /// Takes the next whole frame, or `None` until more chunks arrive.
    ///
    /// After an error, the deframer stands where it stood: the body cannot be read further.
    #[inline]
    pub fn next_frame(&mut self, limit: u32) -> Result<Option<Frame>, TooLarge> {
        // Mostly a body is one chunk, and that one frame.
        if self.spanning.is_none()
            && let Some(prefix) = self.front.first_chunk()
        {
            let Prefix { flags, len } = Prefix::decode(*prefix);
            if len <= limit && self.front.len() - PREFIX_LEN == len as usize {
                let mut payload = std::mem::take(&mut self.front);
                payload.advance(PREFIX_LEN);
                self.buffered = 0;
                return Ok(Some(Frame { flags, payload }));
            }
        }
        self.next_of_many(limit)
    }

    #[inline(never)]
    fn next_of_many(&mut self, limit: u32) -> Result<Option<Frame>, TooLarge> {
        let is_between = self.spanning.as_ref().is_none_or(|spanning| spanning.is_between_frames());
        if is_between && let Some(prefix) = self.front.first_chunk() {
            let Prefix { flags, len } = Prefix::decode(*prefix);
            if len > limit {
                return Err(TooLarge { len, limit });
            }
            if self.front.len() - PREFIX_LEN >= len as usize {
                return Ok(Some(Frame { flags, payload: self.split_first(len as usize) }));
            }
        }
        if self.front.is_empty() && self.spanning.is_none() {
            return Ok(None);
        }
        let frame = self.spanning.get_or_insert_default().next_frame(&mut self.front, limit)?;
        if let Some(frame) = &frame {
            self.buffered -= PREFIX_LEN + frame.payload.len();
        }
        Ok(frame)
    }

    /// Takes the frame at the beginning of the chunk in front, which is whole.
    fn split_first(&mut self, payload_len: usize) -> Bytes {
        let len = PREFIX_LEN + payload_len;
        let mut payload = self.front.split_to(len);
        payload.advance(PREFIX_LEN);
        self.buffered -= len;
        if let Some(spanning) = &mut self.spanning {
            spanning.advance(&mut self.front);
        }
        payload
    }

    /// True between frames: the only place where a body may end.
    #[inline]
    pub fn is_at_boundary(&self) -> bool {
        self.buffered == 0 && self.spanning.as_ref().is_none_or(|spanning| spanning.gather.is_none())
    }

    /// How many bytes were pushed and not yet handed out, prefixes included.
    #[inline]
    pub fn buffered(&self) -> usize {
        self.buffered
    }
}

impl Spanning {
    fn is_between_frames(&self) -> bool {
        self.prefix.len == 0 && self.gather.is_none()
    }

    #[inline(never)]
    fn push(&mut self, front: &mut Bytes, mut chunk: Bytes) {
        if front.is_empty() {
            if let Some(gather) = &mut self.gather {
                gather.fill(&mut chunk);
            }
            *front = chunk;
        } else if chunk.len() <= COALESCE_MAX {
            self.tail.extend_from_slice(&chunk);
        } else {
            self.flush_tail();
            self.rest.push_back(chunk);
        }
    }

    fn next_frame(&mut self, front: &mut Bytes, limit: u32) -> Result<Option<Frame>, TooLarge> {
        if self.gather.is_none() {
            let Some(prefix) = self.fill_prefix(front) else {
                return Ok(None);
            };
            if prefix.len > limit {
                return Err(TooLarge { len: prefix.len, limit });
            }
            self.prefix = PartialPrefix::default();
            let len = prefix.len as usize;
            if front.len() >= len {
                let payload = front.split_to(len);
                self.advance(front);
                return Ok(Some(Frame { flags: prefix.flags, payload }));
            }
            self.gather = Some(Gather::new(prefix));
        }
        Ok(self.fill_gather(front))
    }

    fn fill_prefix(&mut self, front: &mut Bytes) -> Option<Prefix> {
        loop {
            if let Some(prefix) = self.prefix.fill(front) {
                self.advance(front);
                return Some(prefix);
            }
            if !self.advance(front) {
                return None;
            }
        }
    }

    fn fill_gather(&mut self, front: &mut Bytes) -> Option<Frame> {
        loop {
            let gather = self.gather.as_mut()?;
            gather.fill(front);
            if gather.missing() == 0 {
                break;
            }
            if !self.advance(front) {
                return None;
            }
        }
        self.advance(front);
        let gather = self.gather.take()?;
        Some(Frame { flags: gather.flags, payload: gather.payload.into() })
    }

    /// Puts the next chunk in front if the front is used up; false where there is none.
    fn advance(&mut self, front: &mut Bytes) -> bool {
        if front.is_empty() {
            *front = match self.rest.pop_front() {
                Some(chunk) => chunk,
                None => std::mem::take(&mut self.tail).freeze(),
            };
        }
        !front.is_empty()
    }

    fn flush_tail(&mut self) {
        if !self.tail.is_empty() {
            self.rest.push_back(std::mem::take(&mut self.tail).freeze());
        }
    }
}

/// One message, or whatever else a protocol puts into an envelope.
#[derive(Debug, Eq, PartialEq)]
pub struct Frame {
    /// The flags of the envelope.
    pub flags: Flags,
    /// The bytes of the envelope, still compressed if the flags say so.
    pub payload: Bytes,
}

/// Appends one frame to `out`, encoding the payload in place.
///
/// Where the payload is longer than `limit`, `out` is left as it was.
pub fn write_frame(
    out: &mut BytesMut,
    flags: Flags,
    limit: u32,
    encode: impl FnOnce(&mut BytesMut),
) -> Result<(), TooLarge> {
    let frame = OpenFrame::begin(out);
    encode(out);
    frame.finish(out, flags, limit)
}

/// A frame whose payload is being appended to a buffer.
///
/// Between `begin` and `finish` or `abandon`, the buffer may only be appended to.
#[derive(Debug)]
#[must_use = "the prefix is written by `finish`"]
pub struct OpenFrame {
    start: usize,
}

impl OpenFrame {
    /// Leaves room for a prefix at the end of `out`.
    #[inline]
    pub fn begin(out: &mut BytesMut) -> Self {
        let start = out.len();
        out.put_bytes(0, PREFIX_LEN);
        Self { start }
    }

    /// What was appended since `begin`.
    #[inline]
    pub fn payload<'a>(&self, out: &'a BytesMut) -> &'a [u8] {
        &out[self.start + PREFIX_LEN..]
    }

    /// Writes the prefix; where the payload is longer than `limit`, `out` is as before `begin`.
    #[inline]
    pub fn finish(self, out: &mut BytesMut, flags: Flags, limit: u32) -> Result<(), TooLarge> {
        let len = u32::try_from(self.payload(out).len()).unwrap_or(u32::MAX);
        // The longest length that a prefix can say also stands for those that it cannot.
        if len > limit || len == u32::MAX {
            self.abandon(out);
            return Err(TooLarge { len, limit });
        }
        out[self.start..self.start + PREFIX_LEN].copy_from_slice(&Prefix { flags, len }.encode());
        Ok(())
    }

    /// Takes back what was appended since `begin`.
    pub fn abandon(self, out: &mut BytesMut) {
        out.truncate(self.start);
    }
}

/// What stands before each payload.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Prefix {
    /// The flags of the envelope.
    pub flags: Flags,
    /// The length of the payload.
    pub len: u32,
}

impl Prefix {
    /// Reads a prefix; every five bytes are one.
    #[inline]
    pub const fn decode(bytes: [u8; PREFIX_LEN]) -> Self {
        let [flags, a, b, c, d] = bytes;
        Self { flags: Flags(flags), len: u32::from_be_bytes([a, b, c, d]) }
    }

    /// Writes the prefix.
    #[inline]
    pub const fn encode(self) -> [u8; PREFIX_LEN] {
        let [a, b, c, d] = self.len.to_be_bytes();
        [self.flags.0, a, b, c, d]
    }
}

/// The first byte of an envelope.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Flags(pub u8);

impl Flags {
    /// The payload is compressed; the one bit that every protocol understands.
    pub const COMPRESSED: Self = Self(1);

    /// Whether the payload is compressed.
    pub const fn is_compressed(self) -> bool {
        self.0 & Self::COMPRESSED.0 != 0
    }

    /// The bits whose meaning belongs to the protocol.
    pub const fn special(self) -> u8 {
        self.0 & !Self::COMPRESSED.0
    }
}

/// A payload, sent or declared, that is longer than is allowed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TooLarge {
    /// The length; `u32::MAX` stands for everything longer, too.
    pub len: u32,
    /// The longest that is allowed.
    pub limit: u32,
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "message of {} bytes is larger than the limit of {}", self.len, self.limit)
    }
}

impl std::error::Error for TooLarge {}

/// The first bytes of a prefix, kept apart so that four bytes do not hold a whole chunk in memory.
#[derive(Debug, Default)]
struct PartialPrefix {
    bytes: [u8; PREFIX_LEN],
    len: usize,
}

impl PartialPrefix {
    fn fill(&mut self, chunk: &mut Bytes) -> Option<Prefix> {
        let take = chunk.len().min(PREFIX_LEN - self.len);
        chunk.copy_to_slice(&mut self.bytes[self.len..self.len + take]);
        self.len += take;
        (self.len == PREFIX_LEN).then(|| Prefix::decode(self.bytes))
    }
}

/// A frame that spans chunks.
#[derive(Debug)]
struct Gather {
    flags: Flags,
    len: usize,
    payload: Vec<u8>,
}

impl Gather {
    fn new(prefix: Prefix) -> Self {
        Self { flags: prefix.flags, len: prefix.len as usize, payload: Vec::new() }
    }

    fn missing(&self) -> usize {
        self.len - self.payload.len()
    }

    fn fill(&mut self, chunk: &mut Bytes) {
        let take = chunk.len().min(self.missing());
        self.grow(take);
        self.payload.extend_from_slice(&chunk[..take]);
        chunk.advance(take);
    }

    /// Makes room for `more` bytes, so that the last growth ends at the frame's length exactly.
    fn grow(&mut self, more: usize) {
        let need = self.payload.len() + more;
        if need > self.payload.capacity() {
            // A declared length costs the peer nothing, so it buys little more than what has arrived.
            let room = need.max(self.payload.capacity() * 2).max(GATHER_RESERVE).min(self.len);
            self.payload.reserve_exact(room - self.payload.len());
        }
    }
}

/// The length of a prefix.
pub const PREFIX_LEN: usize = 5;

// A queued chunk costs some forty bytes beside its own; chunks below this are copied together.
const COALESCE_MAX: usize = 256;
// What one DATA frame of HTTP/2 holds by default.
const GATHER_RESERVE: usize = 16 * 1024;

#[cfg(test)]
mod tests;
