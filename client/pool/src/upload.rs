//! The body of a request while it is sent: known to be at its end or not, and stopped when its response is dropped.

use crate::gate::lock;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use ringwire_transport::{BoxError, RequestBody};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use tokio::task::AbortHandle;

/// The body of a request, as hyper sends it.
#[derive(Debug)]
pub(crate) struct Upload {
    body: RequestBody,
    sending: Arc<Sending>,
    /// Of the HTTP/2 connection that sends it; told once.
    current: Option<Arc<Current>>,
    is_announced: AtomicBool,
}

/// How far a request body has come.
#[derive(Debug, Default)]
pub(crate) struct Sending {
    is_done: AtomicBool,
    /// The task that sends it, if HTTP/2 gave it one of its own.
    pipe: Mutex<Option<AbortHandle>>,
    /// The body's own error.
    error: Mutex<Option<BoxError>>,
}

/// The request that an HTTP/2 connection is about to send.
///
/// hyper asks a body for the first time whether it is at its end just before it hands the executor what is to run for that
/// body, and says no other way which body that is.
pub(crate) type Current = Mutex<Option<Arc<Sending>>>;

impl Upload {
    pub(crate) fn new(body: RequestBody, current: Option<Arc<Current>>) -> Self {
        let is_done = AtomicBool::new(body.is_end_stream());
        let sending = Arc::new(Sending { is_done, ..Sending::default() });
        Self { body, sending, current, is_announced: AtomicBool::new(false) }
    }

    pub(crate) fn sending(&self) -> Arc<Sending> {
        self.sending.clone()
    }

    /// The body, if nothing of it was sent.
    pub(crate) fn into_body(self) -> RequestBody {
        self.body
    }
}

impl Sending {
    /// Whether all of it was taken by hyper.
    pub(crate) fn is_done(&self) -> bool {
        self.is_done.load(Ordering::Acquire)
    }

    /// Sends no more of it. A stream whose response is dropped too is reset with CANCEL then.
    pub(crate) fn stop(&self) {
        if let Some(pipe) = lock(&self.pipe).take() {
            pipe.abort();
        }
    }

    /// Names the task that sends it.
    pub(crate) fn sent_by(&self, pipe: AbortHandle) {
        *lock(&self.pipe) = Some(pipe);
    }

    /// What went wrong on our side.
    pub(crate) fn take_error(&self) -> Option<BoxError> {
        lock(&self.error).take()
    }

    fn done(&self) {
        self.is_done.store(true, Ordering::Release);
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Self { body, sending, .. } = self.get_mut();
        match ready!(Pin::new(&mut *body).poll_frame(cx)) {
            Some(Ok(frame)) => {
                if frame.is_trailers() || body.is_end_stream() {
                    sending.done();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(error)) => {
                *lock(&sending.error) = Some(error);
                // hyper resets the stream with the code that it finds in the error.
                Poll::Ready(Some(Err(h2::Error::from(h2::Reason::CANCEL).into())))
            }
            None => {
                sending.done();
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        let is_end = self.body.is_end_stream();
        if !is_end
            && let Some(current) = &self.current
            && !self.is_announced.swap(true, Ordering::Relaxed)
        {
            *lock(current) = Some(self.sending.clone());
        }
        is_end
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
