//! The trait that generated code implements, and services as a router holds them.

use crate::ends::Ends;
use crate::error::panicked;
use crate::lane::Lane;
use crate::{BoxFuture, Call, DeadlinePolicy, Error, Interceptors, Result};
use ringwire_call::{ChainEnd, Interceptor};
use ringwire_message::{DecodeLimits, Writable};
use ringwire_rpc::{Limits, Spec};
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

/// The end of a call of a method that is not written. Generated code calls it by path.
pub fn unimplemented<T: Send>(spec: &'static Spec) -> impl Future<Output = Result<T>> + Send {
    let text = format!("{}/{} is not implemented", spec.service(), spec.method());
    std::future::ready(Err(Error::unimplemented(text)))
}

/// A service with its own settings, ready to be added to a router: the result of `<Service>Server::new(service)`.
///
/// Settings made here win over those of the router.
#[derive(Debug)]
pub struct Mounted<S> {
    service: S,
    settings: Settings,
}

/// Settings of one service. The router's take the place of those that are `None`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) around: Interceptors,
    pub(crate) limits: Option<Limits>,
    pub(crate) decode_limits: Option<DecodeLimits>,
    pub(crate) deadlines: Option<DeadlinePolicy>,
    /// Limits of single methods, by name.
    pub(crate) method_limits: Vec<(String, Limits)>,
}

impl<S: Service> Mounted<S> {
    /// The service as it is.
    pub fn new(service: S) -> Self {
        Self { service, settings: Settings::default() }
    }

    /// Goes around every call of this service, inside of the interceptors that are there already and of those of the router.
    #[must_use]
    pub fn intercept(mut self, interceptor: impl Interceptor<Call>) -> Self {
        self.settings.around.push(interceptor);
        self
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
        let Self { service, settings } = self;
        Arc::new(Held { service: Arc::new(service), settings })
    }
}

/// A service as a router holds it: shards share the service, but none of its reference counts.
struct Held<S> {
    service: Arc<S>,
    settings: Settings,
}

/// Any service, as routers hold it.
pub(crate) trait Mount: Send + Sync {
    fn name(&self) -> &'static str;
    fn type_name(&self) -> &'static str;
    fn methods(&self) -> &'static [Spec];
    fn find(&self, method: &str) -> Option<usize>;
    fn settings(&self) -> &Settings;
    /// The service under a reference count of its own.
    fn shard(&self) -> Arc<dyn Mount>;
    /// Handles a call.
    fn handle(self: Arc<Self>, started: Box<Started>) -> BoxFuture<'static, Handled>;
}

/// A call that has begun: all of it, in one place, so that it is made once and never moved.
pub(crate) struct Started {
    pub(crate) mount: Arc<dyn Mount>,
    pub(crate) method: usize,
    /// The interceptors of the router and of the service; `None` if there are none.
    pub(crate) around: Option<Arc<Interceptors>>,
    pub(crate) call: Call,
    pub(crate) lane: Lane,
}

/// A call whose handler has ended.
pub(crate) struct Handled {
    pub(crate) started: Box<Started>,
    pub(crate) outcome: Result<()>,
}

impl<S: Service> Mount for Held<S> {
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

    fn shard(&self) -> Arc<dyn Mount> {
        Arc::new(Self { service: self.service.clone(), settings: self.settings.clone() })
    }

    fn handle(self: Arc<Self>, mut started: Box<Started>) -> BoxFuture<'static, Handled> {
        Box::pin(async move {
            let Started { method, call, around, lane, .. } = &mut *started;
            let handler = Handler { service: &*self.service, method: *method };
            let ends = Ends::new(lane.lend());
            let outcome = match around {
                None => handler.run(call, ends).await,
                Some(around) => around.run(call, &mut End(Some((handler, ends)))).await,
            };
            call.answered();
            Handled { started, outcome }
        })
    }
}

/// One method of a service.
struct Handler<'a, S> {
    service: &'a S,
    method: usize,
}

impl<S: Service> Handler<'_, S> {
    async fn run(self, call: &mut Call, mut ends: Ends<'_>) -> Result<()> {
        ends.begin(call).await?;
        // Caught here, a panic is an error that interceptors see.
        let ended = {
            let mut handler = pin!(self.service.serve(self.method, call, ends));
            poll_fn(|cx| poll_caught(handler.as_mut(), cx)).await
        };
        ended.unwrap_or_else(|panic| {
            call.abandoned();
            Err(panic)
        })
    }
}

/// The end of every chain. It is gone once.
struct End<'a, S>(Option<(Handler<'a, S>, Ends<'a>)>);

impl<S: Service> ChainEnd<Call> for End<'_, S> {
    fn run<'c>(&'c mut self, call: &'c mut Call) -> BoxFuture<'c, Result<()>> {
        let (handler, ends) = self.0.take().expect("a chain gets to its end once");
        Box::pin(handler.run(call, ends))
    }

    fn reply(&mut self, call: &mut Call, message: &dyn Writable) -> Result<()> {
        let (_, mut ends) = self.0.take().expect("a chain gets to its end once");
        ends.reply(call, message)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Larger blocks leave the allocator's quick path, which costs more than all else that a call allocates.
    #[test]
    fn a_call_fits_into_a_small_block() {
        let sizes = [
            size_of::<Started>(),
            size_of::<crate::messages::Messages>(),
            size_of::<Call>(),
            size_of::<ringwire_rpc::ServerExchange>(),
            size_of::<crate::CallInFlight>(),
        ];
        assert!(sizes[0] <= 1024, "{sizes:?}");
    }
}
