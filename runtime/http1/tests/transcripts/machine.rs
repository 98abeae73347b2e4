//! Drives either side.
//!
//! | Command | Does |
//! |---|---|
//! | `! limit head_max 100` | Sets a limit; times are in milliseconds. Before anything else. |
//! | `! head 200`, `! head 200 end`, fields below | The head of a response. |
//! | `! request POST /path`, `! request POST /path end`, fields below | The head of a request, to `example.com`. |
//! | `! data "text"`, `! data "text" end` | A piece of the body. |
//! | `! write "text"`, `! write "text" end` | The same, written in place. |
//! | `! trailers`, fields below | Trailers. |
//! | `! reset` | Gives the stream up. |
//! | `! release 10` | The application is done with so many bytes. |
//! | `! body` | Says the bytes of the body that have arrived and were not said. They are said at its end anyway. |
//! | `! state` | Says whether input is wanted, and how far the deadline is. |
//! | `! hold`, `! sent`, `! sent 9` | From now on the peer takes nothing of what is sent; it takes all; it takes nine bytes. |
//! | `! wait 10` | So many seconds pass. |
//! | `! drain`, `! close` | Of the connection. |
//!
//! A command that ends in `more` is followed by others before the connection is asked for its output.
//!
//! A server that was told `! answer` answers each request when it is complete: with its method, target and body.

use bytes::{Bytes, BytesMut};
use ringwire_http::{Close, Event, Fields, HeadersMut, Names, Part, Reset, SendQueue, StreamId, Version};
use ringwire_http1::{Connection, Limits, Outcome, Side, StreamMut};
use ringwire_testing::transcript::{Command, Said, notation};
use std::time::{Duration, Instant};

/// A connection, and what a shell knows of it.
pub(crate) struct Driven<R: Side> {
    pub(crate) connection: Connection<R>,
    pub(crate) now: Instant,
    out: SendQueue,
    holds: bool,
    stream: Option<StreamId>,
    body: BytesMut,
    has_body: bool,
    /// The peer's message has ended.
    has_ended: bool,
    deadline: Option<Instant>,
    reads: bool,
    close: Close,
    outcome: Option<Outcome>,
}

impl<R: Side> Driven<R> {
    pub(crate) fn new(make: fn(Limits, &'static Names, Instant) -> Connection<R>, limits: &Limits) -> Self {
        let now = Instant::now();
        Self {
            connection: make(limits.clone(), Names::HTTP, now),
            now,
            out: SendQueue::new(),
            holds: false,
            stream: None,
            body: BytesMut::new(),
            has_body: false,
            has_ended: false,
            deadline: None,
            reads: true,
            close: Close::No,
            outcome: None,
        }
    }

    pub(crate) fn open(&mut self) -> Result<StreamMut<'_, R>, String> {
        let id = self.stream.ok_or("there was no stream")?;
        self.connection.stream(id).ok_or_else(|| "the stream is gone".to_owned())
    }

    pub(crate) fn set_stream(&mut self, stream: StreamId) {
        self.stream = Some(stream);
    }

    pub(crate) fn command(&mut self, command: &Command<'_>, said: &mut Said) -> Result<(), String> {
        let args = command.args.strip_suffix("more").unwrap_or(command.args).trim();
        let (text, end) = match args.strip_suffix("end") {
            Some(text) => (text.trim(), true),
            None => (args, false),
        };
        match command.name {
            "data" => {
                let data = notation::parse(text)?;
                self.open()?.send_data(Bytes::from(data), end);
            }
            "write" => {
                let data = notation::parse(text)?;
                self.open()?.write(|_, body| {
                    body.extend_from_slice(&data);
                    (Part::Data { end }, ())
                });
            }
            "nothing" => self.open()?.write(|_, _| (Part::Nothing, ())),
            "trailers" => {
                let fields = command.owned_fields()?;
                self.open()?.send_trailers(|sink| append(sink, &fields));
            }
            "reset" => self.open()?.reset(Reset::Cancelled),
            "release" => {
                let len = text.parse().map_err(|_| "that is no number")?;
                self.open()?.release(len);
            }
            "room" => {
                let room = self.open()?.room();
                said.event(format!("room {room}"));
            }
            "body" => {
                self.has_body = true;
                self.say_body(false, said);
            }
            "state" => {
                let deadline = self.deadline.map(|at| (at - self.now).as_secs_f32());
                let reads = if self.reads { "reads" } else { "does not read" };
                let idle = if self.connection.is_idle() { "idle" } else { "busy" };
                match deadline {
                    Some(seconds) => said.event(format!("{idle}, {reads}, waits {seconds} s")),
                    None => said.event(format!("{idle}, {reads}, waits")),
                }
            }
            "hold" => self.holds = true,
            "sent" if !text.is_empty() => {
                self.out.advance(text.parse().map_err(|_| "that is no number")?);
            }
            "sent" => {
                self.holds = false;
                self.say_out(said);
            }
            "wait" => {
                let seconds: f64 = text.parse().map_err(|_| "that is no number")?;
                self.now += Duration::from_secs_f64(seconds);
                self.connection.handle_timeout(self.now);
            }
            "drain" => self.connection.drain(self.now),
            "close" => self.connection.close(self.now),
            other => return Err(format!("there is no command {other:?}")),
        }
        Ok(())
    }

