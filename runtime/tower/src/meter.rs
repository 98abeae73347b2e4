//! The socket as hyper sees it: it reports progress, and it closes so that a last answer arrives.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use crate::detect::Version;
use crate::options::{Deadlines, Limits};
use crate::progress::Progress;

/// An open connection that reports to its [`Progress`].
pub(crate) struct Meter<T> {
    inner: T,
    progress: Arc<Progress>,
    blocked: bool,
    linger: Linger,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Meter<T> {
    pub(crate) fn new(inner: T, progress: Arc<Progress>, limits: &Limits, deadlines: &Deadlines) -> Self {
        let patience = match progress.version {
            Version::Http1 => deadlines.linger,
            // An HTTP/2 peer has had a GOAWAY: what it still sends is what had been under way.
            Version::Http2 => deadlines.linger.min(HTTP2_LINGER),
        };
        let linger = Linger { patience, bytes_left: limits.linger_bytes_max, until: None };
        Self { inner, progress, blocked: false, linger }
    }

    fn note<R>(&mut self, written: Poll<io::Result<R>>) -> Poll<io::Result<R>> {
        if written.is_pending() {
            self.blocked = true;
            self.progress.blocked(Instant::now());
        } else if self.blocked {
            self.blocked = false;
            self.progress.sent();
        }
        written
    }

    /// Throws away what the peer still sends, until it closes too or patience ends.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let patience = self.linger.patience;
        let until = self.linger.until.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        if until.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let mut scratch = [0; 4096];
        loop {
            let mut buf = ReadBuf::new(&mut scratch);
            match ready!(Pin::new(&mut self.inner).poll_read(cx, &mut buf)) {
                Ok(()) if (1..=self.linger.bytes_left).contains(&buf.filled().len()) => {
                    self.linger.bytes_left -= buf.filled().len();
                }
                Ok(()) | Err(_) => return Poll::Ready(()),
            }
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for Meter<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        let bytes = &buf.filled()[before..];
        if !bytes.is_empty() {
            self.progress.received(bytes, Instant::now());
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Meter<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.inner).poll_flush(cx);
        self.note(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.linger.until.is_none() {
            let shut = Pin::new(&mut self.inner).poll_shutdown(cx);
            ready!(self.note(shut))?;
            if !self.progress.may_have_unread_input() {
                return Poll::Ready(Ok(()));
            }
        }
        self.poll_linger(cx).map(Ok)
    }
}

struct Linger {
    patience: Duration,
    bytes_left: usize,
    until: Option<Pin<Box<Sleep>>>,
}

const HTTP2_LINGER: Duration = Duration::from_secs(1);
