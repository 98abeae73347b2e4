//! How calls of each shape begin, and those whose two ends are one.

use crate::attempt::{self, Answered};
use crate::attempts::Attempts;
use crate::call::{Call, Response};
use crate::cell::{Cell, OutBody};
use crate::chain::{Chain, Ended, encoded, no_reply};
use crate::error::decode_failed;
use crate::flow::{Bounds, Flow};
use crate::incoming::{Held, Receiving};
use crate::message::{Lent, Sendable, watched};
use crate::watch::Watch;
use crate::{BoxFuture, EndedByServer, Error, Incoming, Outgoing, Reply, Result};
use bytes::{Bytes, BytesMut};
use ringwire_call::{ChainEnd, Watchers};
use ringwire_message::{Encode, Message, Writable};
use ringwire_rpc::{Compress, Metadata, Received, ResponseMetadata};
use ringwire_transport::RequestBody;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A call with many requests and one response. Dropping it cancels the call.
pub struct ClientStream<Q, A> {
    incoming: Incoming<A>,
    outgoing: Outgoing<Q>,
}

impl<Q: Message, A: Message> ClientStream<Q, A> {
    pub(crate) fn new(receiving: Receiving, outgoing: Outgoing<Q>) -> Self {
        Self { incoming: Incoming::new(receiving), outgoing }
    }

    /// Sends one message: a `Q`, a view of one, or bytes encoded before. Waits first while the server is slow.
    ///
    /// # Errors
    /// How the call failed, if it has. If the server has ended it for another reason, the source is [`EndedByServer`],
    /// and [`finish`](Self::finish) has the reply. Or the message is larger than the limit, or has no form in the
    /// codec of the call: nothing of it is sent then, and the call can go on.
    pub async fn send<K>(&mut self, message: &impl Encode<Q, K>) -> Result<()> {
        send(&mut self.incoming, &mut self.outgoing, message).await
    }

    /// Says that there are no more messages, and waits for the reply.
    ///
    /// # Errors
    /// How the call failed.
    pub async fn finish(mut self) -> Result<Reply<A>> {
        self.outgoing.close_send().await?;
        let receiving = self.incoming.receiving();
        let message = poll_fn(|cx| receiving.poll_message(cx)).await?;
        let bytes = message.ok_or_else(no_reply)?;
        // Interceptors may have something to say about a call that has succeeded.
        poll_fn(|cx| receiving.poll_message(cx)).await?;
        let (codec, limits) = (receiving.coding.codec, receiving.coding.decode_limits);
        let metadata = ResponseMetadata::new(receiving.headers().clone(), receiving.trailers().clone());
        let reply = Reply { message: bytes, metadata, peer: receiving.peer().cloned() };
        reply.decode(|bytes| A::owned(codec, bytes, &limits).map_err(decode_failed))
    }

    /// Chooses whether the messages sent from now on are compressed, where the channel says with what.
    pub fn set_compress(&mut self, wish: Compress) {
        self.outgoing.set_compress(wish);
    }
}

/// A call with streams both ways. Dropping it cancels the call.
pub struct Bidi<Q, A> {
    incoming: Incoming<A>,
    outgoing: Outgoing<Q>,
}

impl<Q: Message, A: Message> Bidi<Q, A> {
    pub(crate) fn new(receiving: Receiving, outgoing: Outgoing<Q>) -> Self {
        Self { incoming: Incoming::new(receiving), outgoing }
    }

    /// Sends one message: a `Q`, a view of one, or bytes encoded before. Waits first while the server is slow, and a
    /// server whose answers nobody receives becomes slow.
    ///
    /// # Errors
    /// How the call failed, if it has. If the server has ended it for another reason, the source is [`EndedByServer`].
    /// Or the message is larger than the limit, or has no form in the codec of the call: nothing of it is sent then,
    /// and the call can go on.
    pub async fn send<K>(&mut self, message: &impl Encode<Q, K>) -> Result<()> {
        send(&mut self.incoming, &mut self.outgoing, message).await
    }

    /// Says that there are no more messages.
    ///
    /// # Errors
    /// None today; a result, so that `?` reads as it does after a send.
    pub async fn close_send(&mut self) -> Result<()> {
        self.outgoing.close_send().await?;
        poll_fn(|cx| {
            self.incoming.receiving().poll_beside_send(cx);
            Poll::Ready(())
        })
        .await;
        Ok(())
    }

    /// See [`Incoming::next`].
    ///
    /// # Errors
    /// How the call failed, or the message is not an `A`.
    pub async fn next(&mut self) -> Result<Option<A>> {
        self.incoming.next().await
    }

