//! The transport: what is the same for all its requests.

use crate::exchange::exchange;
use futures_channel::{mpsc, oneshot};
use http::{Request, Response};
use ringwire_transport::{RequestBody, ResponseBody, Transport, TransportError, TransportErrorKind};
use std::pin::Pin;
use wasm_bindgen_futures::spawn_local;

/// The browser's fetch, in a page or in a worker; and that of Node and Deno.
#[derive(Clone, Debug)]
pub struct Fetch {
    credentials: Credentials,
    request_max: usize,
}

/// Whether cookies and the like travel with requests.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Credentials {
    /// To no server.
    Omit,
    /// To the server that the page is from: what browsers do unless told otherwise.
    SameOrigin,
    /// To all servers, of which those elsewhere must allow it.
    Include,
}

impl Fetch {
    /// With credentials for the page's own server, and request bodies of up to 64 MiB.
    pub fn new() -> Self {
        Self { credentials: Credentials::SameOrigin, request_max: REQUEST_MAX }
    }

    /// Chooses who gets cookies and the like.
    #[must_use]
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = credentials;
        self
    }

    /// The longest body of a request: it is held as a whole until it leaves.
    #[must_use]
    pub fn request_max(mut self, bytes: usize) -> Self {
        self.request_max = bytes;
        self
    }
}

impl Default for Fetch {
    fn default() -> Self {
        Self::new()
    }
}

impl Transport for Fetch {
    fn send(
        &self,
        request: Request<RequestBody>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<ResponseBody>, TransportError>> + Send>> {
        let Self { credentials, request_max } = *self;
        let (answer, answered) = oneshot::channel();
        let (alive, dropped) = oneshot::channel();
        // One chunk waits while the caller looks at another: what is not read is not fetched.
        let (chunks, body) = mpsc::channel(0);
        spawn_local(exchange(request, credentials, request_max, answer, chunks, dropped));
        Box::pin(async move {
            let head = answered.await.map_err(|_| TransportError::new(TransportErrorKind::Lost))??;
            Ok(head.map(|()| ResponseBody::of_transport(crate::exchange::Chunks::new(body, alive))))
        })
    }
}

const REQUEST_MAX: usize = 64 * 1024 * 1024;
