//! A server, driven by its transcript.

use crate::machine::{Driven, append, say_fields, set_limit, version};
use bytes::Bytes;
use ringwire_http::{Event, Head, Method, Server, StreamId};
use ringwire_http1::{Connection, Limits};
use ringwire_testing::transcript::{Command, Machine, Said, notation};

pub(crate) struct Served {
    limits: Limits,
    driven: Driven<Server>,
    /// Answers requests by itself.
    answers: bool,
    /// The request that is to be answered once it is complete.
    request: Option<(StreamId, Head)>,
}

impl Default for Served {
    fn default() -> Self {
        let limits = Limits::default();
        Self { driven: Driven::new(Connection::server, &limits), limits, answers: false, request: None }
    }
}

impl Machine for Served {
    fn command(&mut self, command: &Command<'_>, said: &mut Said) -> Result<(), String> {
        match command.name {
            "limit" => {
                set_limit(&mut self.limits, command.args)?;
                self.driven = Driven::new(Connection::server, &self.limits);
            }
            "answer" => self.answers = true,
            "head" => {
                let mut words = command.args.split(' ');
                let status = words.next().unwrap_or_default();
                let end = words.next() == Some("end");
                let status = status.parse().map_err(|_| "that is no status")?;
                let fields = command.owned_fields()?;
                self.driven.open()?.send_head(status, end, |sink| append(sink, &fields));
            }
            _ => self.driven.command(command, said)?,
        }
        if !command.args.ends_with("more") {
            self.pump(said);
        }
        Ok(())
    }

    fn input(&mut self, bytes: &[u8], end: bool, said: &mut Said) {
        let now = self.driven.now;
        if !bytes.is_empty() {
            self.driven.connection.handle_input(now, Bytes::copy_from_slice(bytes));
            self.pump(said);
        }
        if end {
            self.driven.connection.handle_end(now);
            self.pump(said);
        }
    }

    fn cut(&mut self, said: &mut Said) -> Result<(), String> {
        self.driven.give_up();
        self.pump(said);
        self.driven.judge_end()
    }
}

impl Served {
    fn pump(&mut self, said: &mut Said) {
        self.driven.output(said);
        while let Some(event) = self.driven.connection.poll_event() {
            let ends = match &event {
                Event::Head { end, .. } | Event::Data { end, .. } => *end,
                Event::Trailers { .. } => true,
                Event::Room { .. } | Event::Reset { .. } => false,
            };
            let body = self.body_so_far(&event);
            if let Some((stream, head, end)) = self.driven.event(event, said) {
                say_head(&head, end, said);
                self.driven.set_stream(stream);
                self.request = Some((stream, head));
            }
            if ends && self.answers {
                self.answer(&body);
            }
            self.driven.output(said);
        }
        self.driven.output(said);
    }

    fn body_so_far(&self, event: &Event<Head>) -> Vec<u8> {
        let mut body = self.driven.body().to_vec();
        if let Event::Data { data, .. } = event {
            body.extend_from_slice(data);
        }
        body
    }

    fn answer(&mut self, body: &[u8]) {
        let Some((stream, head)) = self.request.take() else { return };
        let Some(mut stream) = self.driven.connection.stream(stream) else { return };
        stream.send_head(200, false, |_| {});
        let mut text = format!("{} {} ", head.method(), head.target()).into_bytes();
        text.extend_from_slice(body);
        stream.send_data(text.into(), true);
    }
}

fn say_head(head: &Head, end: bool, said: &mut Said) {
    let authority = head.authority().unwrap_or("-");
    let scheme = head.scheme().map_or(String::new(), |scheme| format!("{scheme:?} ").to_lowercase());
    let end = if end { "end" } else { "" };
    let method = match head.method() {
        Method::Other(name) => name,
        method => method.as_str(),
    };
    let target = notation::write(head.target().as_bytes());
    said.event(format!("{method} {target} {scheme}{authority} {} {end}", version(head.version())));
    say_fields(head.fields(), said);
}
