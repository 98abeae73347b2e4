//! Our client against our server, over a simulated wire: a virtual clock, seeded cuts, delays, resets and ends.
//!
//! A seed decides everything, so that a failing one can be run alone: `RINGWIRE_SEED=7 cargo test -p ringwire-http2 --test pair`.

use bytes::Bytes;
use ringwire_http::{
    Client, Close, Event, Head, Headers, Method, Names, RequestLine, Reset, ResponseHead, Scheme, SendQueue,
    Server, StreamId,
};
use ringwire_http2::{Connection, Limits, Outcome, Side};
use ringwire_testing::seed::Seed;
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

#[test]
fn every_call_ends_as_it_should() {
    if let Ok(seed) = std::env::var("RINGWIRE_SEED") {
        return Simulation::run(seed.parse().expect("a number"));
    }
    let mut calls = Calls::default();
    for seed in 0..10_000 {
        let ran = std::panic::catch_unwind(|| Simulation::new(seed).finish());
        match ran {
            Ok(ended) => calls.add(&ended),
            Err(panic) => {
                eprintln!("seed {seed} failed");
                std::panic::resume_unwind(panic);
            }
        }
    }
    // The seeds reach everything that they are for.
    println!("{calls:?}");
    assert!(
        calls.whole > 20_000 && calls.cancelled > 500 && calls.reset > 500 && calls.early > 500,
        "{calls:?}"
    );
    assert!(calls.refused > 50 && calls.disconnected > 500, "{calls:?}");
}

/// How the calls ended.
#[derive(Debug, Default)]
struct Calls {
    whole: u32,
    cancelled: u32,
    reset: u32,
    early: u32,
    refused: u32,
    disconnected: u32,
}

impl Calls {
    fn add(&mut self, other: &Self) {
        self.whole += other.whole;
        self.cancelled += other.cancelled;
        self.reset += other.reset;
        self.early += other.early;
        self.refused += other.refused;
        self.disconnected += other.disconnected;
    }
}

struct Simulation {
    seed: Seed,
    now: Instant,
    end: Instant,
    client: End<Client>,
    server: End<Server>,
    to_server: Wire,
    to_client: Wire,
    calls: BTreeMap<StreamId, Call>,
    waiting: Vec<Plan>,
    exchanges: BTreeMap<StreamId, Exchange>,
    ended: Calls,
    /// When something happens to the whole connection, and what.
    accident: Option<(Instant, Accident)>,
    has_accident: bool,
}

#[derive(Clone, Copy, Debug)]
enum Accident {
    ServerDrains,
    ClientDrains,
    ServerCloses,
    TransportEnds,
}

/// One side, with the bytes that its shell has yet to send.
struct End<R: Side> {
    connection: Connection<R>,
    out: SendQueue,
    deadline: Option<Instant>,
    close: Close,
}

/// Bytes on their way.
#[derive(Default)]
struct Wire {
    pieces: VecDeque<(Instant, Bytes)>,
    last: Option<Instant>,
    /// The end travels behind the last piece.
    end: Option<Instant>,
}

/// What a call is going to be.
#[derive(Clone, Copy, Debug)]
struct Plan {
    body: usize,
    trailers: bool,
    cancel_at: Option<usize>,
    behaviour: Behaviour,
    head_fields: usize,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Behaviour {
    /// The body comes back, as it came.
    Echo,
    /// An interim response, then the echo.
    Interim,
    /// A whole response before the request ends.
    Early,
    /// A reset after so many bytes.
    Reset,
}

#[derive(Debug)]
struct Call {
    plan: Plan,
    sent: usize,
    sent_end: bool,
    status: Option<u16>,
    received: usize,
}

/// The server's half of a call.
struct Exchange {
    behaviour: Behaviour,
    received: usize,
    ended: bool,
    trailers: bool,
    to_echo: VecDeque<Bytes>,
}

impl Simulation {
    fn run(seed: u64) {
        println!("{:?}", Self::new(seed).finish());
    }

