//! The end of a stream that sends.

use crate::cell::Cell;
use crate::flow::Bounds;
use crate::message::{Lent, Sendable};
use crate::{Result, error};
use ringwire_message::{Encode, Message};
use ringwire_rpc::Compress;
use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll};

/// The requests of a call that has many.
///
/// Dropped before [`close_send`](Self::close_send), it cancels the call: what was sent until then is no whole request,
/// and the server must not take it for one.
pub struct Outgoing<Q> {
    cell: Arc<Cell>,
    bounds: Bounds,
    of: PhantomData<fn(Q)>,
}

impl<Q: Message> Outgoing<Q> {
    pub(crate) fn new(cell: Arc<Cell>, bounds: Bounds) -> Self {
        Self { cell, bounds, of: PhantomData }
    }

    /// Sends one message: a `Q`, a view of one, or bytes encoded before. Waits first while the server is slow.
    ///
    /// # Errors
    /// The server has ended the call: the source is [`EndedByServer`](crate::EndedByServer), and the receiving end
    /// says why. The deadline has passed. Or the message is larger than the limit, or has no form in the codec of the
    /// call: nothing of it is sent then, and the call can go on.
    pub async fn send<K>(&mut self, message: &impl Encode<Q, K>) -> Result<()> {
        let message = Lent::<Q, _, K>::new(message);
        poll_fn(|cx| self.poll_send(&message, cx)).await
    }

    /// Says that there are no more messages.
    ///
    /// # Errors
    /// None today; a result, so that `?` reads as it does after a send.
    pub async fn close_send(&mut self) -> Result<()> {
        self.cell.close();
        Ok(())
    }

    /// Chooses whether the messages sent from now on are compressed, where the channel says with what.
    pub fn set_compress(&mut self, wish: Compress) {
        self.cell.set_compress(wish);
    }

    pub(crate) fn poll_send(&mut self, message: &dyn Sendable, cx: &mut Context<'_>) -> Poll<Result<()>> {
        if self.bounds.have_passed() {
            return Poll::Ready(Err(error::deadline_reached()));
        }
        match self.cell.poll_send(message, cx) {
            Poll::Ready(sent) => Poll::Ready(sent),
            Poll::Pending => self.bounds.poll(cx).map(Err),
        }
    }
}

impl<Q> Drop for Outgoing<Q> {
    fn drop(&mut self) {
        self.cell.abandon();
    }
}

impl<Q> fmt::Debug for Outgoing<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outgoing")
    }
}
