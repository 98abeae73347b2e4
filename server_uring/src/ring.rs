//! The driver for Linux: io_uring, with multishot accepts and receives and buffers that the kernel picks.
//!
//! One ring belongs to one shard and its thread. Everything is submitted in batches: once per turn, together with the look for
//! completions. Between turns the shard is parked in its tokio runtime, which a registered eventfd wakes: epoll on the ring
//! itself does not, because deferred work only runs when the ring is entered.
//!
//! What the kernel holds of ours: the queue of a send under way, and the memory of [`Buffers`]. Both are kept in here until the
//! kernel has reported the end of every operation that uses them.

use std::collections::VecDeque;
use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use io_uring::types::Fd;
use io_uring::{EnterFlags, IoUring, cqueue, opcode, squeue};
use ringwire_http::SendQueue;
use socket2::SockRef;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::buffers::{Buffers, Lease};
use crate::driver::{Completion, Driver, Key, Reading, Tally, Woken};
use crate::listener::{Accepted, Listening, Stream, set_tcp_options, unix_address};
use crate::{Address, Notice};

/// The sockets of one shard, on a ring.
pub(crate) struct Ring {
    ring: IoUring,
    /// INVARIANT: registered with `ring` as group 0, and dropped after every operation has ended, or never.
    buffers: Option<Buffers>,
    event: AsyncFd<OwnedFd>,
    listener: Option<ListenerState>,
    /// INVARIANT: an operation under way names the place of its connection here; the place is not used again before its end.
    connections: Vec<Option<Connection>>,
    free: Vec<Key>,
    /// Entries that the submission queue has no room for.
    backlog: VecDeque<squeue::Entry>,
    /// Connections whose receive ended for want of a buffer.
    starved: Vec<Key>,
    completed: Vec<Completion>,
    entries: u64,
    starvations: u64,
    /// Completions as the kernel has written them, while they are gone through.
    raw: Vec<Raw>,
}

struct Raw {
    data: u64,
    result: i32,
    flags: u32,
}

struct ListenerState {
    listening: Listening,
    /// An accept, or the wait for something to accept.
    operation: Operation,
    closing: bool,
}

struct Connection {
    stream: SocketOf,
    reading: Reading,
    receive: Operation,
    input: Input,
    /// INVARIANT: while `send` is under way the queue and the vector are not touched: the kernel reads both.
    send: Operation,
    queue: SendQueue,
    vector: Option<Box<Vector>>,
    closing: bool,
    failed: bool,
}

enum SocketOf {
    Tcp(std::net::TcpStream),
    Unix(UnixStream),
}

/// Whether an operation is under way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Operation {
    None,
    Running,
    /// Asked to end.
    Cancelled,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Input {
    Open,
    Ended,
}

/// The chunks of one send, as the kernel wants them.
struct Vector {
    chunks: [libc::iovec; CHUNKS_PER_SEND],
    header: libc::msghdr,
}

/// Looks whether this kernel gives all that the driver needs, by using it.
pub(crate) fn probe() -> Result<(), Notice> {
    // Serving may be asked for inside a runtime, and a ring belongs to its thread.
    let probing = std::thread::spawn(|| -> Result<(), Notice> {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Notice::no_ring)?;
        let _inside = runtime.enter();
        let mut ring = Ring::new().map_err(Notice::no_ring)?;
        ring.try_receiving().map_err(Notice::no_ring)
    });
    probing.join().unwrap_or_else(|_| Err(Notice::no_ring(io::Error::other("the probe failed"))))
}

