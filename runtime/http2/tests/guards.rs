//! What a peer may cost, at, below and above each limit; and what is never too much.

mod common;

use bytes::Bytes;
use common::*;
use ringwire_http::{
    Client, Close, Event, Head, Method, Names, Output, RequestLine, Reset, ResponseHead, Scheme, SendQueue,
    Server, StreamId,
};
use ringwire_http2::{Allowance, Connection, Guard, Limits, Outcome, Wait};
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

/// A server whose peer writes frames.
struct Peer {
    connection: Connection<Server>,
    start: Instant,
    now: Instant,
    out: SendQueue,
    output: Output,
    /// Frames that the server has sent.
    frames: Vec<String>,
    events: Vec<Event<Head>>,
    reads: bool,
}

impl Peer {
    fn new(limits: Limits) -> Self {
        let mut peer = Self::silent(limits);
        peer.send(&[PREFACE.to_vec(), settings(&[]), frame(SETTINGS, ACK, 0, b"")]);
        peer.frames.clear();
        peer
    }

    /// A peer that has sent nothing.
    fn silent(limits: Limits) -> Self {
        let now = Instant::now();
        let connection = Connection::server(limits, Names::HTTP, now);
        let output = Output { deadline: None, read: true, close: Close::No };
        let out = SendQueue::new();
        let mut peer = Self {
            connection,
            start: now,
            now,
            out,
            output,
            frames: Vec::new(),
            events: Vec::new(),
            reads: true,
        };
        peer.turn();
        peer
    }

    fn send(&mut self, frames: &[Vec<u8>]) {
        self.connection.handle_input(self.now, frames.concat().into());
        self.turn();
    }

    fn turn(&mut self) {
        loop {
            while let Some(event) = self.connection.poll_event() {
                self.events.push(event);
            }
            self.output = self.connection.poll_output(self.now, &mut self.out);
            if self.out.is_empty() || !self.reads {
                break;
            }
            let bytes = self.out.chunks().collect::<Vec<_>>().concat();
            self.frames.extend(frames(&bytes));
            self.out.advance(bytes.len());
        }
    }

    /// Lets time pass, and every deadline with it.
    fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.output.deadline.filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.connection.handle_timeout(self.now);
            self.turn();
        }
        self.now = end;
    }

    fn answer(&mut self, stream: u32) {
        let mut open = self.connection.stream(StreamId(stream)).expect("an open stream");
        open.send_head(204, true, |_| {});
        self.turn();
    }

    fn outcome(&self) -> Option<&Outcome> {
        self.connection.outcome()
    }

    /// Sends frames until the connection ends; returns how many it took.
    fn flood(&mut self, frames: impl Fn(u32) -> Vec<u8>) -> u32 {
        for n in 0..20_000 {
            self.send(&[frames(n)]);
            if self.outcome().is_some() {
                return n + 1;
            }
        }
        panic!("20,000 frames cost nothing");
    }
}

fn limits() -> Limits {
    Limits::default()
}

fn check_flood(guard: Guard, text: &str, at: u32, frames: impl Fn(u32) -> Vec<u8>) {
    let mut peer = Peer::new(limits());
    assert_eq!(peer.flood(frames), at, "{guard:?}");
    assert_eq!(peer.outcome(), Some(&Outcome::Excess(guard)));
    let goaway = peer.frames.iter().find(|line| line.starts_with("< GOAWAY")).expect("a GOAWAY");
    assert!(goaway.ends_with(&format!("ENHANCE_YOUR_CALM {text}")), "{goaway}");
    assert_eq!(peer.output.close, Close::Sending);
}

/// CVE-2023-44487.
#[test]
fn rapid_resets_are_bounded() {
    check_flood(Guard::Resets, "too_many_resets", 101, |n| {
        [post_frame(1 + 2 * n), rst_stream(1 + 2 * n, 8)].concat()
    });
}

/// CVE-2025-8671.
#[test]
fn resets_that_the_peer_provokes_are_bounded() {
    check_flood(Guard::Resets, "too_many_resets", 101, |n| {
        [post_frame(1 + 2 * n), window_update(1 + 2 * n, 0)].concat()
    });
    check_flood(Guard::Resets, "too_many_resets", 101, |n| {
        [frame(HEADERS, WHOLE | END, 1 + 2 * n, &request("POST", &[])), frame(DATA, 0, 1 + 2 * n, b"a")]
            .concat()
    });
    check_flood(Guard::Resets, "too_many_resets", 101, |n| frame(HEADERS, WHOLE | END, 1 + 2 * n, &[0x82]));
}

