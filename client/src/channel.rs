//! What calls go over: a transport, an origin, and the settings that calls share.

use crate::builder::{BidiCall, CallBuilder, ClientStreamCall, ServerStreamCall, UnaryCall};
use crate::error::bad_argument;
use crate::interceptor::{Interceptor, Interceptors};
use crate::origin::Base;
use crate::{HedgePolicy, Result, RetryPolicy, Transport};
use ringwire_message::{Codec, DecodeLimits, Proto};
use ringwire_rpc::{
    ClientConfig, ClientProtocol, Compression, CompressionPolicy, Compressions, GetPolicy, Limits, Metadata,
    Spec,
};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Where calls go, and how. Clones are cheap, and share what is below.
///
/// What is chosen here holds for every call; each of these can be chosen for a single call too, with the method
/// of the same name on [`CallBuilder`].
#[derive(Clone)]
pub struct Channel {
    inner: Arc<Inner>,
}

#[derive(Clone)]
struct Inner {
    transport: Arc<dyn Transport>,
    base: Base,
    config: Arc<ClientConfig>,
    codec: &'static dyn Codec,
    decode_limits: DecodeLimits,
    timeout: Option<Duration>,
    headers: Metadata,
    interceptors: Interceptors,
    retry: Option<RetryPolicy>,
    hedge: Option<HedgePolicy>,
}

impl Channel {
    /// Calls over any transport. `origin` is what comes before the procedures: `http://127.0.0.1:8080`,
    /// `https://greet.example/api`.
    ///
    /// Requests that HTTP/1 cannot carry, for their protocol or because both ends talk at once, say that their version
    /// is HTTP/2; all others leave the choice to the transport.
    ///
    /// # Errors
    /// `origin` has no scheme, another one than http and https, or no host.
    pub fn over(transport: impl Transport, origin: &str) -> Result<Self> {
        Ok(Self::of(Arc::new(transport), Base::parse(origin)?))
    }

    pub(crate) fn of(transport: Arc<dyn Transport>, base: Base) -> Self {
        let mut config = ClientConfig::new(ClientProtocol::CONNECT, Proto.name());
        config.compressions = Compressions::default();
        Self {
            inner: Arc::new(Inner {
                transport,
                base,
                config: Arc::new(config),
                codec: &Proto,
                decode_limits: DecodeLimits::DEFAULT,
                timeout: None,
                headers: Metadata::new(),
                interceptors: Interceptors::default(),
                retry: None,
                hedge: None,
            }),
        }
    }

    /// The protocol; Connect unless set.
    #[must_use]
    pub fn protocol(self, protocol: ClientProtocol) -> Self {
        self.with_config(|config| config.protocol = protocol)
    }

    /// The codec; proto unless set.
    #[must_use]
    pub fn codec(mut self, codec: &'static dyn Codec) -> Self {
        Arc::make_mut(&mut self.inner).codec = codec;
        self.with_config(|config| config.set_codec(codec.name()))
    }