impl Ring {
    /// A ring without sockets, for this thread. Needs a tokio runtime around it.
    pub(crate) fn new() -> io::Result<Self> {
        let ring = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_taskrun_flag()
            .setup_submit_all()
            .setup_clamp()
            .setup_cqsize(COMPLETIONS)
            .build(SUBMISSIONS)?;
        let buffers = Buffers::new(BUFFERS, BUFFER_SIZE);
        // SAFETY: the address is that of `count` entries, which stay until the ring has gone: `buffers` is dropped by this
        // type's `drop` alone, once nothing is under way.
        unsafe {
            ring.submitter().register_buf_ring_with_flags(
                buffers.ring_address(),
                buffers.count(),
                GROUP,
                0,
            )?;
        }
        // SAFETY: the call takes no pointer.
        let event = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if event < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel has just made this descriptor for us, and nobody else has it.
        let event = unsafe { OwnedFd::from_raw_fd(event) };
        ring.submitter().register_eventfd(event.as_raw_fd())?;
        // SAFETY: the descriptor is open, and stays so until the `AsyncFd` that owns it goes; nothing else closes it.
        let event = unsafe { AsyncFd::register_with_interest(event, Interest::READABLE) };
        let event = event.map_err(io::Error::from)?;
        Ok(Self {
            ring,
            buffers: Some(buffers),
            event,
            listener: None,
            connections: Vec::new(),
            free: Vec::new(),
            backlog: VecDeque::new(),
            starved: Vec::new(),
            completed: Vec::new(),
            entries: 0,
            starvations: 0,
            raw: Vec::new(),
        })
    }

    /// Receives one byte, and asks whether there would be more.
    fn try_receiving(&mut self) -> io::Result<()> {
        use std::io::Write;
        let (near, mut far) = UnixStream::pair()?;
        far.write_all(b"?")?;
        let key = self.open(Accepted { stream: Stream::Unix(near), peer: Address::Unnamed })?;
        let mut completions = Vec::new();
        let until = Instant::now() + PROBE;
        while completions.is_empty() && Instant::now() < until {
            self.turn(&mut completions);
        }
        match &completions[..] {
            [Completion::Received { bytes, .. }] if &bytes[..] == b"?" => {}
            _ => return Err(io::ErrorKind::Unsupported.into()),
        }
        let goes_on = self.connection(key).is_some_and(|connection| connection.receive == Operation::Running);
        goes_on.then_some(()).ok_or_else(|| io::ErrorKind::Unsupported.into())
    }

    fn connection(&mut self, key: Key) -> Option<&mut Connection> {
        self.connections.get_mut(key.index())?.as_mut()
    }

    fn buffers(&mut self) -> &mut Buffers {
        self.buffers.as_mut().expect("there until the ring is dropped")
    }

    /// Puts an entry into the queue, or behind it.
    ///
    /// # Safety
    /// Whatever the entry points to stays, and is not touched, until the kernel has reported the end of its operation.
    unsafe fn push(&mut self, entry: squeue::Entry) {
        // SAFETY: the caller keeps what the entry points to.
        if !self.backlog.is_empty() || unsafe { self.ring.submission().push(&entry) }.is_err() {
            self.backlog.push_back(entry);
        }
    }

    /// Submits what there is, and lets the kernel do what it has put off: in one call, or in none if there is neither.
    fn enter(&mut self) {
        loop {
            let mut queue = self.ring.submission();
            while let Some(entry) = self.backlog.front() {
                // SAFETY: entries in the backlog came through `Ring::push`.
                if unsafe { queue.push(entry) }.is_err() {
                    break;
                }
                self.backlog.pop_front();
            }
            queue.sync();
            let entries = queue.len() as u32;
            if entries == 0 && !queue.taskrun() && !queue.cq_overflow() {
                return;
            }
            drop(queue);
            self.entries += 1;
            // SAFETY: no argument is a pointer, and every entry came through `Ring::push`.
            let entered = unsafe {
                self.ring.submitter().enter::<libc::sigset_t>(entries, 0, EnterFlags::GETEVENTS.bits(), None)
            };
            match entered {
                Ok(_) if self.backlog.is_empty() => return,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Too many completions wait to be read, or memory is short: the next turn tries again.
                Err(_) => return,
            }
        }
    }