    fn new(seed: u64) -> Self {
        let mut seed = Seed::new(seed);
        let now = Instant::now();
        let limits = |seed: &mut Seed| Limits {
            streams_max: [1, 3, 100][seed.below(3)],
            stream_window: [65_535, 70_000, 1 << 20][seed.below(3)],
            connection_window: [65_535, 100_000, 1 << 20][seed.below(3)],
            unreleased_max: [0, 10_000, 1 << 20][seed.below(3)],
            send_buffer: [1000, 10_000, 256 * 1024][seed.below(3)],
            frame_max: [16_384, 100_000][seed.below(2)],
            ..Limits::default()
        };
        let client = End::new(Connection::client(limits(&mut seed), Names::HTTP, now));
        let server = End::new(Connection::server(limits(&mut seed), Names::HTTP, now));
        let waiting = (0..1 + seed.below(8)).map(|_| Plan::new(&mut seed)).collect();
        let accident = (seed.below(4) == 0).then(|| {
            let accidents = [
                Accident::ServerDrains,
                Accident::ClientDrains,
                Accident::ServerCloses,
                Accident::TransportEnds,
            ];
            (now + Duration::from_millis(seed.below(100) as u64), accidents[seed.below(4)])
        });
        Self {
            now,
            end: now + Duration::from_secs(300),
            client,
            server,
            to_server: Wire::default(),
            to_client: Wire::default(),
            calls: BTreeMap::new(),
            waiting,
            exchanges: BTreeMap::new(),
            ended: Calls::default(),
            has_accident: accident.is_some(),
            accident,
            seed,
        }
    }

    fn finish(mut self) -> Calls {
        while self.step() {}
        if !self.has_accident {
            for outcome in [self.client.connection.outcome(), self.server.connection.outcome()] {
                assert_eq!(outcome, None);
            }
            assert!(self.client.connection.is_idle() && self.server.connection.is_idle());
        }
        for outcome in
            [self.client.connection.outcome(), self.server.connection.outcome()].into_iter().flatten()
        {
            assert!(matches!(outcome, Outcome::Closed | Outcome::Disconnected), "{outcome}");
        }
        self.ended
    }

    /// Lets everything happen that happens at one time; `false` once all calls have ended.
    fn step(&mut self) -> bool {
        self.begin_calls();
        self.run_client();
        self.run_server();
        self.client.send(self.now, &mut self.to_server, &mut self.seed);
        self.server.send(self.now, &mut self.to_client, &mut self.seed);
        if self.calls.is_empty() && self.waiting.is_empty() && self.exchanges.is_empty() {
            return false;
        }
        let times = [
            self.accident.map(|(at, _)| at),
            self.to_server.next(),
            self.to_client.next(),
            self.client.deadline,
            self.server.deadline,
        ];
        let next = times.into_iter().flatten().min().expect("something is going to happen");
        assert!(next >= self.now || self.client.deadline.is_some() || self.server.deadline.is_some());
        self.now = self.now.max(next);
        assert!(self.now < self.end, "calls hang: {:?}", self.calls);
        self.have_accident();
        self.to_server.deliver(self.now, &mut self.server);
        self.to_client.deliver(self.now, &mut self.client);
        self.client.time(self.now);
        self.server.time(self.now);
        true
    }

    fn have_accident(&mut self) {
        let Some((_, accident)) = self.accident.take_if(|(at, _)| *at <= self.now) else { return };
        match accident {
            Accident::ServerDrains => self.server.connection.drain(self.now),
            Accident::ClientDrains => self.client.connection.drain(self.now),
            Accident::ServerCloses => self.server.connection.close(self.now),
            Accident::TransportEnds => {
                self.client.connection.handle_end(self.now);
                self.server.connection.handle_end(self.now);
            }
        }
    }

