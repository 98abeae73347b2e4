//! Services put together, and the way from a path to a method.

use crate::service::{Mount, Mounted, Service};
use crate::tracker::Tracker;
use crate::{Budget, Call, DeadlinePolicy, Interceptors};
use ringwire_call::{Coding, Interceptor, Observer};
use ringwire_http::Head;
use ringwire_message::{Codec, DecodeLimits, Json, Proto};
use ringwire_rpc::{
    Answer, CompressionPolicy, Compressions, Limits, Opening, ServerConfig, Spec, answer_unrouted,
};
use std::fmt;
use std::sync::Arc;

/// Services put together, with the settings that they share. A shell turns it into [`Routes`] and serves
/// them.
#[derive(Clone)]
pub struct Router {
    mounts: Vec<Arc<dyn Mount>>,
    fallback: Option<Arc<dyn Mount>>,
    around: Interceptors,
    codecs: Vec<&'static dyn Codec>,
    limits: Limits,
    decode_limits: DecodeLimits,
    deadlines: DeadlinePolicy,
    compressions: Compressions,
    compression_policy: CompressionPolicy,
    require_protocol_version: bool,
    budget: Budget,
    observer: Option<Arc<dyn Observer>>,
}

impl Router {
    /// No services, the proto and JSON codecs, gzip and zstd for who asks for them, and safe limits.
    pub fn new() -> Self {
        Self {
            mounts: Vec::new(),
            fallback: None,
            around: Interceptors::new(),
            codecs: vec![&Proto, &Json],
            limits: Limits::default(),
            decode_limits: DecodeLimits::DEFAULT,
            deadlines: DeadlinePolicy::default(),
            compressions: Compressions::default(),
            compression_policy: CompressionPolicy::default(),
            require_protocol_version: false,
            budget: Budget::default(),
            observer: None,
        }
    }

