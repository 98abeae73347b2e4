//! Whether a target is worth a request.

use super::{Look, Target};
use crate::gate::lock;
use std::sync::atomic::Ordering;
use tokio::time::Instant;

impl Target {
    /// Whether it can be tried now.
    pub(crate) fn is_usable(&self) -> bool {
        if !self.is_suspect.load(Ordering::Acquire) {
            return true;
        }
        // What makes it suspect in between is seen below, or sets it again.
        self.is_suspect.store(false, Ordering::Release);
        let now = Instant::now();
        let is_usable = self.rests_until(now).is_none() && !lock(&self.health).is_ejected(now);
        if !is_usable {
            self.is_suspect.store(true, Ordering::Release);
        }
        is_usable
    }

    /// Whether it would take a connection, though it may have been ejected.
    pub(crate) fn is_connectable(&self) -> bool {
        self.rests_until(Instant::now()).is_none()
    }

    fn rests_until(&self, now: Instant) -> Option<Instant> {
        let slow = lock(&self.slow);
        if slow.open > 0 || slow.connecting > 0 {
            return None;
        }
        slow.retry_at.filter(|at| *at > now)
    }

    pub(crate) fn look(&self) -> Look {
        let now = Instant::now();
        let rests_until = self.rests_until(now);
        let ejected = lock(&self.health).is_ejected(now);
        let slow = lock(&self.slow);
        Look {
            open: slow.open,
            connecting: slow.connecting,
            in_flight: self.in_flight(),
            rests_until,
            ejected,
            last_error: slow.last_error.clone(),
        }
    }

    pub(crate) fn is_ejected(&self, now: Instant) -> bool {
        self.is_suspect.load(Ordering::Acquire) && lock(&self.health).is_ejected(now)
    }

    /// It answered, and not for someone behind it that does not.
    pub(crate) fn succeeded(&self) {
        if self.has_failures.load(Ordering::Relaxed) {
            self.has_failures.store(false, Ordering::Relaxed);
            lock(&self.health).succeeded();
        }
    }

    /// It did not answer, or for someone behind it that does not.
    pub(crate) fn failed(&self) {
        let Some(ejection) = &self.shared.options.ejection else { return };
        self.has_failures.store(true, Ordering::Relaxed);
        let Some(channel) = self.channel.upgrade() else { return };
        // One at a time, so that two do not both become the last but one.
        let _turn = lock(&channel.ejecting);
        let (targets, ejected) = channel.count_ejected();
        let until =
            lock(&self.health).failed(Instant::now(), ejection, || ejection.leaves_enough(targets, ejected));
        if until.is_some() {
            self.is_suspect.store(true, Ordering::Release);
        }
    }
}
