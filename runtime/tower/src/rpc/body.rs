//! The body of a response: polling it runs the handler.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use ringwire_call::HttpFields;
use ringwire_service::InFlight;

use super::pull::Pull;
use crate::BoxError;

/// The body of an [`RpcService`](super::RpcService)'s response.
#[derive(Debug)]
pub struct RpcBody<B> {
    stage: Stage<B>,
}

#[derive(Debug)]
enum Stage<B> {
    Call(Box<Pull<B>>),
    Whole(Bytes),
    Ended,
}

impl<B> RpcBody<B> {
    pub(crate) fn of_call(pull: Box<Pull<B>>) -> Self {
        Self { stage: Stage::Call(pull) }
    }

    pub(crate) fn whole(bytes: Bytes) -> Self {
        Self { stage: Stage::Whole(bytes) }
    }
}

impl<B> Default for RpcBody<B> {
    /// An empty body, for layers that answer in place of the service.
    fn default() -> Self {
        Self { stage: Stage::Ended }
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
        match &mut self.stage {
            Stage::Call(pull) => match ready!(pull.poll(cx, InFlight::poll_body)) {
                Ok(Some(bytes)) => Poll::Ready(Some(Ok(Frame::data(bytes.freeze())))),
                Ok(None) => {
                    ready!(pull.poll_rest(cx));
                    let trailers = trailers(pull.call());
                    self.stage = Stage::Ended;
                    Poll::Ready(trailers.map(Ok))
                }
                Err(interrupted) => {
                    self.stage = Stage::Ended;
                    Poll::Ready(Some(Err(interrupted.source)))
                }
            },
            Stage::Whole(bytes) => {
                let bytes = std::mem::take(bytes);
                self.stage = Stage::Ended;
                Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
            }
            Stage::Ended => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.stage {
            Stage::Call(pull) => {
                pull.call().remaining() == Some(0) && !pull.call().has_trailers() && !pull.has_short_rest()
            }
            Stage::Whole(bytes) => bytes.is_empty(),
            Stage::Ended => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        let known = match &self.stage {
            // A declared length and trailers exclude each other in HTTP/1.
            Stage::Call(pull) if pull.call().has_trailers() => None,
            Stage::Call(pull) => pull.call().remaining(),
            Stage::Whole(bytes) => Some(bytes.len()),
            Stage::Ended => Some(0),
        };
        known.map_or_else(SizeHint::default, |length| SizeHint::with_exact(length as u64))
    }
}

fn trailers(call: &InFlight) -> Option<Frame<Bytes>> {
    call.has_trailers().then(|| {
        let mut sink = HttpFields::default();
        call.write_trailers(&mut sink);
        Frame::trailers(sink.into_map().expect("the core writes fields that HTTP can carry"))
    })
}
