//! Code around calls: one trait and one chain, for the calls of a server and for those of a client.
//!
//! `C` is what an interceptor sees of a call: that of a server, or that of a client.

use crate::{BoxFuture, Result};
use ringwire_message::{Encode, Message, Writable};
use std::fmt;
use std::future::Future;
use std::sync::Arc;

/// Code around calls, whatever the shape of their method.
///
/// An async closure that captures nothing is an interceptor, and so is any `async fn` of its form. State goes beside the
/// closure ([`with`]), or into a type that implements this trait. Interceptors can be shared: an `Arc` of one is one.
pub trait Interceptor<C>: Send + Sync + 'static {
    /// Goes around one call. The result is how the call ends: `Ok` says that the response is complete, by whatever comes
    /// after this interceptor or by [`Next::reply`].
    fn intercept(&self, call: &mut C, next: Next<'_, C>) -> impl Future<Output = Result<()>> + Send;
}

/// The rest of a chain: the interceptors inside of this one, and then the call itself.
pub struct Next<'a, C> {
    list: &'a [Arc<dyn DynInterceptor<C>>],
    end: &'a mut (dyn ChainEnd<C> + 'a),
}

impl<C: Send> Next<'_, C> {
    /// Lets the call go on. The result is how it ends, unless the interceptor says otherwise.
    pub async fn run(self, call: &mut C) -> Result<()> {
        match self.list.split_first() {
            Some((first, list)) => first.intercept_boxed(call, Next { list, end: self.end }).await,
            None => self.end.run(call).await,
        }
    }

    /// Answers in place of whatever comes after this interceptor, with one message, which must be of the method's response
    /// type.
    ///
    /// # Errors
    /// The message is larger than the limit, or has no form in the codec of the call.
    pub fn reply<M: Message, K>(self, call: &mut C, message: &impl Encode<M, K>) -> Result<()> {
        message.with(|message| self.end.reply(call, message))
    }
}

impl<C> fmt::Debug for Next<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Next").field("interceptors", &self.list.len()).finish_non_exhaustive()
    }
}

/// The end of a chain: the call itself, without its interceptors.
pub trait ChainEnd<C>: Send {
    /// Makes or handles the call. A chain gets here at most once.
    fn run<'c>(&'c mut self, call: &'c mut C) -> BoxFuture<'c, Result<()>>;

    /// Takes the answer of an interceptor instead.
    ///
    /// # Errors
    /// The message is larger than the limit, or has no form in the codec of the call.
    fn reply(&mut self, call: &mut C, message: &dyn Writable) -> Result<()>;
}

/// A list of interceptors. The first one goes around the rest. A call passes it with one boxed future for each, and one for
/// the end.
pub struct Interceptors<C> {
    list: Vec<Arc<dyn DynInterceptor<C>>>,
}

impl<C: Send + 'static> Interceptors<C> {
    /// No interceptors.
    pub const fn new() -> Self {
        Self { list: Vec::new() }
    }

    /// Adds one inside of those already there.
    pub fn push(&mut self, interceptor: impl Interceptor<C>) {
        self.list.push(Arc::new(interceptor));
    }

    /// Adds those of another list inside of those already there.
    pub fn extend(&mut self, other: &Self) {
        self.list.extend_from_slice(&other.list);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Takes a call through all of them to its end.
    pub fn run<'a>(
        &'a self,
        call: &'a mut C,
        end: &'a mut (dyn ChainEnd<C> + 'a),
    ) -> impl Future<Output = Result<()>> + Send + 'a {
        Next { list: &self.list, end }.run(call)
    }
}

/// A list takes the place of its interceptors.
impl<C: Send + 'static> Interceptor<C> for Interceptors<C> {
    async fn intercept(&self, call: &mut C, next: Next<'_, C>) -> Result<()> {
        self.run(call, &mut Outside(Some(next))).await
    }
}

/// The rest of the chain that a list stands in, as the end of the list.
struct Outside<'a, C>(Option<Next<'a, C>>);

impl<C: Send> ChainEnd<C> for Outside<'_, C> {
    fn run<'c>(&'c mut self, call: &'c mut C) -> BoxFuture<'c, Result<()>> {
        Box::pin(self.0.take().expect("a chain gets to its end once").run(call))
    }

    fn reply(&mut self, call: &mut C, message: &dyn Writable) -> Result<()> {
        self.0.take().expect("a chain gets to its end once").end.reply(call, message)
    }
}

impl<C> Clone for Interceptors<C> {
    fn clone(&self) -> Self {
        Self { list: self.list.clone() }
    }
}

impl<C> Default for Interceptors<C> {
    fn default() -> Self {
        Self { list: Vec::new() }
    }
}

impl<C> fmt::Debug for Interceptors<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interceptors").field("len", &self.list.len()).finish()
    }
}

/// `Interceptor` as an object.
trait DynInterceptor<C>: Send + Sync {
    fn intercept_boxed<'a>(&'a self, call: &'a mut C, next: Next<'a, C>) -> BoxFuture<'a, Result<()>>;
}