    /// Adds a service: `GreetServer::new(Greeter)`. Two of one name are an error of [`build`](Self::build).
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "services are added, and no `+` is meant")]
    pub fn add<S: Service>(mut self, service: Mounted<S>) -> Self {
        self.mounts.push(service.held());
        self
    }

    /// Serves every call that is for none of the services with the first method of this one, whatever its
    /// name: a proxy, with messages of type [`Raw`](ringwire_message::Raw).
    #[must_use]
    pub fn fallback<S: Service>(mut self, service: Mounted<S>) -> Self {
        self.fallback = Some(service.held());
        self
    }

    /// Goes around every call of every service, inside of the interceptors that are there already.
    ///
    /// It runs when the head of a request has arrived, before the first message, whatever the shape of the method: a client that
    /// is refused here uploads nothing. A request that is refused for its path, its media type or its HTTP method passes no
    /// interceptor. An async closure that captures nothing is one:
    /// ```
    /// # use ringwire_service::{Call, Next, Router};
    /// let router = Router::new().intercept(async |call: &mut Call, next: Next<'_>| {
    ///     let outcome = next.run(call).await;
    ///     println!("{}: {outcome:?}", call.spec().procedure);
    ///     outcome
    /// });
    /// ```
    /// State stands beside the closure ([`with`](crate::with)), or goes into a type:
    /// ```
    /// # use ringwire_service::{Call, Error, Interceptor, Next, Result, Router};
    /// struct Tokens(Vec<String>);
    ///
    /// impl Interceptor<Call> for Tokens {
    ///     async fn intercept(&self, call: &mut Call, next: Next<'_>) -> Result<()> {
    ///         let token = call.headers().get_str("authorization").unwrap_or_default();
    ///         if !self.0.iter().any(|known| known == token) {
    ///             return Err(Error::unauthenticated("the token is not known"));
    ///         }
    ///         next.run(call).await
    ///     }
    /// }
    /// let router = Router::new().intercept(Tokens(vec!["secret".to_owned()]));
    /// ```
    #[must_use]
    pub fn intercept(mut self, interceptor: impl Interceptor<Call>) -> Self {
        self.around.push(interceptor);
        self
    }

    /// Adds a codec besides proto and JSON; one of the same name takes the old one's place.
    #[must_use]
    pub fn codec(mut self, codec: &'static dyn Codec) -> Self {
        match self.codecs.iter_mut().find(|other| other.name() == codec.name()) {
            Some(other) => *other = codec,
            None => self.codecs.push(codec),
        }
        self
    }

    /// The bounds of each call, where a service has none of its own.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// What decoding one message may cost, where a service does not say.
    #[must_use]
    pub fn decode_limits(mut self, limits: DecodeLimits) -> Self {
        self.decode_limits = limits;
        self
    }

    /// How long calls may take, where a service does not say.
    #[must_use]
    pub fn deadlines(mut self, policy: DeadlinePolicy) -> Self {
        self.deadlines = policy;
        self
    }

    /// The compressions that the server understands, the most preferred first.
    #[must_use]
    pub fn compressions(mut self, compressions: Compressions) -> Self {
        self.compressions = compressions;
        self
    }

    /// Which responses are worth compressing.
    #[must_use]
    pub fn compression_policy(mut self, policy: CompressionPolicy) -> Self {
        self.compression_policy = policy;
        self
    }

    /// Refuses requests that leave out the version header of a protocol that has one.
    #[must_use]
    pub fn require_protocol_version(mut self) -> Self {
        self.require_protocol_version = true;
        self
    }

    /// The bytes that all calls together may hold; a gibibyte unless set. Routers that are given one budget
    /// share it.
    #[must_use]
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// Tells an observer of every call, of refused ones too.
    ///
    /// Without one, errors of code `internal` and panics go to the crate `tracing`, with the method and the cause.
    #[must_use]
    pub fn observe(mut self, observer: impl Observer) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Checks that it all fits together.
    ///
    /// # Errors
    /// Two services have one name, a limit is for a method that does not exist, or the fallback has no
    /// method.
    pub fn build(self) -> Result<Arc<Routes>, RouterError> {
        let mut entries = Vec::new();
        for mount in &self.mounts {
            entries.push(self.entry(mount)?);
        }
        entries.sort_by_key(|entry| entry.mount.name());
        for pair in entries.windows(2) {
            if pair[0].mount.name() == pair[1].mount.name() {
                let [first, second] = [&pair[0], &pair[1]].map(|entry| entry.mount.type_name());
                return Err(RouterError::Duplicate { service: pair[0].mount.name(), first, second });
            }
        }
        let fallback = self.fallback.as_ref().map(|mount| self.entry(mount)).transpose()?;
        if fallback.as_ref().is_some_and(|entry| entry.configs.is_empty()) {
            return Err(RouterError::EmptyFallback);
        }
        Ok(Arc::new(Routes {
            entries,
            fallback,
            codecs: self.codecs,
            budget: self.budget,
            tracker: Arc::default(),
            observer: self.observer,
            key: Arc::default(),
        }))
    }

    fn entry(&self, mount: &Arc<dyn Mount>) -> Result<Entry, RouterError> {
        let settings = mount.settings();
        let limits = settings.limits.unwrap_or(self.limits);
        let config = self.config(limits);
        let mut methods = Vec::new();
        methods.resize_with(mount.methods().len(), || config.clone());
        for (method, limits) in &settings.method_limits {
            let Some(number) = mount.find(method) else {
                return Err(RouterError::NoSuchMethod { service: mount.name(), method: method.clone() });
            };
            methods[number] = self.config(*limits);
        }
        let mut around = self.around.clone();
        around.extend(&settings.around);
        Ok(Entry {
            mount: mount.clone(),
            around: (!around.is_empty()).then(|| Arc::new(around)),
            configs: methods,
            decode_limits: settings.decode_limits.unwrap_or(self.decode_limits),
            deadlines: settings.deadlines.unwrap_or(self.deadlines),
        })
    }

    fn config(&self, limits: Limits) -> Arc<ServerConfig> {
        let names: Vec<&'static str> = self.codecs.iter().map(|codec| codec.name()).collect();
        let mut config = ServerConfig::new(&names);
        config.limits = limits;
        config.compressions = self.compressions.clone();
        config.compression_policy = self.compression_policy;
        config.require_protocol_version = self.require_protocol_version;
        Arc::new(config)
    }
}