    /// The bounds of each call, both ways.
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        self.with_config(|config| config.limits = limits)
    }

    /// What decoding one message may cost.
    #[must_use]
    pub fn decode_limits(mut self, limits: DecodeLimits) -> Self {
        Arc::make_mut(&mut self.inner).decode_limits = limits;
        self
    }

    /// The compressions that responses may have, the most preferred first; zstd and gzip unless set.
    #[must_use]
    pub fn accept(self, compressions: Compressions) -> Self {
        self.with_config(|config| config.compressions = compressions)
    }

    /// What requests are compressed with: not at all unless set, because not every server understands it.
    #[must_use]
    pub fn compression(self, compression: Option<&'static dyn Compression>) -> Self {
        self.with_config(|config| config.compression = compression)
    }

    /// Which requests are worth compressing.
    #[must_use]
    pub fn compression_policy(self, policy: CompressionPolicy) -> Self {
        self.with_config(|config| config.compression_policy = policy)
    }

    /// Whether methods without side effects travel as GET, which caches can answer; never unless set.
    #[must_use]
    pub fn get(self, policy: GetPolicy) -> Self {
        self.with_config(|config| config.get = policy)
    }

    /// The `user-agent` of requests that bring none of their own.
    #[must_use]
    pub fn user_agent(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.with_config(|config| config.user_agent = name.into())
    }

    /// How long a call may take, from its first await to its last message.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        Arc::make_mut(&mut self.inner).timeout = Some(timeout);
        self
    }

    /// A header of every call. One of the same name on a call takes its place.
    ///
    /// # Errors
    /// The name belongs to the protocol or is no HTTP token, or the value holds control characters.
    pub fn header(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<bytes::Bytes>,
    ) -> Result<Self> {
        Arc::make_mut(&mut self.inner).headers.append(name, value).map_err(bad_argument)?;
        Ok(self)
    }

    /// Goes around every call, inside of the interceptors that are there already.
    #[must_use]
    pub fn intercept(mut self, interceptor: impl Interceptor) -> Self {
        Arc::make_mut(&mut self.inner).interceptors.push(interceptor);
        self
    }

    /// Makes calls again that failed, where that is safe. Off unless set.
    ///
    /// Without a policy too, a call that the server says it has not looked at is sent once more.
    #[must_use]
    pub fn retry(mut self, policy: impl Into<Option<RetryPolicy>>) -> Self {
        Arc::make_mut(&mut self.inner).retry = policy.into();
        self
    }

    /// Sends calls without side effects to more than one server when the first is slow. Off unless set.
    #[must_use]
    pub fn hedge(mut self, policy: impl Into<Option<HedgePolicy>>) -> Self {
        Arc::make_mut(&mut self.inner).hedge = policy.into();
        self
    }

    /// A call with one request and one response. Generated clients call this, and the three below.
    pub fn unary<'r, Q, A, T, K>(&self, spec: &'static Spec, request: &'r T) -> UnaryCall<'r, Q, A, T, K> {
        CallBuilder::with_request(self, spec, request)
    }

    /// A call with one request and many responses.
    pub fn server_stream<'r, Q, A, T, K>(
        &self,
        spec: &'static Spec,
        request: &'r T,
    ) -> ServerStreamCall<'r, Q, A, T, K> {
        CallBuilder::with_request(self, spec, request)
    }

    /// A call with many requests and one response.
    pub fn client_stream<Q, A>(&self, spec: &'static Spec) -> ClientStreamCall<Q, A> {
        CallBuilder::with_stream(self, spec)
    }

    /// A call with many requests and many responses.
    pub fn bidi<Q, A>(&self, spec: &'static Spec) -> BidiCall<Q, A> {
        CallBuilder::with_stream(self, spec)
    }

    pub(crate) fn transport(&self) -> &dyn Transport {
        &*self.inner.transport
    }

    pub(crate) fn base(&self) -> &Base {
        &self.inner.base
    }

    pub(crate) fn config(&self) -> &Arc<ClientConfig> {
        &self.inner.config
    }

    pub(crate) fn coding(&self) -> ringwire_call::Coding {
        ringwire_call::Coding {
            codec: self.inner.codec,
            decode_limits: self.inner.decode_limits,
            send_max: self.inner.config.limits.send_max,
        }
    }

    pub(crate) fn default_timeout(&self) -> Option<Duration> {
        self.inner.timeout
    }

    pub(crate) fn default_headers(&self) -> &Metadata {
        &self.inner.headers
    }

    pub(crate) fn interceptors(&self) -> &Interceptors {
        &self.inner.interceptors
    }

    pub(crate) fn retry_policy(&self) -> Option<&RetryPolicy> {
        self.inner.retry.as_ref()
    }

    pub(crate) fn hedge_policy(&self) -> Option<&HedgePolicy> {
        self.inner.hedge.as_ref()
    }

    fn with_config(mut self, change: impl FnOnce(&mut ClientConfig)) -> Self {
        change(Arc::make_mut(&mut Arc::make_mut(&mut self.inner).config));
        self
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("origin", &format_args!("{}", self.inner.base))
            .field("protocol", &self.inner.config.protocol.name())
            .field("codec", &self.inner.codec.name())
            .finish_non_exhaustive()
    }
}
