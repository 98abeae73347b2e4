//! The bodies on both sides of a service, as hyper's connection sees them.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep};

use crate::BoxError;
use crate::detect::Version;
use crate::progress::{InFlight, Progress};
use crate::stream::Turn;

/// The body of a request that came over a connection of this server.
#[derive(Debug)]
pub struct RequestBody {
    incoming: Incoming,
    ended: bool,
    stall: Option<Stall>,
    progress: Weak<Progress>,
}

impl RequestBody {
    pub(crate) fn new(incoming: Incoming, stall_max: Duration, progress: &Arc<Progress>) -> Self {
        // Who declares a length uploads; who does not may be in a conversation, where silence is in order.
        let uploads = incoming.size_hint().exact().is_some_and(|length| length > 0);
        let stall = uploads.then_some(Stall { max: stall_max, sleep: None });
        let ended = incoming.is_end_stream();
        if progress.version == Version::Http1 {
            progress.request_open(!ended);
        }
        Self { incoming, ended, stall, progress: Arc::downgrade(progress) }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match Pin::new(&mut self.incoming).poll_frame(cx) {
            Poll::Ready(frame) => {
                if let Some(stall) = &mut self.stall {
                    stall.sleep = None;
                }
                if !self.ended && (frame.is_none() || self.incoming.is_end_stream()) {
                    self.ended = true;
                    if let Some(progress) = self.progress.upgrade() {
                        progress.request_open(false);
                    }
                }
                Poll::Ready(frame.map(|frame| frame.map_err(BodyError::Connection)))
            }
            Poll::Pending => match &mut self.stall {
                Some(stall) => {
                    ready!(stall.poll(cx));
                    Poll::Ready(Some(Err(BodyError::Stalled { after: stall.max })))
                }
                None => Poll::Pending,
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if !self.ended
            && let Some(progress) = self.progress.upgrade()
        {
            progress.left_unread();
        }
    }
}

/// Why a request body ended early.
#[derive(Debug)]
#[non_exhaustive]
pub enum BodyError {
    /// The peer declared a length and then sent nothing for this long.
    Stalled {
        /// [`Deadlines::body`](crate::Deadlines::body).
        after: Duration,
    },
    /// The connection or the stream broke off.
    Connection(hyper::Error),
}

impl std::fmt::Display for BodyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Stalled { after } => write!(f, "the peer sent nothing of its request for {after:?}"),
            Self::Connection(_) => f.write_str("the request broke off"),
        }
    }
}

impl std::error::Error for BodyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Stalled { .. } => None,
            Self::Connection(error) => Some(error),
        }
    }
}

#[derive(Debug)]
struct Stall {
    max: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Stall {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let max = self.max;
        let sleep =
            self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + max)));
        sleep.as_mut().poll(cx)
    }
}

pin_project! {
    /// A service's response body: it counts as a request in flight, and says whose turn it is.
    pub(crate) struct ResponseBody<B> {
        #[pin]
        body: Option<B>,
        rest: Bytes,
        turn: Option<Arc<Turn>>,
        in_flight: InFlight,
    }
}

impl<B> ResponseBody<B> {
    /// `None` is an empty body.
    pub(crate) fn new(body: Option<B>, turn: Option<Arc<Turn>>, in_flight: InFlight) -> Self
    where
        B: Body,
    {
        let mut this = Self { body, rest: Bytes::new(), turn, in_flight };
        // Nobody asks such a body for a frame.
        if this.body.as_ref().is_none_or(Body::is_end_stream) {
            this.in_flight.finish();
        }
        this
    }
}

impl<B> ResponseBody<B>
where
    B: Body<Error: Into<BoxError>>,
{
    fn poll_part(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.project();
        let Some(turn) = this.turn else {
            // HTTP/1 has no windows: a peer that does not read blocks the socket, and that is timed there.
            let Some(body) = this.body.as_pin_mut() else { return Poll::Ready(None) };
            let frame = ready!(body.poll_frame(cx));
            return Poll::Ready(frame.map(|frame| frame.map(into_bytes).map_err(Into::into)));
        };
        if this.rest.is_empty() {
            turn.to_handler();
            let Some(body) = this.body.as_pin_mut() else { return Poll::Ready(None) };
            match ready!(body.poll_frame(cx)).map(|frame| frame.map(into_bytes)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => *this.rest = data,
                    Err(other) => return Poll::Ready(Some(Ok(other))),
                },
                Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                None => return Poll::Ready(None),
            }
        }
        turn.to_peer();
        let part = this.rest.split_to(this.rest.len().min(PART_MAX));
        Poll::Ready(Some(Ok(Frame::data(part))))
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body<Error: Into<BoxError>>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(self.as_mut().poll_part(cx)).transpose();
        if matches!(&frame, Ok(Some(frame)) if frame.is_data() && !self.is_end_stream()) {
            return Poll::Ready(frame.transpose());
        }
        self.project().in_flight.finish();
        Poll::Ready(frame.transpose())
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint);
        let rest = self.rest.len() as u64;
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint.set_lower(hint.lower().saturating_add(rest));
        hint
    }
}

fn into_bytes(frame: Frame<impl Buf>) -> Frame<Bytes> {
    frame.map_data(|mut data| data.copy_to_bytes(data.remaining()))
}

// HTTP/2 takes a whole chunk as soon as one byte of window is there, and after the last chunk no one watches the stream
// any more. So a peer that then opens no window holds no more than this, times `Limits::streams_max`.
const PART_MAX: usize = 16 * 1024;
