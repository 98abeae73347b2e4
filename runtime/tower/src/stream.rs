//! Where HTTP/2 streams run, and the timer that ends one when its peer opens no window.
//!
//! hyper gives each stream a future that first calls the service and then sends the body. While the stream has no send
//! window, that future waits inside HTTP/2 and polls nothing of ours: neither handler nor deadline would run again. So the
//! timer stands around it.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
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

/// Runs the futures of one connection's streams: first where the connection itself runs, so that calls which end at once
/// cost no task and their responses leave in one write; and in tasks of their own as soon as one has to wait, or those at
/// hand take long.
pub(crate) struct Streams {
    begun: Arc<Begun>,
}

/// What hyper hands the futures to. Each of them holds one of these in turn, so these do not hold them.
#[derive(Clone)]
pub(crate) struct Starter {
    progress: Arc<Progress>,
    stall_max: Duration,
    begun: Weak<Begun>,
}

type Begun = Mutex<Vec<Stream>>;
type Stream = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Streams {
    pub(crate) fn new() -> Self {
        Self { begun: Arc::default() }
    }

    pub(crate) fn starter(&self, progress: Arc<Progress>, stall_max: Duration) -> Starter {
        Starter { progress, stall_max, begun: Arc::downgrade(&self.begun) }
    }

    /// Polls the streams that have begun since the last time, each once. Says whether there was one.
    pub(crate) fn poll_begun(&self, cx: &mut Context<'_>) -> bool {
        let begun = std::mem::take(&mut *lock(&self.begun));
        let Some(started) = (!begun.is_empty()).then(Instant::now) else { return false };
        let mut is_late = false;
        for mut stream in begun {
            if !is_late {
                // A panic is that stream's end, as it would be in a task.
                let polled = catch_unwind(AssertUnwindSafe(|| stream.as_mut().poll(cx)));
                is_late = started.elapsed() > TOGETHER_MAX;
                if !matches!(polled, Ok(Poll::Pending)) {
                    continue;
                }
            }
            tokio::spawn(stream);
        }
        true
    }
}

fn lock(begun: &Begun) -> MutexGuard<'_, Vec<Stream>> {
    // The list is whole at any time.
    begun.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<F> hyper::rt::Executor<F> for Starter
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, future: F) {
        // hyper calls the service and hands over the future in one breath, so the turn is this stream's.
        let turn = self.progress.take_turn().unwrap_or_default();
        // A connection that is gone runs nothing.
        let Some(begun) = self.begun.upgrade() else { return };
        let stall_max = self.stall_max;
        lock(&begun).push(Box::pin(Watched { future, turn, stall_max, stalled: None }));
    }
}

pin_project! {
    /// A stream's future. It is over when the peer has not taken a frame for too long; dropping it then resets the stream.
    struct Watched<F> {
        #[pin]
        future: F,
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
        let this = self.project();
        if this.future.poll(cx).is_ready() {
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
        stall.sleep.as_mut().poll(cx)
    }
}

// What the streams of one connection may take of its task before the rest go elsewhere: a few dozen short calls, and not
// enough for anyone to notice that they ran one after the other.
const TOGETHER_MAX: Duration = Duration::from_micros(200);