    fn begin_calls(&mut self) {
        let gone = !matches!(self.client.close, Close::No);
        while let Some(plan) = self.waiting.last().copied() {
            if self.has_accident
                && self.client.connection.streams_available() == 0
                && (gone || self.calls.is_empty())
            {
                // The connection takes no more.
                self.ended.refused += 1;
                self.waiting.pop();
                continue;
            }
            let method = if plan.behaviour == Behaviour::Early { Method::Put } else { Method::Post };
            let line = RequestLine {
                method: &method,
                scheme: Scheme::Http,
                authority: "a.example",
                target: plan.behaviour.path(),
            };
            let end = plan.body == 0 && !plan.trailers;
            let stream = self.client.connection.request(line, end, |fields| {
                for n in 0..plan.head_fields {
                    fields.append("x-many", "v".repeat(n * 7 % 300).as_bytes());
                }
            });
            let Some(stream) = stream else { return };
            self.waiting.pop();
            self.calls.insert(stream, Call { plan, sent: 0, sent_end: end, status: None, received: 0 });
        }
    }

    fn run_client(&mut self) {
        while let Some(event) = self.client.connection.poll_event() {
            match event {
                Event::Head { stream, head, end } => self.response_head(stream, &head, end),
                Event::Data { stream, data, end } => {
                    let call = self.calls.get_mut(&stream).expect("a call");
                    check(&data, call.received);
                    call.received += data.len();
                    if let Some(mut open) = self.client.connection.stream(stream) {
                        open.release(data.len());
                    }
                    if end {
                        self.response_end(stream, false);
                    }
                }
                Event::Trailers { stream, fields } => {
                    assert_eq!(fields.get("x-end"), Some(&b"1"[..]));
                    self.response_end(stream, true);
                }
                Event::Room { .. } => {}
                Event::Reset { stream, reset } => self.reset(stream, reset),
            }
        }
        let mut cancelled = Vec::new();
        for (&stream, call) in &mut self.calls {
            if call.plan.cancel_at.is_some_and(|at| call.sent + call.received >= at) {
                cancelled.push(stream);
                continue;
            }
            let Some(mut open) = self.client.connection.stream(stream) else { continue };
            while !call.sent_end {
                let room = open.room();
                if room == 0 {
                    break;
                }
                let len = room.min(call.plan.body - call.sent).min(1 + self.seed.below(20_000));
                let end = call.sent + len == call.plan.body && !call.plan.trailers;
                open.send_data(bytes(call.sent, len), end);
                call.sent += len;
                call.sent_end = end;
                if call.sent == call.plan.body && call.plan.trailers {
                    open.send_trailers(|fields| fields.append("x-end", b"1"));
                    call.sent_end = true;
                }
            }
        }
        for stream in cancelled {
            self.calls.remove(&stream);
            self.ended.cancelled += 1;
            if let Some(open) = self.client.connection.stream(stream) {
                open.reset(Reset::Cancelled);
            }
        }
    }

    fn response_head(&mut self, stream: StreamId, head: &ResponseHead, end: bool) {
        let call = self.calls.get_mut(&stream).expect("a call");
        if head.status == 103 {
            assert!(call.plan.behaviour == Behaviour::Interim && call.status.is_none() && !end);
            return;
        }
        assert_eq!(
            (head.status, call.status),
            (if call.plan.behaviour == Behaviour::Early { 418 } else { 200 }, None)
        );
        call.status = Some(head.status);
        if end {
            self.response_end(stream, false);
        }
    }

    fn response_end(&mut self, stream: StreamId, trailers: bool) {
        let call = self.calls.remove(&stream).expect("a call");
        if call.plan.behaviour == Behaviour::Early {
            self.ended.early += 1;
            if let Some(open) = self.client.connection.stream(stream) {
                open.reset(Reset::Cancelled);
            }
            return;
        }
        assert_eq!((call.received, trailers), (call.plan.body, call.plan.trailers));
        assert!(call.sent_end);
        self.ended.whole += 1;
    }

