//! The server's side of the transcripts.

use crate::machine::{Driven, Play, append, say_fields, version};
use ringwire_http::{Event, Head, Method, Names, Server, StreamId};
use ringwire_http1::{Connection, Limits};
use ringwire_testing::transcript::{Command, Said, notation};
use std::time::Instant;

#[derive(Default)]
pub(crate) struct Served {
    /// Answers requests by itself.
    answers: bool,
    /// The request that is to be answered once it is complete.
    request: Option<(StreamId, Head)>,
}

impl Play for Served {
    type Side = Server;

    const CONNECTION: fn(Limits, &'static Names, Instant) -> Connection<Server> = Connection::server;

    fn command(
        &mut self,
        driven: &mut Driven<Server>,
        command: &Command<'_>,
        _: &mut Said,
    ) -> Result<bool, String> {
        match command.name {
            "answer" => self.answers = true,
            "head" => {
                let mut words = command.args.split(' ');
                let status = words.next().unwrap_or_default();
                let end = words.next() == Some("end");
                let status = status.parse().map_err(|_| "that is no status")?;
                let fields = command.owned_fields()?;
                driven.open()?.send_head(status, end, |sink| append(sink, &fields));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn event(&mut self, driven: &mut Driven<Server>, event: Event<Head>, said: &mut Said) {
        let ends = match &event {
            Event::Head { end, .. } | Event::Data { end, .. } => *end,
            Event::Trailers { .. } => true,
            Event::Room { .. } | Event::Reset { .. } => false,
        };
        let mut body = driven.body().to_vec();
        if let Event::Data { data, .. } = &event {
            body.extend_from_slice(data);
        }
        if let Some((stream, head, end)) = driven.event(event, said) {
            say_head(&head, end, said);
            driven.set_stream(stream);
            self.request = Some((stream, head));
        }
        if ends && self.answers {
            self.answer(driven, &body);
        }
    }
}

impl Served {
    fn answer(&mut self, driven: &mut Driven<Server>, body: &[u8]) {
        let Some((stream, head)) = self.request.take() else { return };
        let Some(mut stream) = driven.connection.stream(stream) else { return };
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
