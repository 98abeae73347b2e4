//! What a pool is doing, for those who want to know.

use tokio::sync::watch;

/// What a pool is doing.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum State {
    /// There is no connection, and none is needed.
    #[default]
    Idle,
    /// The first connection is being opened, or the name resolved.
    Connecting,
    /// A request finds a connection.
    Ready,
    /// No target takes connections; requests fail until one of them is tried again.
    Failing,
    /// It was closed.
    Closed,
}

/// The changes of a pool's state.
#[derive(Clone, Debug)]
pub struct States(pub(crate) watch::Receiver<State>);

impl States {
    /// The state now.
    pub fn now(&self) -> State {
        *self.0.borrow()
    }

    /// Waits for another state than the last one seen; `None` once the pool is gone. Changes in quick succession are one.
    pub async fn next(&mut self) -> Option<State> {
        self.0.changed().await.ok()?;
        Some(*self.0.borrow_and_update())
    }
}
