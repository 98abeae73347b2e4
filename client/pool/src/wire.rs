//! The bytes of one connection, and what can be learned by looking at them go by.

use crate::Io;
use crate::scan::{ENHANCE_YOUR_CALM, Said, Scanner};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

/// What is known of a connection from its bytes.
#[derive(Debug, Default)]
pub(crate) struct Wire {
    written: AtomicU64,
    streams_max: AtomicUsize,
    is_settled: AtomicBool,
    is_going: AtomicBool,
    is_annoyed: AtomicBool,
    has_ended: AtomicBool,
    /// One of the above has changed. One task waits for it.
    pub(crate) changed: Notify,
}

/// The bytes themselves.
pub(crate) struct Tap {
    io: Box<dyn Io>,
    wire: Arc<Wire>,
    /// Of HTTP/2 alone.
    scanner: Option<Scanner>,
}

impl Wire {
    /// How many bytes were handed to the socket, TLS included.
    pub(crate) fn written(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }

    /// How many streams the peer takes at once; none before it has said so.
    pub(crate) fn streams_max(&self) -> usize {
        self.streams_max.load(Ordering::Relaxed)
    }

    /// Whether the peer has begun to speak HTTP/2.
    pub(crate) fn is_settled(&self) -> bool {
        self.is_settled.load(Ordering::Acquire)
    }

    /// Whether the peer takes no more requests.
    pub(crate) fn is_going(&self) -> bool {
        self.is_going.load(Ordering::Acquire)
    }

    /// Whether the peer goes because it was asked too often.
    pub(crate) fn is_annoyed(&self) -> bool {
        self.is_annoyed.load(Ordering::Acquire)
    }

    /// Whether the peer has sent all that it will: it has closed its side, or takes no more requests.
    pub(crate) fn has_said_all(&self) -> bool {
        self.has_ended.load(Ordering::Acquire) || self.is_going()
    }

    fn heard(&self, said: Said) {
        match said {
            Said::Settings { streams_max, is_first } => {
                match streams_max {
                    Some(max) => self.streams_max.store(max as usize, Ordering::Relaxed),
                    None if is_first => self.streams_max.store(usize::MAX, Ordering::Relaxed),
                    None => {}
                }
                self.is_settled.store(true, Ordering::Release);
            }
            Said::GoAway { code } => {
                self.is_annoyed.fetch_or(code == ENHANCE_YOUR_CALM, Ordering::AcqRel);
                self.is_going.store(true, Ordering::Release);
            }
        }
        self.changed.notify_one();
    }

    fn wrote(&self, count: &Poll<io::Result<usize>>) {
        if let Poll::Ready(Ok(count)) = count {
            self.written.fetch_add(*count as u64, Ordering::AcqRel);
        }
    }
}

impl Tap {
    pub(crate) fn http1(io: Box<dyn Io>, wire: Arc<Wire>) -> Self {
        Self { io, wire, scanner: None }
    }

    pub(crate) fn http2(io: Box<dyn Io>, wire: Arc<Wire>) -> Self {
        Self { io, wire, scanner: Some(Scanner::default()) }
    }
}

impl AsyncRead for Tap {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Self { io, wire, scanner } = self.get_mut();
        let before = buf.filled().len();
        let has_room = buf.remaining() > 0;
        ready!(Pin::new(io).poll_read(cx, buf))?;
        if has_room && buf.filled().len() == before {
            wire.has_ended.store(true, Ordering::Release);
        }
        if let Some(scanner) = scanner {
            scanner.push(&buf.filled()[before..], |said| wire.heard(said));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tap {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let count = Pin::new(&mut self.io).poll_write(cx, buf);
        self.wire.wrote(&count);
        count
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let count = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.wire.wrote(&count);
        count
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_on_streams_holds_until_another_is_said() {
        let wire = Wire::default();
        assert_eq!((wire.streams_max(), wire.is_settled()), (0, false));
        for (is_first, said, expected) in [(true, Some(7), 7), (false, None, 7), (false, Some(9), 9)] {
            wire.heard(Said::Settings { streams_max: said, is_first });
            assert_eq!((wire.streams_max(), wire.is_settled()), (expected, true));
        }
        let unlimited = Wire::default();
        unlimited.heard(Said::Settings { streams_max: None, is_first: true });
        assert_eq!(unlimited.streams_max(), usize::MAX);
    }
}