    fn start_receive(&mut self, key: Key) {
        let Some(connection) = self.connection(key) else { return };
        if connection.receive != Operation::None
            || connection.reading == Reading::Off
            || connection.input == Input::Ended
            || connection.closing
        {
            return;
        }
        connection.receive = Operation::Running;
        let entry =
            opcode::RecvMulti::new(Fd(connection.fd()), GROUP).build().user_data(RECEIVE | key.data());
        // SAFETY: the entry points to nothing: the kernel picks a buffer of the group.
        unsafe { self.push(entry) };
    }

    fn start_send(&mut self, key: Key) {
        let Some(connection) = self.connection(key) else { return };
        let fd = Fd(connection.fd());
        let alone = {
            let mut chunks = connection.queue.chunks();
            let first = chunks.next().expect("a send has bytes");
            chunks.next().is_none().then_some((first.as_ptr(), first.len()))
        };
        let entry = match alone {
            Some((start, len)) => {
                // What does not fit the type is sent after that.
                let len = u32::try_from(len).unwrap_or(u32::MAX);
                opcode::Send::new(fd, start, len).flags(libc::MSG_NOSIGNAL).build()
            }
            None => {
                let vector = connection.vector.get_or_insert_with(Vector::new);
                vector.fill(&connection.queue);
                opcode::SendMsg::new(fd, &raw const vector.header).flags(libc::MSG_NOSIGNAL as u32).build()
            }
        };
        connection.send = Operation::Running;
        // SAFETY: the entry points to chunks of `queue`, whose addresses stay until the queue is changed, and to `vector`, which
        // is boxed. Neither is touched while `send` is running, and both stay with the connection until then.
        unsafe { self.push(entry.user_data(SEND | key.data())) };
    }

    /// Accepts until the queue of the listener is empty.
    fn start_accept(&mut self) {
        self.with_listener(|fd| {
            opcode::AcceptMulti::new(fd).flags(libc::SOCK_CLOEXEC).build().user_data(ACCEPT)
        });
    }

    /// Waits for a connection in the queue of the listener.
    fn start_listening(&mut self) {
        self.with_listener(|fd| opcode::PollAdd::new(fd, libc::POLLIN as u32).build().user_data(LISTEN));
    }

    /// Begins an operation on the listener, unless one is under way. The entry points to nothing.
    fn with_listener(&mut self, entry: impl FnOnce(Fd) -> squeue::Entry) {
        let Some(state) = &mut self.listener else { return };
        if state.operation != Operation::None || state.closing {
            return;
        }
        let fd = match &state.listening {
            Listening::Tcp(listener) => listener.as_raw_fd(),
            Listening::Unix(listener) => listener.as_raw_fd(),
            Listening::Other(_) => return,
        };
        state.operation = Operation::Running;
        // SAFETY: neither an accept that asks for no address nor a poll points to anything.
        unsafe { self.push(entry(Fd(fd))) };
    }

    fn cancel(&mut self, data: u64) {
        let entry = opcode::AsyncCancel::new(data).build().user_data(CANCEL);
        // SAFETY: the entry points to nothing.
        unsafe { self.push(entry) };
    }

    fn complete(&mut self, raw: &Raw) {
        let key = Key(raw.data as u32);
        match raw.data & !u64::from(u32::MAX) {
            RECEIVE => self.received(key, raw),
            SEND => self.sent(key, raw),
            ACCEPT => self.accepted(raw),
            LISTEN => self.may_accept(),
            _ => {}
        }
    }

