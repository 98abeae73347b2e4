//! A writer that stops at a limit: how long JSON gets is not known before it is written.

use crate::EncodeError;
use bytes::BytesMut;
use std::io;

/// Appends to a buffer at most `limit` bytes, all or nothing: after a failure, call [`undo`](Self::undo).
pub(super) struct Limited<'o> {
    out: &'o mut BytesMut,
    start: usize,
    limit: usize,
    exceeded: Option<EncodeError>,
}

impl<'o> Limited<'o> {
    pub(super) fn new(out: &'o mut BytesMut, limit: usize) -> Self {
        Self { start: out.len(), out, limit, exceeded: None }
    }

    /// Removes what was written, and says whether the limit was why.
    pub(super) fn undo(self) -> Option<EncodeError> {
        self.out.truncate(self.start);
        self.exceeded
    }
}

impl io::Write for Limited<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let len = self.out.len() - self.start + bytes.len();
        if len > self.limit {
            self.exceeded = Some(EncodeError::TooLarge { len, limit: self.limit });
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
