//! Our client against our server, under a clock that stands still until moved: bytes are cut by seeds, ends are delayed, lost
//! or reset. What arrives must be what was sent, and every connection must come to an end.

use bytes::Bytes;
use ringwire_http::{
    Client, Close, Event, HeadersMut, Method, Names, Part, RequestLine, Reset, Scheme, SendQueue, Server,
    StreamId,
};
use ringwire_http1::{Connection, Limits, Side};
use ringwire_testing::seed::Seed;
use std::time::{Duration, Instant};

#[test]
fn ten_thousand_seeds_agree() {
    let start = Instant::now();
    for seed in 0..10_000 {
        let result = std::panic::catch_unwind(|| run(seed, start));
        if let Err(panicked) = result {
            eprintln!("seed {seed}");
            std::panic::resume_unwind(panicked);
        }
    }
}

/// A message: its body in pieces, and whether trailers follow.
struct Plan {
    pieces: Vec<Vec<u8>>,
    trailers: bool,
    announced: bool,
    in_place: bool,
}

impl Plan {
    fn new(seed: &mut Seed) -> Self {
        let pieces = (0..seed.below(4))
            .map(|_| {
                let most = [1, 20, 300, 6000][seed.below(4)];
                let len = seed.below(most);
                seed.bytes(len)
            })
            .collect();
        let announced = seed.below(3) == 0;
        Self { pieces, trailers: !announced && seed.below(4) == 0, announced, in_place: seed.below(2) == 0 }
    }

    fn body(&self) -> Vec<u8> {
        self.pieces.concat()
    }

    fn fields(&self, sink: &mut dyn HeadersMut) {
        sink.append("x-test", b"1");
        if self.announced {
            sink.append("content-length", self.body().len().to_string().as_bytes());
        }
    }
}

/// One side: its connection, what it sends, and what it has heard.
struct Peer<R: Side> {
    connection: Connection<R>,
    out: SendQueue,
    stream: Option<StreamId>,
    plan: Plan,
    /// The next piece; `None` if nothing is to be sent now.
    next: Option<usize>,
    heard: Vec<u8>,
    trailers: bool,
    is_complete: bool,
    reset: Option<Reset>,
    close: Close,
    deadline: Option<Instant>,
    reads: bool,
}

impl<R: Side> Peer<R> {
    fn new(connection: Connection<R>, plan: Plan) -> Self {
        Self {
            connection,
            out: SendQueue::new(),
            stream: None,
            plan,
            next: None,
            heard: Vec::new(),
            trailers: false,
            is_complete: false,
            reset: None,
            close: Close::No,
            deadline: None,
            reads: true,
        }
    }

    /// Sends the next piece, or the end.
    fn send(&mut self) {
        let (Some(next), Some(id)) = (self.next, self.stream) else { return };
        let Some(mut stream) = self.connection.stream(id) else {
            self.next = None;
            return;
        };
        let is_last = next + 1 >= self.plan.pieces.len();
        let end = is_last && !self.plan.trailers;
        let piece = self.plan.pieces.get(next).cloned().unwrap_or_default();
        if self.plan.in_place {
            stream.write(|_, body| {
                body.extend_from_slice(&piece);
                (Part::Data { end }, ())
            });
        } else {
            stream.send_data(Bytes::from(piece), end);
        }
        if is_last && !end {
            self.connection
                .stream(id)
                .expect("a message that has not ended is open")
                .send_trailers(|fields| fields.append("x-sum", b"7"));
        }
        self.next = (!is_last).then_some(next + 1);
    }

    fn hear(&mut self, event: Event<R::Head>) -> Option<R::Head> {
        match event {
            Event::Head { stream, head, end } => {
                self.stream = Some(stream);
                self.heard.clear();
                self.trailers = false;
                self.is_complete = end;
                return Some(head);
            }
            Event::Data { stream, data, end } => {
                self.heard.extend_from_slice(&data);
                self.is_complete = end;
                if let Some(mut stream) = self.connection.stream(stream) {
                    stream.release(data.len());
                }
            }
            Event::Trailers { fields, .. } => {
                assert_eq!(fields.iter().next().map(|field| field.name), Some("x-sum"));
                self.trailers = true;
                self.is_complete = true;
            }
            Event::Room { .. } => {}
            Event::Reset { reset, .. } => self.reset = Some(reset),
        }
        None
    }

    fn output(&mut self, now: Instant) {
        let output = self.connection.poll_output(now, &mut self.out);
        self.close = output.close;
        self.deadline = output.deadline;
        self.reads = output.read;
    }

    /// Takes up to `most` bytes of what is to be sent.
    fn take(&mut self, most: usize) -> Vec<u8> {
        let mut bytes: Vec<u8> = self.out.chunks().flatten().copied().take(most).collect();
        bytes.truncate(most);
        self.out.advance(bytes.len());
        bytes
    }
}

