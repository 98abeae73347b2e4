//! The clock and the timers of tokio.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use ringwire_service::Alarm;
use tokio::time::Sleep;

/// The clock of the runtime, which tests can hold, and one timer. It is made when a call first has to wait, which most never do,
/// and is only ever moved closer.
#[derive(Default)]
pub(crate) struct TokioAlarm(Option<Pin<Box<Sleep>>>);

impl Alarm for TokioAlarm {
    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }

    fn poll_until(&mut self, cx: &mut Context<'_>, due: Instant) -> Poll<()> {
        let due = tokio::time::Instant::from_std(due);
        let sleep = self.0.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
        if due < sleep.deadline() || sleep.is_elapsed() {
            sleep.as_mut().reset(due);
        }
        sleep.as_mut().poll(cx)
    }
}

impl fmt::Debug for TokioAlarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TokioAlarm").field(&self.0.as_ref().map(|sleep| sleep.deadline())).finish()
    }
}
