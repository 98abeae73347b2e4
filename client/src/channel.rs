//! What calls go over: a transport, an origin, and the settings that calls share.

use crate::buffer::SharedBuffer;
use crate::builder::{BidiCall, CallBuilder, ClientStreamCall, ServerStreamCall, UnaryCall};
use crate::origin::Base;
use crate::{Call, ChannelError, HedgePolicy, Result, RetryPolicy, Transport};
use http::Uri;
use ringwire_call::{Coding, HttpFields, Interceptor, Interceptors, Observer};
use ringwire_message::{Codec, DecodeLimits, Proto};
use ringwire_rpc::{
    ClientConfig, ClientProtocol, Compression, CompressionPolicy, Compressions, GetPolicy, Limits, Metadata,
    Spec, StreamShape,
};
use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
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
    interceptors: Interceptors<Call>,
    observer: Option<Arc<dyn Observer>>,
    retry: Option<RetryPolicy>,
    hedge: Option<HedgePolicy>,
    kept: Kept,
}

/// What a channel keeps from one call for the next.
#[derive(Default)]
struct Kept {
    /// The heads of requests that are like all others but for path and time-out: of unary calls, and of streams.
    heads: [OnceLock<HttpFields>; 2],
    /// The addresses of the methods that were called first.
    addresses: RwLock<Vec<(&'static Spec, Uri)>>,
    buffer: SharedBuffer,
}

/// A channel is copied to be changed, and then has other heads.
impl Clone for Kept {
    fn clone(&self) -> Self {
        Self::default()
    }
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
    pub fn over(transport: impl Transport, origin: &str) -> Result<Self, ChannelError> {
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
                observer: None,
                retry: None,
                hedge: None,
                kept: Kept::default(),
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
        let inner = Arc::make_mut(&mut self.inner);
        inner.codec = codec;
        inner.kept = Kept::default();
        inner.config = Arc::new((*inner.config).clone().with_codec(codec.name()));
        self
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
    ) -> Result<Self, ChannelError> {
        Arc::make_mut(&mut self.inner).headers.append(name, value).map_err(ChannelError::Header)?;
        Ok(self)
    }

    /// Goes around every call, inside of the interceptors that are there already.
    #[must_use]
    pub fn intercept(mut self, interceptor: impl Interceptor<Call>) -> Self {
        Arc::make_mut(&mut self.inner).interceptors.push(interceptor);
        self
    }

    /// Tells an observer of every call and of its attempts. It takes the place of the one before.
    ///
    /// It is told of connections too, if the transport knows of any. Those are shared with the channels that this one was cloned
    /// from, and stay with the observer that was there first.
    #[must_use]
    pub fn observe(mut self, observer: impl Observer) -> Self {
        let inner = Arc::make_mut(&mut self.inner);
        let observer: Arc<dyn Observer> = Arc::new(observer);
        inner.transport.observe(&observer);
        inner.observer = Some(observer);
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

    /// The head of a request of this shape that has nothing of its own. It is written when it is first asked for.
    pub(crate) fn usual_head(
        &self,
        shape: StreamShape,
        write: impl FnOnce() -> Result<HttpFields>,
    ) -> Result<HttpFields> {
        let kept = &self.inner.kept.heads[usize::from(shape != StreamShape::Unary)];
        if let Some(head) = kept.get() {
            return Ok(head.clone());
        }
        let head = write()?;
        Ok(kept.get_or_init(|| head).clone())
    }

    /// The address of a method.
    pub(crate) fn uri_of(&self, spec: &'static Spec) -> Result<Uri> {
        let Inner { kept: Kept { addresses, .. }, base, .. } = &*self.inner;
        let known = addresses.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, uri)) = known.iter().find(|(known, _)| std::ptr::eq(*known, spec)) {
            return Ok(uri.clone());
        }
        let is_full = known.len() == ADDRESSES_MAX;
        drop(known);
        let uri = base.uri_of(spec)?;
        if !is_full {
            addresses.write().unwrap_or_else(PoisonError::into_inner).push((spec, uri.clone()));
        }
        Ok(uri)
    }

    pub(crate) fn buffer(&self) -> &SharedBuffer {
        &self.inner.kept.buffer
    }

    pub(crate) fn coding(&self) -> Coding {
        Coding {
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

    pub(crate) fn interceptors(&self) -> &Interceptors<Call> {
        &self.inner.interceptors
    }

    pub(crate) fn observer(&self) -> Option<&Arc<dyn Observer>> {
        self.inner.observer.as_ref()
    }

    pub(crate) fn retry_policy(&self) -> Option<&RetryPolicy> {
        self.inner.retry.as_ref()
    }

    pub(crate) fn hedge_policy(&self) -> Option<&HedgePolicy> {
        self.inner.hedge.as_ref()
    }

    fn with_config(mut self, change: impl FnOnce(&mut ClientConfig)) -> Self {
        let inner = Arc::make_mut(&mut self.inner);
        inner.kept = Kept::default();
        change(Arc::make_mut(&mut inner.config));
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

/// A search through more of them takes longer than to make one.
const ADDRESSES_MAX: usize = 32;
