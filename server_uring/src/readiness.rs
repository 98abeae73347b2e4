//! The driver for every platform: readiness, as tokio tells it (epoll, kqueue).

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use bytes::Bytes;
use ringwire_http::SendQueue;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::driver::{Completion, Driver, Key, Reading, Woken};
use crate::listener::{Accepted, Io, Listening, Stream, set_tcp_options};
use crate::wakes::{Mark, Wakes};

/// Sockets that are tried until they would block. Each has a waker that names it.
pub(crate) struct Readiness {
    wakes: Arc<Wakes>,
    listener: Option<(Accepting, Waker)>,
    entries: Vec<Option<Entry>>,
    free: Vec<Key>,
    /// Everything is read into here first, so that an idle connection holds no buffer.
    scratch: Box<[u8]>,
    /// Completions of the calls since the last turn.
    completed: Vec<Completion>,
}

enum Accepting {
    Tcp(tokio::net::TcpListener),
    #[cfg(unix)]
    Unix(tokio::net::UnixListener),
    Other(Box<dyn crate::listener::AnyListener>),
}

struct Entry {
    io: Box<dyn Io>,
    waker: Waker,
    reading: Reading,
    input: Input,
    output: Output,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Input {
    Open,
    Ended,
}

enum Output {
    Idle,
    Sending(SendQueue),
    /// The bytes are written; the stream may have a buffer of its own.
    Flushing(SendQueue),
    Ending,
    Ended,
}

/// Wakes the shard, and names the socket.
struct Name {
    wakes: Arc<Wakes>,
    woken: Woken,
}

impl Wake for Name {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wakes.push(Mark::Socket(self.woken));
    }
}

impl Readiness {
    /// A driver without sockets. Its methods are called inside a tokio runtime.
    pub(crate) fn new(wakes: Arc<Wakes>) -> Self {
        Self {
            wakes,
            listener: None,
            entries: Vec::new(),
            free: Vec::new(),
            scratch: vec![0; SCRATCH].into_boxed_slice(),
            completed: Vec::new(),
        }
    }

    fn waker(&self, woken: Woken) -> Waker {
        Waker::from(Arc::new(Name { wakes: self.wakes.clone(), woken }))
    }

    fn accept(&mut self, completions: &mut Vec<Completion>) {
        let Some((accepting, waker)) = &mut self.listener else { return };
        let mut cx = Context::from_waker(waker);
        for _ in 0..ACCEPTS_PER_TURN {
            match accepting.poll_accept(&mut cx) {
                Poll::Ready(Ok(accepted)) => completions.push(Completion::Accepted(accepted)),
                Poll::Ready(Err(error)) => return completions.push(Completion::AcceptFailed(error)),
                Poll::Pending => return,
            }
        }
        waker.wake_by_ref();
    }
}

impl Driver for Readiness {
    fn listen(&mut self, listening: Listening) -> io::Result<()> {
        let accepting = match listening {
            Listening::Tcp(listener) => {
                listener.set_nonblocking(true)?;
                Accepting::Tcp(tokio::net::TcpListener::from_std(listener)?)
            }
            #[cfg(unix)]
            Listening::Unix(listener) => {
                listener.set_nonblocking(true)?;
                Accepting::Unix(tokio::net::UnixListener::from_std(listener)?)
            }
            Listening::Other(listener) => Accepting::Other(listener),
        };
        self.listener = Some((accepting, self.waker(Woken::Listener)));
        self.accept_again();
        Ok(())
    }

    fn accept_again(&mut self) {
        self.wakes.push(Mark::Socket(Woken::Listener));
    }

    fn unlisten(&mut self) {
        let mut completions = std::mem::take(&mut self.completed);
        self.accept(&mut completions);
        self.completed = completions;
        self.listener = None;
    }

    fn open(&mut self, accepted: Accepted) -> io::Result<Key> {
        let io: Box<dyn Io> = match accepted.stream {
            Stream::Tcp(stream) => {
                stream.set_nonblocking(true)?;
                set_tcp_options(&stream);
                Box::new(tokio::net::TcpStream::from_std(stream)?)
            }
            #[cfg(unix)]
            Stream::Unix(stream) => {
                stream.set_nonblocking(true)?;
                Box::new(tokio::net::UnixStream::from_std(stream)?)
            }
            Stream::Other(io) => io,
        };
        let key = self.free.pop().unwrap_or_else(|| {
            self.entries.push(None);
            Key(u32::try_from(self.entries.len() - 1).expect("a shard has fewer connections than 2^32"))
        });
        let waker = self.waker(Woken::Connection(key));
        // The first look finds what has come with the connection, and registers the waker.
        waker.wake_by_ref();
        self.entries[key.index()] =
            Some(Entry { io, waker, reading: Reading::On, input: Input::Open, output: Output::Idle });
        Ok(key)
    }

    fn send(&mut self, key: Key, queue: SendQueue) {
        let Some(entry) = &mut self.entries[key.index()] else { return };
        debug_assert!(matches!(entry.output, Output::Idle), "one send at a time");
        entry.output = Output::Sending(queue);
        entry.write(key, &mut self.completed);
    }

    fn receive(&mut self, key: Key, reading: Reading) {
        let Some(entry) = &mut self.entries[key.index()] else { return };
        if reading == Reading::On && entry.reading == Reading::Off {
            entry.waker.wake_by_ref();
        }
        entry.reading = reading;
    }

    fn end_output(&mut self, key: Key) {
        let Some(entry) = &mut self.entries[key.index()] else { return };
        entry.output = Output::Ending;
        entry.write(key, &mut self.completed);
    }

