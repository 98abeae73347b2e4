//! One HTTP/2 stream's task, and the timer that ends it when its peer opens no window.
//!
//! hyper gives each stream a future that first calls the service and then sends the body. While the stream has no send
//! window, that future waits inside HTTP/2 and polls nothing of ours: neither handler nor deadline would run again. So the
//! timer stands around it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep};

use crate::progress::Progress;

/// Whose turn it is on a stream, told by the response body: odd after it handed out a frame, even while it makes one.
#[derive(Debug, Default)]
pub(crate) struct Turn(AtomicU32);

impl Turn {
    /// The body handed out a frame; until it is asked for the next, the peer is to take it.
    pub(crate) fn to_peer(&self) {
        let turn = self.0.load(Ordering::Relaxed);
        self.0.store((turn | 1).wrapping_add(2), Ordering::Relaxed);
    }

    /// The body was asked for a frame that is not there yet, or for one that needs no window.
    pub(crate) fn to_handler(&self) {
        self.0.store(self.0.load(Ordering::Relaxed) & !1, Ordering::Relaxed);
    }

    /// The number of the peer's turn, if it is one.
    fn of_peer(&self) -> Option<u32> {
        let turn = self.0.load(Ordering::Relaxed);
        (turn % 2 == 1).then_some(turn)
    }
}

/// Spawns the futures of one connection's streams.
#[derive(Clone)]
pub(crate) struct Streams {
    pub(crate) progress: Arc<Progress>,
    pub(crate) stall_max: Duration,
}

impl<F> hyper::rt::Executor<F> for Streams
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, future: F) {
        // hyper calls the service and hands over the future in one breath, so the turn is this stream's.
        match self.progress.take_turn() {
            Some(turn) => {
                let stall_max = self.stall_max;
                tokio::spawn(Watched { future: Some(future), turn, stall_max, stalled: None });
            }
            None => {
                tokio::spawn(future);
            }
        }
    }
}

pin_project! {
    /// A stream's future, dropped when its peer has not taken a frame for too long: that resets the stream.
    struct Watched<F> {
        #[pin]
        future: Option<F>,
        turn: Arc<Turn>,
        stall_max: Duration,
        stalled: Option<Stall>,
    }
}

struct Stall {
    turn: u32,
    sleep: Pin<Box<Sleep>>,
}

impl<F: Future<Output = ()>> Future for Watched<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else { return Poll::Ready(()) };
        if future.poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let Some(turn) = this.turn.of_peer() else {
            *this.stalled = None;
            return Poll::Pending;
        };
        let deadline = || Instant::now() + *this.stall_max;
        let stall = match this.stalled {
            Some(stall) => {
                if stall.turn != turn {
                    stall.turn = turn;
                    stall.sleep.as_mut().reset(deadline());
                }
                stall
            }
            None => {
                this.stalled.insert(Stall { turn, sleep: Box::pin(tokio::time::sleep_until(deadline())) })
            }
        };
        if stall.sleep.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        this.future.set(None);
        Poll::Ready(())
    }
}
