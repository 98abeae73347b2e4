//! The one place that reads the clock and waits for it.
//!
//! Timers are tokio's, so that tests can hold the clock, and in a browser the browser's. A call without a deadline
//! makes none, and so needs no runtime.

use ringwire_call::Instant;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A timer that is made when somebody first has to wait for it, which for most deadlines is never.
#[derive(Default)]
pub struct Alarm(Option<(Instant, Pin<Box<platform::Sleep>>)>);

impl Alarm {
    /// Waits until `due`.
    pub fn poll(&mut self, cx: &mut Context<'_>, due: Instant) -> Poll<()> {
        match &mut self.0 {
            Some((set, sleep)) if *set == due => sleep.as_mut().poll(cx),
            unset => {
                let sleep = Box::pin(platform::sleep_until(due));
                unset.insert((due, sleep)).1.as_mut().poll(cx)
            }
        }
    }
}

impl fmt::Debug for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Alarm").field(&self.0.as_ref().map(|(due, _)| due)).finish()
    }
}

pub use platform::now;

#[cfg(not(target_arch = "wasm32"))]
mod platform {
    use super::Instant;
    pub(super) use tokio::time::Sleep;

    /// The time.
    pub fn now() -> Instant {
        tokio::time::Instant::now().into_std()
    }

    pub(super) fn sleep_until(due: Instant) -> Sleep {
        tokio::time::sleep_until(tokio::time::Instant::from_std(due))
    }
}

#[cfg(target_arch = "wasm32")]
mod platform {
    use super::Instant;
    pub(super) use ringwire_fetch::Sleep;

    /// The time.
    pub fn now() -> Instant {
        Instant::now()
    }

    pub(super) fn sleep_until(due: Instant) -> Sleep {
        ringwire_fetch::sleep(due.saturating_duration_since(now()))
    }
}
