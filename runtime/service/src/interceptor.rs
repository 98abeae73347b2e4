//! Code around every call: one form for unary calls and streams.
//!
//! A chain is put together in one of two ways. [`Stack`] nests interceptors by type: the compiler sees
//! through it, and nothing is boxed. [`Interceptors`] is a list made at run time: each link boxes the rest of
//! the chain once per call. Without interceptors neither exists, and a call pays nothing.

mod chain;
mod rest;

use crate::{Call, Result};
use std::fmt;
use std::future::Future;

pub use chain::{Interceptors, Stack};
pub use rest::{Dynamic, Next, Rest};

/// Code around the calls of a service, or of a whole router.
///
/// It runs when the head of a request has arrived, before the first message, whatever the shape of the
/// method: who is refused here uploads nothing. A request that is refused before any method is called, for
/// its path, its media type or its HTTP method, passes none.
///
/// An async closure that captures nothing is one, and so is any `async fn` of the same form:
/// ```
/// # use ringwire_service::{Call, Next, Result, Router};
/// let router = Router::new().intercept(async |call: &mut Call, next: Next<'_>| {
///     let outcome = next.run(call).await;
///     println!("{}: {outcome:?}", call.spec().procedure);
///     outcome
/// });
/// ```
/// An async closure cannot lend what it captures, so state goes beside it ([`with`]), or into a type of its
/// own:
/// ```
/// # use ringwire_service::{Call, Interceptor, Next, Rest, Result};
/// # use ringwire_rpc::Error;
/// struct Tokens(Vec<String>);
///
/// impl Interceptor for Tokens {
///     async fn intercept(&self, call: &mut Call, next: Next<'_, impl Rest>) -> Result<()> {
///         let token = call.headers().get_str("authorization").unwrap_or_default();
///         if !self.0.iter().any(|known| known == token) {
///             return Err(Error::unauthenticated("who are you?"));
///         }
///         next.run(call).await
///     }
/// }
/// ```
pub trait Interceptor: Send + Sync + 'static {
    /// Goes around one call. What it returns is how the call ends: `Ok` says that the response is complete,
    /// by the handler's doing or by [`Next::reply`].
    fn intercept(
        &self,
        call: &mut Call,
        next: Next<'_, impl Rest>,
    ) -> impl Future<Output = Result<()>> + Send;
}

/// Nothing in between.
impl Interceptor for () {
    fn intercept(
        &self,
        call: &mut Call,
        next: Next<'_, impl Rest>,
    ) -> impl Future<Output = Result<()>> + Send {
        next.run(call)
    }
}

impl<F> Interceptor for F
where
    F: for<'a> InterceptFn<'a> + Send + Sync + 'static,
{
    async fn intercept(&self, call: &mut Call, next: Next<'_, impl Rest>) -> Result<()> {
        let mut rest = next.into_slot();
        self(call, Next::dynamic(&mut rest)).await
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

/// An interceptor of some state and an async closure that is lent it.
/// ```
/// # use ringwire_service::{Call, Next, Router, with};
/// # use std::sync::Mutex;
/// let log = Mutex::new(Vec::new()); let router = Router::new().intercept(with(log, async |log:
/// &Mutex<Vec<_>>, call: &mut Call, next: Next<'_>| {
///     log.lock().expect("not poisoned").push(call.spec().procedure);
///     next.run(call).await
/// }));
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
    async fn intercept(&self, call: &mut Call, next: Next<'_, impl Rest>) -> Result<()> {
        let mut rest = next.into_slot();
        (self.function)(&self.state, call, Next::dynamic(&mut rest)).await
    }
}

impl<S, F> fmt::Debug for With<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("With")
    }
}

/// A function of the form of an interceptor, lent some state. It is implemented by such functions, and by
/// nothing else.
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
