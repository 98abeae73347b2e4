//! A place for one request on a connection, given back whatever becomes of the request.

use crate::endpoint::Target;
use crate::error::Failed;
use crate::http1::Ready;
use crate::http2::Http2;
use crate::upload::{Current, Upload};
use http::{Request, Response};
use hyper::body::Incoming;
use std::sync::Arc;

/// A place for one request.
pub(crate) struct Lease {
    pub(crate) target: Arc<Target>,
    on: On,
}

enum On {
    /// `None` once it was given back.
    Http1(Option<Ready>),
    Http2(Arc<Http2>),
}

impl Lease {
    pub(crate) fn http1(target: Arc<Target>, ready: Ready) -> Self {
        target.enter();
        Self { target, on: On::Http1(Some(ready)) }
    }

    /// On a connection where a place was taken.
    pub(crate) fn http2(target: Arc<Target>, http2: Arc<Http2>) -> Self {
        target.enter();
        Self { target, on: On::Http2(http2) }
    }

    pub(crate) fn is_http2(&self) -> bool {
        matches!(self.on, On::Http2(_))
    }

    /// With whom.
    pub(crate) fn peer(&self) -> Arc<str> {
        match &self.on {
            On::Http1(Some(ready)) => ready.connection.peer.clone(),
            On::Http1(None) => self.target.name.clone(),
            On::Http2(http2) => http2.peer.clone(),
        }
    }

    /// Where the request announces itself.
    pub(crate) fn current(&self) -> Option<Arc<Current>> {
        match &self.on {
            On::Http1(_) => None,
            On::Http2(http2) => Some(http2.current()),
        }
    }

    /// Sends the request that the place is for.
    pub(crate) async fn send(&mut self, request: Request<Upload>) -> Result<Response<Incoming>, Failed> {
        match &mut self.on {
            On::Http1(ready) => ready.as_mut().expect("a lease is given back once").send(request).await,
            On::Http2(http2) => http2.send(request).await,
        }
    }

    /// The response has been read to its end; says whether the request was sent to its end too. Without that an HTTP/1.1
    /// connection cannot be used again.
    pub(crate) fn finish(mut self, is_sent: bool) {
        if let On::Http1(ready) = &mut self.on
            && is_sent
            && let Some(ready) = ready.take()
        {
            ready.give_back(&self.target);
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        match &mut self.on {
            // A response that was not read stands in the way of the next: the connection is closed.
            On::Http1(Some(ready)) => ready.connection.cut(),
            On::Http1(None) => {}
            On::Http2(http2) => http2.leave_place(),
        }
        self.target.leave();
    }
}
