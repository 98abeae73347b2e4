//! The two ends of a call: the messages that arrive, and those that go back.

use crate::error::broken;
use crate::lane::{LaneRef, Shared, WRONG_SHAPE};
use crate::messages::Messages;
use crate::{Call, Result};
use bytes::Bytes;
use ringwire_call::{Coding, decode_failed};
use ringwire_message::{DecodeLimits, Encode, Message, Proto, Writable};
use ringwire_rpc::Compress;
use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use futures_core::Stream;

/// The messages that arrive on a call.
pub struct Requests<'c, M> {
    shared: &'c Shared,
    coding: Coding,
    /// What the last view borrows from.
    current: Bytes,
    of: PhantomData<fn() -> M>,
}

impl<M: Message> Requests<'_, M> {
    /// Waits for the next message, or for the end of the request. The view lives until the next one is asked
    /// for. A future that is dropped before it is ready has taken no message.
    ///
    /// # Errors
    /// The request breaks a rule or a limit: the call ends with this error, whatever the handler makes of it.
    /// Or the message is not an `M`: the next one may be, if the handler cares to go on.
    pub async fn next(&mut self) -> Result<Option<M::View<'_>>> {
        self.current = Bytes::new();
        let Some(message) = poll_fn(|cx| self.shared.poll_watched::<M>(cx.waker())).await? else {
            return Ok(None);
        };
        let limits = &self.coding.decode_limits;
        self.current = M::viewable(self.coding.codec, message, limits).map_err(decode_failed)?;
        M::view(&self.current, limits).map(Some).map_err(decode_failed)
    }
}

impl<'c, M: Message> Requests<'c, M> {
    /// The messages as a stream of owned ones. It ends at the first error.
    pub fn into_stream(self) -> RequestStream<'c, M> {
        RequestStream { requests: Some(self) }
    }

    fn new(shared: &'c Shared) -> Self {
        Self { shared, coding: shared.coding(), current: Bytes::new(), of: PhantomData }
    }
}

impl<M> fmt::Debug for Requests<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Requests")
    }
}

/// The messages that arrive on a call, owned. See [`Requests::into_stream`].
#[derive(Debug)]
pub struct RequestStream<'c, M> {
    requests: Option<Requests<'c, M>>,
}

impl<M: Message> Stream for RequestStream<'_, M> {
    type Item = Result<M>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<M>>> {
        let Some(requests) = &self.requests else { return Poll::Ready(None) };
        let Coding { codec, decode_limits, .. } = requests.coding;
        let received = match requests.shared.poll_watched::<M>(cx.waker()) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(received) => received.transpose(),
        };
        let item = received.map(|message| M::owned(codec, message?, &decode_limits).map_err(decode_failed));
        if !matches!(item, Some(Ok(_))) {
            self.requests = None;
        }
        Poll::Ready(item)
    }
}

/// The messages that a call answers with.
pub struct Responses<'c, M> {
    shared: &'c Shared,
    of: PhantomData<fn() -> M>,
}

impl<M: Message> Responses<'_, M> {
    /// Writes one message: an `M`, a view of one, or bytes encoded before. Waits first while the peer is
    /// slow. The response headers leave with the first message.
    ///
    /// # Errors
    /// The message is larger than the limit, or has no form in the codec of the call. Nothing of it is sent
    /// then, and the call can go on.
    pub async fn send<K>(&mut self, message: &impl Encode<M, K>) -> Result<()> {
        poll_fn(|cx| self.shared.poll_send(message, cx.waker())).await
    }

    /// Lets the response headers leave without a message, and waits until the connection has taken all that
    /// was sent.
    ///
    /// Nothing needs a flush to be sent: it is for those who want the client to see the headers early, or to
    /// know when a message is out of their hands.
    ///
    /// # Errors
    /// None today; a result, so that `?` reads as it does after a send.
    pub async fn flush(&mut self) -> Result<()> {
        poll_fn(|cx| self.shared.poll_flush(cx.waker())).await;
        Ok(())
    }

    /// Sends what a stream yields, until it ends or fails.
    ///
    /// # Errors
    /// The stream's first error, or that of a send.
    pub async fn send_all<T, K>(&mut self, messages: impl Stream<Item = Result<T>>) -> Result<()>
    where
        T: Encode<M, K>,
    {
        let mut messages = pin!(messages);
        while let Some(message) = poll_fn(|cx| messages.as_mut().poll_next(cx)).await {
            self.send(&message?).await?;
        }
        Ok(())
    }
}

impl<'c, M> Responses<'c, M> {
    /// Chooses whether the messages sent from now on are compressed, for a client that understands any
    /// compression.
    pub fn set_compress(&mut self, wish: Compress) {
        self.shared.set_compress(wish);
    }

    fn new(shared: &'c Shared) -> Self {
        Self { shared, of: PhantomData }
    }
}

impl<M> fmt::Debug for Responses<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Responses")
    }
}

/// The place of the one response of a call.
pub struct Response<'c, M> {
    lane: LaneRef<'c>,
    of: PhantomData<fn() -> M>,
}

/// Proof that the one response of a call has been written.
#[derive(Debug)]
pub struct Sent(());

