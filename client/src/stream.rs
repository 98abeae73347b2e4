//! How calls of each shape begin, and those whose two ends are one.

use crate::attempt::{Answered, Plan, head};
use crate::call::Call;
use crate::cell::{Cell, OutBody};
use crate::chain::{Chain, Ended};
use crate::error::decode_failed;
use crate::flow::{Bounds, Flow};
use crate::incoming::{Held, Receiving};
use crate::interceptor::{Way, no_reply};
use crate::message::{Lent, Sendable, watched};
use crate::{BoxFuture, EndedByServer, Error, Incoming, Outgoing, Reply, Result};
use bytes::{Bytes, BytesMut};
use ringwire_message::{Encode, Message};
use ringwire_rpc::{ClientExchange, Compress, Input, Metadata};
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
        let reply = Reply {
            message: bytes,
            headers: receiving.headers().clone(),
            trailers: receiving.trailers().clone(),
            peer: receiving.peer().cloned(),
        };
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

/// Makes a unary call.
pub(crate) async fn unary(
    mut call: Call,
    message: &dyn Sendable,
    full_name: &'static str,
) -> Result<Reply<Bytes>> {
    call.begin()?;
    if call.channel.interceptors().is_empty() {
        return whole(&mut Plan::new(call, message), full_name).await;
    }
    let channel = call.channel.clone();
    let mut way = UnaryWay { message, full_name, reply: None };
    channel.interceptors().run(&mut call, &mut way).await?;
    Ok(Reply {
        message: way.reply.ok_or_else(no_reply)?,
        headers: call.response_headers,
        trailers: call.response_trailers,
        peer: call.peer,
    })
}

/// Begins a call with one request and many responses; done when the server has begun to answer.
pub(crate) async fn server_stream(
    mut call: Call,
    message: &dyn Sendable,
    full_name: &'static str,
) -> Result<Receiving> {
    call.begin()?;
    if call.channel.interceptors().is_empty() {
        let mut plan = Plan::new(call, message);
        let answered = plan.run().await?;
        return Ok(received(answered, &mut plan.call, full_name));
    }
    let mut chain = Chain::new(call);
    let call = match poll_fn(|cx| chain.poll_begun(cx)).await {
        Ok(call) => call,
        Err(ended) => return Receiving::answered(*ended, full_name),
    };
    let mut plan = Plan::new(call, message);
    let answered = beside(&mut chain, plan.run()).await;
    match answered {
        Ok(Ok(answered)) => {
            let mut receiving = received(answered, &mut plan.call, full_name);
            receiving.set_around(chain, plan.call);
            Ok(receiving)
        }
        Ok(Err(error)) => Receiving::answered(*last_word(chain, plan.call, error).await, full_name),
        Err(ended) => Receiving::answered(*ended, full_name),
    }
}

/// Begins a call with many requests; done when the transport has begun to take them.
pub(crate) async fn open<Q: Message>(
    mut call: Call,
    full_name: &'static str,
) -> Result<(Receiving, Outgoing<Q>)> {
    call.begin()?;
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
        Ok(Err(error)) => answered(*last_word(chain, call, error).await, full_name),
        Err(ended) => answered(*ended, full_name),
    }
}

/// Makes a call with one response, as often as its policies allow.
async fn whole(plan: &mut Plan<'_>, full_name: &'static str) -> Result<Reply<Bytes>> {
    let Answered { exchange, flow, first } = plan.run().await?;
    let Some(Input::Message(bytes)) = first else {
        return Err(Error::internal("the response has no message"));
    };
    let call = &mut plan.call;
    let bytes = watched(full_name, bytes, &call.channel.coding(), &mut call.receive_hooks)?;
    let (headers, trailers) = exchange.into_metadata();
    Ok(Reply { message: bytes, headers, trailers, peer: flow.peer().cloned() })
}

/// The end of the chain around a unary call.
struct UnaryWay<'m> {
    message: &'m dyn Sendable,
    full_name: &'static str,
    reply: Option<Bytes>,
}

impl Way for UnaryWay<'_> {
    fn go<'c>(&'c mut self, call: &'c mut Call) -> BoxFuture<'c, Result<()>> {
        Box::pin(async move {
            let stand_in = call.stand_in();
            let mut plan = Plan::new(std::mem::replace(call, stand_in), self.message);
            let outcome = whole(&mut plan, self.full_name).await;
            *call = plan.call;
            let Reply { message, headers, trailers, peer } = outcome?;
            call.response_headers = headers;
            call.response_trailers = trailers;
            call.peer = peer;
            self.reply = Some(message);
            Ok(())
        })
    }

    fn reply(&mut self, message: Bytes) {
        self.reply = Some(message);
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
        let mut exchange = ClientExchange::new(call.spec, call.channel.config());
        if let Some(wish) = call.compress {
            exchange.set_compress(wish);
        }
        let mut request = head(call, &mut exchange, &mut BytesMut::new(), 0)?;
        let hooks = std::mem::take(&mut call.send_hooks);
        let cell = Arc::new(Cell::new(exchange, call.channel.coding(), hooks));
        *request.body_mut() = RequestBody::stream(OutBody(cell.clone()));
        let bounds = Bounds::new(call.deadline, call.cancelled.clone());
        let flow = Flow::new(call.channel.transport().send(request), bounds.clone());
        Ok(Self { flow, cell, bounds })
    }

    /// Waits until the transport takes the request, or the server has begun to answer without it.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Input>>> {
        match self.flow.poll_begun(&mut self.cell, cx) {
            Poll::Ready(begun) => Poll::Ready(begun),
            Poll::Pending => self.cell.poll_taken(cx).map(|()| Ok(None)),
        }
    }

    fn opened<Q: Message>(
        self,
        call: &mut Call,
        full_name: &'static str,
        first: Option<Input>,
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
    let exchange = ClientExchange::new(ended.call.spec, ended.call.channel.config());
    let cell = Arc::new(Cell::new(exchange, ended.call.channel.coding(), Vec::new()));
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
async fn last_word(mut chain: Chain, call: Call, error: Error) -> Box<Ended> {
    chain.end(call, Err(error));
    poll_fn(|cx| chain.poll(cx)).await
}