fn run(number: u64, start: Instant) {
    let seed = &mut Seed::new(number);
    let mut now = start;
    let limits =
        Limits { unreleased_max: [10, 1 << 20][seed.below(2)], pipelined_max: 100, ..Limits::default() };
    let mut client =
        Peer::new(Connection::<Client>::client(limits.clone(), Names::HTTP, now), Plan::new(seed));
    let mut server = Peer::new(Connection::<Server>::server(limits, Names::HTTP, now), Plan::new(seed));
    // Most runs end in order; some lose the network or an application.
    let trouble = seed.below(8);
    let mut requests_left = 1 + seed.below(4);
    let mut answered = 0;
    let mut up = Vec::new();
    let mut down = Vec::new();
    let mut server_shut = false;

    for turn in 0..100_000 {
        if client.connection.is_idle() && requests_left > 0 && client.connection.streams_available() == 1 {
            requests_left -= 1;
            client.plan = Plan::new(seed);
            let plan = &client.plan;
            let line =
                RequestLine { method: &Method::Post, scheme: Scheme::Http, authority: "a", target: "/" };
            let stream = client.connection.request(line, false, |fields| plan.fields(fields));
            client.stream = stream;
            client.next = Some(0);
            client.is_complete = false;
        }
        match trouble {
            0 if turn == 20 => client.connection.drain(now),
            1 if turn == 15 => server.connection.drain(now),
            2 if turn == 12 => {
                if let Some(stream) = client.stream.and_then(|id| client.connection.stream(id)) {
                    stream.reset(Reset::Cancelled);
                }
            }
            3 if turn == 18 => server.connection.close(now),
            _ => {}
        }
        if seed.below(2) == 0 {
            client.send();
        }
        if seed.below(2) == 0 {
            server.send();
        }
        while let Some(event) = client.connection.poll_event() {
            if let Some(head) = client.hear(event) {
                assert_eq!(head.status, 200);
            }
            if client.is_complete {
                assert_eq!(client.heard, server.plan.body(), "the response arrived as it was sent");
                assert_eq!(client.trailers, server.plan.trailers);
                answered += 1;
                client.is_complete = false;
            }
        }
        while let Some(event) = server.connection.poll_event() {
            server.hear(event);
            if server.is_complete {
                assert_eq!(server.heard, client.plan.body(), "the request arrived as it was sent");
                assert_eq!(server.trailers, client.plan.trailers);
                server.is_complete = false;
                server.plan = Plan::new(seed);
                let plan = &server.plan;
                let id = server.stream.expect("a request has a stream");
                if let Some(mut stream) = server.connection.stream(id) {
                    stream.send_head(200, false, |fields| plan.fields(fields));
                    server.next = Some(0);
                }
            }
        }
        client.output(now);
        server.output(now);
        if client.close == Close::Both && server.close == Close::Both {
            break;
        }
        up.extend(client.take(1 + seed.below(400)));
        down.extend(server.take(1 + seed.below(400)));
        let (some_up, some_down) = (up.len().min(seed.below(100)), down.len().min(seed.below(100)));
        if server.reads && some_up > 0 {
            server.connection.handle_input(now, Bytes::from(up.drain(..some_up).collect::<Vec<_>>()));
        }
        if client.reads && some_down > 0 && client.close != Close::Both {
            client.connection.handle_input(now, Bytes::from(down.drain(..some_down).collect::<Vec<_>>()));
        }
        // A closed socket is an end for the other side, once the bytes before it are there.
        if client.close == Close::Both && up.is_empty() {
            server.connection.handle_end(now);
        }
        if server.close == Close::Both && down.is_empty() {
            client.connection.handle_end(now);
        }
        if server.close == Close::Sending && server.out.is_empty() && down.is_empty() && !server_shut {
            server_shut = true;
            client.connection.handle_end(now);
        }
        // Once nothing moves, time does, and the connections must not last for ever.
        if requests_left == 0 && client.connection.is_idle() && up.is_empty() && down.is_empty() {
            let next = [client.deadline, server.deadline].into_iter().flatten().min();
            now = next.unwrap_or(now + Duration::from_secs(1));
            client.connection.handle_timeout(now);
            server.connection.handle_timeout(now);
        }
        assert!(turn < 99_999, "the connections never come to an end");
    }
    if trouble > 3 {
        assert!(requests_left == 0 && answered > 0, "{answered} answered, {requests_left} not asked");
        assert_eq!((client.reset, server.reset), (None, None));
    }
    assert!(server.connection.outcome().is_some() && client.connection.outcome().is_some());
}
