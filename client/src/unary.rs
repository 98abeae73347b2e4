//! A unary call under way.

use crate::attempt::Attempt;
use crate::attempts::Attempts;
use crate::call::Call;
use crate::message::Lent;
use crate::{BoxFuture, Error, Reply, ReplyForm, Result, hedge, retry, stream};
use ringwire_message::{Encode, Message};
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// The future of a unary call. Dropping it cancels the call.
///
/// The first attempt of a call without interceptors runs in place; what else a call may need is boxed when it is needed.
#[must_use = "a call does nothing unless it is awaited"]
pub struct UnaryFuture<'r, Q, A, T, K, F: ReplyForm<A>> {
    call: Call,
    request: &'r T,
    state: State<'r, F::Form>,
    of: Types<Q, A, K>,
}

type Types<Q, A, K> = PhantomData<fn() -> (Q, A, K)>;

#[allow(clippy::large_enum_variant, reason = "a call takes one allocation less")]
enum State<'r, M> {
    Unbegun,
    /// The first attempt is under way.
    First(Attempt),
    /// Interceptors are around the call, or it has more attempts than one. They have the call.
    Boxed(BoxFuture<'r, Result<Reply<M>>>),
    Ended,
}

impl<'r, Q, A, T, K, F> UnaryFuture<'r, Q, A, T, K, F>
where
    Q: Message,
    A: Message,
    T: Encode<Q, K>,
    K: 'r,
    F: ReplyForm<A> + 'r,
{
    pub(crate) fn new(call: Call, request: &'r T) -> Self {
        Self { call, request, state: State::Unbegun, of: PhantomData }
    }

    fn begin(&mut self) -> Result<()> {
        self.call.begin()?;
        let lent = Lent::<Q, T, K>::new(self.request);
        if self.call.is_watched() || hedge::applies(&self.call).is_some() {
            let call = self.take_call();
            self.state = State::Boxed(Box::pin(async move {
                let (coding, watch) = (call.coding(), call.watch.clone());
                let reply = stream::unary(call, &lent, A::FULL_NAME).await;
                let reply = reply.and_then(|reply| reply.decode(|bytes| F::decode(&coding, bytes)));
                if let Some(watch) = watch {
                    watch.end(reply.as_ref().err());
                }
                reply
            }));
            return Ok(());
        }
        self.state = State::First(Attempt::new(&self.call));
        match &mut self.state {
            State::First(attempt) => attempt.start(&self.call, &lent, None, 0),
            State::Unbegun | State::Boxed(_) | State::Ended => Ok(()),
        }
    }

    /// Goes on after the first attempt has failed, if the call may have another.
    fn go_on(&mut self, error: Error) {
        // What is left of the first attempt is cancelled before the next begins.
        self.state = State::Ended;
        let (call, lent) = (self.take_call(), Lent::<Q, T, K>::new(self.request));
        self.state = State::Boxed(Box::pin(async move {
            let coding = call.coding();
            let reply = Attempts::new(call, &lent).again(error).await?.into_reply()?;
            reply.decode(|bytes| F::decode(&coding, bytes))
        }));
    }

    fn take_call(&mut self) -> Call {
        let placeholder = self.call.placeholder();
        std::mem::replace(&mut self.call, placeholder)
    }
}

impl<'r, Q, A, T, K, F> Future for UnaryFuture<'r, Q, A, T, K, F>
where
    Q: Message,
    A: Message,
    T: Encode<Q, K>,
    K: 'r,
    F: ReplyForm<A> + 'r,
{
    type Output = Result<Reply<F::Form>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            match &mut self.state {
                State::Unbegun => {
                    if let Err(error) = self.begin() {
                        self.state = State::Ended;
                        return Poll::Ready(Err(error));
                    }
                }
                State::First(attempt) => match ready!(attempt.poll(cx)) {
                    Ok(first) => {
                        let reply = attempt.take_reply(first);
                        self.state = State::Ended;
                        retry::succeeded(&self.call);
                        let coding = self.call.coding();
                        return Poll::Ready(reply?.decode(|bytes| F::decode(&coding, bytes)));
                    }
                    Err(error) => self.go_on(error),
                },
                State::Boxed(future) => {
                    let reply = ready!(future.as_mut().poll(cx));
                    self.state = State::Ended;
                    return Poll::Ready(reply);
                }
                State::Ended => panic!("a call is awaited once"),
            }
        }
    }
}

impl<Q, A, T, K, F: ReplyForm<A>> fmt::Debug for UnaryFuture<'_, Q, A, T, K, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnaryFuture").field("call", &self.call).finish_non_exhaustive()
    }
}