    fn reset(&mut self, stream: StreamId, reset: Reset) {
        // Of an early answer, nothing but its NO_ERROR may come late.
        let Some(call) = self.calls.remove(&stream) else { panic!("{stream:?} {reset:?}") };
        match reset {
            Reset::Cancelled => {
                assert_eq!(call.plan.behaviour, Behaviour::Reset);
                self.ended.reset += 1;
            }
            Reset::Refused => {
                // A client that opens streams before it knows the server's limit is refused some.
                self.ended.refused += 1;
            }
            Reset::Disconnected => {
                assert!(self.has_accident);
                self.ended.disconnected += 1;
            }
            other => panic!("{other:?} {call:?}"),
        }
    }

    fn run_server(&mut self) {
        while let Some(event) = self.server.connection.poll_event() {
            match event {
                Event::Head { stream, head, end } => self.request(stream, &head, end),
                Event::Data { stream, data, end } => {
                    // An early answer that waits for its windows: the rest of the request still comes.
                    let Some(exchange) = self.exchanges.get_mut(&stream) else { continue };
                    check(&data, exchange.received);
                    exchange.received += data.len();
                    exchange.ended = end;
                    exchange.to_echo.push_back(data);
                }
                Event::Trailers { stream, fields } => {
                    assert_eq!(fields.get("x-end"), Some(&b"1"[..]));
                    let Some(exchange) = self.exchanges.get_mut(&stream) else { continue };
                    exchange.ended = true;
                    exchange.trailers = true;
                }
                Event::Room { stream } => assert!(self.exchanges.contains_key(&stream)),
                Event::Reset { stream, .. } => drop(self.exchanges.remove(&stream)),
            }
        }
        let connection = &mut self.server.connection;
        self.exchanges.retain(|stream, exchange| {
            let Some(mut open) = connection.stream(*stream) else { panic!("{stream:?}") };
            if exchange.behaviour == Behaviour::Early {
                open.send_head(418, self.seed.below(2) == 0, |_| {});
                if let Some(mut open) = connection.stream(*stream) {
                    open.send_data(bytes(0, 5000), true);
                }
                return false;
            }
            if exchange.behaviour == Behaviour::Reset && (exchange.received > 1000 || exchange.ended) {
                open.reset(Reset::Cancelled);
                return false;
            }
            while open.room() > 0
                && let Some(data) = exchange.to_echo.pop_front()
            {
                open.release(data.len());
                open.send_data(data, false);
            }
            if !exchange.ended || !exchange.to_echo.is_empty() {
                return true;
            }
            if exchange.trailers {
                open.send_trailers(|fields| fields.append("x-end", b"1"));
            } else {
                open.send_data(Bytes::new(), true);
            }
            false
        });
    }

    fn request(&mut self, stream: StreamId, head: &Head, end: bool) {
        let behaviour = Behaviour::of(head.path());
        let mut open = self.server.connection.stream(stream).expect("an open stream");
        if behaviour == Behaviour::Interim {
            open.send_head(103, false, |fields| fields.append("x-early", b"1"));
        }
        if behaviour != Behaviour::Early {
            open.send_head(200, false, |fields| fields.append("content-type", b"text/plain"));
        }
        let exchange =
            Exchange { behaviour, received: 0, ended: end, trailers: false, to_echo: VecDeque::new() };
        assert!(self.exchanges.insert(stream, exchange).is_none());
    }
}

impl Plan {
    fn new(seed: &mut Seed) -> Self {
        let body = match seed.below(4) {
            0 => 0,
            1 => seed.below(100),
            2 => seed.below(5000),
            _ if seed.below(8) == 0 => seed.below(200_000),
            _ => seed.below(30_000),
        };
        let behaviours = [
            Behaviour::Echo,
            Behaviour::Echo,
            Behaviour::Echo,
            Behaviour::Interim,
            Behaviour::Early,
            Behaviour::Reset,
        ];
        Self {
            body,
            trailers: seed.below(3) == 0,
            cancel_at: (seed.below(8) == 0).then(|| seed.below(body + 1)),
            behaviour: behaviours[seed.below(6)],
            head_fields: [0, 0, 2, 60][seed.below(4)],
        }
    }
}

impl Behaviour {
    fn path(self) -> &'static str {
        match self {
            Self::Echo => "/echo",
            Self::Interim => "/interim",
            Self::Early => "/early",
            Self::Reset => "/reset",
        }
    }

