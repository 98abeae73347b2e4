//! Cancelling a call from elsewhere: an interceptor that gives up on it.

use ringwire_client::{Call, Error, Interceptor, Next, Result};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// Ends the call that it goes around when it is told to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cancel(Arc<Notify>);

impl Cancel {
    pub(crate) fn now(&self) {
        self.0.notify_one();
    }

    pub(crate) fn after(&self, delay: Duration) {
        let cancel = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            cancel.now();
        });
    }
}

impl Interceptor<Call> for Cancel {
    async fn intercept(&self, call: &mut Call, next: Next<'_>) -> Result<()> {
        tokio::select! {
            outcome = next.run(call) => outcome,
            () = self.0.notified() => Err(Error::canceled("the caller has lost interest")),
        }
    }
}
