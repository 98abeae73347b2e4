//! Services put together, and the way from a path to a method.

use crate::flight::InFlight;
use crate::interceptor::{Interceptor, Interceptors};
use crate::service::{Mount, Mounted, Service};
use crate::tracker::Tracker;
use crate::{Arrival, Budget, DeadlinePolicy, Instant};
use ringwire_call::Coding;
use ringwire_message::{Codec, DecodeLimits, Json, Proto};
use ringwire_rpc::{CompressionPolicy, Compressions, Limits, ServerConfig, Spec};
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
        }
    }

    /// Adds a service: `GreetServer::new(Greeter)`. Two of one name are an error of [`build`](Self::build).
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "services are added, and no `+` is meant")]
    pub fn add<S: Service, C: Interceptor>(mut self, service: Mounted<S, C>) -> Self {
        self.mounts.push(service.held());
        self
    }

    /// Serves every call that is for none of the services with the first method of this one, whatever its
    /// name: a proxy, with messages of type [`Raw`](ringwire_message::Raw).
    #[must_use]
    pub fn fallback<S: Service, C: Interceptor>(mut self, service: Mounted<S, C>) -> Self {
        self.fallback = Some(service.held());
        self
    }

    /// Goes around every call of every service, inside of the interceptors that are there already.
    #[must_use]
    pub fn intercept(mut self, interceptor: impl Interceptor) -> Self {
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
            around: (!self.around.is_empty()).then(|| Arc::new(self.around)),
            codecs: self.codecs,
            budget: self.budget,
            tracker: Arc::default(),
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
        Ok(Entry {
            mount: mount.clone(),
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
impl<S: Service, C: Interceptor> From<Mounted<S, C>> for Router {
    fn from(service: Mounted<S, C>) -> Self {
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
    /// `None` where there are none, so that a call need not look into the list.
    pub(crate) around: Option<Arc<Interceptors>>,
    codecs: Vec<&'static dyn Codec>,
    pub(crate) budget: Budget,
    pub(crate) tracker: Arc<Tracker>,
}

/// One service, with the settings that hold for it.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) mount: Arc<dyn Mount>,
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
    /// Starts a call. It never fails: a refusal is an answer too. Nothing happens before the first poll.
    pub fn start(&self, arrival: Arrival, now: Instant) -> InFlight {
        InFlight::new(self, arrival, now)
    }

    /// The method at this path, if a service has one there; the fallback does not count.
    pub fn spec(&self, path: &str) -> Option<&'static Spec> {
        self.find(path).map(|route| route.spec())
    }

    /// The names of the services, sorted.
    pub fn services(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.entries.iter().map(|entry| entry.mount.name())
    }

    /// The methods of all services, for reflection.
    pub fn methods(&self) -> impl Iterator<Item = &'static Spec> + '_ {
        self.entries.iter().flat_map(|entry| entry.mount.methods())
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
            configs: entry.configs.iter().map(|config| Arc::new(ServerConfig::clone(config))).collect(),
            ..entry.clone()
        };
        Arc::new(Self {
            entries: self.entries.iter().map(shard).collect(),
            fallback: self.fallback.as_ref().map(shard),
            around: self.around.as_ref().map(|around| Arc::new(Interceptors::clone(around))),
            codecs: self.codecs.clone(),
            budget: self.budget.clone(),
            tracker: Arc::default(),
        })
    }

    pub(crate) fn route(&self, path: &str) -> Option<Route<'_>> {
        let fallback = || self.fallback.as_ref().map(|entry| Route { entry, method: 0 });
        self.find(path).or_else(fallback)
    }

    fn find(&self, path: &str) -> Option<Route<'_>> {
        let (service, method) = path.strip_prefix('/')?.rsplit_once('/')?;
        let place = self.entries.binary_search_by_key(&service, |entry| entry.mount.name()).ok()?;
        let entry = &self.entries[place];
        Some(Route { entry, method: entry.mount.find(method)? })
    }
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