    fn of(path: &str) -> Self {
        let all = [Self::Echo, Self::Interim, Self::Early, Self::Reset];
        all.into_iter().find(|behaviour| behaviour.path() == path).expect("a path")
    }
}

impl<R: Side> End<R> {
    fn new(connection: Connection<R>) -> Self {
        Self { connection, out: SendQueue::new(), deadline: None, close: Close::No }
    }

    /// Puts on the wire what the connection has to say, cut and delayed.
    fn send(&mut self, now: Instant, wire: &mut Wire, seed: &mut Seed) {
        loop {
            let output = self.connection.poll_output(now, &mut self.out);
            self.deadline = output.deadline;
            self.close = output.close;
            if self.out.is_empty() || output.close == Close::Both {
                break;
            }
            // The network takes some of it.
            let all = self.out.chunks().collect::<Vec<_>>().concat();
            let taken = if seed.below(3) == 0 { 1 + seed.below(all.len()) } else { all.len() };
            self.out.advance(taken);
            wire.push(now, &all[..taken], seed);
        }
        if self.close != Close::No && wire.end.is_none() {
            wire.end = Some(wire.last.unwrap_or(now).max(now));
        }
    }

    fn time(&mut self, now: Instant) {
        if self.deadline.is_some_and(|at| at <= now) {
            self.connection.handle_timeout(now);
        }
    }
}

impl Wire {
    fn push(&mut self, now: Instant, mut bytes: &[u8], seed: &mut Seed) {
        while !bytes.is_empty() {
            let len = match seed.below(3) {
                0 => 1 + seed.below(20),
                1 => 1 + seed.below(2000),
                _ => bytes.len(),
            };
            let (piece, rest) = bytes.split_at(len.min(bytes.len()));
            bytes = rest;
            let at = now + Duration::from_millis([0, 1, 20][seed.below(3)]);
            let at = self.last.map_or(at, |last| last.max(at));
            self.last = Some(at);
            self.pieces.push_back((at, Bytes::copy_from_slice(piece)));
        }
    }

    fn next(&self) -> Option<Instant> {
        self.pieces.front().map(|(at, _)| *at).or(self.end)
    }

    fn deliver<R: Side>(&mut self, now: Instant, to: &mut End<R>) {
        // One piece at a time, so that the application runs in between.
        if self.pieces.front().is_some_and(|(at, _)| *at <= now) {
            let (_, piece) = self.pieces.pop_front().expect("the piece at the front");
            to.connection.handle_input(now, piece);
        } else if self.pieces.is_empty() && self.end.is_some_and(|at| at <= now) {
            to.connection.handle_end(now);
            self.end = None;
        }
    }
}

/// The bytes of a body from `start` on.
fn bytes(start: usize, len: usize) -> Bytes {
    Bytes::copy_from_slice(&PATTERN[start % 251..][..len])
}

fn check(data: &[u8], start: usize) {
    assert!(data == &PATTERN[start % 251..][..data.len()], "bytes at {start}");
}

static PATTERN: [u8; 110_000] = {
    let mut pattern = [0; 110_000];
    let mut at = 0;
    while at < pattern.len() {
        pattern[at] = (at % 251) as u8;
        at += 1;
    }
    pattern
};