/// A router with one service.
impl<S: Service> From<Mounted<S>> for Router {
    fn from(service: Mounted<S>) -> Self {
        Self::new().add(service)
    }
}

/// A router with one service whose clones are all the same service: a mock.
impl<S: Service + Clone> From<&S> for Router {
    fn from(service: &S) -> Self {
        Self::new().add(Mounted::new(service.clone()))
    }
}

impl Default for Router {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let services: Vec<_> = self.mounts.iter().map(|mount| mount.name()).collect();
        f.debug_struct("Router").field("services", &services).finish_non_exhaustive()
    }
}

/// Why a router does not fit together. The caller is at fault.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RouterError {
    /// Two services have one name.
    Duplicate {
        /// The name.
        service: &'static str,
        /// The type of the one.
        first: &'static str,
        /// The type of the other.
        second: &'static str,
    },
    /// Limits are for a method that the service does not have.
    NoSuchMethod {
        /// The service.
        service: &'static str,
        /// The method.
        method: String,
    },
    /// The fallback has no first method to call.
    EmptyFallback,
}

impl fmt::Display for RouterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicate { service, first, second } => {
                write!(f, "the service {service} was added twice: as {first} and as {second}")
            }
            Self::NoSuchMethod { service, method } => {
                write!(f, "limits for {method}, which is no method of {service}")
            }
            Self::EmptyFallback => f.write_str("the fallback has no method"),
        }
    }
}

impl std::error::Error for RouterError {}

/// Services that can be called. Whoever has a request starts a call here, and drives it.
pub struct Routes {
    /// Sorted by name.
    entries: Vec<Entry>,
    fallback: Option<Entry>,
    codecs: Vec<&'static dyn Codec>,
    pub(crate) budget: Budget,
    pub(crate) tracker: Arc<Tracker>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    /// The identity of these routes, for what is kept beside a head.
    key: Arc<()>,
}

/// One service, with the settings that hold for it.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) mount: Arc<dyn Mount>,
    /// The interceptors of the router and of the service; `None` where there are none, so that a call need not look.
    pub(crate) around: Option<Arc<Interceptors>>,
    /// One per method.
    configs: Vec<Arc<ServerConfig>>,
    decode_limits: DecodeLimits,
    pub(crate) deadlines: DeadlinePolicy,
}

/// Where a path leads.
pub(crate) struct Route<'r> {
    pub(crate) entry: &'r Entry,
    pub(crate) method: usize,
}

