//! What an observer is told of a call, and what goes to `tracing` where there is no observer.

use crate::Instant;
use ringwire_call::{CallBegun, CallEnded, CallOutcome, CallSide, Observed, ObservedId, Observer, Traffic};
use ringwire_http::Head;
use ringwire_rpc::{Code, Error, Spec};
use std::sync::Arc;
use std::time::Duration;

/// What is collected of one call for an observer.
pub(crate) struct Watch {
    observer: Arc<dyn Observer>,
    id: ObservedId,
    begun: Instant,
    /// The last time that the shell has told.
    now: Instant,
    first_byte: Option<Duration>,
    /// What had arrived when the handler got the messages for itself.
    pub(crate) lent: Traffic,
    pub(crate) form: Option<(&'static str, &'static str)>,
}

impl Watch {
    pub(crate) fn begin(
        observer: &Arc<dyn Observer>,
        head: &Head,
        spec: Option<&'static Spec>,
        now: Instant,
    ) -> Box<Self> {
        let id = ObservedId::next();
        let side = CallSide::Server;
        let begun = CallBegun { id, side, spec, path: head.path(), head: Some(head), at: now };
        observer.on(&Observed::CallBegun(&begun));
        Box::new(Self {
            observer: observer.clone(),
            id,
            begun: now,
            now,
            first_byte: None,
            lent: Traffic::default(),
            form: None,
        })
    }

    pub(crate) fn passes(&mut self, now: Instant) {
        self.now = now;
    }

    pub(crate) fn head_leaves(&mut self) {
        self.first_byte = Some(self.now.saturating_duration_since(self.begun));
    }

    pub(crate) fn end(
        &self,
        head: &Head,
        spec: Option<&'static Spec>,
        outcome: CallOutcome<'_>,
        received: Traffic,
        sent: Traffic,
    ) {
        self.observer.on(&Observed::CallEnded(&CallEnded {
            id: self.id,
            side: CallSide::Server,
            spec,
            path: head.path(),
            protocol: self.form.map(|(protocol, _)| protocol),
            codec: self.form.map(|(_, codec)| codec),
            outcome,
            received,
            sent,
            begun: self.begun,
            first_byte: self.first_byte,
            duration: self.now.saturating_duration_since(self.begun),
        }));
    }
}

/// Tells `tracing` of an error that is the server's own fault.
#[cold]
pub(crate) fn trace_failure(procedure: &str, error: &Error) {
    if error.code() != Code::Internal {
        return;
    }
    let error_text = error.message();
    match error.source() {
        Some(cause) => {
            tracing::error!(target: "ringwire", procedure, error = error_text, cause = %cause);
        }
        None => tracing::error!(target: "ringwire", procedure, error = error_text),
    }
}
