//! Bytes on one connection, step by step, and what the server does.

use crate::case::{Ask, Case};
use ringwire_conformance::running::Running;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What is done, in order, to a server of its own.
#[derive(Clone, Debug)]
pub(crate) struct Play {
    speaks: Speaks,
    steps: Vec<Step>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Speaks {
    Http1,
    Http2,
}

#[derive(Clone, Debug)]
enum Step {
    Send(Vec<u8>),
    /// Waits until the server has taken what was sent.
    Settle,
    /// Sends what is made for each round; says how that ended.
    Flood {
        frames: fn(u32) -> Vec<u8>,
        rounds: u32,
        reads: Reads,
    },
    /// Says what the server does, until it closes or does no more.
    Watch,
    /// The server is asked to stop.
    Terminate,
    /// Says whether new connections are taken.
    Knock,
    /// The connection is closed.
    HangUp,
    /// Says whether the server ends, which it should soon.
    Ends,
    /// Says so if the server took more memory than this.
    Memory {
        mib_max: u64,
    },
}

/// Whether a peer that floods reads what it is sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Reads {
    All,
    Nothing,
}

impl Play {
    pub(crate) fn http1() -> Self {
        Self { speaks: Speaks::Http1, steps: Vec::new() }
    }

    /// Begins with the preface and empty settings.
    pub(crate) fn http2() -> Self {
        let preface = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &frame(SETTINGS, 0, 0, &[])[..]].concat();
        Self { speaks: Speaks::Http2, steps: vec![Step::Send(preface)] }
    }

    pub(crate) fn send(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.step(Step::Send(bytes.into()))
    }

    pub(crate) fn settle(self) -> Self {
        self.step(Step::Settle)
    }

    pub(crate) fn flood(self, frames: fn(u32) -> Vec<u8>, rounds: u32, reads: Reads) -> Self {
        self.step(Step::Flood { frames, rounds, reads })
    }

    pub(crate) fn watch(self) -> Self {
        self.step(Step::Watch)
    }

    pub(crate) fn terminate(self) -> Self {
        self.step(Step::Terminate)
    }

    pub(crate) fn knock(self) -> Self {
        self.step(Step::Knock)
    }

    pub(crate) fn hang_up(self) -> Self {
        self.step(Step::HangUp)
    }

    pub(crate) fn ends(self) -> Self {
        self.step(Step::Ends)
    }

    pub(crate) fn memory(self, mib_max: u64) -> Self {
        self.step(Step::Memory { mib_max })
    }

    pub(crate) fn case(self, name: impl Into<String>) -> Case {
        Case::new(name, Ask::Play(self))
    }

    fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Plays, and says what happened, on one line.
    pub(crate) async fn run(&self, server: &mut Running) -> Result<String, String> {
        let mut stage = Stage { seen: Vec::new(), received: Vec::new(), socket: None };
        stage.socket = Some(connect(server).await?);
        for step in &self.steps {
            match step {
                Step::Send(bytes) => stage.send(bytes).await,
                Step::Settle => stage.settle(self.speaks).await?,
                Step::Flood { frames, rounds, reads } => stage.flood(*frames, *rounds, *reads).await,
                Step::Watch => stage.watch(self.speaks).await,
                Step::Terminate => server.terminate().map_err(|error| error.to_string())?,
                Step::Knock => stage.see(match connect(server).await {
                    Ok(_) => "takes connections",
                    Err(_) => "takes no connections",
                }),
                Step::HangUp => stage.socket = None,
                Step::Ends => stage.see(ends(server).await?),
                Step::Memory { mib_max } => {
                    let mib = server.memory_kib_max().unwrap_or_default() / 1024;
                    if mib > *mib_max {
                        stage.see(format!("holds {mib} MiB"));
                    }
                }
            }
        }
        Ok(stage.seen.join(", "))
    }
}

/// One connection, and what was seen of the server.
struct Stage {
    socket: Option<TcpStream>,
    received: Vec<u8>,
    seen: Vec<String>,
}

impl Stage {
    /// The same again and again is seen once.
    fn see(&mut self, what: impl Into<String>) {
        let what = what.into();
        if self.seen.last() != Some(&what) {
            self.seen.push(what);
        }
    }