impl<C, I: Interceptor<C>> DynInterceptor<C> for I {
    fn intercept_boxed<'a>(&'a self, call: &'a mut C, next: Next<'a, C>) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.intercept(call, next))
    }
}

impl<C: 'static, I: Interceptor<C>> Interceptor<C> for Arc<I> {
    fn intercept(&self, call: &mut C, next: Next<'_, C>) -> impl Future<Output = Result<()>> + Send {
        I::intercept(self, call, next)
    }
}

impl<C: Send + 'static, F> Interceptor<C> for F
where
    F: for<'a> InterceptFn<'a, C> + Send + Sync + 'static,
{
    fn intercept(&self, call: &mut C, next: Next<'_, C>) -> impl Future<Output = Result<()>> + Send {
        lend(self, call, next)
    }
}

/// A function of the form of an interceptor. It is implemented by such functions, and by nothing else.
pub trait InterceptFn<'a, C: 'a>: Fn(&'a mut C, Next<'a, C>) -> Self::Future {
    /// The future that it returns.
    type Future: Future<Output = Result<()>> + Send + 'a;
}

impl<'a, C: 'a, F, R> InterceptFn<'a, C> for F
where
    F: Fn(&'a mut C, Next<'a, C>) -> R,
    R: Future<Output = Result<()>> + Send + 'a,
{
    type Future = R;
}

/// Calls a function with borrows as short as each other.
async fn lend<C: Send, F>(function: &F, call: &mut C, next: Next<'_, C>) -> Result<()>
where
    F: for<'a> InterceptFn<'a, C> + Send + Sync,
{
    let Next { list, end } = next;
    function(call, Next { list, end }).await
}

/// An interceptor of some state and an async closure that borrows it.
///
/// An async closure cannot lend what it captures, so its state stands beside it.
pub fn with<S, F>(state: S, function: F) -> With<S, F> {
    With { state, function }
}

/// An interceptor with state, made by [`with`].
pub struct With<S, F> {
    state: S,
    function: F,
}

impl<C: Send + 'static, S, F> Interceptor<C> for With<S, F>
where
    S: Send + Sync + 'static,
    F: for<'a> InterceptWithFn<'a, S, C> + Send + Sync + 'static,
{
    async fn intercept(&self, call: &mut C, next: Next<'_, C>) -> Result<()> {
        let Next { list, end } = next;
        (self.function)(&self.state, call, Next { list, end }).await
    }
}

impl<S, F> fmt::Debug for With<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("With")
    }
}

/// A function of the form of an interceptor that borrows some state. It is implemented by such functions, and by nothing else.
pub trait InterceptWithFn<'a, S: 'a, C: 'a>: Fn(&'a S, &'a mut C, Next<'a, C>) -> Self::Future {
    /// The future that it returns.
    type Future: Future<Output = Result<()>> + Send + 'a;
}

impl<'a, S: 'a, C: 'a, F, R> InterceptWithFn<'a, S, C> for F
where
    F: Fn(&'a S, &'a mut C, Next<'a, C>) -> R,
    R: Future<Output = Result<()>> + Send + 'a,
{
    type Future = R;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    /// Writes its name down on the way in and on the way out.
    struct Named(&'static str);

    impl Interceptor<Vec<String>> for Named {
        async fn intercept(&self, call: &mut Vec<String>, next: Next<'_, Vec<String>>) -> Result<()> {
            call.push(format!("{} in", self.0));
            let outcome = next.run(call).await;
            call.push(format!("{} out", self.0));
            outcome
        }
    }

    struct End;

    impl ChainEnd<Vec<String>> for End {
        fn run<'c>(&'c mut self, call: &'c mut Vec<String>) -> BoxFuture<'c, Result<()>> {
            Box::pin(async {
                call.push("end".to_owned());
                Ok(())
            })
        }

        fn reply(&mut self, _: &mut Vec<String>, _: &dyn Writable) -> Result<()> {
            unreachable!("no interceptor replies")
        }
    }

    #[test]
    fn each_goes_around_those_after_it_in_every_form() {
        let mut inner = Interceptors::new();
        inner.push(Arc::new(Named("shared")));
        inner.push(with(
            "state",
            async |state: &&'static str, call: &mut Vec<String>, next: Next<'_, Vec<String>>| {
                call.push(format!("{state} in"));
                next.run(call).await
            },
        ));
        let mut list = Interceptors::new();
        list.push(Named("first"));
        list.push(inner.clone());
        list.push(async |call: &mut Vec<String>, next: Next<'_, Vec<String>>| {
            call.push("closure in".to_owned());
            next.run(call).await
        });
        list.extend(&inner);
        let mut call = Vec::new();
        let mut end = End;
        {
            let mut running = pin!(list.run(&mut call, &mut end));
            assert!(matches!(
                running.as_mut().poll(&mut Context::from_waker(Waker::noop())),
                Poll::Ready(Ok(()))
            ));
        }
        let want = "first in, shared in, state in, closure in, shared in, state in, end, shared out, shared out, first out";
        assert_eq!(call.join(", "), want);
    }
}
