//! One call, as its handler and its interceptors see it: all that stands beside the messages.

use crate::arrival::metadata;
use crate::lane::{HeadersLane, ResponseHeaders, Shared};
use crate::tracker::{Guard, Tracker};
use crate::{Arrival, Cancelled, Instant, Payload, Peer, Result};
use ringwire_call::{Canceller, ParentCall, Watchers};
use ringwire_http::Head;
use ringwire_rpc::{Compress, Metadata, Spec};
use std::fmt;
use std::sync::{Arc, OnceLock};

/// One call: who asks for what, until when, and what goes back beside the messages.
pub struct Call {
    spec: &'static Spec,
    protocol: &'static str,
    codec: &'static str,
    head: Head,
    headers: OnceLock<Box<Metadata>>,
    peer: Arc<Peer>,
    deadline: Option<Instant>,
    extensions: http::Extensions,
    pub(crate) watchers: Watchers,
    /// For the one response of a unary call; streams are told at once.
    pub(crate) compress: Option<Compress>,
    response_headers: HeadersLane,
    /// Made when they are asked for.
    response_trailers: Option<Box<Metadata>>,
    canceller: Canceller,
    guard: Guard,
}

impl Call {
    /// The method that was called.
    pub fn spec(&self) -> &'static Spec {
        self.spec
    }

    /// The headers of the request. They are collected when this is first called.
    pub fn headers(&self) -> &Metadata {
        self.headers.get_or_init(|| Box::new(metadata(self.head.fields())))
    }

    /// The head of the HTTP request.
    pub fn head(&self) -> &Head {
        &self.head
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
    /// The headers of a stream leave with the first message, or with a flush. After that, this returns an error.
    pub fn response_headers_mut(&mut self) -> Result<ResponseHeaders<'_>> {
        self.response_headers.lock()
    }

    /// The trailers of the response. They leave when the handler has ended.
    pub fn response_trailers_mut(&mut self) -> &mut Metadata {
        self.response_trailers.get_or_insert_default()
    }

    /// Chooses whether the messages sent from now on are compressed, for a client that understands any
    /// compression.
    pub fn set_compress(&mut self, wish: Compress) {
        self.compress = self.response_headers.set_compress(wish);
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

    /// The values that others left for the handler: tower layers, interceptors.
    pub fn extensions(&self) -> &http::Extensions {
        &self.extensions
    }

    /// Mutable access to the extensions.
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
        self.watchers.hooks_or_new().on_request(Box::new(look));
    }

    /// Looks at each message that is sent, and may replace it. An error takes the place of the send.
    ///
    /// For interceptors, before they let the call go on. The first one to register sees a message last.
    pub fn on_send(&mut self, look: impl FnMut(&mut Payload<'_>) -> Result<()> + Send + 'static) {
        self.watchers.hooks_or_new().on_response(Box::new(look));
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
            response_headers: HeadersLane::Own(None),
            response_trailers: None,
            canceller: Canceller::default(),
            guard: Guard::new(tracker),
        }
    }

    /// Lets the response headers wait in a shared lane from here on.
    pub(crate) fn share_headers(&mut self, shared: Arc<Shared>) {
        self.response_headers = HeadersLane::Shared(shared);
    }

    /// The handler has ended without an answer of its own.
    pub(crate) fn abandoned(&self) {
        self.canceller.cancel();
    }

    /// The handler has ended: nothing cancels the call any more.
    pub(crate) fn answered(&self) {
        self.canceller.answered();
    }

    /// The headers, if they wait with the call, and the trailers that the handler left.
    pub(crate) fn response(&self) -> (&Metadata, &Metadata) {
        const NONE: &Metadata = &Metadata::new();
        (self.response_headers.own().unwrap_or(NONE), self.response_trailers.as_deref().unwrap_or(NONE))
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

#[cfg(test)]
mod tests {
    use super::Call;

    /// Or a helper that is lent `&Call` across an await would not be `Send`.
    const _: () = shared_between_threads::<Call>();

    const fn shared_between_threads<T: Send + Sync>() {}
}