    fn close(&mut self, key: Key) {
        if self.entries[key.index()].take().is_some() {
            self.free.push(key);
            self.completed.retain(|completion| completion.key() != Some(key));
        }
    }

    fn woken(&mut self, woken: Woken, completions: &mut Vec<Completion>) {
        match woken {
            Woken::Listener => self.accept(completions),
            Woken::Connection(key) => {
                let Some(Some(entry)) = self.entries.get_mut(key.index()) else { return };
                entry.write(key, completions);
                entry.read(key, &mut self.scratch, completions);
            }
        }
    }

    fn turn(&mut self, completions: &mut Vec<Completion>) {
        completions.append(&mut self.completed);
    }

    fn park(&mut self, _: &mut Context<'_>) -> Poll<()> {
        if self.completed.is_empty() { Poll::Pending } else { Poll::Ready(()) }
    }
}

impl Entry {
    fn read(&mut self, key: Key, scratch: &mut [u8], completions: &mut Vec<Completion>) {
        let mut cx = Context::from_waker(&self.waker);
        for _ in 0..READS_PER_TURN {
            if self.reading == Reading::Off || self.input == Input::Ended {
                return;
            }
            let mut buffer = ReadBuf::new(scratch);
            match Pin::new(&mut self.io).poll_read(&mut cx, &mut buffer) {
                Poll::Ready(Ok(())) if buffer.filled().is_empty() => {
                    self.input = Input::Ended;
                    completions.push(Completion::Ended { key });
                }
                Poll::Ready(Ok(())) => {
                    let bytes = Bytes::copy_from_slice(buffer.filled());
                    completions.push(Completion::Received { key, bytes });
                }
                Poll::Ready(Err(_)) => {
                    self.input = Input::Ended;
                    completions.push(Completion::Failed { key });
                }
                Poll::Pending => return,
            }
        }
        self.waker.wake_by_ref();
    }

    fn write(&mut self, key: Key, completions: &mut Vec<Completion>) {
        let mut cx = Context::from_waker(&self.waker);
        let before = match &self.output {
            Output::Sending(queue) => queue.len(),
            Output::Idle | Output::Flushing(_) | Output::Ending | Output::Ended => 0,
        };
        loop {
            match std::mem::replace(&mut self.output, Output::Idle) {
                Output::Sending(queue) if queue.is_empty() => self.output = Output::Flushing(queue),
                Output::Sending(mut queue) => match poll_write(&mut *self.io, &mut cx, &queue) {
                    Poll::Ready(Ok(written)) if written > 0 => {
                        queue.advance(written);
                        self.output = Output::Sending(queue);
                    }
                    Poll::Ready(Ok(_) | Err(_)) => {
                        self.output = Output::Ended;
                        return completions.push(Completion::Failed { key });
                    }
                    Poll::Pending => {
                        if queue.len() < before {
                            completions.push(Completion::Progress { key, unsent: queue.len() });
                        }
                        self.output = Output::Sending(queue);
                        return;
                    }
                },
                Output::Flushing(queue) => match Pin::new(&mut self.io).poll_flush(&mut cx) {
                    Poll::Ready(Ok(())) => return completions.push(Completion::Sent { key, queue }),
                    Poll::Ready(Err(_)) => {
                        self.output = Output::Ended;
                        return completions.push(Completion::Failed { key });
                    }
                    Poll::Pending => {
                        self.output = Output::Flushing(queue);
                        return;
                    }
                },
                // A peer that is gone already cannot be told.
                Output::Ending => match Pin::new(&mut self.io).poll_shutdown(&mut cx) {
                    Poll::Ready(_) => {
                        self.output = Output::Ended;
                        return;
                    }
                    Poll::Pending => {
                        self.output = Output::Ending;
                        return;
                    }
                },
                idle @ (Output::Idle | Output::Ended) => {
                    self.output = idle;
                    return;
                }
            }
        }
    }
}

/// Writes as many chunks as fit one call.
fn poll_write(io: &mut dyn Io, cx: &mut Context<'_>, queue: &SendQueue) -> Poll<io::Result<usize>> {
    let mut slices = [IoSlice::new(&[]); CHUNKS_PER_WRITE];
    let mut filled = 0;
    for (slice, chunk) in slices.iter_mut().zip(queue.chunks()) {
        *slice = IoSlice::new(chunk);
        filled += 1;
    }
    match &slices[..filled] {
        [one] => Pin::new(io).poll_write(cx, one),
        many => Pin::new(io).poll_write_vectored(cx, many),
    }
}

impl Accepting {
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        match self {
            // The connection may be served by another shard, whose runtime it must be known to instead of this one.
            Self::Tcp(listener) => listener.poll_accept(cx).map(|accepted| {
                let (stream, peer) = accepted?;
                let stream = Stream::Tcp(stream.into_std()?);
                Ok(Accepted { stream, peer: crate::Address::Tcp(peer) })
            }),
            #[cfg(unix)]
            Self::Unix(listener) => listener.poll_accept(cx).map(|accepted| {
                let (stream, peer) = accepted?;
                let peer = crate::Address::Unix(peer.as_pathname().map(std::path::Path::to_path_buf));
                Ok(Accepted { stream: Stream::Unix(stream.into_std()?), peer })
            }),
            Self::Other(listener) => listener.poll_accept(cx),
        }
    }
}

const SCRATCH: usize = 64 * 1024;
// One busy peer must not keep the others waiting.
const READS_PER_TURN: usize = 4;
const ACCEPTS_PER_TURN: usize = 64;
const CHUNKS_PER_WRITE: usize = 16;
