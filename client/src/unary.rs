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
    state: State<'r, T, F::Form>,
    of: Types<Q, A, K>,
}

type Types<Q, A, K> = PhantomData<fn() -> (Q, A, K)>;

enum State<'r, T, M> {
    Unbegun(Call, &'r T),
    /// The first attempt is under way.
    First(Call, &'r T, Attempt),
    /// Interceptors are around the call, or it has more attempts than one.
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
        Self { state: State::Unbegun(call, request), of: PhantomData }
    }

    fn take(&mut self) -> State<'r, T, F::Form> {
        std::mem::replace(&mut self.state, State::Ended)
    }

    fn begin(&mut self, mut call: Call, request: &'r T) -> Result<()> {
        call.begin()?;
        let lent = Lent::<Q, T, K>::new(request);
        self.state = if call.channel.interceptors().is_empty() && hedge::applies(&call).is_none() {
            let attempt = Attempt::start(&call, &lent, None, 0)?;
            State::First(call, request, attempt)
        } else {
            State::Boxed(Box::pin(async move {
                let coding = call.coding();
                let reply = stream::unary(call, &lent, A::FULL_NAME).await?;
                reply.decode(|bytes| F::decode(&coding, bytes))
            }))
        };
        Ok(())
    }

    /// Goes on after the first attempt has failed, if the call may have another.
    fn go_on(&mut self, call: Call, request: &'r T, error: Error) {
        let lent = Lent::<Q, T, K>::new(request);
        self.state = State::Boxed(Box::pin(async move {
            let coding = call.coding();
            let reply = Attempts::new(call, &lent).again(error).await?.into_reply()?;
            reply.decode(|bytes| F::decode(&coding, bytes))
        }));
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
                State::Unbegun(..) => {
                    if let State::Unbegun(call, request) = self.take() {
                        self.begin(call, request)?;
                    }
                }
                State::First(_, _, attempt) => {
                    let first = ready!(attempt.poll(cx));
                    let State::First(call, request, attempt) = self.take() else { continue };
                    match first {
                        Ok(first) => {
                            retry::succeeded(&call);
                            let coding = call.coding();
                            let reply = attempt.answered(first).into_reply()?;
                            return Poll::Ready(reply.decode(|bytes| F::decode(&coding, bytes)));
                        }
                        Err(error) => {
                            drop(attempt);
                            self.go_on(call, request, error);
                        }
                    }
                }
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
        f.debug_struct("UnaryFuture").finish_non_exhaustive()
    }
}
