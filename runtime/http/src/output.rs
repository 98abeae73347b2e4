//! The sending side of a connection: bytes to send, and what the connection waits for.

use bytes::{Buf, Bytes, BytesMut};
use std::collections::VecDeque;
use std::time::Instant;

/// What a connection waits for once its bytes have been moved to a [`SendQueue`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Output {
    /// The time at which the connection wants `handle_timeout`. It may come early, but never late.
    pub deadline: Option<Instant>,
    /// Whether the connection takes input. If not, the transport stays unread until it does.
    pub read: bool,
    /// What becomes of the transport.
    pub close: Close,
}

/// What becomes of the transport.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Close {
    /// It stays open.
    No,
    /// The queue that was given holds all that is left to send. Once it is sent, the sending side is shut down. Reading goes
    /// on, and the connection discards what comes, so that the peer can read the last bytes before the transport closes.
    Sending,
    /// The transport is closed at once, whatever is unsent.
    Both,
}

/// What a closure that writes into a connection has written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Part {
    /// Neither a field nor a byte of a body.
    Nothing,
    /// The fields of a response's head. A status of 1xx is interim: the final head follows.
    Head {
        /// The status: 100 to 999.
        status: u16,
        /// Whether the message ends here.
        end: bool,
    },
    /// Bytes of the body.
    Data {
        /// Whether the message ends here.
        end: bool,
    },
    /// The trailer fields, which end the message.
    Trailers,
}

/// Bytes to send, in order: small pieces lie in one buffer, large ones are chunks of their own and never copied.
///
/// ```
/// # use ringwire_http::SendQueue;
/// let mut queue = SendQueue::new();
/// queue.buffer().extend_from_slice(b"small");
/// queue.push(vec![7; 20_000].into());
/// assert_eq!(queue.chunks().map(<[u8]>::len).collect::<Vec<_>>(), [5, 20_000]);
/// queue.advance(6);
/// assert_eq!((queue.len(), queue.chunks().count()), (19_999, 1));
/// ```
#[derive(Debug, Default)]
pub struct SendQueue {
    /// Chunks before the buffer. None of them is empty.
    chunks: VecDeque<Bytes>,
    chunks_len: usize,
    buffer: BytesMut,
    /// The bytes of the buffer that are sent already.
    buffer_sent: usize,
}

impl SendQueue {
    /// An empty queue.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of bytes to send.
    pub fn len(&self) -> usize {
        self.chunks_len + self.buffer.len() - self.buffer_sent
    }

    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes to send, in order and without empty chunks: one chunk, unless bodies are large. Their addresses stay until
    /// the queue is changed.
    pub fn chunks(&self) -> impl Iterator<Item = &[u8]> {
        let buffer = &self.buffer[self.buffer_sent..];
        self.chunks.iter().map(|chunk| &chunk[..]).chain((!buffer.is_empty()).then_some(buffer))
    }

    /// Removes the first `sent` bytes. An emptied queue keeps its buffer, unless that has grown large.
    ///
    /// # Panics
    /// There are fewer bytes.
    #[inline]
    pub fn advance(&mut self, mut sent: usize) {
        if !self.chunks.is_empty() {
            sent = self.advance_chunks(sent);
        }
        self.buffer_sent += sent;
        assert!(self.buffer_sent <= self.buffer.len(), "more is sent than there was to send");
        if self.buffer_sent == self.buffer.len() {
            self.buffer_sent = 0;
            if self.buffer.capacity() > BUFFER_KEPT {
                self.buffer = BytesMut::new();
            }
            self.buffer.clear();
        }
    }

    /// Removes the first bytes of the chunks, and returns how many are left to remove.
    fn advance_chunks(&mut self, mut sent: usize) -> usize {
        while let Some(first) = self.chunks.front_mut() {
            if sent < first.len() {
                first.advance(sent);
                self.chunks_len -= sent;
                return 0;
            }
            sent -= first.len();
            self.chunks_len -= first.len();
            self.chunks.pop_front();
        }
        sent
    }

    /// The buffer at the end of the queue, for appending. What lies in it already must stay.
    pub fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// Appends a chunk, by reference if it is large.
    pub fn push(&mut self, chunk: Bytes) {
        if chunk.len() < CHUNK_MIN {
            self.buffer.extend_from_slice(&chunk);
            return;
        }
        if !self.buffer.is_empty() {
            let mut before = self.buffer.split();
            before.advance(std::mem::take(&mut self.buffer_sent));
            self.push_chunk(before.freeze());
        }
        self.push_chunk(chunk);
    }

    fn push_chunk(&mut self, chunk: Bytes) {
        self.chunks_len += chunk.len();
        self.chunks.push_back(chunk);
    }
}

/// Below this a copy is cheaper than one more entry in a list of buffers that the kernel walks.
const CHUNK_MIN: usize = 4096;
/// An idle connection does not keep more than this.
const BUFFER_KEPT: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    /// Small and large pieces, sent in portions of `portion` bytes.
    fn check(pieces: &[usize], portion: usize) {
        let mut queue = SendQueue::new();
        let mut want = Vec::new();
        for (n, len) in pieces.iter().enumerate() {
            let piece = vec![n as u8; *len];
            want.extend_from_slice(&piece);
            if n % 2 == 0 {
                queue.push(piece.into());
            } else {
                queue.buffer().extend_from_slice(&piece);
            }
            if n == 2 && queue.len() > 3 {
                queue.advance(3);
                want.drain(..3);
            }
        }
        let mut want = &want[..];
        while !want.is_empty() {
            assert_eq!(queue.len(), want.len());
            let chunk = queue.chunks().next().expect("bytes to send");
            assert!(!chunk.is_empty() && want.starts_with(chunk));
            let sent = portion.min(want.len());
            queue.advance(sent);
            want = &want[sent..];
        }
        assert!(queue.is_empty());
        assert_eq!(queue.chunks().count(), 0);
    }

    #[test]
    fn bytes_leave_in_order_whatever_the_portions() {
        for pieces in [&[][..], &[1], &[5000, 2, 4096, 4095, 1], &[1, 2, 3, 5000, 10, 0, 9000], &[4096; 5]] {
            for portion in [7, 4095, 4096, 100_000] {
                check(pieces, portion);
            }
        }
    }

    #[test]
    fn a_large_chunk_is_not_copied_and_a_small_one_is() {
        for (len, chunks) in [(CHUNK_MIN - 1, 1), (CHUNK_MIN, 2), (CHUNK_MIN + 1, 2)] {
            let mut queue = SendQueue::new();
            queue.buffer().extend_from_slice(b"a");
            let chunk = Bytes::from(vec![0; len]);
            let place = chunk.as_ptr();
            queue.push(chunk);
            assert_eq!(queue.chunks().count(), chunks, "{len}");
            assert_eq!(queue.chunks().any(|chunk| chunk.as_ptr() == place), chunks == 2, "{len}");
        }
    }

    #[test]
    fn an_emptied_queue_keeps_a_buffer_up_to_a_size() {
        let mut queue = SendQueue::new();
        for (len, kept) in [(BUFFER_KEPT, true), (BUFFER_KEPT + 1, false)] {
            *queue.buffer() = BytesMut::with_capacity(len);
            queue.buffer().extend_from_slice(b"a");
            queue.advance(1);
            assert_eq!(queue.buffer().capacity() > 0, kept, "{len}");
        }
    }

    #[test]
    #[should_panic(expected = "more is sent")]
    fn more_than_there_is_cannot_be_sent() {
        let mut queue = SendQueue::new();
        queue.buffer().extend_from_slice(b"a");
        queue.advance(2);
    }
}
