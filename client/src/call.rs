//! One call, as interceptors see it: all that stands beside the messages.

use crate::error::deadline_reached;
use crate::watch::Watch;
use crate::{Channel, Error, HedgePolicy, Result, RetryPolicy, clock};
use ringwire_call::{Cancelled, Coding, HttpFields, Instant, ParentCall, Payload, Watchers};
use ringwire_message::{Codec, DecodeLimits};
use ringwire_rpc::{ClientConfig, Compress, Metadata, ResponseMetadata, Spec};
use ringwire_transport::PeerAddr;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// One call: its method, its deadline, and what goes and came back beside the messages.
pub struct Call {
    pub(crate) spec: &'static Spec,
    pub(crate) channel: Channel,
    pub(crate) headers: Metadata,
    /// It counts from the moment at which the call begins.
    pub(crate) timeout: Option<Duration>,
    pub(crate) deadline: Option<Instant>,
    pub(crate) watchers: Watchers,
    /// What its observer will be told, if there is one.
    pub(crate) watch: Option<Arc<Watch>>,
    /// The options that most calls leave to their channel.
    options: Option<Box<Options>>,
    /// What came back, for interceptors.
    pub(crate) response: Option<Box<Response>>,
}

/// Options of one call, which go before those of its channel.
#[derive(Default)]
pub(crate) struct Options {
    cancelled: Option<Cancelled>,
    pub(crate) compress: Option<Compress>,
    pub(crate) extensions: http::Extensions,
    config: Option<Arc<ClientConfig>>,
    pub(crate) codec: Option<&'static dyn Codec>,
    pub(crate) decode_limits: Option<DecodeLimits>,
    pub(crate) retry: Option<Option<RetryPolicy>>,
    pub(crate) hedge: Option<Option<HedgePolicy>>,
    /// The first option that cannot be.
    fault: Option<Error>,
}

/// What came back beside the messages.
pub(crate) struct Response {
    pub(crate) metadata: ResponseMetadata<HttpFields>,
    pub(crate) peer: Option<PeerAddr>,
}

impl Default for Response {
    fn default() -> Self {
        Self { metadata: ResponseMetadata::new(Metadata::new(), Metadata::new()), peer: None }
    }
}