    async fn send(&mut self, bytes: &[u8]) {
        if let Some(socket) = &mut self.socket {
            // A server that has closed is seen when it is watched.
            let _ = tokio::time::timeout(PATIENCE, socket.write_all(bytes)).await;
        }
    }

    /// Reads some more; false once the server has closed or been quiet for so long.
    async fn read(&mut self, patience: Duration) -> Read {
        let Some(socket) = &mut self.socket else { return Read::Closed };
        match tokio::time::timeout(patience, socket.read_buf(&mut self.received)).await {
            Ok(Ok(1..)) => Read::Some,
            Ok(Ok(0) | Err(_)) => Read::Closed,
            Err(_) => Read::Quiet,
        }
    }

    async fn settle(&mut self, speaks: Speaks) -> Result<(), String> {
        let has_settled: fn(&[u8]) -> bool = match speaks {
            Speaks::Http1 => |received| !received.is_empty(),
            Speaks::Http2 => {
                self.send(&frame(PING, 0, 0, b"settling")).await;
                |received| frames(received).any(|frame| frame.kind == PING && frame.flags == ACK)
            }
        };
        while !has_settled(&self.received) {
            if self.read(PATIENCE).await != Read::Some {
                return Err(format!("does not settle: {:?}", self.seen));
            }
        }
        Ok(())
    }

    async fn flood(&mut self, made: fn(u32) -> Vec<u8>, rounds: u32, reads: Reads) {
        let Some(socket) = self.socket.take() else { return };
        let (mut reading, mut writing) = socket.into_split();
        let reader = (reads == Reads::All).then(|| {
            tokio::spawn(async move {
                let mut sink = vec![0; 1 << 16];
                let mut tail = Vec::new();
                while let Ok(len @ 1..) = reading.read(&mut sink).await {
                    tail.extend_from_slice(&sink[..len]);
                    // Whole frames go; a GOAWAY stays to be seen.
                    let goaway = frames(&tail).find(|frame| frame.kind == GOAWAY).map(goaway_code);
                    if goaway.is_some() {
                        return goaway;
                    }
                    let whole: usize = frames(&tail).map(|frame| frame.payload.len() + HEADER_LEN).sum();
                    tail.drain(..whole);
                }
                None
            })
        });
        let mut ended = "takes all";
        for round in 0..rounds {
            let bytes = made(round);
            match tokio::time::timeout(STALL, writing.write_all(&bytes)).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => {
                    ended = "closes";
                    break;
                }
                Err(_) => {
                    ended = "stops reading";
                    break;
                }
            }
        }
        if let Some(reader) = reader {
            let patience = if ended == "closes" { PATIENCE } else { QUIET };
            if let Ok(Ok(Some(code))) = tokio::time::timeout(patience, reader).await {
                self.see(format!("goaway {code}"));
                return;
            }
        }
        self.see(ended);
    }

    async fn watch(&mut self, speaks: Speaks) {
        let mut end = Read::Some;
        // The first word may take long, and those after it come at once.
        let mut patience = PATIENCE;
        while end == Read::Some {
            let before = self.received.len();
            end = self.read(patience).await;
            if words(speaks, &self.received) > 0 && self.received.len() > before {
                patience = QUIET;
            }
            self.answer_pings(speaks, before).await;
        }
        for what in match speaks {
            Speaks::Http1 => statuses(&self.received),
            Speaks::Http2 => events(&self.received),
        } {
            self.see(what);
        }
        self.see(if end == Read::Closed { "closes" } else { "stays" });
    }

    /// A server that goes asks whether all has arrived.
    async fn answer_pings(&mut self, speaks: Speaks, before: usize) {
        if speaks == Speaks::Http1 {
            return;
        }
        let mut at = 0;
        let mut answers = Vec::new();
        for found in frames(&self.received) {
            at += HEADER_LEN + found.payload.len();
            if at > before && found.kind == PING && found.flags != ACK {
                answers.extend(frame(PING, ACK, 0, found.payload));
            }
        }
        self.send(&answers).await;
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Read {
    Some,
    Quiet,
    Closed,
}

async fn connect(server: &Running) -> Result<TcpStream, String> {
    TcpStream::connect(("127.0.0.1", server.port())).await.map_err(|error| error.to_string())
}

async fn ends(server: &mut Running) -> Result<&'static str, String> {
    let mut pace = tokio::time::interval(PACE);
    for _ in 0..PATIENCE.as_millis() / PACE.as_millis() {
        if let Some(success) = server.ended().map_err(|error| error.to_string())? {
            return Ok(if success { "ends" } else { "is killed" });
        }
        pace.tick().await;
    }
    Ok("runs on")
}