impl Routes {
    /// The method at this path, if a service has one there; the fallback does not count.
    pub fn spec(&self, path: &str) -> Option<&'static Spec> {
        self.find(path).map(|(place, method)| self.at(place, method).spec())
    }

    /// The names of the services, sorted.
    pub fn services(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.entries.iter().map(|entry| entry.mount.name())
    }

    /// The methods of all services, for reflection.
    pub fn methods(&self) -> impl Iterator<Item = &'static Spec> + '_ {
        self.entries.iter().flat_map(|entry| entry.mount.methods())
    }

    /// The observer, for a shell that tells it of connections too.
    pub fn observer(&self) -> Option<&Arc<dyn Observer>> {
        self.observer.as_ref()
    }

    /// Resolves at a moment when no handler runs and no [`Guard`](crate::Guard) is held.
    pub async fn idle(&self) {
        self.tracker.idle().await;
    }

    /// How many handlers run and guards are held.
    pub fn running(&self) -> usize {
        self.tracker.held()
    }

    /// The same services for another core: with reference counts and a count of running calls of its own, so
    /// that calls on two cores share no cache line. The budget stays one for all.
    pub fn shard(&self) -> Arc<Self> {
        let shard = |entry: &Entry| Entry {
            mount: entry.mount.shard(),
            around: entry.around.as_ref().map(|around| Arc::new(Interceptors::clone(around))),
            configs: entry.configs.iter().map(|config| Arc::new(ServerConfig::clone(config))).collect(),
            ..entry.clone()
        };
        Arc::new(Self {
            entries: self.entries.iter().map(shard).collect(),
            fallback: self.fallback.as_ref().map(shard),
            codecs: self.codecs.clone(),
            budget: self.budget.clone(),
            tracker: Arc::default(),
            observer: self.observer.clone(),
            key: Arc::default(),
        })
    }

    /// Finds the method that a request is for, and works out what its head says of the call.
    pub(crate) fn open(&self, head: &Head) -> Result<(Route<'_>, Opening), Refused> {
        let Some((place, method)) = self.place_of(head) else {
            return Err(Refused { spec: None, answer: Box::new(answer_unrouted(head)) });
        };
        let route = self.at(place, method);
        let spec = route.spec();
        let opening = Opening::read(head, spec, route.config())
            .map_err(|answer| Refused { spec: Some(spec), answer })?;
        if head.comes_again() {
            self.keep(head, place, method, &opening);
        }
        Ok((route, opening))
    }

    #[cold]
    fn keep(&self, head: &Head, place: Place, method: usize, opening: &Opening) {
        if head.memo().get().is_none() {
            let kept = Kept { key: self.key.clone(), place, method, opening: opening.clone() };
            // Where other routes were faster, theirs stays.
            let _ = head.memo().set(Box::new(kept));
        }
    }

    /// What was worked out when the head came before, if it was kept.
    #[inline]
    pub(crate) fn opened<'h>(&self, head: &'h Head) -> Option<(Route<'_>, &'h Opening)> {
        let kept = self.kept(head)?;
        Some((self.at(kept.place, kept.method), &kept.opening))
    }

    fn kept<'h>(&self, head: &'h Head) -> Option<&'h Kept> {
        let kept = head.memo().get()?.downcast_ref::<Kept>()?;
        Arc::ptr_eq(&kept.key, &self.key).then_some(kept)
    }

    /// The method that a request is for, whatever else its head says.
    pub(crate) fn spec_of(&self, head: &Head) -> Option<&'static Spec> {
        self.place_of(head).map(|(place, method)| self.at(place, method).spec())
    }

    fn place_of(&self, head: &Head) -> Option<(Place, usize)> {
        self.find(head.path()).or_else(|| self.fallback.is_some().then_some((Place::Fallback, 0)))
    }

    fn at(&self, place: Place, method: usize) -> Route<'_> {
        let entry = match place {
            Place::Entry(place) => &self.entries[place],
            Place::Fallback => self.fallback.as_ref().expect("a fallback was found"),
        };
        Route { entry, method }
    }

    fn find(&self, path: &str) -> Option<(Place, usize)> {
        // By hand: for the few bytes of a name, the search of the standard library takes longer.
        let slash = path.bytes().rposition(|byte| byte == b'/').filter(|&slash| slash > 0)?;
        let (service, method) = (path.strip_prefix('/')?.get(..slash - 1)?, &path[slash + 1..]);
        let place = self.entries.binary_search_by_key(&service, |entry| entry.mount.name()).ok()?;
        Some((Place::Entry(place), self.entries[place].mount.find(method)?))
    }
}

/// The answer to a request that gets to no handler.
pub(crate) struct Refused {
    /// The method, if the path leads to one.
    pub(crate) spec: Option<&'static Spec>,
    pub(crate) answer: Box<Answer>,
}

/// What some routes have found out about a head, kept beside it.
struct Kept {
    /// Which routes. Held, so that no others can have the same address.
    key: Arc<()>,
    place: Place,
    method: usize,
    opening: Opening,
}

/// Where a service is.
#[derive(Clone, Copy)]
enum Place {
    Entry(usize),
    Fallback,
}

impl Route<'_> {
    pub(crate) fn spec(&self) -> &'static Spec {
        &self.entry.mount.methods()[self.method]
    }

    pub(crate) fn config(&self) -> &Arc<ServerConfig> {
        &self.entry.configs[self.method]
    }

    pub(crate) fn coding(&self, routes: &Routes, codec: usize) -> Coding {
        Coding {
            codec: routes.codecs[codec],
            decode_limits: self.entry.decode_limits,
            send_max: self.config().limits.send_max,
        }
    }
}

impl fmt::Debug for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Routes")
            .field("services", &self.services().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
