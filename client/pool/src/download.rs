//! The body of a response: it keeps the request's place until its end, and stops the request when it is dropped before.

use crate::error::kind_of;
use crate::lease::Lease;
use crate::upload::Sending;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use ringwire_transport::TransportError;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// The body of a response.
pub(crate) struct Download {
    /// `None` at its end.
    body: Option<Incoming>,
    lease: Option<Lease>,
    sending: Arc<Sending>,
}

impl Download {
    pub(crate) fn new(body: Incoming, lease: Lease, sending: Arc<Sending>) -> Self {
        let mut download = Self { body: Some(body), lease: Some(lease), sending };
        if download.body.as_ref().is_some_and(Body::is_end_stream) {
            download.finish();
        }
        download
    }

    /// The response is whole. A request that is not is none of the peer's business any more.
    fn finish(&mut self) {
        let is_sent = self.sending.is_done();
        if !is_sent {
            self.sending.stop();
        }
        self.body = None;
        if let Some(lease) = self.lease.take() {
            lease.finish(is_sent);
        }
    }
}

impl Body for Download {
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        let download = self.get_mut();
        let Some(body) = &mut download.body else { return Poll::Ready(None) };
        match ready!(Pin::new(&mut *body).poll_frame(cx)) {
            Some(Ok(frame)) => {
                if frame.is_trailers() || body.is_end_stream() {
                    download.finish();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            None => {
                download.finish();
                Poll::Ready(None)
            }
            Some(Err(cause)) => {
                let error = TransportError::new(kind_of(&cause)).with_source(cause);
                let error = match download.lease.take() {
                    Some(lease) => {
                        lease.target.failed();
                        error.with_peer(lease.peer())
                    }
                    None => error,
                };
                download.sending.stop();
                download.body = None;
                Poll::Ready(Some(Err(error)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            Some(body) => body.size_hint(),
            None => SizeHint::with_exact(0),
        }
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        if self.lease.is_some() {
            self.sending.stop();
        }
    }
}
