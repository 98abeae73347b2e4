//! What generated code implements, and how a router holds it.

use crate::cell::Cell;
use crate::ends::Ends;
use crate::error::panicked;
use crate::interceptor::{Interceptor, Interceptors, Next, Rest, Stack};
use crate::messages::Messages;
use crate::{BoxFuture, Call, DeadlinePolicy, Error, Result};
use bytes::Bytes;
use ringwire_message::DecodeLimits;
use ringwire_rpc::{Limits, Metadata, Spec};
use std::any::TypeId;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

/// A service that can be called. Generated code implements it, for the `<Service>Server` of each service.
///
/// Methods are numbered by their place in [`METHODS`](Self::METHODS), so that a call looks its name up once.
pub trait Service: Send + Sync + 'static {
    /// The full name: `greet.v1.Greet`.
    const NAME: &'static str;
    /// The methods.
    const METHODS: &'static [Spec];

    /// The number of the method of this name.
    fn find(method: &str) -> Option<usize>;

    /// Calls a method.
    fn serve(
        &self,
        method: usize,
        call: &mut Call,
        ends: Ends<'_>,
    ) -> impl Future<Output = Result<()>> + Send;
}

/// How a method ends that is not written. Generated code calls it by path.
pub fn unimplemented<T: Send>(spec: &'static Spec) -> impl Future<Output = Result<T>> + Send {
    let text = format!("{}/{} is not implemented", spec.service(), spec.method());
    std::future::ready(Err(Error::unimplemented(text)))
}

/// A service with its own settings, ready to be added to a router.
///
/// What `<Service>Server::new(service)` returns. Settings made here win over those of the router.
#[derive(Debug)]
pub struct Mounted<S, C = ()> {
    service: S,
    chain: C,
    settings: Settings,
}

/// Settings of one service. What is `None` comes from the router.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) limits: Option<Limits>,
    pub(crate) decode_limits: Option<DecodeLimits>,
    pub(crate) deadlines: Option<DeadlinePolicy>,
    /// Limits of single methods, by name.
    pub(crate) method_limits: Vec<(String, Limits)>,
}

impl<S: Service> Mounted<S> {
    /// The service as it is.
    pub fn new(service: S) -> Self {
        Self { service, chain: (), settings: Settings::default() }
    }
}

impl<S: Service, C: Interceptor> Mounted<S, C> {
    /// Goes around every call of this service, inside of what is there already.
    ///
    /// The chain is part of the type: a [`Interceptor`] that is a type of its own, not a closure, is inlined.
    #[must_use]
    pub fn intercept<I: Interceptor>(self, interceptor: I) -> Mounted<S, Stack<C, I>> {
        let chain = Stack(self.chain, interceptor);
        Mounted { service: self.service, chain, settings: self.settings }
    }

    /// The bounds of each call.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.settings.limits = Some(limits);
        self
    }

    /// The bounds of each call of one method, by its name in the schema.
    #[must_use]
    pub fn method_limits(mut self, method: impl Into<String>, limits: Limits) -> Self {
        self.settings.method_limits.push((method.into(), limits));
        self
    }

    /// What decoding one message may cost.
    #[must_use]
    pub fn decode_limits(mut self, limits: DecodeLimits) -> Self {
        self.settings.decode_limits = Some(limits);
        self
    }

    /// How long calls may take.
    #[must_use]
    pub fn deadlines(mut self, policy: DeadlinePolicy) -> Self {
        self.settings.deadlines = Some(policy);
        self
    }

    pub(crate) fn held(self) -> Arc<dyn Mount> {
        let Self { service, chain, settings } = self;
        Arc::new(Held { service: Arc::new(service), chain: Arc::new(chain), settings })
    }
}

/// A service as a router holds it: shards share the service, and nothing that calls count.
struct Held<S, C> {
    service: Arc<S>,
    chain: Arc<C>,
    settings: Settings,
}

/// A service as routers hold it: any service.
pub(crate) trait Mount: Send + Sync {
    fn name(&self) -> &'static str;
    fn type_name(&self) -> &'static str;
    fn methods(&self) -> &'static [Spec];
    fn find(&self, method: &str) -> Option<usize>;
    fn settings(&self) -> &Settings;
    /// Whether the service has interceptors of its own.
    fn is_intercepted(&self) -> bool;
    /// The same service under reference counts of its own.
    fn shard(&self) -> Arc<dyn Mount>;
    fn unary(self: Arc<Self>, unary: Box<Unary>) -> BoxFuture<'static, Box<Unary>>;
    fn stream(self: Arc<Self>, start: Start, cell: Arc<Cell>) -> BoxFuture<'static, Streamed>;
}

