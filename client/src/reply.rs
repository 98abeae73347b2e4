//! The answer to a call that has one.

use crate::Result;
use bytes::Bytes;
use ringwire_call::HttpFields;
use ringwire_rpc::{Metadata, ResponseMetadata};
use ringwire_transport::PeerAddr;
use std::ops::{Deref, DerefMut};

/// A message, and what came beside it. It can be used as the message.
#[derive(Clone, Debug)]
pub struct Reply<M> {
    pub(crate) message: M,
    pub(crate) metadata: ResponseMetadata<HttpFields>,
    pub(crate) peer: Option<PeerAddr>,
}

impl Reply<Bytes> {
    /// The reply with the message that its bytes are.
    pub(crate) fn decode<M>(self, decode: impl FnOnce(Bytes) -> Result<M>) -> Result<Reply<M>> {
        let Self { message, metadata, peer } = self;
        Ok(Reply { message: decode(message)?, metadata, peer })
    }
}

impl<M> Reply<M> {
    /// The message, without the rest.
    pub fn into_message(self) -> M {
        self.message
    }

    /// The message, the headers and the trailers.
    pub fn into_parts(self) -> (M, Metadata, Metadata) {
        let (headers, trailers) = self.metadata.into_parts();
        (self.message, headers, trailers)
    }

    /// The headers of the response.
    pub fn headers(&self) -> &Metadata {
        self.metadata.headers()
    }

    /// The trailers of the response.
    pub fn trailers(&self) -> &Metadata {
        self.metadata.trailers()
    }

    /// The address of the server that answered, if the transport knows it: `127.0.0.1:8080`.
    pub fn peer(&self) -> Option<&str> {
        self.peer.as_ref().map(|peer| &*peer.0)
    }
}

impl<M> Deref for Reply<M> {
    type Target = M;

    fn deref(&self) -> &M {
        &self.message
    }
}

impl<M> DerefMut for Reply<M> {
    fn deref_mut(&mut self) -> &mut M {
        &mut self.message
    }
}
