//! Calls whose request is at hand, without a connection: for tests, and for callers in the same process.

use crate::{Arrival, Input, Instant, Outbox, Routes, Step};
use bytes::{Bytes, BytesMut};
use ringwire_http::Head;
use ringwire_rpc::NAMES;
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
    /// The bytes are those that a connection would carry. Nothing wakes a call at its deadline here: deadlines are looked at
    /// whenever the handler is polled. To let time pass, [start](Self::start) the call and poll it.
    pub async fn answer(&self, head: Head, body: impl Into<Bytes>) -> WholeResponse {
        let mut call = self.start(Arrival::new(head), Instant::now());
        call.handle_input(Input::Data(body.into()));
        call.handle_input(Input::End);
        let mut response = WholeResponse::default();
        let mut body = BytesMut::new();
        poll_fn(|cx| {
            loop {
                let WholeResponse { status, headers, trailers, .. } = &mut response;
                let fields = if *status == 0 { headers } else { trailers };
                let before = body.len();
                let step = call.poll(cx, Instant::now(), &mut Outbox { fields, body: &mut body });
                call.handle_sent(body.len() - before);
                match step {
                    Step::Head(known) => *status = known,
                    Step::Body => {}
                    Step::Done(_) => return Poll::Ready(()),
                    Step::Wait { .. } => return Poll::Pending,
                }
            }
        })
        .await;
        response.body = body.freeze();
        response
    }
}

/// The head of a POST request over HTTP/2, for [`Routes::answer`]. [`Head::with_field`] adds header fields.
pub fn post_head(path: impl AsRef<str>, content_type: &str) -> Head {
    Head::post(path.as_ref(), content_type, &NAMES)
}

fn first<'f>(fields: &'f [(String, Vec<u8>)], name: &str) -> Option<&'f str> {
    let (_, value) = fields.iter().find(|(other, _)| other == name)?;
    std::str::from_utf8(value).ok()
}
