//! A clock that stands still until a test moves it.
//!
//! [`Clock::advance`] stops at every timer on its way, in the order of their times, so that what runs at one time sees
//! that time, whatever the size of the step.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

/// A clock for tests; clones show the same time.
#[derive(Clone)]
pub struct Clock {
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    start: Instant,
    now: Instant,
    next_id: u64,
    // In the order of their times, and of their making where those are equal.
    timers: Vec<Timer>,
}

struct Timer {
    at: Instant,
    id: u64,
    waker: Waker,
}

impl Clock {
    /// A clock that shows some time and stands still.
    pub fn new() -> Self {
        let now = Instant::now();
        Self { shared: Arc::new(Mutex::new(Shared { start: now, now, next_id: 0, timers: Vec::new() })) }
    }

    /// The time it shows.
    pub fn now(&self) -> Instant {
        self.lock().now
    }

    /// How far it has moved since it was made.
    pub fn elapsed(&self) -> Duration {
        let shared = self.lock();
        shared.now - shared.start
    }

    /// Moves on by `step`.
    pub fn advance(&self, step: Duration) {
        self.advance_with(step, || {});
    }

    /// Moves on by `step`, and lets `turn` run whenever timers have fired, at their time: a test polls its futures there.
    pub fn advance_with(&self, step: Duration, mut turn: impl FnMut()) {
        let end = self.now() + step;
        while let Some(at) = self.next_timer().filter(|&at| at <= end) {
            for waker in self.fire(at) {
                waker.wake();
            }
            turn();
        }
        let mut shared = self.lock();
        shared.now = shared.now.max(end);
    }

    /// Moves on to the next timer; `false` if there is none.
    pub fn advance_to_next(&self) -> bool {
        let Some(at) = self.next_timer() else { return false };
        for waker in self.fire(at) {
            waker.wake();
        }
        true
    }

    /// The time of the next timer.
    pub fn next_timer(&self) -> Option<Instant> {
        self.lock().timers.first().map(|timer| timer.at)
    }

    /// A future that is ready once the clock has moved on by `step`.
    pub fn sleep(&self, step: Duration) -> Sleep {
        self.sleep_until(self.now() + step)
    }

    /// A future that is ready once the clock shows `at`.
    pub fn sleep_until(&self, at: Instant) -> Sleep {
        Sleep { clock: self.clone(), at, timer: None }
    }

    fn fire(&self, at: Instant) -> Vec<Waker> {
        let mut shared = self.lock();
        shared.now = shared.now.max(at);
        let due = shared.timers.partition_point(|timer| timer.at <= at);
        shared.timers.drain(..due).map(|timer| timer.waker).collect()
    }

    fn set(&self, at: Instant, waker: Waker) -> u64 {
        let mut shared = self.lock();
        let id = shared.next_id;
        shared.next_id += 1;
        let place = shared.timers.partition_point(|timer| timer.at <= at);
        shared.timers.insert(place, Timer { at, id, waker });
        id
    }

    fn cancel(&self, id: u64) {
        self.lock().timers.retain(|timer| timer.id != id);
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().expect("no code of a caller runs under this lock")
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").field("elapsed", &self.elapsed()).finish_non_exhaustive()
    }
}

/// A future that waits for a [`Clock`].
#[derive(Debug)]
pub struct Sleep {
    clock: Clock,
    at: Instant,
    timer: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(id) = self.timer.take() {
            self.clock.cancel(id);
        }
        if self.clock.now() >= self.at {
            return Poll::Ready(());
        }
        self.timer = Some(self.clock.set(self.at, cx.waker().clone()));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(id) = self.timer {
            self.clock.cancel(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_stands_still_until_moved() {
        let clock = Clock::new();
        assert_eq!((clock.now(), clock.elapsed()), (clock.now(), Duration::ZERO));
        clock.advance(SECOND);
        assert_eq!(clock.clone().elapsed(), SECOND);
    }

    #[test]
    fn timers_fire_in_order_at_their_time() {
        check(&[3, 1, 2], 3, &[(1, 1), (2, 2), (3, 0)]);
    }

    #[test]
    fn timers_of_one_time_fire_together_in_the_order_of_their_making() {
        check(&[2, 1, 2], 2, &[(1, 1), (2, 0), (2, 2)]);
    }

    #[test]
    fn timers_beyond_the_step_wait() {
        check(&[1, 5], 4, &[(1, 0)]);
        check(&[5], 5, &[(5, 0)]);
        check(&[0], 1, &[(0, 0)]);
    }

    #[test]
    fn dropped_timer_is_gone() {
        let clock = Clock::new();
        let mut sleep = Box::pin(clock.sleep(SECOND));
        assert!(poll(sleep.as_mut()).is_pending());
        assert_eq!(clock.next_timer(), Some(clock.now() + SECOND));
        drop(sleep);
        assert_eq!((clock.next_timer(), clock.advance_to_next()), (None, false));
    }

    #[test]
    fn clock_goes_from_timer_to_timer() {
        let clock = Clock::new();
        let mut sleep = Box::pin(clock.sleep(SECOND));
        assert!(poll(sleep.as_mut()).is_pending());
        assert!(poll(sleep.as_mut()).is_pending(), "polled twice, one timer");
        assert!(clock.advance_to_next());
        assert_eq!(clock.elapsed(), SECOND);
        assert!(!clock.advance_to_next());
        assert!(poll(sleep.as_mut()).is_ready());
    }

    /// Sleeps of so many seconds are ready at these seconds, in this order, while the clock moves on by `step`.
    fn check(sleeps: &[u64], step: u32, expected: &[(u64, usize)]) {
        let clock = Clock::new();
        let mut sleeps: Vec<_> =
            sleeps.iter().map(|&len| Some(Box::pin(clock.sleep(SECOND * len as u32)))).collect();
        let mut ready = Vec::new();
        let mut turn = || {
            for (index, slot) in sleeps.iter_mut().enumerate() {
                if slot.as_mut().is_some_and(|sleep| poll(sleep.as_mut()).is_ready()) {
                    ready.push((clock.elapsed().as_secs(), index));
                    *slot = None;
                }
            }
        };
        turn();
        clock.advance_with(SECOND * step, turn);
        assert_eq!(ready, expected);
        assert_eq!(clock.elapsed(), SECOND * step);
    }

    fn poll(sleep: Pin<&mut Sleep>) -> Poll<()> {
        sleep.poll(&mut Context::from_waker(Waker::noop()))
    }

    const SECOND: Duration = Duration::from_secs(1);
}