    /// See [`Incoming::next_view`].
    ///
    /// # Errors
    /// How the call failed, or the message is not an `A`.
    pub async fn next_view(&mut self) -> Result<Option<A::View<'_>>> {
        self.incoming.next_view().await
    }

    /// See [`Incoming::wait_for_headers`].
    ///
    /// # Errors
    /// How the call failed, if it did before there were any.
    pub async fn wait_for_headers(&mut self) -> Result<&Metadata> {
        self.incoming.wait_for_headers().await
    }

    /// The headers of the response; empty until they have come.
    pub fn headers(&self) -> &Metadata {
        self.incoming.headers()
    }

    /// The trailers of the response; empty until the last message has been received.
    pub fn trailers(&self) -> &Metadata {
        self.incoming.trailers()
    }

    /// Chooses whether the messages sent from now on are compressed, where the channel says with what.
    pub fn set_compress(&mut self, wish: Compress) {
        self.outgoing.set_compress(wish);
    }

    /// The two ends, for two tasks. The receiving one keeps the call going, so it must be polled; what cancels the call
    /// is the end of either: of the receiving one whenever it is dropped, of the sending one before
    /// [`close_send`](Outgoing::close_send).
    pub fn split(self) -> (Outgoing<Q>, Incoming<A>) {
        (self.outgoing, self.incoming)
    }
}

impl<Q, A> fmt::Debug for ClientStream<Q, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.incoming.fmt(f)
    }
}

impl<Q, A> fmt::Debug for Bidi<Q, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.incoming.fmt(f)
    }
}

/// Sends, and lets the transport work meanwhile: nobody else polls it.
async fn send<Q: Message, A: Message, K>(
    incoming: &mut Incoming<A>,
    outgoing: &mut Outgoing<Q>,
    message: &impl Encode<Q, K>,
) -> Result<()> {
    let message = Lent::<Q, _, K>::new(message);
    poll_fn(|cx| {
        let mut sent = outgoing.poll_send(&message, cx);
        incoming.receiving().poll_beside_send(cx);
        if sent.is_pending() {
            // The transport may just have made room, or have ended the call.
            sent = outgoing.poll_send(&message, cx);
        }
        let is_ended = |error: &Error| error.source().is_some_and(|source| source.is::<EndedByServer>());
        sent.map_err(|error| match incoming.receiving().poll_failure(cx) {
            Some(failure) if is_ended(&error) => failure,
            _ => error,
        })
    })
    .await
}

/// Makes a unary call that has begun.
pub(crate) async fn unary(
    mut call: Call,
    message: &dyn Sendable,
    full_name: &'static str,
) -> Result<Reply<Bytes>> {
    if call.channel.interceptors().is_empty() {
        return whole(&mut Attempts::new(call, message), full_name).await;
    }
    let channel = call.channel.clone();
    let mut end = UnaryEnd { message, full_name, reply: None };
    channel.interceptors().run(&mut call, &mut end).await?;
    let message = end.reply.ok_or_else(no_reply)?;
    let Response { metadata, peer } = call.response.map_or_else(Response::default, |response| *response);
    Ok(Reply { message, metadata, peer })
}

/// Begins a call with one request and many responses; done when the server has begun to answer.
pub(crate) async fn server_stream(
    mut call: Call,
    message: &dyn Sendable,
    full_name: &'static str,
) -> Result<Receiving> {
    call.begin()?;
    let watch = call.watch.clone();
    failed(watch, begin_server_stream(call, message, full_name).await)
}

async fn begin_server_stream(
    call: Call,
    message: &dyn Sendable,
    full_name: &'static str,
) -> Result<Receiving> {
    if call.channel.interceptors().is_empty() {
        let mut attempts = Attempts::new(call, message);
        let answered = attempts.run().await?;
        return Ok(received(answered, &mut attempts.call, full_name));
    }
    let mut chain = Chain::new(call);
    let call = match poll_fn(|cx| chain.poll_begun(cx)).await {
        Ok(call) => call,
        Err(ended) => return Receiving::answered(*ended, full_name),
    };
    let mut attempts = Attempts::new(call, message);
    let answered = beside(&mut chain, attempts.run()).await;
    match answered {
        Ok(Ok(answered)) => {
            let mut receiving = received(answered, &mut attempts.call, full_name);
            receiving.set_around(chain, attempts.call);
            Ok(receiving)
        }
        Ok(Err(error)) => Receiving::answered(*end_chain(chain, attempts.call, error).await, full_name),
        Err(ended) => Receiving::answered(*ended, full_name),
    }
}

/// Begins a call with many requests; done when the transport has begun to take them.
pub(crate) async fn open<Q: Message>(
    mut call: Call,
    full_name: &'static str,
) -> Result<(Receiving, Outgoing<Q>)> {
    call.begin()?;
    let watch = call.watch.clone();
    failed(watch, begin_open(call, full_name).await)
}

async fn begin_open<Q: Message>(mut call: Call, full_name: &'static str) -> Result<(Receiving, Outgoing<Q>)> {
    if call.channel.interceptors().is_empty() {
        let mut opening = Opening::new(&mut call)?;
        let first = poll_fn(|cx| opening.poll(cx)).await?;
        return Ok(opening.opened(&mut call, full_name, first));
    }
    let mut chain = Chain::new(call);
    let mut call = match poll_fn(|cx| chain.poll_begun(cx)).await {
        Ok(call) => call,
        Err(ended) => return answered(*ended, full_name),
    };
    let opened = beside(&mut chain, async {
        let mut opening = Opening::new(&mut call)?;
        let first = poll_fn(|cx| opening.poll(cx)).await?;
        Ok((opening, first))
    })
    .await;
    match opened {
        Ok(Ok((opening, first))) => {
            let (mut receiving, outgoing) = opening.opened(&mut call, full_name, first);
            receiving.set_around(chain, call);
            Ok((receiving, outgoing))
        }
        Ok(Err(error)) => answered(*end_chain(chain, call, error).await, full_name),
        Err(ended) => answered(*ended, full_name),
    }
}

