//! How a target comes by connections, and when it does not try.

use super::{Agreed, Needs, Slow, Target, Waiter};
use crate::connect::{self, Lane, Opened};
use crate::gate::{lock, write};
use crate::life::{self, Life};
use crate::{Address, HttpVersion};
use ringwire_transport::{TransportError, TransportErrorKind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::Instant;

/// A connection that is being opened, until it is open or not; its runtime may go in between.
pub(super) struct Opening {
    target: Option<Arc<Target>>,
    addresses: Arc<[Address]>,
    keepalive: Option<Duration>,
}

impl Opening {
    /// Connects in a task of its own: the request that wants it may be gone before.
    pub(super) fn start(self, runtime: Option<&Handle>) {
        if let Some(channel) = self.target.as_ref().and_then(|target| target.channel.upgrade()) {
            channel.connecting();
        }
        let opening = async move {
            let Some(target) = &self.target else { return };
            let Target { shared, lane, name, .. } = &**target;
            let opened = connect::connect(shared, lane, &self.addresses, name, self.keepalive).await;
            self.done(opened);
        };
        // Who gives a place back need not be in a runtime.
        match (Handle::try_current(), runtime) {
            (Ok(runtime), _) => drop(runtime.spawn(opening)),
            (Err(_), Some(runtime)) => drop(runtime.spawn(opening)),
            (Err(_), None) => {}
        }
    }

    fn done(mut self, opened: Result<(Address, Opened), TransportError>) {
        let Some(target) = self.target.take() else { return };
        match opened {
            Ok((address, opened)) => target.opened(address, opened),
            Err(error) => target.not_opened(error),
        }
        target.serve();
        target.changed();
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        if let Some(target) = self.target.take() {
            let error = TransportError::new(TransportErrorKind::Connect)
                .unprocessed()
                .with_peer(target.name.clone())
                .with_source("the runtime that was connecting ended");
            target.not_opened(error);
            target.changed();
        }
    }
}

impl Target {
    /// Opens one more connection beside those that are busy.
    pub(super) fn grow(self: &Arc<Self>) {
        if self.is_growing.load(Ordering::Relaxed) {
            return;
        }
        let mut slow = lock(&self.slow);
        let max = self.shared.options.limits.http2_connections_max;
        if slow.connecting == 0 && slow.open < max && !slow.is_retired && !slow.rests(Instant::now()) {
            let opening = self.open_one(&mut slow);
            drop(slow);
            opening.start(None);
        }
    }

    /// Opens as many connections as those who wait need; returns them all if there is no hope.
    pub(super) fn open_for_waiters(
        self: &Arc<Self>,
        slow: &mut Slow,
        openings: &mut Vec<Opening>,
    ) -> Option<(TransportError, Vec<Waiter>)> {
        if slow.waiters.is_empty() {
            return None;
        }
        if slow.is_retired || slow.rests(Instant::now()) {
            if slow.open > 0 || slow.connecting > 0 {
                return None;
            }
            let error = match &slow.last_error {
                Some(error) if !slow.is_retired => error.clone(),
                Some(_) | None => {
                    TransportError::new(TransportErrorKind::Closed).unprocessed().with_peer(self.name.clone())
                }
            };
            return Some((error, self.take_waiters(slow, |_| true)));
        }
        let limits = &self.shared.options.limits;
        let is_http1 = match self.lane {
            Lane::Http1 | Lane::Agreed(_, HttpVersion::Http1) => true,
            Lane::Http2 => false,
            Lane::Agreed(..) => slow.agreed == Some(Agreed::Http1),
        };
        if is_http1 {
            while slow.connecting < slow.waiters.len()
                && slow.open + slow.connecting < limits.http1_connections_max
            {
                openings.push(self.open_one(slow));
            }
        } else if slow.connecting == 0 && slow.open < limits.http2_connections_max {
            openings.push(self.open_one(slow));
        }
        None
    }

    pub(super) fn open_one(self: &Arc<Self>, slow: &mut Slow) -> Opening {
        slow.connecting += 1;
        self.is_growing.store(true, Ordering::Relaxed);
        Opening { target: Some(self.clone()), addresses: slow.addresses.clone(), keepalive: slow.keepalive }
    }

    fn opened(self: &Arc<Self>, address: Address, opened: Opened) {
        let mut slow = lock(&self.slow);
        slow.connecting -= 1;
        self.is_growing.store(slow.connecting > 0, Ordering::Relaxed);
        if slow.is_retired || !slow.addresses.contains(&address) {
            return;
        }
        slow.open += 1;
        slow.failures = 0;
        slow.retry_at = None;
        slow.last_error = None;
        let target = Arc::downgrade(self);
        let life = Life::new(&self.shared, &address);
        match opened {
            Opened::Http2(opened) => {
                slow.agreed = Some(Agreed::Http2);
                let (http2, driver) = opened.start(address, &self.shared, target, life.clone());
                write(&self.http2).push(http2);
                drop(slow);
                life.opened();
                tokio::spawn(driver);
            }
            Opened::Http1(opened) => {
                slow.agreed = Some(Agreed::Http1);
                let misled = match self.lane {
                    Lane::Agreed(_, HttpVersion::Auto) => {
                        self.take_waiters(&mut slow, |waiter| waiter.needs == Needs::Http2)
                    }
                    Lane::Http1 | Lane::Http2 | Lane::Agreed(..) => Vec::new(),
                };
                drop(slow);
                life.opened();
                let (ready, driver) = opened.start(address, &self.shared, target, life);
                ready.connection.driven_by(tokio::spawn(driver).abort_handle());
                self.park(ready);
                self.refuse(Some((self.misled(), misled)));
            }
        }
    }

    pub(super) fn misled(&self) -> TransportError {
        TransportError::new(TransportErrorKind::Handshake)
            .unprocessed()
            .with_peer(self.name.clone())
            .with_source("the request needs HTTP/2, and the peer agrees on HTTP/1.1 only")
    }

    fn not_opened(self: &Arc<Self>, error: TransportError) {
        let mut slow = lock(&self.slow);
        slow.connecting -= 1;
        self.is_growing.store(slow.connecting > 0, Ordering::Relaxed);
        self.rest(&mut slow, error.clone());
        let hopeless = if slow.open == 0 && slow.connecting == 0 {
            self.take_waiters(&mut slow, |_| true)
        } else {
            Vec::new()
        };
        drop(slow);
        life::not_opened(&self.shared, &error);
        self.refuse(Some((error, hopeless)));
        self.ask_again();
    }

    /// Leaves the target alone for a while.
    pub(super) fn rest(&self, slow: &mut Slow, error: TransportError) {
        slow.failures = slow.failures.saturating_add(1);
        let delay = self.shared.options.backoff.delay(slow.failures, &self.shared.jitter);
        slow.retry_at = Some(Instant::now() + delay);
        slow.last_error = Some(error);
        self.is_suspect.store(true, Ordering::Release);
    }
}
