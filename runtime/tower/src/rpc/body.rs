//! The body of a response: polling it runs the handler.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use ringwire_service::PullBody;

use super::alarm::TokioAlarm;
use crate::BoxError;

/// The body of an [`RpcService`](super::RpcService)'s response.
#[derive(Debug)]
pub struct RpcBody<B>(Kind<B>);

#[derive(Debug)]
enum Kind<B> {
    Call(PullBody<B, TokioAlarm>),
    Whole(Bytes),
}

impl<B> RpcBody<B> {
    pub(crate) fn of_call(body: PullBody<B, TokioAlarm>) -> Self {
        Self(Kind::Call(body))
    }

    pub(crate) fn whole(bytes: Bytes) -> Self {
        Self(Kind::Whole(bytes))
    }
}

impl<B> Default for RpcBody<B> {
    /// An empty body, for layers that answer in place of the service.
    fn default() -> Self {
        Self::whole(Bytes::new())
    }
}

impl<B> Body for RpcBody<B>
where
    B: Body<Error: Into<BoxError>> + Unpin,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.0 {
            Kind::Call(body) => Pin::new(body)
                .poll_frame(cx)
                .map(|frame| frame.map(|frame| frame.map_err(|interrupted| interrupted.source))),
            Kind::Whole(bytes) => {
                let bytes = std::mem::take(bytes);
                Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Call(body) => body.is_end_stream(),
            Kind::Whole(bytes) => bytes.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Call(body) => body.size_hint(),
            Kind::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
        }
    }
}
