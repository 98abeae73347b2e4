//! A buffer that the requests of a channel share, one after the other.

use bytes::{Bytes, BytesMut};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The rest of the buffer that the last request was written into. When those before it have been sent, it is used again from
/// its beginning: a small request allocates nothing.
#[derive(Debug, Default)]
pub(crate) struct SharedBuffer(Mutex<BytesMut>);

impl SharedBuffer {
    /// Takes the buffer, which is empty; a new one, while another call writes into it.
    pub(crate) fn take(&self) -> BytesMut {
        let mut buffer = std::mem::take(&mut *self.lock());
        if buffer.capacity() == 0 {
            return BytesMut::with_capacity(LEN);
        }
        buffer.reserve(ROOM);
        buffer
    }

    /// Splits off what was written, and keeps the rest of the buffer, unless it has become large.
    pub(crate) fn freeze(&self, mut buffer: BytesMut) -> Bytes {
        let written = buffer.split().freeze();
        if written.len() <= LEN {
            *self.lock() = buffer;
        }
        written
    }

    fn lock(&self) -> MutexGuard<'_, BytesMut> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The length of the buffer: what an idle channel holds.
const LEN: usize = 4096;
/// Room for a small message and its envelope.
const ROOM: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn write(buffer: &SharedBuffer, len: usize) -> Bytes {
        let mut taken = buffer.take();
        assert!(taken.is_empty());
        taken.resize(len, 7);
        buffer.freeze(taken)
    }

    #[test]
    fn requests_lie_side_by_side_until_they_are_sent() {
        let buffer = SharedBuffer::default();
        let first = write(&buffer, 10);
        let second = write(&buffer, 10);
        assert_eq!(first.as_ptr().wrapping_add(10), second.as_ptr());
        let start = first.as_ptr();
        drop((first, second));
        assert!((0..LEN / ROOM).any(|_| write(&buffer, ROOM).as_ptr() == start), "it is used again");
    }

    #[test]
    fn a_large_request_keeps_nothing_behind_it() {
        let buffer = SharedBuffer::default();
        drop(write(&buffer, LEN));
        assert!(buffer.lock().capacity() <= LEN);
        drop(write(&buffer, 100 * LEN));
        assert_eq!(buffer.lock().capacity(), 0);
    }
}