/// Whatever makes work and is given up counts the same, in waves and mixed.
#[test]
fn streams_that_come_to_nothing_are_bounded_by_one_count() {
    let lie = request("POST", &[("content-length", "1")]);
    let ways: [&dyn Fn(u32) -> Vec<u8>; 7] = [
        &|id| [post_frame(id), rst_stream(id, 8)].concat(),
        &|id| [post_frame(id), window_update(id, 0)].concat(),
        &|id| [post_frame(id), window_update(id, 0x7fff_ffff)].concat(),
        &|id| [get_frame(id), frame(HEADERS, WHOLE | END, id, &get())].concat(),
        &|id| [frame(HEADERS, WHOLE, id, &lie), frame(DATA, END, id, b"ab")].concat(),
        &|id| frame(HEADERS, WHOLE | END, id, &[0x82]),
        &|id| [post_frame(id), frame(PRIORITY, 0, id, &[&id.to_be_bytes()[..], &[0]].concat())].concat(),
    ];
    for way in ways {
        check_flood(Guard::Resets, "too_many_resets", 101, |n| way(1 + 2 * n));
    }
    check_flood(Guard::Resets, "too_many_resets", 101, |n| ways[n as usize % 7](1 + 2 * n));
    // Waves: 100 requests, 10 ms, 100 resets.
    let mut peer = Peer::new(limits());
    peer.send(&(0..100).map(|n| post_frame(1 + 2 * n)).collect::<Vec<_>>());
    peer.wait(SECOND / 100);
    peer.send(&(0..100).map(|n| rst_stream(1 + 2 * n, 8)).collect::<Vec<_>>());
    assert_eq!(peer.outcome(), None);
    peer.send(&(100..120).map(|n| post_frame(1 + 2 * n)).collect::<Vec<_>>());
    peer.wait(SECOND / 100);
    peer.send(&(100..120).map(|n| rst_stream(1 + 2 * n, 8)).collect::<Vec<_>>());
    assert_eq!(peer.outcome(), Some(&Outcome::Excess(Guard::Resets)));
}

#[test]
fn header_lists_that_are_too_large_count_by_what_was_looked_at() {
    // Literals of nothing, so that every list is far too large.
    for (block, requests) in [(17_000, 7), (33_000, 5), (65_000, 3)] {
        let mut peer = Peer::new(Limits { continuations_max: 8, ..limits() });
        let text = [&[0x82][..], &[0, 0, 0].repeat(block / 3)].concat();
        let mut sent = 0;
        while peer.outcome().is_none() {
            peer.send(&[headers_of(1 + 2 * sent, &text)]);
            sent += 1;
        }
        assert_eq!((sent, peer.outcome()), (requests, Some(&Outcome::Excess(Guard::Resets))), "{block}");
    }
    // On a stream that is not served any more, the table is kept in step at the same price.
    let mut peer = Peer::new(limits());
    peer.send(&[frame(HEADERS, WHOLE | END, 1, &[0x82])]);
    let bomb = [&[0x82][..], &[0, 0, 0].repeat(5_000)].concat();
    let count = peer.flood(|_| frame(HEADERS, WHOLE | END, 1, &bomb));
    assert_eq!((count, peer.outcome()), (15, Some(&Outcome::Excess(Guard::Resets))));
}

/// HEADERS with END_STREAM, and as many CONTINUATION frames as the block takes.
fn headers_of(id: u32, block: &[u8]) -> Vec<u8> {
    let mut pieces = block.chunks(16_384).peekable();
    let mut frames = Vec::new();
    let mut kind_and_flags = (HEADERS, END);
    while let Some(piece) = pieces.next() {
        let (kind, flags) = std::mem::replace(&mut kind_and_flags, (CONTINUATION, 0));
        let whole = if pieces.peek().is_none() { WHOLE } else { 0 };
        frames.extend(frame(kind, flags | whole, id, piece));
    }
    frames
}

#[test]
fn streams_beyond_the_limit_are_refused_and_in_the_end_too_many() {
    check_flood(Guard::Resets, "too_many_resets", 100 + 101, |n| post_frame(1 + 2 * n));
}

