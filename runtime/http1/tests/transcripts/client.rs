//! A client, driven by its transcript.

use crate::machine::{Driven, append, say_fields, set_limit, version};
use bytes::Bytes;
use ringwire_http::{Client, Method, RequestLine, Scheme};
use ringwire_http1::{Connection, Limits};
use ringwire_testing::transcript::{Command, Machine, Said};

pub(crate) struct Asked {
    limits: Limits,
    driven: Driven<Client>,
}

impl Default for Asked {
    fn default() -> Self {
        let limits = Limits::default();
        Self { driven: Driven::new(Connection::client, &limits), limits }
    }
}

impl Machine for Asked {
    fn command(&mut self, command: &Command<'_>, said: &mut Said) -> Result<(), String> {
        match command.name {
            "limit" => {
                set_limit(&mut self.limits, command.args)?;
                self.driven = Driven::new(Connection::client, &self.limits);
            }
            "request" => {
                let mut words = command.args.split(' ');
                let (Some(method), Some(target)) = (words.next(), words.next()) else {
                    return Err("a request has a method and a target".to_owned());
                };
                let method = Method::from_bytes(method.as_bytes()).ok_or("that is no method")?;
                let line =
                    RequestLine { method: &method, scheme: Scheme::Http, authority: "example.com", target };
                let end = words.next() == Some("end");
                let fields = command.owned_fields()?;
                match self.driven.connection.request(line, end, |sink| append(sink, &fields)) {
                    Some(stream) => self.driven.set_stream(stream),
                    None => said.event("no stream"),
                }
            }
            "streams" => {
                said.event(format!("streams {}", self.driven.connection.streams_available()));
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

impl Asked {
    fn pump(&mut self, said: &mut Said) {
        self.driven.output(said);
        while let Some(event) = self.driven.connection.poll_event() {
            if let Some((_, head, end)) = self.driven.event(event, said) {
                let end = if end { "end" } else { "" };
                said.event(format!("{} {} {end}", head.status, version(head.version)));
                say_fields(&head.fields, said);
            }
            self.driven.output(said);
        }
        self.driven.output(said);
    }
}
