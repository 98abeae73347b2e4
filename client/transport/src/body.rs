//! The bodies of requests and responses.

use crate::{BoxError, TransportError, TransportErrorKind};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The body of a request.
#[derive(Debug)]
pub struct RequestBody(Request);

enum Request {
    Whole(Bytes),
    Stream(Boxed<BoxError>),
}

/// The body of a response, boxed unless it was.
#[derive(Debug)]
pub struct ResponseBody(Boxed<TransportError>);

struct Boxed<E>(Pin<Box<dyn Body<Data = Bytes, Error = E> + Send>>);

impl RequestBody {
    /// A body that is at hand, with its length.
    pub fn whole(bytes: Bytes) -> Self {
        Self(Request::Whole(bytes))
    }

    /// A body that comes as it is made. An error of it resets the request.
    pub fn stream<B>(body: B) -> Self
    where
        B: Body<Data = Bytes, Error = BoxError> + Send + 'static,
    {
        Self(Request::Stream(Boxed(Box::pin(body))))
    }

    /// The same body once more, for another attempt; `None` if it is made only once.
    ///
    /// Clone before the body is polled: what was taken out of it is missing from the clone.
    pub fn try_clone(&self) -> Option<Self> {
        match &self.0 {
            Request::Whole(bytes) => Some(Self::whole(bytes.clone())),
            Request::Stream(_) => None,
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.0 {
            Request::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Request::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Request::Stream(body) => body.0.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Request::Whole(bytes) => bytes.is_empty(),
            Request::Stream(body) => body.0.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Request::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Request::Stream(body) => body.0.size_hint(),
        }
    }
}

impl ResponseBody {
    /// The body of a response of any HTTP implementation.
    pub fn new<B>(body: B) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self(Boxed(Box::pin(Mapped { body: Box::pin(body) })))
    }

    /// The same for a body that says itself what went wrong: one box, not two.
    pub fn of_transport<B>(body: B) -> Self
    where
        B: Body<Data = Bytes, Error = TransportError> + Send + 'static,
    {
        Self(Boxed(Box::pin(body)))
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        self.0.0.as_mut().poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.0.size_hint()
    }
}

/// A foreign body whose errors are ours.
struct Mapped<B> {
    body: Pin<Box<B>>,
}

impl<B> Body for Mapped<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        let frame = self.body.as_mut().poll_frame(cx);
        frame.map_err(|error| TransportError::from_boxed(error.into(), TransportErrorKind::Lost))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<E> fmt::Debug for Boxed<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Body")
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Stream(_) => f.write_str("stream"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    fn next(body: &mut RequestBody) -> Option<Bytes> {
        let mut cx = Context::from_waker(Waker::noop());
        match Pin::new(body).poll_frame(&mut cx) {
            Poll::Ready(Some(Ok(frame))) => frame.into_data().ok(),
            _ => None,
        }
    }

    #[test]
    fn a_whole_body_comes_once_and_can_be_had_again() {
        let mut body = RequestBody::whole(Bytes::from_static(b"ring"));
        let mut again = body.try_clone().expect("it is whole");
        assert_eq!(body.size_hint().exact(), Some(4));
        assert_eq!(next(&mut body).as_deref(), Some(&b"ring"[..]));
        assert!(body.is_end_stream());
        assert_eq!(next(&mut body), None);
        assert_eq!(next(&mut again).as_deref(), Some(&b"ring"[..]));
    }

    #[test]
    fn an_empty_body_is_at_its_end() {
        let body = RequestBody::whole(Bytes::new());
        assert!(body.is_end_stream());
        assert_eq!(body.size_hint().exact(), Some(0));
    }

    #[test]
    fn a_stream_comes_only_once() {
        struct Empty;
        impl Body for Empty {
            type Data = Bytes;
            type Error = BoxError;
            fn poll_frame(
                self: Pin<&mut Self>,
                _: &mut Context<'_>,
            ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
                Poll::Ready(None)
            }
        }
        assert!(RequestBody::stream(Empty).try_clone().is_none());
    }
}