#[test]
fn resets_in_the_course_of_honest_work_are_never_too_many() {
    let mut peer = Peer::new(limits());
    for n in 0..5_000 {
        let (first, second) = (1 + 4 * n, 3 + 4 * n);
        peer.send(&[post_frame(first), get_frame(second), rst_stream(first, 8)]);
        peer.answer(second);
    }
    // All calls of a client whose deadline has passed.
    let base = 1 + 4 * 5_000;
    for n in 0..100 {
        peer.send(&[post_frame(base + 2 * n)]);
    }
    peer.send(&(0..100).map(|n| rst_stream(base + 2 * n, 8)).collect::<Vec<_>>());
    assert_eq!(peer.outcome(), None);
}

/// RUSTSEC-2024-0332.
#[test]
fn continuations_are_bounded() {
    for (count, allowed) in [(7, true), (8, true), (9, false)] {
        let mut peer = Peer::new(limits());
        let mut input = vec![frame(HEADERS, END, 1, &get())];
        input.extend((1..count).map(|_| frame(CONTINUATION, 0, 1, b"")));
        input.push(frame(CONTINUATION, WHOLE, 1, b""));
        peer.send(&input);
        assert_eq!(peer.outcome().is_none(), allowed, "{count}");
        assert!(allowed || peer.outcome() == Some(&Outcome::Excess(Guard::Continuations)));
        assert_eq!(peer.events.len(), usize::from(allowed));
    }
}

#[test]
fn the_bytes_of_a_header_block_are_bounded() {
    // Literals of nothing: 3 bytes each, 32 in the list.
    for (more, allowed) in [(0, true), (3, false)] {
        let mut peer = Peer::new(Limits { header_list_max: 8192, ..limits() });
        let block = [&[0x82][..], &[0, 0, 0].repeat(10_922), &vec![0; more]].concat();
        let (first, rest) = block.split_at(16_384);
        let mut input = vec![frame(HEADERS, END, 1, first)];
        let mut pieces = rest.chunks(16_384).peekable();
        while let Some(piece) = pieces.next() {
            input.push(frame(CONTINUATION, if pieces.peek().is_some() { 0 } else { WHOLE }, 1, piece));
        }
        peer.send(&input);
        assert_eq!(
            peer.outcome(),
            (!allowed).then_some(&Outcome::Excess(Guard::HeaderBlock)),
            "{}",
            block.len()
        );
        assert!(!allowed || peer.frames == ["< HEADERS 1 :status=431 end"], "{:?}", peer.frames);
    }
}

#[test]
fn an_hpack_bomb_costs_its_request_only() {
    let mut peer = Peer::new(limits());
    let mut bomb = b"\x40\x01a\x7f\xa1\x1e".to_vec();
    bomb.extend_from_slice(&[b'x'; 4000]);
    bomb.extend_from_slice(&[0xbe; 10_000]);
    peer.send(&[frame(HEADERS, WHOLE | END, 1, &bomb), get_frame(3)]);
    assert_eq!(peer.frames, ["< HEADERS 1 :status=431 end"]);
    assert_eq!((peer.events.len(), peer.outcome()), (1, None));
}

#[test]
fn frames_that_bring_nothing_are_bounded() {
    let control = |at, frames: &dyn Fn(u32) -> Vec<u8>| {
        check_flood(Guard::ControlFrames, "too_many_control_frames", at, frames);
    };
    // Two have gone into the beginning: SETTINGS, and their acknowledgement.
    control(999, &|_| frame(PING, 0, 0, b"12345678"));
    control(999, &|_| frame(PING, ACK, 0, b"12345678"));
    control(999, &|_| settings(&[(4, 65_535)]));
    control(999, &|_| frame(SETTINGS, ACK, 0, b""));
    control(999, &|_| frame(PRIORITY, 0, 1, &[0; 5]));
    control(999, &|_| window_update(0, 1));
    control(999, &|_| frame(0xfa, 0, 0, b""));
    control(1002, &|n| if n == 0 { post_frame(1) } else { frame(DATA, 0, 1, b"") });
    control(1002, &|n| if n == 0 { post_frame(1) } else { frame(DATA, PADDED, 1, b"\0") });
}

#[test]
fn a_peer_that_does_not_read_its_replies_is_stopped() {
    let limits = Limits { control_frames: Allowance { burst: 100_000, per_second: 0 }, ..limits() };
    for (count, allowed) in [(1000, true), (1001, false)] {
        let mut peer = Peer::new(limits.clone());
        peer.reads = false;
        // Something is on its way, so that nothing else leaves.
        peer.send(&[frame(PING, 0, 0, b"12345678")]);
        peer.send(&(0..count).map(|_| frame(PING, 0, 0, b"12345678")).collect::<Vec<_>>());
        assert_eq!(peer.outcome(), (!allowed).then_some(&Outcome::Excess(Guard::Replies)), "{count}");
    }
}

