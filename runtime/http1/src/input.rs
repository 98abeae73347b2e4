//! Bytes that have arrived and are not yet read.

use bytes::{Buf, Bytes, BytesMut};

/// Bytes that have arrived and are not yet read.
///
/// They are read where they arrived. Only the start of a line that is not whole is copied, to put the rest behind it.
#[derive(Debug, Default)]
pub(crate) struct Input {
    /// One of the two is empty.
    chunk: Bytes,
    joined: BytesMut,
}

impl Input {
    /// Adds bytes.
    pub(crate) fn push(&mut self, bytes: Bytes) {
        if self.is_empty() {
            self.chunk = bytes;
            return;
        }
        if !self.chunk.is_empty() {
            self.joined.extend_from_slice(&self.chunk);
            self.chunk = Bytes::new();
        }
        self.joined.extend_from_slice(&bytes);
    }

    /// The bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        if self.joined.is_empty() { &self.chunk } else { &self.joined }
    }

    /// The number of bytes.
    pub(crate) fn len(&self) -> usize {
        self.bytes().len()
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Skips bytes, as many as are there.
    pub(crate) fn advance(&mut self, len: usize) {
        if self.joined.is_empty() { self.chunk.advance(len) } else { self.joined.advance(len) }
    }

    /// Takes up to `len` bytes without copying them.
    pub(crate) fn take(&mut self, len: u64) -> Bytes {
        if !self.joined.is_empty() {
            self.chunk = self.joined.split().freeze();
        }
        let len = usize::try_from(len).unwrap_or(usize::MAX).min(self.chunk.len());
        if len == self.chunk.len() { std::mem::take(&mut self.chunk) } else { self.chunk.split_to(len) }
    }

    /// Throws all bytes away.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}