    fn received(&mut self, key: Key, raw: &Raw) {
        let lease = cqueue::buffer_select(raw.flags).map(|id| {
            let len = u32::try_from(raw.result).unwrap_or(0);
            // SAFETY: this is the kernel's one report of this buffer of our one group, with the length it has written.
            unsafe { self.buffers().lease(id, len) }
        });
        let Some(connection) = self.connection(key) else { return };
        if !cqueue::more(raw.flags) {
            connection.receive = Operation::None;
        }
        if connection.closing {
            return self.free_if_done(key);
        }
        match (raw.result, lease) {
            (1.., Some(lease)) => {
                let bytes = self.bytes(lease);
                self.completed.push(Completion::Received { key, bytes });
            }
            (0, _) => {
                connection.input = Input::Ended;
                self.completed.push(Completion::Ended { key });
            }
            (error, _) => match -error {
                libc::ENOBUFS => {
                    self.starvations += 1;
                    return self.starved.push(key);
                }
                libc::ECANCELED | libc::EINTR | libc::EAGAIN => {}
                _ => return self.fail(key),
            },
        }
        self.start_receive(key);
    }

    /// The bytes of a lease, by reference unless that costs more, or the buffers are running out.
    fn bytes(&mut self, lease: Lease) -> Bytes {
        let buffers = self.buffers();
        // Whoever is handed a buffer may keep it for as long as a call runs. The last ones only leave for one turn.
        if lease.as_ref().len() < COPY_MAX || buffers.offered() < buffers.count() / 4 {
            Bytes::copy_from_slice(lease.as_ref())
        } else {
            Bytes::from_owner(lease)
        }
    }

    fn sent(&mut self, key: Key, raw: &Raw) {
        let Some(connection) = self.connection(key) else { return };
        connection.send = Operation::None;
        if connection.closing {
            return self.free_if_done(key);
        }
        match usize::try_from(raw.result) {
            Ok(0) => self.fail(key),
            Ok(sent) => {
                connection.queue.advance(sent);
                if connection.queue.is_empty() {
                    let queue = std::mem::take(&mut connection.queue);
                    self.completed.push(Completion::Sent { key, queue });
                } else {
                    let unsent = connection.queue.len();
                    self.completed.push(Completion::Progress { key, unsent });
                    self.start_send(key);
                }
            }
            Err(_) if matches!(-raw.result, libc::EINTR | libc::EAGAIN) => self.start_send(key),
            Err(_) => self.fail(key),
        }
    }

    fn accepted(&mut self, raw: &Raw) {
        if raw.result >= 0 {
            // SAFETY: the kernel has just made this descriptor for us, and reports it once.
            let fd = unsafe { OwnedFd::from_raw_fd(raw.result) };
            let is_tcp =
                self.listener.as_ref().is_some_and(|state| matches!(state.listening, Listening::Tcp(_)));
            // A peer that is gone already has no address.
            if let Ok(accepted) = accepted_of(fd, is_tcp) {
                self.completed.push(Completion::Accepted(accepted));
            }
        }
        let Some(state) = &mut self.listener else { return };
        if !cqueue::more(raw.flags) {
            state.operation = Operation::None;
            if state.closing {
                self.listener = None;
                return;
            }
        }
        match -raw.result {
            // A listener does not block, so the kernel does not wait for it by itself once the queue is empty.
            libc::EAGAIN => self.start_listening(),
            ..=0 | libc::ECANCELED | libc::EINTR => self.start_accept(),
            error => {
                let error = io::Error::from_raw_os_error(error);
                self.completed.push(Completion::AcceptFailed(error));
            }
        }
    }

    /// A connection waits in the queue of the listener, or the wait for one is over.
    fn may_accept(&mut self) {
        let Some(state) = &mut self.listener else { return };
        state.operation = Operation::None;
        if state.closing {
            self.listener = None;
            return;
        }
        self.start_accept();
    }

    fn fail(&mut self, key: Key) {
        let Some(connection) = self.connection(key) else { return };
        connection.input = Input::Ended;
        if !std::mem::replace(&mut connection.failed, true) {
            self.completed.push(Completion::Failed { key });
        }
    }

