//! One call, as its handler and its interceptors see it: all that stands beside the messages.

use crate::arrival::metadata;
use crate::cell::{Cell, Meeting};
use crate::tracker::{Guard, Tracker};
use crate::{Arrival, Cancelled, Head, Instant, Payload, Peer, Result};
use ringwire_call::{Canceller, ParentCall, Watchers};
use ringwire_rpc::{Compress, Metadata, RequestHead, Spec};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, MutexGuard, OnceLock};

/// One call: who asks for what, until when, and what goes back beside the messages.
pub struct Call {
    spec: &'static Spec,
    protocol: &'static str,
    codec: &'static str,
    head: Arc<dyn Head>,
    headers: OnceLock<Metadata>,
    peer: Arc<Peer>,
    deadline: Option<Instant>,
    extensions: http::Extensions,
    pub(crate) watchers: Watchers,
    /// For the one response of a unary call; streams are told at once.
    pub(crate) compress: Option<Compress>,
    response_headers: HeadersOut,
    response_trailers: Metadata,
    canceller: Canceller,
    guard: Guard,
}

/// Where the response headers wait to leave.
enum HeadersOut {
    /// Here: they leave when the handler has ended.
    Here(Metadata),
    /// Where the stream's first message will take them along.
    InCell(Arc<Cell>),
}

