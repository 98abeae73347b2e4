//! Code around every call: one form for unary calls and streams, the same as a server's.

use crate::{BoxFuture, Call, Error, Result};
use bytes::{Bytes, BytesMut};
use ringwire_message::{Encode, Message};
use std::fmt;
use std::future::Future;
use std::sync::Arc;

/// Code around the calls of a channel.
///
/// It runs once per call, around all of its attempts. What it does before [`Next::run`] happens before anything is
/// sent; that resolves when the call has ended, of a stream too, so that what it does after sees how. An async closure
/// that captures nothing is one, and so is any `async fn` of the same form:
/// ```
/// # use ringwire_client::{Call, Channel, Next, Result};
/// # fn channel(channel: Channel) -> Channel {
/// channel.intercept(async |call: &mut Call, next: Next<'_>| {
///     call.headers_mut().insert("x-team", "rings")?;
///     let outcome = next.run(call).await;
///     println!("{}: {outcome:?}", call.spec().procedure());
///     outcome
/// })
/// # }
/// ```
/// State goes beside the closure ([`with`]), or into a type of its own.
///
/// The code around a stream runs where messages are received. It must not wait for what only the user of the stream
/// does.
pub trait Interceptor: Send + Sync + 'static {
    /// Goes around one call. What it returns is how the call ends: `Ok` says that there is a response, by the server's
    /// doing or by [`Next::reply`].
    fn intercept(&self, call: &mut Call, next: Next<'_>) -> impl Future<Output = Result<()>> + Send;
}

impl<F> Interceptor for F
where
    F: for<'a> InterceptFn<'a> + Send + Sync + 'static,
{
    fn intercept(&self, call: &mut Call, next: Next<'_>) -> impl Future<Output = Result<()>> + Send {
        lend(self, call, next)
    }
}

/// A function of the form of an interceptor. It is implemented by such functions, and by nothing else.
pub trait InterceptFn<'a>: Fn(&'a mut Call, Next<'a>) -> Self::Future {
    /// What it returns.
    type Future: Future<Output = Result<()>> + Send + 'a;
}

impl<'a, F, R> InterceptFn<'a> for F
where
    F: Fn(&'a mut Call, Next<'a>) -> R,
    R: Future<Output = Result<()>> + Send + 'a,
{
    type Future = R;
}

/// Calls a function with borrows as short as each other.
async fn lend<F>(function: &F, call: &mut Call, next: Next<'_>) -> Result<()>
where
    F: for<'a> InterceptFn<'a> + Send + Sync,
{
    let Next(way) = next;
    function(call, Next(way)).await
}

/// An interceptor of some state and an async closure that is lent it.
/// ```
/// # use ringwire_client::{Call, Channel, Next, Result, with};
/// # use std::sync::Mutex;
/// # fn channel(channel: Channel) -> Channel {
/// let log = Mutex::new(Vec::new());
/// channel.intercept(with(log, async |log: &Mutex<Vec<_>>, call: &mut Call, next: Next<'_>| {
///     log.lock().expect("not poisoned").push(call.spec().procedure());
///     next.run(call).await
/// }))
/// # }
/// ```
pub fn with<S, F>(state: S, function: F) -> With<S, F>
where
    S: Send + Sync + 'static,
    F: for<'a> InterceptWithFn<'a, S> + Send + Sync + 'static,
{
    With { state, function }
}

/// See [`with`].
pub struct With<S, F> {
    state: S,
    function: F,
}

impl<S, F> Interceptor for With<S, F>
where
    S: Send + Sync + 'static,
    F: for<'a> InterceptWithFn<'a, S> + Send + Sync + 'static,
{
    async fn intercept(&self, call: &mut Call, next: Next<'_>) -> Result<()> {
        let Next(way) = next;
        (self.function)(&self.state, call, Next(way)).await
    }
}

impl<S, F> fmt::Debug for With<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("With")
    }
}

/// A function of the form of an interceptor, lent some state. It is implemented by such functions, and by nothing else.
pub trait InterceptWithFn<'a, S: 'a>: Fn(&'a S, &'a mut Call, Next<'a>) -> Self::Future {
    /// What it returns.
    type Future: Future<Output = Result<()>> + Send + 'a;
}

impl<'a, S: 'a, F, R> InterceptWithFn<'a, S> for F
where
    F: Fn(&'a S, &'a mut Call, Next<'a>) -> R,
    R: Future<Output = Result<()>> + Send + 'a,
{
    type Future = R;
}

/// The rest of the way to the server.
pub struct Next<'a>(&'a mut (dyn Way + 'a));

impl Next<'_> {
    /// Lets the call go on. It resolves when the call has ended; what it gives is how, unless the interceptor says
    /// otherwise.
    pub async fn run(self, call: &mut Call) -> Result<()> {
        self.0.go(call).await
    }

    /// Answers in place of the server, with one message, which must be of the method's response type.
    ///
    /// # Errors
    /// The message has no form in the codec of the call.
    pub fn reply<M: Message, K>(self, call: &mut Call, message: &impl Encode<M, K>) -> Result<()> {
        let mut out = BytesMut::new();
        let coding = call.channel.coding();
        message.encode(coding.codec, usize::MAX, &mut out).map_err(crate::error::encode_failed)?;
        self.0.reply(out.freeze());
        Ok(())
    }
}

impl fmt::Debug for Next<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Next")
    }
}

/// What comes after an interceptor: another one, or the call itself.
pub(crate) trait Way: Send {
    /// Makes the call. It is gone once.
    fn go<'c>(&'c mut self, call: &'c mut Call) -> BoxFuture<'c, Result<()>>;

    /// Takes an answer in place of the server's.
    fn reply(&mut self, message: Bytes);
}

/// The interceptors of a channel. The first goes around the rest.
#[derive(Clone, Default)]
pub(crate) struct Interceptors(Vec<Arc<dyn DynInterceptor>>);

impl Interceptors {
    pub(crate) fn push(&mut self, interceptor: impl Interceptor) {
        self.0.push(Arc::new(interceptor));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Makes a call with all of them around it.
    pub(crate) async fn run(&self, call: &mut Call, way: &mut dyn Way) -> Result<()> {
        Links { list: &self.0, way }.go(call).await
    }
}

struct Links<'a> {
    list: &'a [Arc<dyn DynInterceptor>],
    way: &'a mut (dyn Way + 'a),
}

impl Way for Links<'_> {
    fn go<'c>(&'c mut self, call: &'c mut Call) -> BoxFuture<'c, Result<()>> {
        match self.list.split_first() {
            None => self.way.go(call),
            Some((first, list)) => Box::pin(async move {
                let mut rest = Links { list, way: &mut *self.way };
                first.intercept_boxed(call, Next(&mut rest)).await
            }),
        }
    }

    fn reply(&mut self, message: Bytes) {
        self.way.reply(message);
    }
}

/// `Interceptor` as an object.
trait DynInterceptor: Send + Sync {
    fn intercept_boxed<'a>(&'a self, call: &'a mut Call, next: Next<'a>) -> BoxFuture<'a, Result<()>>;
}

impl<I: Interceptor> DynInterceptor for I {
    fn intercept_boxed<'a>(&'a self, call: &'a mut Call, next: Next<'a>) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.intercept(call, next))
    }
}

/// An interceptor said that a call succeeded which has no response.
#[cold]
pub(crate) fn no_reply() -> Error {
    Error::internal("an interceptor ended the call without a response")
}