/// Tells the observer of a call that has failed before it was a stream.
fn failed<T>(watch: Option<Arc<Watch>>, begun: Result<T>) -> Result<T> {
    if let (Some(watch), Err(error)) = (&watch, &begun) {
        watch.end(Some(error));
    }
    begun
}

/// Makes a call with one response, as often as its policies allow.
async fn whole(attempts: &mut Attempts<'_>, full_name: &'static str) -> Result<Reply<Bytes>> {
    let mut reply = attempts.run().await?.into_reply()?;
    let call = &mut attempts.call;
    reply.message = watched(full_name, reply.message, &call.coding(), &mut call.watchers)?;
    Ok(reply)
}

/// The end of the chain around a unary call.
struct UnaryEnd<'m> {
    message: &'m dyn Sendable,
    full_name: &'static str,
    reply: Option<Bytes>,
}

impl ChainEnd<Call> for UnaryEnd<'_> {
    fn run<'c>(&'c mut self, call: &'c mut Call) -> BoxFuture<'c, Result<()>> {
        Box::pin(async move {
            let placeholder = call.placeholder();
            let mut attempts = Attempts::new(std::mem::replace(call, placeholder), self.message);
            let outcome = whole(&mut attempts, self.full_name).await;
            *call = attempts.call;
            let Reply { message, metadata, peer } = outcome?;
            call.response = Some(Box::new(Response { metadata, peer }));
            self.reply = Some(message);
            Ok(())
        })
    }

    fn reply(&mut self, call: &mut Call, message: &dyn Writable) -> Result<()> {
        self.reply = Some(encoded(call, message)?);
        Ok(())
    }
}

/// A call with many requests, until the transport takes them.
struct Opening {
    flow: Flow,
    cell: Arc<Cell>,
    bounds: Bounds,
}

impl Opening {
    fn new(call: &mut Call) -> Result<Self> {
        let mut exchange = attempt::exchange(call);
        let mut request = attempt::head(call, &mut exchange, &mut BytesMut::new(), 0)?;
        let cell =
            Arc::new(Cell::new(exchange, call.coding(), call.watchers.take_requests(), call.watch.clone()));
        *request.body_mut() = RequestBody::stream(OutBody(cell.clone()));
        let bounds = Bounds::of(call);
        let mut flow = Flow::new(call);
        flow.begin(call.channel.transport().send(request));
        Ok(Self { flow, cell, bounds })
    }

    /// Waits until the transport takes the request, or the server has begun to answer without it.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Received>>> {
        match self.flow.poll_begun(&mut self.cell, cx) {
            Poll::Ready(begun) => Poll::Ready(begun),
            Poll::Pending => self.cell.poll_taken(cx).map(|()| Ok(None)),
        }
    }

    fn opened<Q: Message>(
        self,
        call: &mut Call,
        full_name: &'static str,
        first: Option<Received>,
    ) -> (Receiving, Outgoing<Q>) {
        let outgoing = Outgoing::new(self.cell.clone(), self.bounds);
        (Receiving::new(self.flow, Held::Shared(self.cell), call, full_name, first), outgoing)
    }
}

fn received(answered: Answered, call: &mut Call, full_name: &'static str) -> Receiving {
    let Answered { exchange, flow, first } = answered;
    Receiving::new(flow, Held::Own(Box::new(exchange)), call, full_name, first)
}

/// A call that interceptors have ended, with a sending end that nobody listens to.
fn answered<Q: Message>(ended: Ended, full_name: &'static str) -> Result<(Receiving, Outgoing<Q>)> {
    let cell = Cell::new(attempt::exchange(&ended.call), ended.call.coding(), Watchers::default(), None);
    let cell = Arc::new(cell);
    cell.gone();
    Ok((Receiving::answered(ended, full_name)?, Outgoing::new(cell, Bounds::default())))
}

/// Runs a future while the interceptors may end the call at any time.
async fn beside<T>(chain: &mut Chain, future: impl Future<Output = T>) -> Result<T, Box<Ended>> {
    let mut future = pin!(future);
    poll_fn(|cx| match chain.poll(cx) {
        Poll::Ready(ended) => Poll::Ready(Err(ended)),
        Poll::Pending => future.as_mut().poll(cx).map(Ok),
    })
    .await
}

/// Tells the interceptors that the call has failed, and asks how it ends.
async fn end_chain(mut chain: Chain, call: Call, error: Error) -> Box<Ended> {
    chain.end(call, Err(error));
    poll_fn(|cx| chain.poll(cx)).await
}
