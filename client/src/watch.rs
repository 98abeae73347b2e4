//! What an observer is told of a call.

use crate::{Error, clock};
use ringwire_call::{
    Attempt, CallBegun, CallEnded, CallOutcome, CallSide, Instant, Observed, ObservedId, Observer, Traffic,
};
use ringwire_rpc::Spec;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// What is collected of one call for its observer. The parts of the call share it; when the last of them is dropped and no
/// outcome was told, the call was cancelled.
pub(crate) struct Watch {
    observer: Arc<dyn Observer>,
    id: ObservedId,
    spec: &'static Spec,
    /// The names of the protocol and of the codec.
    form: (&'static str, &'static str),
    begun: Instant,
    first_byte: OnceLock<Duration>,
    sent: Counts,
    received: Counts,
    has_attempts: AtomicBool,
    has_ended: AtomicBool,
}

/// What was moved in one direction so far.
#[derive(Default)]
struct Counts {
    bytes: AtomicU64,
    messages: AtomicU64,
}

impl Watch {
    /// Tells of a call that begins. `form` is the names of its protocol and of its codec.
    pub(crate) fn begin(
        observer: &Arc<dyn Observer>,
        spec: &'static Spec,
        form: (&'static str, &'static str),
    ) -> Arc<Self> {
        let (id, begun) = (ObservedId::next(), clock::now());
        observer.on(&Observed::CallBegun(&CallBegun {
            id,
            side: CallSide::Client,
            spec: Some(spec),
            path: spec.procedure,
            head: None,
            at: begun,
        }));
        Arc::new(Self {
            observer: observer.clone(),
            id,
            spec,
            form,
            begun,
            first_byte: OnceLock::new(),
            sent: Counts::default(),
            received: Counts::default(),
            has_attempts: AtomicBool::new(false),
            has_ended: AtomicBool::new(false),
        })
    }

    /// The head of a response has come.
    pub(crate) fn head(&self) {
        self.first_byte.get_or_init(|| clock::now().saturating_duration_since(self.begun));
    }

    /// A message of so many bytes was sent.
    pub(crate) fn sent(&self, bytes: usize) {
        self.sent.add(bytes, 1);
    }

    /// A piece of the response's body has come.
    pub(crate) fn received_bytes(&self, bytes: usize) {
        self.received.add(bytes, 0);
    }

    /// A message has come.
    pub(crate) fn received_message(&self) {
        self.received.add(0, 1);
    }

    /// An attempt begins, after so many others.
    pub(crate) fn attempt(self: &Arc<Self>, previous: u32) -> AttemptWatch {
        self.has_attempts.store(true, Ordering::Relaxed);
        AttemptWatch { watch: self.clone(), previous, begun: clock::now(), is_told: false }
    }

    fn tell_attempt(&self, previous: u32, begun: Instant, outcome: CallOutcome<'_>) {
        let duration = clock::now().saturating_duration_since(begun);
        let Self { id: call, spec, .. } = *self;
        self.observer.on(&Observed::Attempt(&Attempt { call, spec, previous, outcome, duration }));
    }

    /// Tells of the end of the call, once.
    pub(crate) fn end(&self, error: Option<&Error>) {
        self.tell(error.map_or(CallOutcome::Ok, CallOutcome::Failed));
    }

    fn tell(&self, outcome: CallOutcome<'_>) {
        if self.has_ended.swap(true, Ordering::Relaxed) {
            return;
        }
        if !self.has_attempts.load(Ordering::Relaxed) {
            // A stream of requests has one attempt, as long as itself.
            self.tell_attempt(0, self.begun, outcome);
        }
        let (protocol, codec) = self.form;
        self.observer.on(&Observed::CallEnded(&CallEnded {
            id: self.id,
            side: CallSide::Client,
            spec: Some(self.spec),
            path: self.spec.procedure,
            protocol: Some(protocol),
            codec: Some(codec),
            outcome,
            received: self.received.traffic(),
            sent: self.sent.traffic(),
            begun: self.begun,
            first_byte: self.first_byte.get().copied(),
            duration: clock::now().saturating_duration_since(self.begun),
        }));
    }
}

impl Counts {
    fn add(&self, bytes: usize, messages: u64) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        self.messages.fetch_add(messages, Ordering::Relaxed);
    }

    fn traffic(&self) -> Traffic {
        Traffic { bytes: self.bytes.load(Ordering::Relaxed), messages: self.messages.load(Ordering::Relaxed) }
    }
}

/// An attempt under way. One that is dropped before it has ended is told as cancelled.
pub(crate) struct AttemptWatch {
    watch: Arc<Watch>,
    previous: u32,
    begun: Instant,
    is_told: bool,
}

impl AttemptWatch {
    /// Tells of the end of the attempt.
    pub(crate) fn end(mut self, error: Option<&Error>) {
        self.tell(error.map_or(CallOutcome::Ok, CallOutcome::Failed));
    }

    fn tell(&mut self, outcome: CallOutcome<'_>) {
        if !std::mem::replace(&mut self.is_told, true) {
            self.watch.tell_attempt(self.previous, self.begun, outcome);
        }
    }
}

impl Drop for AttemptWatch {
    fn drop(&mut self) {
        self.tell(CallOutcome::Cancelled);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.tell(CallOutcome::Cancelled);
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}