#[test]
fn pings_at_a_steady_pace_are_never_too_many() {
    let mut peer = Peer::new(limits());
    for _ in 0..20_000 {
        peer.send(&[frame(PING, 0, 0, b"12345678")]);
        peer.wait(SECOND / 100);
    }
    assert_eq!(peer.outcome(), None);
}

/// hyper with h2 0.4.20 ends this with ENHANCE_YOUR_CALM, `too_many_data_frames`.
#[test]
fn chatter_is_never_too_much() {
    let now = Instant::now();
    let mut server = Connection::server(limits(), Names::HTTP, now);
    let mut client = Connection::client(limits(), Names::HTTP, now);
    let mut wire = SendQueue::new();
    let line = RequestLine { method: &Method::Post, scheme: Scheme::Http, authority: "a", target: "/" };
    let streams: Vec<StreamId> =
        (0..100).map(|_| client.request(line, false, |_| {}).expect("room")).collect();
    let mut heard = 0;
    let mut echoed = Vec::new();
    let mut received = 0;
    for round in 0..1_000 {
        for id in &streams {
            client
                .stream(*id)
                .expect("an open stream")
                .send_data(Bytes::from_static(b"message"), round == 999);
        }
        // Nobody reads for ten rounds, then all comes at once.
        if round % 10 == 9 {
            pass(&mut client, &mut server, now, &mut wire);
            while let Some(event) = server.poll_event() {
                match event {
                    Event::Head { stream, .. } => {
                        server.stream(stream).expect("an open stream").send_head(200, false, |_| {});
                    }
                    Event::Data { stream, data, end } => {
                        heard += 1;
                        echoed.push((stream, data, end));
                    }
                    other => panic!("{other:?}"),
                }
            }
            for (stream, data, end) in echoed.drain(..) {
                let mut open = server.stream(stream).expect("an open stream");
                open.release(data.len());
                open.send_data(data, end);
            }
            pass(&mut server, &mut client, now, &mut wire);
            while let Some(event) = client.poll_event() {
                match event {
                    Event::Head { .. } => {}
                    Event::Data { stream, data, .. } => {
                        received += 1;
                        if let Some(mut open) = client.stream(stream) {
                            open.release(data.len());
                        }
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
    }
    assert_eq!((heard, received), (100_000, 100_000));
    assert_eq!((server.outcome(), client.outcome()), (None, None));
    assert!(server.is_idle() && client.is_idle());
}

fn pass<A: ringwire_http2::Side, B: ringwire_http2::Side>(
    from: &mut Connection<A>,
    to: &mut Connection<B>,
    now: Instant,
    wire: &mut SendQueue,
) {
    loop {
        from.poll_output(now, wire);
        if wire.is_empty() {
            return;
        }
        let bytes = wire.chunks().collect::<Vec<_>>().concat();
        wire.advance(bytes.len());
        to.handle_input(now, bytes.into());
    }
}

#[test]
fn a_preface_must_come_in_time() {
    for begun in [&b""[..], &PREFACE[..10], PREFACE] {
        let mut peer = Peer::silent(limits());
        peer.send(&[begun.to_vec()]);
        peer.wait(9 * SECOND);
        assert_eq!(peer.outcome(), None);
        peer.wait(SECOND);
        assert_eq!(peer.outcome(), Some(&Outcome::TimedOut(Wait::Preface)));
        // The last bytes can be read, for a moment.
        assert_eq!(peer.output.close, Close::Sending);
        peer.wait(SECOND);
        assert_eq!(peer.output.close, Close::Both);
    }
}

#[test]
fn settings_must_be_acknowledged_in_time() {
    let mut peer = Peer::silent(limits());
    peer.send(&[PREFACE.to_vec(), settings(&[])]);
    peer.wait(9 * SECOND);
    assert_eq!(peer.outcome(), None);
    peer.wait(SECOND);
    assert_eq!(peer.outcome(), Some(&Outcome::TimedOut(Wait::SettingsAck)));
    assert!(peer.frames.last().expect("a GOAWAY").contains("SETTINGS_TIMEOUT"));
}

#[test]
fn what_is_begun_must_be_completed_in_time() {
    let ping = frame(PING, 0, 0, b"12345678");
    for (begun, seconds) in [
        (vec![ping[..1].to_vec()], 10),
        (vec![ping[..9].to_vec()], 10),
        (vec![ping[..16].to_vec()], 10),
        (vec![frame(HEADERS, END, 1, &get())], 10),
        (vec![frame(HEADERS, END, 1, &get()), frame(CONTINUATION, 0, 1, b"")], 10),
        // A long frame gets more time: a second for each 256 bytes.
        (vec![post_frame(1), frame(DATA, 0, 1, &[0; 2560])[..9].to_vec()], 20),
        (vec![post_frame(1), frame(DATA, 0, 1, &[0; 2560])[..10].to_vec()], 19),
        (vec![post_frame(1), frame(DATA, PADDED, 1, &[0; 2560])[..9].to_vec()], 10),
    ] {
        let mut peer = Peer::new(limits());
        peer.send(&begun);
        peer.wait(seconds * SECOND - SECOND / 2);
        assert_eq!(peer.outcome(), None, "{begun:?}");
        peer.wait(SECOND);
        assert_eq!(peer.outcome(), Some(&Outcome::TimedOut(Wait::Frame)), "{begun:?}");
    }
}

#[test]
fn single_bytes_do_not_buy_time() {
    let mut peer = Peer::new(limits());
    let data = frame(DATA, 0, 1, &[0; 16_384]);
    peer.send(&[post_frame(1), data[..9].to_vec()]);
    let mut sent = 9;
    while peer.outcome().is_none() {
        peer.send(&[data[sent..=sent].to_vec()]);
        peer.wait(SECOND);
        sent += 1;
    }
    assert_eq!((sent, peer.outcome()), (9 + 74, Some(&Outcome::TimedOut(Wait::Frame))));
}

#[test]
fn whole_frames_and_silence_between_them_are_no_offence() {
    let mut peer = Peer::new(Limits { ping_interval: None, ..limits() });
    peer.send(&[post_frame(1)]);
    for _ in 0..100 {
        peer.wait(60 * SECOND);
        peer.send(&[frame(DATA, 0, 1, b"a")]);
    }
    assert_eq!((peer.outcome(), peer.events.len()), (None, 101));
}

#[test]
fn a_peer_that_takes_too_little_is_given_up() {
    for (taken, rounds) in [(0, 0), (32 * 60 - 1, 0), (32 * 60, 5)] {
        let mut peer = Peer::new(Limits { ping_interval: None, ..limits() });
        peer.reads = false;
        peer.send(&[post_frame(1)]);
        let mut open = peer.connection.stream(StreamId(1)).expect("an open stream");
        open.send_head(200, false, |_| {});
        open.send_data(vec![7; 50_000].into(), false);
        peer.turn();
        for _ in 0..rounds {
            for seconds in [29, 30] {
                peer.wait(seconds * SECOND);
                peer.out.advance(taken / 2);
                peer.turn();
            }
            peer.wait(SECOND);
            assert_eq!(peer.outcome(), None);
        }
        if rounds > 0 {
            continue;
        }
        peer.wait(30 * SECOND);
        peer.out.advance(taken);
        peer.turn();
        peer.wait(29 * SECOND);
        assert_eq!(peer.outcome(), None);
        peer.wait(SECOND);
        let ended = (peer.outcome(), peer.output.close);
        assert_eq!(ended, (Some(&Outcome::TimedOut(Wait::Send)), Close::Both), "{taken}");
    }
}

#[test]
fn a_stream_whose_window_stays_shut_is_reset_and_the_others_go_on() {
    let mut peer = Peer::new(Limits { ping_interval: None, ..limits() });
    peer.send(&[settings(&[(4, 10)]), post_frame(1), post_frame(3)]);
    for id in [1, 3] {
        let mut open = peer.connection.stream(StreamId(id)).expect("an open stream");
        open.send_head(200, false, |_| {});
        open.send_data(vec![7; 5000].into(), true);
    }
    peer.turn();
    peer.events.clear();
    peer.wait(40 * SECOND);
    peer.send(&[window_update(3, 32 * 60)]);
    peer.wait(19 * SECOND);
    assert!(peer.events.is_empty());
    peer.wait(SECOND);
    assert!(matches!(peer.events[..], [Event::Reset { stream: StreamId(1), reset: Reset::Excessive }]));
    assert_eq!(peer.frames.last().map(String::as_str), Some("< RST_STREAM 1 ENHANCE_YOUR_CALM"));
    peer.send(&[window_update(3, 5000)]);
    assert!(peer.frames.last().expect("a frame").starts_with("< RST_STREAM 3 NO_ERROR"), "{:?}", peer.frames);
    assert_eq!(peer.outcome(), None);
}

/// One byte a second, or 32, keeps a stream for a minute, since the last ones come too late; 33 as long as it takes.
#[test]
fn tiny_windows_do_not_buy_time() {
    for (bytes, seconds) in [(1, 60), (32, 60), (33, 97)] {
        let mut peer = Peer::new(Limits { ping_interval: None, ..limits() });
        peer.send(&[settings(&[(4, 0)]), post_frame(1)]);
        let mut open = peer.connection.stream(StreamId(1)).expect("an open stream");
        open.send_head(200, false, |_| {});
        open.send_data(vec![7; 3200].into(), true);
        peer.turn();
        peer.events.clear();
        let mut waited = 0;
        while peer.events.is_empty() && peer.connection.stream(StreamId(1)).is_some() {
            peer.wait(SECOND);
            waited += 1;
            peer.send(&[window_update(1, bytes)]);
        }
        assert_eq!(waited, seconds, "{bytes}");
        let is_reset = matches!(peer.events[..], [Event::Reset { reset: Reset::Excessive, .. }]);
        assert_eq!((is_reset, peer.outcome()), (bytes < 33, None), "{bytes}");
    }
}

#[test]
fn a_silent_peer_is_asked_and_given_up() {
    let mut peer = Peer::new(limits());
    peer.send(&[post_frame(1)]);
    peer.wait(60 * SECOND);
    let ping = "< PING \"\\x00alive\\x00\\x00\"";
    assert_eq!(peer.frames, [ping]);
    peer.wait(19 * SECOND);
    peer.send(&[frame(PING, ACK, 0, b"\0alive\0\0")]);
    peer.wait(59 * SECOND);
    assert_eq!((peer.frames.len(), peer.outcome()), (1, None));
    peer.wait(SECOND);
    assert_eq!(peer.frames, [ping, ping]);
    peer.wait(20 * SECOND);
    assert_eq!(peer.outcome(), Some(&Outcome::TimedOut(Wait::Ping)));
}

#[test]
fn an_idle_connection_drains() {
    let mut peer = Peer::new(Limits { ping_interval: None, ..limits() });
    peer.wait(500 * SECOND);
    peer.send(&[get_frame(1)]);
    peer.wait(500 * SECOND);
    peer.answer(1);
    peer.frames.clear();
    peer.wait(599 * SECOND);
    assert_eq!(peer.frames, [""; 0]);
    peer.wait(SECOND);
    assert_eq!(peer.frames, ["< GOAWAY 2147483647 NO_ERROR ", "< PING \"\\x00drain\\x00\\x00\""]);
    peer.send(&[frame(PING, ACK, 0, b"\0drain\0\0")]);
    assert_eq!(peer.frames.last().map(String::as_str), Some("< GOAWAY 1 NO_ERROR "));
    assert_eq!((peer.outcome(), peer.output.close), (Some(&Outcome::Idle), Close::Sending));
}

#[test]
fn a_connection_of_age_drains() {
    let mut peer = Peer::new(Limits { age_max: Some(100 * SECOND), ping_interval: None, ..limits() });
    peer.send(&[post_frame(1)]);
    peer.wait(99 * SECOND - (peer.now - peer.start));
    peer.frames.clear();
    peer.wait(SECOND);
    assert_eq!(peer.frames[0], "< GOAWAY 2147483647 NO_ERROR ");
    // The second step comes without an answer to the PING, too.
    peer.wait(5 * SECOND);
    assert_eq!(peer.frames.last().map(String::as_str), Some("< GOAWAY 1 NO_ERROR "));
    assert_eq!(peer.outcome(), None);
    peer.answer(1);
    assert_eq!((peer.outcome(), peer.output.close), (Some(&Outcome::Aged), Close::Sending));
}

/// RFC 9113, section 6.8.
#[test]
fn a_drain_has_two_steps_and_an_end() {
    let mut peer = Peer::new(limits());
    peer.send(&[post_frame(1)]);
    peer.connection.drain(peer.now);
    peer.turn();
    // A request that was on its way is still served.
    peer.send(&[
        post_frame(3),
        frame(PING, ACK, 0, b"\0drain\0\0"),
        post_frame(5),
        frame(DATA, END, 5, b"a"),
    ]);
    assert_eq!(
        peer.frames,
        ["< GOAWAY 2147483647 NO_ERROR ", "< PING \"\\x00drain\\x00\\x00\"", "< GOAWAY 3 NO_ERROR "]
    );
    assert_eq!(peer.events.len(), 2);
    peer.answer(3);
    peer.wait(59 * SECOND);
    assert_eq!(peer.outcome(), None);
    peer.wait(SECOND);
    assert_eq!(peer.outcome(), Some(&Outcome::TimedOut(Wait::Drain)));
    assert!(matches!(
        peer.events.last(),
        Some(Event::Reset { stream: StreamId(1), reset: Reset::Disconnected })
    ));
    peer.connection.handle_end(peer.now);
    peer.turn();
    assert_eq!((peer.output.close, peer.output.deadline), (Close::Both, None));
}

#[test]
fn a_close_ends_all_streams() {
    let mut peer = Peer::new(limits());
    peer.send(&[post_frame(1)]);
    peer.connection.close(peer.now);
    peer.turn();
    assert_eq!((peer.outcome(), peer.output.close), (Some(&Outcome::Closed), Close::Sending));
    assert!(matches!(peer.events.last(), Some(Event::Reset { reset: Reset::Disconnected, .. })));
    assert_eq!(peer.frames, ["< GOAWAY 1 NO_ERROR "]);
    // What comes now is discarded.
    peer.send(&[post_frame(3)]);
    assert_eq!(peer.events.len(), 2);
}

/// RFC 9113, section 6.9.1.
#[test]
fn a_stream_has_its_window_and_no_more() {
    for (len, allowed) in [(65_535, true), (65_536, false)] {
        let mut peer = Peer::new(Limits { stream_window: 65_535, ..limits() });
        peer.send(&[post_frame(1)]);
        for piece in vec![0; len].chunks(16_384) {
            peer.send(&[frame(DATA, 0, 1, piece)]);
        }
        let flow_control = matches!(peer.events.last(), Some(Event::Reset { reset: Reset::FlowControl, .. }));
        assert_eq!((flow_control, peer.outcome()), (!allowed, None), "{len}");
    }
}

#[test]
fn a_window_opens_again_as_the_application_reads() {
    let mut peer = Peer::new(Limits { stream_window: 65_535, stream_window_max: 65_535, ..limits() });
    peer.send(&[post_frame(1), frame(DATA, 0, 1, &[0; 16_384]), frame(DATA, 0, 1, &[0; 16_384])]);
    assert!(peer.frames.is_empty());
    for (len, told) in [(16_384, ""), (16_382, ""), (1, "< WINDOW_UPDATE 1 32767"), (100, "")] {
        peer.connection.stream(StreamId(1)).expect("an open stream").release(len);
        peer.turn();
        assert_eq!(peer.frames.pop().unwrap_or_default(), told, "{len}");
    }
}

#[test]
fn the_window_of_the_connection_opens_again_on_receipt_up_to_a_bound() {
    let limits = Limits {
        stream_window: 1 << 20,
        connection_window: 65_535,
        connection_window_max: 65_535,
        unreleased_max: 100_000,
        streams_max: 10,
        ..limits()
    };
    let mut peer = Peer::new(limits);
    peer.send(&[post_frame(1), post_frame(3)]);
    let data = frame(DATA, 0, 1, &[0; 16_384]);
    // Six frames are 98,304 bytes; the seventh is beyond the bound.
    for _ in 0..7 {
        peer.send(std::slice::from_ref(&data));
    }
    assert_eq!(peer.frames, ["< WINDOW_UPDATE 0 32768"; 3]);
    for _ in 0..2 {
        peer.send(std::slice::from_ref(&data));
    }
    assert_eq!((peer.frames.len(), peer.outcome()), (3, None));
    peer.connection.stream(StreamId(1)).expect("an open stream").release(70_000);
    peer.turn();
    assert_eq!(peer.frames.last().map(String::as_str), Some("< WINDOW_UPDATE 0 49152"));
    // What is withheld is not to be had: one more frame is within the bound, and two within the window.
    for _ in 0..3 {
        peer.send(std::slice::from_ref(&data));
    }
    assert_eq!((peer.frames.len(), peer.outcome()), (4, None));
    peer.send(&[data]);
    let rule = "DATA beyond the window of the connection";
    assert!(
        matches!(peer.outcome(), Some(Outcome::Violation { rule: told, .. }) if *told == rule),
        "{:?}",
        peer.outcome()
    );
}

#[test]
fn windows_grow_when_they_hold_the_peer_back() {
    // A round trip of a second.
    let mut peer = Peer::silent(Limits { stream_window: 65_535, stream_window_max: 200_000, ..limits() });
    peer.wait(SECOND);
    peer.send(&[PREFACE.to_vec(), settings(&[]), frame(SETTINGS, ACK, 0, b""), post_frame(1)]);
    let mut told = |wait: Duration, len: usize| {
        peer.frames.clear();
        peer.wait(wait);
        for piece in vec![0; len].chunks(16_384) {
            peer.send(&[frame(DATA, 0, 1, piece)]);
            peer.connection.stream(StreamId(1)).expect("an open stream").release(piece.len());
        }
        peer.turn();
        peer.frames.iter().filter(|line| line.starts_with("< WINDOW_UPDATE 1")).cloned().collect::<Vec<_>>()
    };
    // Half of 65,535 within two round trips: twice as much, then up to the bound; and no more if it took longer.
    assert_eq!(told(SECOND, 32_768), ["< WINDOW_UPDATE 1 98303"]);
    assert_eq!(told(2 * SECOND, 65_536), ["< WINDOW_UPDATE 1 134466"]);
    assert_eq!(told(SECOND, 114_688), ["< WINDOW_UPDATE 1 114688"]);
}

#[test]
fn a_stream_has_room_again_when_its_bytes_have_left() {
    let mut peer = Peer::new(Limits { send_buffer: 1000, ..limits() });
    peer.send(&[settings(&[(4, 0)]), post_frame(1)]);
    peer.events.clear();
    let mut open = peer.connection.stream(StreamId(1)).expect("an open stream");
    open.send_head(200, false, |_| {});
    assert_eq!(open.room(), 1000);
    open.send_data(vec![0; 600].into(), false);
    assert_eq!(open.room(), 400);
    open.send_data(vec![0; 500].into(), false);
    assert_eq!(open.room(), 0);
    peer.turn();
    assert!(peer.events.is_empty());
    peer.send(&[window_update(1, 200)]);
    assert!(matches!(peer.events[..], [Event::Room { stream: StreamId(1) }]));
    assert_eq!(peer.connection.stream(StreamId(1)).expect("an open stream").room(), 100);
}

#[test]
fn ready_streams_take_turns() {
    let mut peer = Peer::new(limits());
    peer.send(&[settings(&[(4, 1 << 20)]), window_update(0, 1 << 20), post_frame(1), post_frame(3)]);
    for (id, len) in [(1, 40_000), (3, 20_000)] {
        let mut open = peer.connection.stream(StreamId(id)).expect("an open stream");
        open.send_head(200, false, |_| {});
        open.send_data(vec![0; len].into(), false);
    }
    peer.frames.clear();
    peer.turn();
    let data: Vec<&str> =
        peer.frames.iter().map(|line| &line[..8]).filter(|line| line.starts_with("< DATA")).collect();
    assert_eq!(data, ["< DATA 1", "< DATA 3", "< DATA 1", "< DATA 3", "< DATA 1"]);
}

/// A client that is told of fewer streams opens fewer, and none after a GOAWAY.
#[test]
fn a_client_opens_what_the_server_allows() {
    let now = Instant::now();
    let mut client = Connection::<Client>::client(limits(), Names::HTTP, now);
    assert_eq!(client.streams_available(), 100);
    client.handle_input(now, settings(&[(3, 2)]).into());
    assert!(client.poll_event().is_none());
    let line = RequestLine { method: &Method::Get, scheme: Scheme::Http, authority: "a", target: "/" };
    let opened: Vec<_> = (0..3).map(|_| client.request(line, true, |_| {})).collect();
    assert_eq!(opened, [Some(StreamId(1)), Some(StreamId(3)), None]);
    client.handle_input(now, frame(HEADERS, WHOLE | END, 1, &block(&[(":status", "200")])).into());
    assert!(matches!(client.poll_event(), Some(Event::<ResponseHead>::Head { end: true, .. })));
    assert_eq!(client.streams_available(), 1);
    client.handle_input(now, goaway(3, 0, b"").into());
    assert!(client.poll_event().is_none());
    assert_eq!((client.streams_available(), client.request(line, true, |_| {})), (0, None));
}