    fn free_if_done(&mut self, key: Key) {
        let Some(connection) = self.connection(key) else { return };
        if connection.closing && connection.receive == Operation::None && connection.send == Operation::None {
            self.connections[key.index()] = None;
            self.free.push(key);
        }
    }

    fn is_quiet(&self) -> bool {
        let accepting = self.listener.as_ref().is_some_and(|state| state.operation != Operation::None);
        !accepting && self.connections.iter().all(Option::is_none)
    }
}

impl Driver for Ring {
    fn listen(&mut self, listening: Listening) -> io::Result<()> {
        // Another process, or another server, may accept from it too: whoever comes second must not block in `accept`. A
        // listener's options are those of its connections.
        match &listening {
            Listening::Tcp(listener) => {
                listener.set_nonblocking(true)?;
                set_tcp_options(listener);
            }
            Listening::Unix(listener) => listener.set_nonblocking(true)?,
            Listening::Other(_) => return Err(io::ErrorKind::Unsupported.into()),
        }
        self.listener = Some(ListenerState { listening, operation: Operation::None, closing: false });
        self.start_accept();
        Ok(())
    }

    fn accept_again(&mut self) {
        self.start_accept();
    }

    fn unlisten(&mut self) {
        let Some(state) = &mut self.listener else { return };
        state.closing = true;
        // What the kernel has established must not be lost: closing a listener resets it.
        let accept: &dyn Fn() -> io::Result<Accepted> = match &state.listening {
            Listening::Tcp(listener) => &|| {
                let (stream, peer) = listener.accept()?;
                Ok(Accepted { stream: Stream::Tcp(stream), peer: Address::Tcp(peer) })
            },
            Listening::Unix(listener) => &|| {
                let (stream, peer) = UnixListener::accept(listener)?;
                Ok(Accepted { stream: Stream::Unix(stream), peer: unix_address(&peer) })
            },
            Listening::Other(_) => return,
        };
        while let Ok(accepted) = accept() {
            self.completed.push(Completion::Accepted(accepted));
        }
        match state.operation {
            Operation::None => self.listener = None,
            Operation::Running => {
                state.operation = Operation::Cancelled;
                // One of the two is under way, and the other is not found.
                self.cancel(ACCEPT);
                self.cancel(LISTEN);
            }
            Operation::Cancelled => {}
        }
    }

    fn open(&mut self, accepted: Accepted) -> io::Result<Key> {
        let stream = match accepted.stream {
            Stream::Tcp(stream) => {
                stream.set_nonblocking(false)?;
                SocketOf::Tcp(stream)
            }
            Stream::Unix(stream) => {
                stream.set_nonblocking(false)?;
                SocketOf::Unix(stream)
            }
            Stream::Other(_) => return Err(io::ErrorKind::Unsupported.into()),
        };
        let key = self.free.pop().unwrap_or_else(|| {
            self.connections.push(None);
            Key(u32::try_from(self.connections.len() - 1).expect("a shard has fewer connections than 2^32"))
        });
        self.connections[key.index()] = Some(Connection {
            stream,
            reading: Reading::On,
            receive: Operation::None,
            input: Input::Open,
            send: Operation::None,
            queue: SendQueue::new(),
            vector: None,
            closing: false,
            failed: false,
        });
        self.start_receive(key);
        Ok(key)
    }

    fn send(&mut self, key: Key, queue: SendQueue) {
        let Some(connection) = self.connection(key) else { return };
        assert!(
            connection.send == Operation::None && !connection.closing,
            "one send at a time, and none after the close"
        );
        if connection.failed || queue.is_empty() {
            return;
        }
        connection.queue = queue;
        self.start_send(key);
    }

    fn receive(&mut self, key: Key, reading: Reading) {
        let Some(connection) = self.connection(key) else { return };
        connection.reading = reading;
        match reading {
            Reading::On => self.start_receive(key),
            Reading::Off if connection.receive == Operation::Running => {
                connection.receive = Operation::Cancelled;
                self.cancel(RECEIVE | key.data());
            }
            Reading::Off => {}
        }
    }

