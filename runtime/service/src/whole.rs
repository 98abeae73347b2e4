//! Calls whose request is at hand, without a connection: for tests, and for callers in the same process.

use crate::{Arrival, Instant, PlainHead, Routes};
use bytes::{Bytes, BytesMut};
use std::future::poll_fn;
use std::task::Poll;

/// A whole HTTP response.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct WholeResponse {
    /// The HTTP status.
    pub status: u16,
    /// The header fields.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body.
    pub body: Bytes,
    /// The HTTP trailers.
    pub trailers: Vec<(String, Vec<u8>)>,
}

impl WholeResponse {
    /// The first header field of this name, as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        first(&self.headers, name)
    }

    /// The first trailer field of this name, as text.
    pub fn trailer(&self, name: &str) -> Option<&str> {
        first(&self.trailers, name)
    }
}

impl Routes {
    /// Answers a request whose body is at hand.
    ///
    /// The bytes are those that a connection would carry. Nobody waits for deadlines here: they are looked at
    /// whenever the handler is polled. Who wants time to pass [starts](Self::start) the call and polls it.
    pub async fn answer(&self, head: PlainHead, body: impl Into<Bytes>) -> WholeResponse {
        let mut flight = self.start(Arrival::new(head), Instant::now());
        flight.push(body.into());
        flight.push_end();
        let mut response = WholeResponse::default();
        response.status = poll_fn(|cx| flight.poll_head(cx, Instant::now(), &mut response.headers)).await;
        let mut body = BytesMut::new();
        poll_fn(|cx| {
            loop {
                match flight.poll_body(cx, Instant::now()) {
                    Poll::Ready(Some(bytes)) => body.unsplit(bytes),
                    Poll::Ready(None) => return Poll::Ready(()),
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await;
        response.body = body.freeze();
        flight.write_trailers(&mut response.trailers);
        response
    }
}

impl PlainHead {
    /// A POST over HTTP/2 to `path`, with a body of this media type.
    pub fn post(path: impl Into<String>, content_type: &str) -> Self {
        Self {
            method: "POST".to_owned(),
            target: path.into(),
            headers: vec![("content-type".to_owned(), content_type.into())],
            version: ringwire_rpc::Version::Http2,
        }
    }

    /// Adds a header field, whose name is in lower case.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

fn first<'f>(fields: &'f [(String, Vec<u8>)], name: &str) -> Option<&'f str> {
    let (_, value) = fields.iter().find(|(other, _)| other == name)?;
    std::str::from_utf8(value).ok()
}
