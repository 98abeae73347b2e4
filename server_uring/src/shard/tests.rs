//! Shards with a protocol of the test's own, over real sockets, with each driver.

use super::*;
use crate::handle::{Handle, ServerState};
use crate::readiness::Readiness;
#[cfg(target_os = "linux")]
use crate::ring::Ring;
use bytes::BytesMut;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};

/// Sends back what it gets, prefixed by nothing. A line `close` closes after what was sent, `end` ends the output, `later`
/// answers when a task of the runtime has run, `flood` sends a megabyte in chunks, `pause` reads no more until the output is gone.
struct Echo;

struct EchoSession {
    out: BytesMut,
    chunks: Vec<Bytes>,
    close: Close,
    deadline: Option<Instant>,
    stalled_at: Option<Instant>,
}

impl Sessions for Echo {
    type Session = EchoSession;

    fn open(&mut self, _: Address, now: Instant) -> EchoSession {
        let deadline = Some(now + SILENCE);
        EchoSession { out: BytesMut::new(), chunks: Vec::new(), close: Close::No, deadline, stalled_at: None }
    }

    fn poll_idle(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

impl Session<Echo> for EchoSession {
    fn handle_input(&mut self, _: &mut Echo, turn: &mut Turn<'_>, bytes: Bytes) {
        self.deadline = Some(turn.now + SILENCE);
        if self.close == Close::Sending {
            return;
        }
        match &bytes[..] {
            b"close" => self.close = Close::Both,
            b"end" => self.close = Close::Sending,
            b"flood" => self.chunks.extend((0..16).map(|n| Bytes::from(vec![n; 64 * 1024]))),
            b"later" => {
                let waker = turn.wakers.take(turn.key, 7);
                let wake = waker.waker().clone();
                turn.wakers.put(waker);
                tokio::spawn(async move { wake.wake() });
                return;
            }
            _ => {}
        }
        self.out.extend_from_slice(&bytes);
    }

    fn handle_end(&mut self, _: &mut Echo, _: &mut Turn<'_>) {
        self.close = Close::Both;
    }

    fn handle_lost(&mut self, _: &mut Echo, _: &mut Turn<'_>, _: Lost) {}

    fn handle_alarm(&mut self, _: &mut Echo, _: &mut Turn<'_>, _: u32) {}

    fn handle_wake(&mut self, _: &mut Echo, _: &mut Turn<'_>, slot: u32) {
        assert_eq!(slot, 7);
        self.out.extend_from_slice(b"woken");
    }

    fn handle_timeout(&mut self, _: &mut Echo, turn: &mut Turn<'_>) {
        if self.deadline.is_some_and(|deadline| deadline <= turn.now) {
            self.deadline = None;
            self.out.extend_from_slice(b"silence");
            self.close = Close::Both;
        }
    }

    fn drain(&mut self, _: &mut Echo, _: &mut Turn<'_>) {
        self.out.extend_from_slice(b"bye");
        self.close = Close::Both;
    }

    fn poll_output(&mut self, _: &mut Echo, turn: &mut Turn<'_>, queue: &mut SendQueue) -> Output {
        if !queue.is_empty() {
            let until = *self.stalled_at.get_or_insert(turn.now + STALL);
            let close = if until <= turn.now { Close::Both } else { Close::No };
            return Output { deadline: Some(until), read: true, close };
        }
        self.stalled_at = None;
        queue.buffer().extend_from_slice(&self.out);
        self.out.clear();
        self.chunks.drain(..).for_each(|chunk| queue.push(chunk));
        let close = if queue.is_empty() { self.close } else { Close::No };
        Output { deadline: self.deadline, read: true, close }
    }

    fn requests(&self) -> usize {
        0
    }
}

/// One shard on a thread of its own.
struct Running {
    address: std::net::SocketAddr,
    handle: Handle,
    thread: std::thread::JoinHandle<()>,
}

#[derive(Clone, Copy, Debug)]
enum Which {
    Readiness,
    #[cfg(target_os = "linux")]
    Ring,
}

const WHICH: &[Which] = &[
    Which::Readiness,
    #[cfg(target_os = "linux")]
    Which::Ring,
];

const STALL: Duration = Duration::from_millis(300);
const SILENCE: Duration = Duration::from_secs(2);

fn options() -> ShardOptions {
    ShardOptions { connections_max: 100, busy_poll: Duration::ZERO }
}

/// Starts so many shards; the first one listens.
fn start(which: Which, shards: usize, options: &ShardOptions) -> (Running, Vec<std::thread::JoinHandle<()>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = ServerState::new(Duration::from_secs(1));
    let mut listening = Some(Listening::Tcp(listener));
    let mut threads: Vec<_> = server
        .start(shards)
        .into_iter()
        .map(|state| {
            let (listening, options) = (listening.take(), options.clone());
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async move {
                    match which {
                        Which::Readiness => {
                            let driver = Readiness::new(state.wakes.clone());
                            Shard::new(driver, Echo, options, state, listening).unwrap().run().await;
                        }
                        #[cfg(target_os = "linux")]
                        Which::Ring => {
                            let driver = Ring::new().unwrap();
                            Shard::new(driver, Echo, options, state, listening).unwrap().run().await;
                        }
                    }
                });
            })
        })
        .collect();
    let thread = threads.remove(0);
    (Running { address, handle: Handle::new(server), thread }, threads)
}

fn each(check: impl Fn(&Running)) {
    for &which in WHICH {
        let (running, _) = start(which, 1, &options());
        check(&running);
        running.handle.drain();
        running.thread.join().unwrap();
        assert_eq!(running.handle.load().connections, 0, "{which:?}");
    }
}

fn connect(running: &Running) -> TcpStream {
    let stream = TcpStream::connect(running.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

fn ask(stream: &mut TcpStream, question: &[u8]) -> Vec<u8> {
    stream.write_all(question).unwrap();
    read(stream, question.len())
}

fn read(stream: &mut TcpStream, len: usize) -> Vec<u8> {
    let mut answer = vec![0; len];
    stream.read_exact(&mut answer).unwrap();
    answer
}

fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

#[test]
fn bytes_go_through_and_come_back() {
    each(|running| {
        let mut streams: Vec<_> = (0..8).map(|_| connect(running)).collect();
        for round in 0..100_u32 {
            for stream in &mut streams {
                assert_eq!(ask(stream, &round.to_be_bytes()), round.to_be_bytes());
            }
        }
        assert_eq!(running.handle.load().connections, 8);
    });
}

#[test]
fn a_body_larger_than_every_buffer_goes_through() {
    each(|running| {
        let mut stream = connect(running);
        let mut writer = stream.try_clone().unwrap();
        let body: Vec<u8> = (0..5_000_000_u32).map(|n| (n % 251) as u8).collect();
        let sent = body.clone();
        let writing = std::thread::spawn(move || writer.write_all(&sent).unwrap());
        assert!(read(&mut stream, body.len()) == body);
        writing.join().unwrap();
    });
}

#[test]
fn many_chunks_leave_in_order() {
    each(|running| {
        let mut stream = connect(running);
        stream.write_all(b"flood").unwrap();
        let answer = read(&mut stream, 5 + 16 * 64 * 1024);
        assert_eq!(&answer[..5], b"flood");
        let in_order =
            answer[5..].chunks(64 * 1024).zip(0..).all(|(chunk, n)| chunk.iter().all(|&byte| byte == n));
        assert!(in_order);
    });
}

#[test]
fn a_wake_up_from_a_task_of_the_runtime_is_seen() {
    each(|running| {
        let mut stream = connect(running);
        for _ in 0..100 {
            stream.write_all(b"later").unwrap();
            assert_eq!(read(&mut stream, 5), b"woken");
        }
    });
}

#[test]
fn a_close_comes_after_the_bytes_before_it() {
    each(|running| {
        let mut stream = connect(running);
        stream.write_all(b"close").unwrap();
        assert_eq!(read_to_end(&mut stream), b"close");
    });
}

#[test]
fn an_ended_output_still_reads() {
    each(|running| {
        let mut stream = connect(running);
        stream.write_all(b"end").unwrap();
        assert_eq!(read_to_end(&mut stream), b"end");
        assert_eq!(running.handle.load().connections, 1);
        stream.write_all(b"discarded").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        while running.handle.load().connections > 0 {
            std::thread::yield_now();
        }
    });
}

#[test]
fn a_silent_connection_is_closed_at_its_deadline() {
    each(|running| {
        let began = Instant::now();
        let mut stream = connect(running);
        assert_eq!(ask(&mut stream, b"hello"), b"hello");
        assert_eq!(read_to_end(&mut stream), b"silence");
        assert!(began.elapsed() >= SILENCE, "{:?}", began.elapsed());
    });
}

#[test]
fn draining_tells_every_connection_and_ends() {
    each(|running| {
        let mut streams: Vec<_> = (0..3).map(|_| connect(running)).collect();
        streams.iter_mut().for_each(|stream| drop(ask(stream, b"hello")));
        running.handle.drain();
        streams.iter_mut().for_each(|stream| assert_eq!(read_to_end(stream), b"bye"));
    });
}

#[test]
fn a_server_that_is_full_refuses_and_goes_on() {
    for &which in WHICH {
        let (running, _) = start(which, 1, &ShardOptions { connections_max: 2, ..options() });
        let mut two: Vec<_> = (0..2).map(|_| connect(&running)).collect();
        two.iter_mut().for_each(|stream| drop(ask(stream, b"hello")));
        let mut third = connect(&running);
        assert_eq!(read_to_end(&mut third), b"");
        let load = running.handle.load();
        assert_eq!(
            (load.connections, load.connections_accepted, load.connections_refused),
            (2, 3, 1),
            "{which:?}"
        );
        drop(two.pop());
        while running.handle.load().connections == 2 {
            std::thread::yield_now();
        }
        assert_eq!(ask(&mut connect(&running), b"hello"), b"hello");
        running.handle.drain();
        running.thread.join().unwrap();
    }
}

#[test]
fn a_peer_that_reads_nothing_is_cut_and_others_are_served() {
    for &which in WHICH {
        let (running, _) = start(which, 1, &options());
        let mut slow = connect(&running);
        (0..8).for_each(|_| {
            // The server may have cut it by then.
            let _ = slow.write_all(b"flood");
        });
        let mut other = connect(&running);
        while running.handle.load().connections > 1 {
            assert_eq!(ask(&mut other, b"hello"), b"hello");
        }
        running.handle.drain();
        running.thread.join().unwrap();
    }
}

#[test]
fn one_listener_feeds_the_least_loaded_shard() {
    for &which in WHICH {
        let (running, threads) = start(which, 3, &options());
        let mut streams: Vec<_> = (0..9).map(|_| connect(&running)).collect();
        for stream in &mut streams {
            assert_eq!(ask(stream, b"hello"), b"hello");
        }
        let loads: Vec<_> = running.handle.shards().iter().map(|load| load.connections).collect();
        assert_eq!(loads, [3, 3, 3], "{which:?}");
        running.handle.drain();
        streams.iter_mut().for_each(|stream| assert_eq!(read_to_end(stream), b"bye"));
        std::iter::once(running.thread).chain(threads).for_each(|thread| thread.join().unwrap());
    }
}

#[test]
fn peers_that_vanish_leave_nothing_behind() {
    each(|running| {
        for round in 0..200 {
            let mut stream = connect(running);
            match round % 4 {
                0 => stream.write_all(b"flood").unwrap(),
                1 => drop(ask(&mut stream, b"hello")),
                2 => stream.write_all(b"close").unwrap(),
                _ => {
                    // A reset instead of an end.
                    stream.write_all(b"hello").unwrap();
                    socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
                }
            }
        }
        // Accepted after all of those.
        let mut last = connect(running);
        assert_eq!(ask(&mut last, b"hello"), b"hello");
        while running.handle.load().connections > 1 {
            std::thread::yield_now();
        }
    });
}