    /// Moves what is to be sent, and says it if the peer takes it.
    pub(crate) fn output(&mut self, said: &mut Said) {
        let output = self.connection.poll_output(self.now, &mut self.out);
        self.deadline = output.deadline;
        self.reads = output.read;
        if !self.holds {
            self.say_out(said);
            let output = self.connection.poll_output(self.now, &mut self.out);
            self.deadline = output.deadline;
            self.reads = output.read;
        }
        let output = self.connection.poll_output(self.now, &mut self.out);
        if output.close != self.close {
            self.close = output.close;
            said.event(match output.close {
                Close::No => panic!("a connection that closes does not open again"),
                Close::Sending => "close sending",
                Close::Both => "close",
            });
        }
        if self.outcome.is_none()
            && let Some(outcome) = self.connection.outcome()
        {
            self.outcome = Some(*outcome);
            said.event(match outcome {
                Outcome::Fault(fault) => format!("outcome {fault}"),
                outcome => format!("outcome {outcome:?}"),
            });
        }
    }

    fn say_out(&mut self, said: &mut Said) {
        while !self.out.is_empty() {
            for chunk in self.out.chunks() {
                said.bytes(chunk);
            }
            self.out.advance(self.out.len());
            self.connection.poll_output(self.now, &mut self.out);
        }
    }

    /// Says what both sides say alike; returns the head.
    pub(crate) fn event(
        &mut self,
        event: Event<R::Head>,
        said: &mut Said,
    ) -> Option<(StreamId, R::Head, bool)> {
        match event {
            Event::Head { stream, head, end } => return Some((stream, head, end)),
            Event::Data { data, end, .. } => {
                self.has_body = true;
                self.body.extend_from_slice(&data);
                if end {
                    self.has_ended = true;
                    self.say_body(true, said);
                }
            }
            Event::Trailers { fields, .. } => {
                self.say_body(false, said);
                said.event("trailers");
                say_fields(&fields, said);
            }
            Event::Room { .. } => said.event("room"),
            Event::Reset { reset, .. } => {
                self.say_body(false, said);
                said.event(format!("reset {reset:?}"));
            }
        }
        None
    }

    fn say_body(&mut self, end: bool, said: &mut Said) {
        if std::mem::take(&mut self.has_body) {
            let body = self.body.split();
            let end = if end { "end" } else { "" };
            said.event(format!("body {} {end}", notation::write(&body)));
        }
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    /// Does what is done once the peer is gone: the network takes what is sent, the application what there is, and it
    /// ends a tunnel.
    pub(crate) fn give_up(&mut self) {
        self.holds = false;
        if let Ok(mut stream) = self.open() {
            stream.release(usize::MAX);
            if self.has_ended {
                self.open().expect("the stream was open").send_data(Bytes::new(), true);
            }
        }
    }

    /// Whether the connection has come to its end, as it must once the peer has.
    pub(crate) fn judge_end(&self) -> Result<(), String> {
        if self.close == Close::Both && self.outcome.is_some() {
            Ok(())
        } else {
            Err("the peer has ended, and the connection goes on".to_owned())
        }
    }
}

pub(crate) fn append(sink: &mut dyn HeadersMut, fields: &[(String, Vec<u8>)]) {
    for (name, value) in fields {
        sink.append(name, value);
    }
}

pub(crate) fn say_fields(fields: &Fields, said: &mut Said) {
    for field in fields.iter() {
        said.event(format!("  {}: {}", field.name, field.value.escape_ascii()));
    }
}

pub(crate) fn version(version: Version) -> &'static str {
    version.as_str()
}

pub(crate) fn set_limit(limits: &mut Limits, args: &str) -> Result<(), String> {
    let (name, value) = args.split_once(' ').ok_or("a limit has a name and a value")?;
    let value: u32 = value.parse().map_err(|_| "that is no number")?;
    let time = Duration::from_millis(value.into());
    match name {
        "head_max" => limits.head_max = value as usize,
        "fields_max" => limits.fields_max = value as usize,
        "target_max" => limits.target_max = value as usize,
        "chunk_line_max" => limits.chunk_line_max = value as usize,
        "chunk_extensions_max" => limits.chunk_extensions_max = value as usize,
        "unreleased_max" => limits.unreleased_max = value as usize,
        "interim_max" => limits.interim_max = value,
        "pipelined_max" => limits.pipelined_max = value as usize,
        "drain_max" => limits.drain_max = value.into(),
        "linger_max" => limits.linger_max = value.into(),
        "linger_timeout" => limits.linger_timeout = time,
        "head_timeout" => limits.head_timeout = time,
        "idle_timeout" => limits.idle_timeout = time,
        "body_timeout" => limits.body_timeout = time,
        "body_rate_min" => limits.body_rate_min = value,
        "body_rate_grace" => limits.body_rate_grace = time,
        "send_timeout" => limits.send_timeout = time,
        other => return Err(format!("there is no limit {other:?}")),
    }
    Ok(())
}