    fn end_output(&mut self, key: Key) {
        if let Some(connection) = self.connection(key) {
            let _ = connection.shut_down(Shutdown::Write);
        }
    }

    fn close(&mut self, key: Key) {
        let Some(connection) = self.connection(key) else { return };
        connection.closing = true;
        if connection.receive != Operation::None || connection.send != Operation::None {
            // Ends both operations: an end of input for the one, a broken pipe for the other.
            let _ = connection.shut_down(Shutdown::Both);
        }
        self.free_if_done(key);
        self.completed.retain(|completion| completion.key() != Some(key));
    }

    fn woken(&mut self, _: Woken, _: &mut Vec<Completion>) {}

    fn turn(&mut self, completions: &mut Vec<Completion>) {
        if PARKS_QUIETLY {
            self.ring.completion().disable_eventfd();
        }
        if self.buffers().offer_returned() || !self.starved.is_empty() {
            for key in std::mem::take(&mut self.starved) {
                self.start_receive(key);
            }
        }
        self.enter();
        let mut raw = std::mem::take(&mut self.raw);
        raw.extend(self.ring.completion().map(|entry| Raw {
            data: entry.user_data(),
            result: entry.result(),
            flags: entry.flags(),
        }));
        raw.drain(..).for_each(|raw| self.complete(&raw));
        self.raw = raw;
        completions.append(&mut self.completed);
    }

    fn tally(&self) -> Tally {
        let buffers_out = self.buffers.as_ref().map_or(0, |buffers| buffers.count() - buffers.offered());
        Tally { entries: self.entries, starved: self.starvations, buffers_out }
    }

    fn park(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if PARKS_QUIETLY {
                self.ring.completion().enable_eventfd();
                // The kernel adds work and then looks whether to signal; we allow the signal and then look for work.
                fence(Ordering::SeqCst);
            }
            let queue = self.ring.submission();
            let has_work = !queue.is_empty() || queue.taskrun() || queue.cq_overflow();
            drop(queue);
            if has_work
                || !self.ring.completion().is_empty()
                || !self.completed.is_empty()
                || !self.starved.is_empty()
            {
                return Poll::Ready(());
            }
            match self.event.poll_read_ready(cx) {
                Poll::Pending => return Poll::Pending,
                // Edge-triggered: the counter is never read, and each signal is an edge of its own.
                Poll::Ready(Ok(mut ready)) => ready.clear_ready(),
                Poll::Ready(Err(_)) => return Poll::Ready(()),
            }
        }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        self.unlisten();
        for index in 0..self.connections.len() {
            self.close(Key(index as u32));
        }
        // Closing the ring would cancel what is under way, but later, and elsewhere.
        let until = Instant::now() + LAST_TURNS;
        while !self.is_quiet() && Instant::now() < until {
            self.turn(&mut Vec::new());
        }
        if !self.is_quiet() {
            // Never seen; but memory that the kernel may still use is not given back.
            std::mem::forget(self.buffers.take());
            std::mem::forget(std::mem::take(&mut self.connections));
        }
    }
}

impl Connection {
    fn fd(&self) -> i32 {
        match &self.stream {
            SocketOf::Tcp(stream) => stream.as_raw_fd(),
            SocketOf::Unix(stream) => stream.as_raw_fd(),
        }
    }

    fn shut_down(&self, how: Shutdown) -> io::Result<()> {
        match &self.stream {
            SocketOf::Tcp(stream) => SockRef::from(&stream.as_fd()).shutdown(how),
            SocketOf::Unix(stream) => SockRef::from(&stream.as_fd()).shutdown(how),
        }
    }
}

