//! One call, as interceptors see it: all that stands beside the messages.

use crate::error::deadline_reached;
use crate::message::Hook;
use crate::{Channel, Error, Result, clock};
use ringwire_call::{Cancelled, Instant, ParentCall, Payload};
use ringwire_rpc::{Compress, Metadata, Spec};
use ringwire_transport::PeerAddr;
use std::fmt;
use std::time::Duration;

/// One call: of what, until when, and what goes and came back beside the messages.
pub struct Call {
    pub(crate) spec: &'static Spec,
    pub(crate) channel: Channel,
    pub(crate) headers: Metadata,
    /// What was asked for; it counts from the moment at which the call begins.
    pub(crate) timeout: Option<Duration>,
    pub(crate) deadline: Option<Instant>,
    pub(crate) cancelled: Option<Cancelled>,
    pub(crate) compress: Option<Compress>,
    pub(crate) extensions: http::Extensions,
    pub(crate) send_hooks: Vec<Hook>,
    pub(crate) receive_hooks: Vec<Hook>,
    pub(crate) response_headers: Metadata,
    pub(crate) response_trailers: Metadata,
    pub(crate) peer: Option<PeerAddr>,
    /// What was wrong with the options of the call.
    pub(crate) fault: Option<Error>,
}

impl Call {
    /// The method that is called.
    pub fn spec(&self) -> &'static Spec {
        self.spec
    }

    /// The name of the protocol, for logs and metrics only: `connect`, `grpc` or `grpc-web`.
    pub fn protocol(&self) -> &'static str {
        self.channel.config().protocol.name()
    }

    /// The name of the codec, for logs and metrics only: `proto`, `json`.
    pub fn codec(&self) -> &'static str {
        self.channel.config().codec()
    }

    /// The headers of the request.
    pub fn headers(&self) -> &Metadata {
        &self.headers
    }

    /// The same, to be changed before the call goes on.
    pub fn headers_mut(&mut self) -> &mut Metadata {
        &mut self.headers
    }

    /// When the time of the call runs out.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Gives the call no more time than this, from now.
    pub fn limit_time(&mut self, timeout: Duration) {
        self.deadline = earlier(self.deadline, clock::now().checked_add(timeout));
    }

    /// What is handed to the transport beside the request: what tower layers look for.
    pub fn extensions_mut(&mut self) -> &mut http::Extensions {
        &mut self.extensions
    }

    /// The headers of the response, once the call has come back; empty before.
    pub fn response_headers(&self) -> &Metadata {
        &self.response_headers
    }

    /// The trailers of the response, once the call has come back; empty before.
    pub fn response_trailers(&self) -> &Metadata {
        &self.response_trailers
    }

    /// Who answered, once the call has come back, where the transport says so: `127.0.0.1:8080`.
    pub fn peer(&self) -> Option<&str> {
        self.peer.as_ref().map(|peer| &*peer.0)
    }

    /// Looks at each message that is sent, and may replace it. An error takes the place of the send.
    ///
    /// For interceptors, before they let the call go on. The first one to register sees a message first.
    pub fn on_send(&mut self, look: impl FnMut(&mut Payload<'_>) -> Result<()> + Send + 'static) {
        self.send_hooks.push(Hook::new(look));
    }

    /// Looks at each message that arrives, and may replace it. An error ends the call.
    ///
    /// For interceptors, before they let the call go on. The first one to register sees a message last.
    pub fn on_receive(&mut self, look: impl FnMut(&mut Payload<'_>) -> Result<()> + Send + 'static) {
        self.receive_hooks.push(Hook::new(look));
    }

    pub(crate) fn new(channel: Channel, spec: &'static Spec) -> Self {
        Self {
            spec,
            channel,
            headers: Metadata::new(),
            timeout: None,
            deadline: None,
            cancelled: None,
            compress: None,
            extensions: http::Extensions::new(),
            send_hooks: Vec::new(),
            receive_hooks: Vec::new(),
            response_headers: Metadata::new(),
            response_trailers: Metadata::new(),
            peer: None,
            fault: None,
        }
    }

    pub(crate) fn within(&mut self, call: &impl ParentCall) {
        self.deadline = earlier(self.deadline, call.deadline());
        self.cancelled = Some(call.cancelled());
    }

    /// The call begins: its time runs, and it has its headers.
    pub(crate) fn begin(&mut self) -> Result<()> {
        if let Some(fault) = self.fault.take() {
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

    /// How much time is left to tell the server; `None` if there is no bound.
    pub(crate) fn remaining(&self) -> Result<Option<Duration>> {
        let Some(deadline) = self.deadline else { return Ok(None) };
        match deadline.checked_duration_since(clock::now()) {
            None | Some(Duration::ZERO) => Err(deadline_reached()),
            remaining => Ok(remaining),
        }
    }

    /// A call of the same method that holds the place of one that runs.
    pub(crate) fn stand_in(&self) -> Self {
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