/// How much has been said that is worth a word.
fn words(speaks: Speaks, received: &[u8]) -> usize {
    match speaks {
        Speaks::Http1 => statuses(received).len(),
        Speaks::Http2 => events(received).len(),
    }
}

/// The statuses of responses, and whether the last one says that it is the last.
fn statuses(received: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(received);
    // A body of ours has no line that begins so.
    text.match_indices("HTTP/1.1 ")
        .filter_map(|(at, _)| text.get(at + 9..at + 12))
        .map(str::to_owned)
        .collect()
}

/// What frames say to those who know HTTP/2; a status where it is one that the static table holds. Streams are in order, though
/// they may be answered in another.
fn events(received: &[u8]) -> Vec<String> {
    let mut events: Vec<(u32, String)> = frames(received)
        .filter_map(|frame| {
            let stream = frame.stream;
            match frame.kind {
                HEADERS if frame.flags & END_HEADERS != 0 => match frame.payload.first() {
                    Some(&indexed @ 0x88..=0x8e) => {
                        let status = [200, 204, 206, 304, 400, 404, 500][usize::from(indexed - 0x88)];
                        Some((stream, format!("{status} on {stream}")))
                    }
                    Some(0..0x80) => Some((stream, format!("answer on {stream}"))),
                    _ => None,
                },
                RST_STREAM => Some((stream, format!("reset {} on {stream}", code(frame.payload)))),
                GOAWAY => Some((0, format!("goaway {}", goaway_code(frame)))),
                _ => None,
            }
        })
        .collect();
    for answers in events.chunk_by_mut(|(one, _), (other, _)| (*one == 0) == (*other == 0)) {
        answers.sort_by_key(|(stream, _)| *stream);
    }
    events.into_iter().map(|(_, event)| event).collect()
}

pub(crate) struct Frame<'a> {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: &'a [u8],
}

/// The frames that are whole.
pub(crate) fn frames(mut received: &[u8]) -> impl Iterator<Item = Frame<'_>> {
    std::iter::from_fn(move || {
        let (header, rest) = received.split_first_chunk::<HEADER_LEN>()?;
        let [a, b, c, kind, flags, stream @ ..] = *header;
        let (payload, behind) = rest.split_at_checked(u32::from_be_bytes([0, a, b, c]) as usize)?;
        received = behind;
        Some(Frame { kind, flags, stream: u32::from_be_bytes(stream), payload })
    })
}

fn goaway_code(frame: Frame<'_>) -> u32 {
    code(frame.payload.get(4..).unwrap_or_default())
}

fn code(payload: &[u8]) -> u32 {
    payload.first_chunk().map_or(u32::MAX, |code| u32::from_be_bytes(*code))
}

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len()).expect("frames are short").to_be_bytes();
    [&len[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A header block, each field written out.
pub(crate) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for text in fields.iter().flat_map(|(name, value)| [name, value].map(|text| text.as_bytes())).enumerate()
    {
        let (at, text) = text;
        if at % 2 == 0 {
            block.push(0);
        }
        // An integer of seven bits and then of as many times seven as it takes.
        let mut len = text.len();
        if len < 127 {
            block.push(u8::try_from(len).expect("it is short"));
        } else {
            block.push(127);
            len -= 127;
            while len >= 128 {
                block.push(u8::try_from(len % 128).expect("it is a remainder") | 128);
                len /= 128;
            }
            block.push(u8::try_from(len).expect("it is what is left"));
        }
        block.extend_from_slice(text);
    }
    block
}

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const PRIORITY: u8 = 2;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const ACK: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

const HEADER_LEN: usize = 9;
// For what has to come, on a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(20);
// After which nothing more is to be expected.
const QUIET: Duration = Duration::from_millis(1500);
// For a server that stops reading.
const STALL: Duration = Duration::from_secs(3);
const PACE: Duration = Duration::from_millis(50);
