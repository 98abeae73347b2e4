//! Tells an observer what becomes of one connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use ringwire_call::{Connection, ConnectionChange, ConnectionEnd, Observed, ObservedId, Observer};

/// A connection as its observer knows it. Told of an end, it is dropped.
pub(crate) struct ObservedConnection {
    observer: Arc<dyn Observer>,
    id: ObservedId,
    peer: Option<SocketAddr>,
    opened: Option<Instant>,
}

impl ObservedConnection {
    pub(crate) fn new(observer: Arc<dyn Observer>, peer: Option<SocketAddr>) -> Self {
        Self { observer, id: ObservedId::next(), peer, opened: None }
    }

    /// The version of HTTP is known, so requests can come.
    pub(crate) fn opens(&mut self, now: Instant) {
        self.opened = Some(now);
        self.tell(ConnectionChange::Opened);
    }

    /// It is gone, for `reason`; `error` says why it was never open, if it was not.
    pub(crate) fn ends(
        self,
        reason: ConnectionEnd<'_>,
        error: &(dyn std::error::Error + 'static),
        now: Instant,
    ) {
        match self.opened {
            Some(opened) => {
                let open = now.saturating_duration_since(opened);
                self.tell(ConnectionChange::Ended { reason, open });
            }
            None => self.tell(ConnectionChange::Failed(error)),
        }
    }

    fn tell(&self, change: ConnectionChange<'_>) {
        let Self { id, peer, .. } = *self;
        self.observer.on(&Observed::ServerConnection(&Connection { id, peer, origin: None, change }));
    }
}