impl Call {
    /// The method that is called.
    pub fn spec(&self) -> &'static Spec {
        self.spec
    }

    /// The name of the protocol, for logs and metrics only: `connect`, `grpc` or `grpc-web`.
    pub fn protocol(&self) -> &'static str {
        self.config().protocol.name()
    }

    /// The name of the codec, for logs and metrics only: `proto`, `json`.
    pub fn codec(&self) -> &'static str {
        self.config().codec()
    }

    /// The headers of the request.
    pub fn headers(&self) -> &Metadata {
        &self.headers
    }

    /// Mutable access to the headers of the request. Change them before the call goes on.
    pub fn headers_mut(&mut self) -> &mut Metadata {
        &mut self.headers
    }

    /// The time at which the call ends at the latest.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Gives the call no more time than this, from now.
    pub fn limit_time(&mut self, timeout: Duration) {
        self.deadline = earlier(self.deadline, clock::now().checked_add(timeout));
    }

    /// The extensions that the transport gets with the request, for tower layers.
    pub fn extensions_mut(&mut self) -> &mut http::Extensions {
        &mut self.options_mut().extensions
    }

    /// The headers of the response, once the call has come back; empty before.
    pub fn response_headers(&self) -> &Metadata {
        self.response.as_ref().map_or(NONE, |response| response.metadata.headers())
    }

    /// The trailers of the response, once the call has come back; empty before.
    pub fn response_trailers(&self) -> &Metadata {
        self.response.as_ref().map_or(NONE, |response| response.metadata.trailers())
    }

    /// The address of the server that answered, once the call has come back and if the transport knows it:
    /// `127.0.0.1:8080`.
    pub fn peer(&self) -> Option<&str> {
        self.response.as_ref()?.peer.as_ref().map(|peer| &*peer.0)
    }

    /// Looks at each message that is sent, and may replace it. An error takes the place of the send.
    ///
    /// For interceptors, before they let the call go on. The first one to register sees a message first.
    pub fn on_send(&mut self, look: impl FnMut(&mut Payload<'_>) -> Result<()> + Send + 'static) {
        self.watchers.hooks_or_new().on_request(Box::new(look));
    }

    /// Looks at each message that arrives, and may replace it. An error ends the call.
    ///
    /// For interceptors, before they let the call go on. The first one to register sees a message last.
    pub fn on_receive(&mut self, look: impl FnMut(&mut Payload<'_>) -> Result<()> + Send + 'static) {
        self.watchers.hooks_or_new().on_response(Box::new(look));
    }

    pub(crate) fn new(channel: Channel, spec: &'static Spec) -> Self {
        Self {
            spec,
            channel,
            headers: Metadata::new(),
            timeout: None,
            deadline: None,
            watchers: Watchers::default(),
            watch: None,
            options: None,
            response: None,
        }
    }

    pub(crate) fn options_mut(&mut self) -> &mut Options {
        self.options.get_or_insert_default()
    }

    /// The configuration of this call, to be changed.
    pub(crate) fn config_mut(&mut self) -> &mut ClientConfig {
        let Self { channel, options, .. } = self;
        let config = &mut options.get_or_insert_default().config;
        Arc::make_mut(config.get_or_insert_with(|| channel.config().clone()))
    }

    pub(crate) fn config(&self) -> &Arc<ClientConfig> {
        let own = self.options.as_ref().and_then(|options| options.config.as_ref());
        own.unwrap_or(self.channel.config())
    }

    /// Whether somebody besides the caller takes part in the call.
    pub(crate) fn is_watched(&self) -> bool {
        !self.channel.interceptors().is_empty() || self.channel.observer().is_some()
    }

    /// Whether the configuration is that of the channel.
    pub(crate) fn has_usual_config(&self) -> bool {
        self.options.as_ref().is_none_or(|options| options.config.is_none())
    }

    pub(crate) fn coding(&self) -> Coding {
        let coding = self.channel.coding();
        match &self.options {
            None => coding,
            Some(options) => Coding {
                codec: options.codec.unwrap_or(coding.codec),
                decode_limits: options.decode_limits.unwrap_or(coding.decode_limits),
                send_max: self.config().limits.send_max,
            },
        }
    }

    pub(crate) fn retry_policy(&self) -> Option<&RetryPolicy> {
        match self.options.as_ref().and_then(|options| options.retry.as_ref()) {
            Some(own) => own.as_ref(),
            None => self.channel.retry_policy(),
        }
    }

    pub(crate) fn hedge_policy(&self) -> Option<&HedgePolicy> {
        match self.options.as_ref().and_then(|options| options.hedge.as_ref()) {
            Some(own) => own.as_ref(),
            None => self.channel.hedge_policy(),
        }
    }

    pub(crate) fn compress(&self) -> Option<Compress> {
        self.options.as_ref()?.compress
    }

    pub(crate) fn cancelled(&self) -> Option<Cancelled> {
        self.options.as_ref()?.cancelled.clone()
    }

    pub(crate) fn extensions(&self) -> Option<&http::Extensions> {
        self.options.as_ref().map(|options| &options.extensions).filter(|extensions| !extensions.is_empty())
    }

    pub(crate) fn within(&mut self, call: &impl ParentCall) {
        self.deadline = earlier(self.deadline, call.deadline());
        self.options_mut().cancelled = Some(call.cancelled());
    }

    /// An option cannot be; the call fails with the first error.
    pub(crate) fn note(&mut self, fault: Error) {
        self.options_mut().fault.get_or_insert(fault);
    }

    /// The call begins: its time runs, and it has its headers.
    pub(crate) fn begin(&mut self) -> Result<()> {
        self.watch = self.channel.observer().map(|observer| {
            let form = (self.protocol(), self.codec());
            Watch::begin(observer, self.spec, form)
        });
        self.begin_options().inspect_err(|error| self.ended(Some(error)))
    }

    /// Tells the observer of the outcome, if there is one.
    pub(crate) fn ended(&self, error: Option<&Error>) {
        if let Some(watch) = &self.watch {
            watch.end(error);
        }
    }

    fn begin_options(&mut self) -> Result<()> {
        if let Some(fault) = self.options.as_mut().and_then(|options| options.fault.take()) {
            return Err(fault);
        }
        if let Some(timeout) = self.timeout.or(self.channel.default_timeout()) {
            // A time beyond what the clock can say is no bound.
            self.deadline = earlier(self.deadline, clock::now().checked_add(timeout));
        }
        let defaults = self.channel.default_headers();
        if !defaults.is_empty() {
            let mut headers = defaults.clone();
            for (name, _) in self.headers.iter() {
                headers.remove(name);
            }
            headers.extend(&self.headers);
            self.headers = headers;
        }
        Ok(())
    }

    /// The time that is left to tell the server; `None` if there is no bound.
    pub(crate) fn remaining(&self) -> Result<Option<Duration>> {
        let Some(deadline) = self.deadline else { return Ok(None) };
        match deadline.checked_duration_since(clock::now()) {
            None | Some(Duration::ZERO) => Err(deadline_reached()),
            remaining => Ok(remaining),
        }
    }

    /// A call of the same method that holds the place of one that runs.
    pub(crate) fn placeholder(&self) -> Self {
        Self { deadline: self.deadline, ..Self::new(self.channel.clone(), self.spec) }
    }
}

fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("procedure", &self.spec.procedure)
            .field("channel", &self.channel)
            .field("headers", &self.headers)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

const NONE: &Metadata = &Metadata::new();