impl Call {
    /// The method that was called.
    pub fn spec(&self) -> &'static Spec {
        self.spec
    }

    /// The headers of the request. They are collected when this is first called.
    pub fn headers(&self) -> &Metadata {
        self.headers.get_or_init(|| metadata(self.head.request().headers))
    }

    /// The head of the HTTP request.
    pub fn request(&self) -> RequestHead<'_> {
        self.head.request()
    }

    /// The name of the protocol, for logs and metrics only: `connect`, `grpc` or `grpc-web`.
    pub fn protocol(&self) -> &'static str {
        self.protocol
    }

    /// The name of the codec, for logs and metrics only: `proto`, `json`.
    pub fn codec(&self) -> &'static str {
        self.codec
    }

    /// The headers of the response.
    ///
    /// # Errors
    /// The headers of a stream leave with the first message, or with a flush. Who asks for them later is told
    /// so.
    pub fn response_headers_mut(&mut self) -> Result<ResponseHeaders<'_>> {
        Ok(ResponseHeaders(match &mut self.response_headers {
            HeadersOut::Here(headers) => HeadersRef::Here(headers),
            HeadersOut::InCell(cell) => {
                let meeting = cell.lock();
                meeting.headers_are_here()?;
                HeadersRef::InCell(meeting)
            }
        }))
    }

    /// The trailers of the response. They leave when the handler has ended.
    pub fn response_trailers_mut(&mut self) -> &mut Metadata {
        &mut self.response_trailers
    }

    /// Chooses whether the messages sent from now on are compressed, for a client that understands any
    /// compression.
    pub fn set_compress(&mut self, wish: Compress) {
        match &self.response_headers {
            HeadersOut::Here(_) => self.compress = Some(wish),
            HeadersOut::InCell(cell) => cell.lock().messages.exchange.set_compress(wish),
        }
    }

    /// When the time of the call runs out, as the client and the server's policy have it between them.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Resolves if the call ends before its handler has answered. The handler itself is dropped then, so this
    /// is for what it started elsewhere.
    pub fn cancelled(&self) -> Cancelled {
        self.canceller.cancelled()
    }

    /// The other end of the connection.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// What others left for the handler: tower layers, interceptors.
    pub fn extensions(&self) -> &http::Extensions {
        &self.extensions
    }

    /// The same, to leave something in.
    pub fn extensions_mut(&mut self) -> &mut http::Extensions {
        &mut self.extensions
    }

    /// Keeps a draining server from going while it is held: for work that must outlive the handler.
    pub fn guard(&self) -> Guard {
        self.guard.clone()
    }

    /// Looks at each message that arrives, and may replace it. An error ends the call.
    ///
    /// For interceptors, before they let the call go on. The first one to register sees a message first.
    pub fn on_receive(&mut self, look: impl FnMut(&mut Payload<'_>) -> Result<()> + Send + 'static) {
        self.watchers.hooks_or_new().on_receive(Box::new(look));
    }

    /// Looks at each message that is sent, and may replace it. An error takes the place of the send.
    ///
    /// For interceptors, before they let the call go on. The first one to register sees a message last.
    pub fn on_send(&mut self, look: impl FnMut(&mut Payload<'_>) -> Result<()> + Send + 'static) {
        self.watchers.hooks_or_new().on_send(Box::new(look));
    }

    pub(crate) fn new(
        spec: &'static Spec,
        protocol: &'static str,
        codec: &'static str,
        arrival: Arrival,
        deadline: Option<Instant>,
        tracker: &Arc<Tracker>,
    ) -> Self {
        Self {
            spec,
            protocol,
            codec,
            head: arrival.head,
            headers: OnceLock::new(),
            peer: arrival.peer,
            deadline,
            extensions: arrival.extensions,
            watchers: Watchers::default(),
            compress: None,
            response_headers: HeadersOut::Here(Metadata::new()),
            response_trailers: Metadata::new(),
            canceller: Canceller::default(),
            guard: Guard::new(tracker),
        }
    }

    /// From here on, the response headers wait in the cell.
    pub(crate) fn headers_into(&mut self, cell: Arc<Cell>) {
        self.response_headers = HeadersOut::InCell(cell);
    }

    /// The handler has ended without an answer of its own.
    pub(crate) fn abandoned(&self) {
        self.canceller.cancel();
    }

    /// The handler has ended: nothing cancels the call any more.
    pub(crate) fn answered(&self) {
        self.canceller.answered();
    }

    /// The headers and trailers that the handler of a unary call left.
    pub(crate) fn response(&self) -> (&Metadata, &Metadata) {
        const NONE: &Metadata = &Metadata::new();
        let headers = match &self.response_headers {
            HeadersOut::Here(headers) => headers,
            HeadersOut::InCell(_) => NONE,
        };
        (headers, &self.response_trailers)
    }

    pub(crate) fn take_trailers(&mut self) -> Metadata {
        std::mem::take(&mut self.response_trailers)
    }
}

impl ParentCall for Call {
    fn deadline(&self) -> Option<Instant> {
        self.deadline()
    }

    fn cancelled(&self) -> Cancelled {
        self.cancelled()
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("procedure", &self.spec.procedure)
            .field("protocol", &self.protocol)
            .field("codec", &self.codec)
            .field("peer", &self.peer)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

/// The headers of a response, while they can be changed. Let go of it before the next await.
#[derive(Debug)]
pub struct ResponseHeaders<'c>(HeadersRef<'c>);

enum HeadersRef<'c> {
    Here(&'c mut Metadata),
    InCell(MutexGuard<'c, Meeting>),
}

impl Deref for ResponseHeaders<'_> {
    type Target = Metadata;

    fn deref(&self) -> &Metadata {
        match &self.0 {
            HeadersRef::Here(headers) => headers,
            HeadersRef::InCell(meeting) => &meeting.headers,
        }
    }
}

impl DerefMut for ResponseHeaders<'_> {
    fn deref_mut(&mut self) -> &mut Metadata {
        match &mut self.0 {
            HeadersRef::Here(headers) => headers,
            HeadersRef::InCell(meeting) => &mut meeting.headers,
        }
    }
}

impl fmt::Debug for HeadersRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here(headers) => headers.fmt(f),
            Self::InCell(meeting) => meeting.headers.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Call;

    /// Or a helper that is lent `&Call` across an await would not be `Send`.
    const _: () = shared_between_threads::<Call>();

    const fn shared_between_threads<T: Send + Sync>() {}
}
