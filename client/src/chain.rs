//! The interceptors around a stream: a future that lives as long as the call, and is polled by its receiving end.

use crate::call::Call;
use crate::error::encode_failed;
use crate::{BoxFuture, Error, Result};
use bytes::{Bytes, BytesMut};
use ringwire_call::{ChainEnd, WakerSlot};
use ringwire_message::Writable;
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

/// The interceptors around one call.
pub(crate) struct Chain {
    future: BoxFuture<'static, (Call, Result<()>)>,
    shared: Arc<Shared>,
}

/// The end of a call, as its interceptors decide it.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) call: Call,
    pub(crate) outcome: Result<()>,
    /// The message of an interceptor that answered.
    pub(crate) reply: Option<Bytes>,
}

impl Chain {
    pub(crate) fn new(mut call: Call) -> Self {
        let shared = Arc::new(Shared::default());
        let mut end = StreamEnd(shared.clone());
        let future = Box::pin(async move {
            let channel = call.channel.clone();
            let outcome = channel.interceptors().run(&mut call, &mut end).await;
            (call, outcome)
        });
        Self { future, shared }
    }

    /// Waits until the interceptors let the call go on, or end it.
    pub(crate) fn poll_begun(&mut self, cx: &mut Context<'_>) -> Poll<Result<Call, Box<Ended>>> {
        match self.poll(cx) {
            Poll::Ready(ended) => Poll::Ready(Err(ended)),
            Poll::Pending => match self.shared.lock().begun.take() {
                Some(call) => Poll::Ready(Ok(call)),
                None => Poll::Pending,
            },
        }
    }

    /// Tells them that the call has ended.
    pub(crate) fn end(&self, call: Call, outcome: Result<()>) {
        let mut place = self.shared.lock();
        place.ended = Some((call, outcome));
        let waiting = place.waiting.take();
        drop(place);
        if let Some(waker) = waiting {
            waker.wake();
        }
    }

    /// Waits until they have ended the call.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Box<Ended>> {
        self.future.as_mut().poll(cx).map(|(call, outcome)| {
            let reply = self.shared.lock().reply.take();
            Box::new(Ended { call, outcome, reply })
        })
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Chain")
    }
}

/// What the end of the chain shares with the call that goes on elsewhere.
#[derive(Default)]
struct Shared(Mutex<Place>);

#[derive(Default)]
struct Place {
    begun: Option<Call>,
    ended: Option<(Call, Result<()>)>,
    reply: Option<Bytes>,
    waiting: WakerSlot,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Place> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end of the chain.
struct StreamEnd(Arc<Shared>);

impl ChainEnd<Call> for StreamEnd {
    fn run<'c>(&'c mut self, call: &'c mut Call) -> BoxFuture<'c, Result<()>> {
        Box::pin(async move {
            let placeholder = call.placeholder();
            self.0.lock().begun = Some(std::mem::replace(call, placeholder));
            let (back, outcome) = poll_fn(|cx| {
                let mut place = self.0.lock();
                match place.ended.take() {
                    Some(ended) => Poll::Ready(ended),
                    None => {
                        place.waiting.register(cx.waker());
                        Poll::Pending
                    }
                }
            })
            .await;
            *call = back;
            outcome
        })
    }

    fn reply(&mut self, call: &mut Call, message: &dyn Writable) -> Result<()> {
        self.0.lock().reply = Some(encoded(call, message)?);
        Ok(())
    }
}

/// The message of an interceptor that answers, in the codec of the call.
pub(crate) fn encoded(call: &Call, message: &dyn Writable) -> Result<Bytes> {
    let mut out = BytesMut::new();
    call.coding().codec.encode(message, usize::MAX, &mut out).map_err(encode_failed)?;
    Ok(out.freeze())
}

/// An interceptor said that a call succeeded which has no response.
#[cold]
pub(crate) fn no_reply() -> Error {
    Error::internal("an interceptor ended the call without a response")
}
