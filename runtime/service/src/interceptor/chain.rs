//! The two ways to put interceptors together.

use super::Interceptor;
use super::rest::{Next, Rest};
use crate::ends::Ends;
use crate::{BoxFuture, Call, Result};
use std::fmt;
use std::sync::Arc;

/// Two interceptors by type: the first goes around the second. The compiler sees through it.
#[derive(Clone, Copy, Debug)]
pub struct Stack<A, B>(pub A, pub B);

impl<A: Interceptor, B: Interceptor> Interceptor for Stack<A, B> {
    fn intercept(
        &self,
        call: &mut Call,
        next: Next<'_, impl Rest>,
    ) -> impl Future<Output = Result<()>> + Send {
        let rest = Then { inner: &self.1, rest: next.into_rest() };
        self.0.intercept(call, Next::new(rest))
    }
}

struct Then<'a, B, R> {
    inner: &'a B,
    rest: R,
}

impl<B: Interceptor, R: Rest> Rest for Then<'_, B, R> {
    fn run(self, call: &mut Call) -> impl Future<Output = Result<()>> + Send {
        self.inner.intercept(call, Next::new(self.rest))
    }

    fn with_ends(self, then: &mut dyn FnMut(Ends<'_>)) {
        self.rest.with_ends(then);
    }
}

/// A list of interceptors that is made at run time, from a configuration for example. The first goes around
/// the rest.
#[derive(Clone, Default)]
pub struct Interceptors {
    list: Vec<Arc<dyn DynInterceptor>>,
}

impl Interceptors {
    /// No interceptors.
    pub const fn new() -> Self {
        Self { list: Vec::new() }
    }

    /// Adds one inside of those already there.
    pub fn push(&mut self, interceptor: impl Interceptor) {
        self.list.push(Arc::new(interceptor));
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

impl Interceptor for Interceptors {
    async fn intercept(&self, call: &mut Call, next: Next<'_, impl Rest>) -> Result<()> {
        Links { list: &self.list, rest: next.into_rest() }.run(call).await
    }
}

impl fmt::Debug for Interceptors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interceptors").field("len", &self.list.len()).finish()
    }
}

struct Links<'a, R> {
    list: &'a [Arc<dyn DynInterceptor>],
    rest: R,
}

impl<R: Rest> Rest for Links<'_, R> {
    async fn run(self, call: &mut Call) -> Result<()> {
        let Some((first, list)) = self.list.split_first() else { return self.rest.run(call).await };
        let mut rest = Some(Links { list, rest: self.rest });
        first.intercept_boxed(call, Next::dynamic(&mut rest)).await
    }

    fn with_ends(self, then: &mut dyn FnMut(Ends<'_>)) {
        self.rest.with_ends(then);
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
