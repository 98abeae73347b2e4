//! A pause of a shard that has more to do: its runtime parks, and comes back at once.
//!
//! A task that wakes itself never lets its runtime park, and some runtimes do their work when they park: that of tokio-uring
//! submits its operations then. So a busy shard is woken by its runtime's own I/O instead.

use std::io;
use std::task::Context;

#[cfg(unix)]
pub(crate) struct Pause {
    near: tokio::net::UnixStream,
    far: std::os::unix::net::UnixStream,
}

#[cfg(unix)]
impl Pause {
    /// Needs a tokio runtime around it.
    pub(crate) fn new() -> io::Result<Self> {
        let (near, far) = std::os::unix::net::UnixStream::pair()?;
        near.set_nonblocking(true)?;
        far.set_nonblocking(true)?;
        Ok(Self { near: tokio::net::UnixStream::from_std(near)?, far })
    }

    /// Has the task of `cx`, which is about to give way, woken once its runtime has parked.
    pub(crate) fn begin(&mut self, cx: &mut Context<'_>) {
        use std::io::Write;
        // What the last pause has written.
        while self.near.try_read(&mut [0; 8]).is_ok_and(|read| read > 0) {}
        if self.near.poll_read_ready(cx).is_ready() || self.far.write(&[0]).is_err() {
            cx.waker().wake_by_ref();
        }
    }
}

#[cfg(not(unix))]
pub(crate) struct Pause;

#[cfg(not(unix))]
impl Pause {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self)
    }

    pub(crate) fn begin(&mut self, cx: &mut Context<'_>) {
        cx.waker().wake_by_ref();
    }
}