/// A call about to be handled.
pub(crate) struct Start {
    pub(crate) method: usize,
    pub(crate) call: Call,
    /// The router's interceptors; none where there are none.
    pub(crate) around: Option<Arc<Interceptors>>,
}

/// A unary call without interceptors: nobody wants to see it before its request is whole. Boxed, since
/// it is handed to the handler's future and back.
pub(crate) struct Unary {
    pub(crate) start: Start,
    pub(crate) messages: Messages,
    pub(crate) request: Option<Bytes>,
    /// What the handler returned.
    pub(crate) outcome: Result<()>,
}

/// A streaming call whose handler has ended.
pub(crate) struct Streamed {
    pub(crate) trailers: Metadata,
    pub(crate) outcome: Result<()>,
}

impl<S: Service, C: Interceptor> Mount for Held<S, C> {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn type_name(&self) -> &'static str {
        std::any::type_name::<S>()
    }

    fn methods(&self) -> &'static [Spec] {
        S::METHODS
    }

    fn find(&self, method: &str) -> Option<usize> {
        S::find(method)
    }

    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn is_intercepted(&self) -> bool {
        TypeId::of::<C>() != TypeId::of::<()>()
    }

    fn shard(&self) -> Arc<dyn Mount> {
        let Self { service, chain, settings } = self;
        Arc::new(Self { service: service.clone(), chain: chain.clone(), settings: settings.clone() })
    }

    fn unary(self: Arc<Self>, mut unary: Box<Unary>) -> BoxFuture<'static, Box<Unary>> {
        Box::pin(async move {
            let Unary { start: Start { method, call, around }, messages, request, outcome } = &mut *unary;
            let ends = Ends::of_unary(messages, request.take());
            *outcome = self.run(*method, call, around.as_deref(), ends).await;
            call.answered();
            unary
        })
    }

    fn stream(self: Arc<Self>, mut start: Start, cell: Arc<Cell>) -> BoxFuture<'static, Streamed> {
        Box::pin(async move {
            let ends = Ends::of_cell(&cell);
            let outcome = self.run(start.method, &mut start.call, start.around.as_deref(), ends).await;
            start.call.answered();
            let trailers = start.call.take_trailers();
            drop_caught(start);
            Streamed { trailers, outcome }
        })
    }
}

impl<S: Service, C: Interceptor> Held<S, C> {
    async fn run(
        &self,
        method: usize,
        call: &mut Call,
        around: Option<&Interceptors>,
        ends: Ends<'_>,
    ) -> Result<()> {
        let handler = Handler { service: &*self.service, method, ends };
        match around {
            None => self.chain.intercept(call, Next::new(handler)).await,
            Some(around) => {
                let inner = Inner { chain: &*self.chain, handler };
                around.intercept(call, Next::new(inner)).await
            }
        }
    }
}

/// The service's own chain, as the end of the router's.
struct Inner<'a, S, C> {
    chain: &'a C,
    handler: Handler<'a, S>,
}

impl<S: Service, C: Interceptor> Rest for Inner<'_, S, C> {
    fn run(self, call: &mut Call) -> impl Future<Output = Result<()>> + Send {
        self.chain.intercept(call, Next::new(self.handler))
    }

    fn with_ends(self, then: &mut dyn FnMut(Ends<'_>)) {
        self.handler.with_ends(then);
    }
}

/// The end of every chain.
struct Handler<'a, S> {
    service: &'a S,
    method: usize,
    ends: Ends<'a>,
}

impl<S: Service> Rest for Handler<'_, S> {
    async fn run(mut self, call: &mut Call) -> Result<()> {
        self.ends.begin(call).await?;
        // Caught here, a panic is an error that interceptors see.
        let ended = {
            let mut handler = pin!(self.service.serve(self.method, call, self.ends));
            poll_fn(|cx| poll_caught(handler.as_mut(), cx)).await
        };
        ended.unwrap_or_else(|panic| {
            call.abandoned();
            Err(panic)
        })
    }

    fn with_ends(self, then: &mut dyn FnMut(Ends<'_>)) {
        then(self.ends);
    }
}

/// Polls code of the application; an error is a panic. What the code shares with us is dropped with it, or, like
/// the outgoing bytes, put right by its owner.
pub(crate) fn poll_caught<F: Future + ?Sized>(
    future: Pin<&mut F>,
    cx: &mut Context<'_>,
) -> Poll<Result<F::Output>> {
    match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => Poll::Ready(Err(panicked(&*panic))),
    }
}

/// Drops values of the application. A panic in a destructor of theirs ends neither the connection nor the
/// server.
pub(crate) fn drop_caught<T>(value: T) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(value)));
}

impl fmt::Debug for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.call.fmt(f)
    }
}