impl Sent {
    /// The end of the call. Generated code calls it.
    #[doc(hidden)]
    pub fn done(self) -> Result<()> {
        Ok(())
    }
}

impl<M: Message> Response<'_, M> {
    /// Chooses whether the response is compressed, for a client that understands any compression.
    pub fn set_compress(&mut self, wish: Compress) {
        self.lane.with(|messages| messages.exchange.set_compress(wish));
    }

    /// Writes what a method has returned, under the wishes that it left in the call. Generated code calls it.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    #[doc(hidden)]
    pub async fn answer<K>(mut self, call: &mut Call, message: &impl Encode<M, K>) -> Result<Sent> {
        if let Some(wish) = call.compress.take() {
            self.set_compress(wish);
        }
        self.send(message).await
    }

    /// Writes the response: an `M`, a view of one, or bytes encoded before.
    ///
    /// # Errors
    /// The message is larger than the limit, or has no form in the codec of the call.
    pub async fn send<K>(mut self, message: &impl Encode<M, K>) -> Result<Sent> {
        // The head waits for the handler's end: until then, headers can be changed.
        self.lane.with(|messages| messages.send(message))?;
        Ok(Sent(()))
    }
}

impl<M> fmt::Debug for Response<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Response")
    }
}

/// The one request of a call; views borrow from it.
pub struct Request<M> {
    bytes: Bytes,
    limits: DecodeLimits,
    of: PhantomData<fn() -> M>,
}

impl<M: Message> Request<M> {
    /// The request, borrowed.
    ///
    /// # Errors
    /// The bytes are not an `M`, or cross a limit.
    pub fn view(&self) -> Result<M::View<'_>> {
        M::view(&self.bytes, &self.limits).map_err(decode_failed)
    }

    /// The request, to keep.
    ///
    /// # Errors
    /// As [`view`](Self::view).
    pub fn owned(&self) -> Result<M> {
        M::owned(&Proto, self.bytes.clone(), &self.limits).map_err(decode_failed)
    }

    fn new(messages: &mut Messages) -> Result<Self> {
        let request = messages.request.take().ok_or_else(|| broken(WRONG_SHAPE))?;
        let message = messages.watched::<M>(request)?;
        let coding = &messages.coding;
        let bytes = M::viewable(coding.codec, message, &coding.decode_limits).map_err(decode_failed)?;
        Ok(Self { bytes, limits: coding.decode_limits, of: PhantomData })
    }
}

impl<M> fmt::Debug for Request<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Request")
    }
}

/// The ends of one call before they have types: generated code asks for those of the method's shape.
pub struct Ends<'c> {
    lane: LaneRef<'c>,
}

impl<'c> Ends<'c> {
    /// The request and the response of a unary method.
    ///
    /// # Errors
    /// The request is not in the codec of the call, or the method has another shape.
    pub fn unary<Q: Message, A: Message>(self) -> Result<(Request<Q>, Response<'c, A>)> {
        let Self { mut lane } = self;
        let request = lane.with(Request::new)?;
        Ok((request, Response { lane, of: PhantomData }))
    }

    /// The request and the responses of a method that streams its responses.
    ///
    /// # Errors
    /// The request is not in the codec of the call, or the method has another shape.
    pub async fn server_stream<Q: Message, A: Message>(self) -> Result<(Request<Q>, Responses<'c, A>)> {
        let Self { mut lane } = self;
        let request = lane.with(Request::new)?;
        Ok((request, Responses::new(lane.shared()?)))
    }

    /// The requests and the response of a method that streams its requests.
    ///
    /// # Errors
    /// The method has another shape.
    pub fn client_stream<Q: Message, A: Message>(self) -> Result<(Requests<'c, Q>, Response<'c, A>)> {
        let shared = self.lane.shared()?;
        Ok((Requests::new(shared), Response { lane: LaneRef::Shared(shared), of: PhantomData }))
    }

    /// The requests and the responses of a method that streams both.
    ///
    /// # Errors
    /// The method has another shape.
    pub fn bidi<Q: Message, A: Message>(self) -> Result<(Requests<'c, Q>, Responses<'c, A>)> {
        let shared = self.lane.shared()?;
        Ok((Requests::new(shared), Responses::new(shared)))
    }

    pub(crate) fn new(lane: LaneRef<'c>) -> Self {
        Self { lane }
    }

    /// Takes over the wishes of the interceptors on the way here, and waits for the request, if there must be
    /// one.
    pub(crate) async fn begin(&mut self, call: &mut Call) -> Result<()> {
        let has_request = self.lane.with(|messages| {
            messages.begin(call);
            messages.request.is_some()
        });
        if !has_request && call.spec().shape.has_one_request() {
            poll_fn(|cx| self.lane.poll_request(cx.waker())).await?;
        }
        Ok(())
    }

    /// Writes one message instead of whatever the handler would have said.
    pub(crate) fn reply(&mut self, call: &mut Call, message: &dyn Writable) -> Result<()> {
        self.lane.with(|messages| messages.begin(call));
        self.lane.reply(message, !call.spec().shape.has_one_response())
    }
}

impl fmt::Debug for Ends<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ends")
    }
}
