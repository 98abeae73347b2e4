//! A writer that stops at a limit: how long JSON gets is not known before it is written.

use crate::EncodeError;
use bytes::BytesMut;
use std::io;

/// Appends to a buffer at most `limit` bytes. Nothing is appended for certain before [`finish`](Self::finish).
pub(super) struct Limited<'o> {
    out: &'o mut BytesMut,
    start: usize,
    limit: usize,
    /// All that was written, in `out` or in the chunk.
    len: usize,
    exceeded: bool,
    // Most writes are a quote, a comma or a number, for which growing `out` would cost more than they do.
    chunk: [u8; CHUNK],
    used: usize,
}

impl<'o> Limited<'o> {
    pub(super) fn new(out: &'o mut BytesMut, limit: usize) -> Self {
        Self { start: out.len(), out, limit, len: 0, exceeded: false, chunk: [0; CHUNK], used: 0 }
    }

    /// Appends what is left.
    pub(super) fn finish(mut self) {
        self.spill();
    }

    /// Removes what was written, and says whether the limit was why.
    pub(super) fn undo(self) -> Option<EncodeError> {
        self.out.truncate(self.start);
        self.exceeded.then_some(EncodeError::TooLarge { len: self.len, limit: self.limit })
    }

    fn spill(&mut self) {
        self.out.extend_from_slice(&self.chunk[..self.used]);
        self.used = 0;
    }

    #[cold]
    fn write_slowly(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.len > self.limit {
            self.exceeded = true;
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.spill();
        self.out.extend_from_slice(bytes);
        Ok(())
    }
}

impl io::Write for Limited<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.len += bytes.len();
        match self.chunk.get_mut(self.used..self.used + bytes.len()) {
            Some(room) if self.len <= self.limit => {
                room.copy_from_slice(bytes);
                self.used += bytes.len();
                Ok(())
            }
            _ => self.write_slowly(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const CHUNK: usize = 256;