impl Vector {
    fn new() -> Box<Self> {
        const NOTHING: libc::iovec = libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 };
        // SAFETY: a header of zeros names nothing, which is valid: it is a structure of integers and pointers.
        let header = unsafe { std::mem::zeroed() };
        Box::new(Self { chunks: [NOTHING; CHUNKS_PER_SEND], header })
    }

    fn fill(&mut self, queue: &SendQueue) {
        let mut filled = 0;
        for (place, chunk) in self.chunks.iter_mut().zip(queue.chunks()) {
            // The kernel only reads, though the type is the one for both directions.
            *place = libc::iovec { iov_base: chunk.as_ptr().cast_mut().cast(), iov_len: chunk.len() };
            filled += 1;
        }
        self.header.msg_iov = self.chunks.as_mut_ptr();
        self.header.msg_iovlen = filled;
    }
}

impl Key {
    fn data(self) -> u64 {
        u64::from(self.0)
    }
}

fn accepted_of(fd: OwnedFd, is_tcp: bool) -> io::Result<Accepted> {
    if is_tcp {
        let stream = std::net::TcpStream::from(fd);
        let peer = Address::Tcp(stream.peer_addr()?);
        return Ok(Accepted { stream: Stream::Tcp(stream), peer });
    }
    let stream = UnixStream::from(fd);
    let peer = unix_address(&stream.peer_addr()?);
    Ok(Accepted { stream: Stream::Unix(stream), peer })
}

/// Takes over the descriptors that a supervisor has started this process with, `count` of them from 3 on, and keeps them from
/// programs that this one starts. Once in the life of the process: then there are none.
pub(crate) fn take_inherited(count: u32) -> io::Result<Vec<OwnedFd>> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    if TAKEN.swap(true, Ordering::Relaxed) {
        return Ok(Vec::new());
    }
    let take = |descriptor| {
        // SAFETY: the call takes no pointer; a number that is no open descriptor is an error.
        if unsafe { libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC) } < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is open. The supervisor gave it to this process, which has taken it this once.
        Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
    };
    (3..i32::try_from(count).unwrap_or(0).saturating_add(3)).map(take).collect()
}

/// Binds this thread to one core.
pub(crate) fn pin_thread(core: usize) -> io::Result<()> {
    // SAFETY: a set of zeros is the empty set; `CPU_SET` writes inside it, since `core` is checked; the kernel reads it.
    let result = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        if core >= libc::CPU_SETSIZE as usize {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        libc::CPU_SET(core, &mut set);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set)
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// The cores that this process may use.
pub(crate) fn cores() -> Vec<usize> {
    // SAFETY: the kernel writes into a set of the size that it is told; `CPU_ISSET` reads inside it.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        if libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut set) != 0 {
            return Vec::new();
        }
        (0..libc::CPU_SETSIZE as usize).filter(|&core| libc::CPU_ISSET(core, &set)).collect()
    }
}

// The upper half of a completion's number is the operation, the lower the connection.
const RECEIVE: u64 = 1 << 32;
const SEND: u64 = 2 << 32;
const ACCEPT: u64 = 3 << 32;
const CANCEL: u64 = 4 << 32;
const LISTEN: u64 = 5 << 32;

const GROUP: u16 = 0;
const SUBMISSIONS: u32 = 1024;
// A turn may bring many small receives per connection; what does not fit, the kernel keeps for the next turn.
const COMPLETIONS: u32 = 8192;
// Large enough that a body of a megabyte takes few of them, in all two megabytes a shard.
const BUFFER_SIZE: u32 = 32 * 1024;
const BUFFERS: u16 = 64;
// Below this, copying is cheaper than lending, and a call that waits holds no more than its bytes.
const COPY_MAX: usize = 4096;
const CHUNKS_PER_SEND: usize = 16;
const LAST_TURNS: Duration = Duration::from_secs(5);
const PROBE: Duration = Duration::from_secs(1);
// The kernel's "add work, then look at the flag" is ordered by its locked instructions on x86-64 alone.
const PARKS_QUIETLY: bool = cfg!(target_arch = "x86_64");
