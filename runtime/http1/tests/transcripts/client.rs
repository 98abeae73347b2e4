//! The client's side of the transcripts.

use crate::machine::{Driven, Play, append, say_fields, version};
use ringwire_http::{Client, Event, Method, Names, RequestLine, ResponseHead, Scheme};
use ringwire_http1::{Connection, Limits};
use ringwire_testing::transcript::{Command, Said};
use std::time::Instant;

#[derive(Default)]
pub(crate) struct Asked;

impl Play for Asked {
    type Side = Client;

    const CONNECTION: fn(Limits, &'static Names, Instant) -> Connection<Client> = Connection::client;

    fn command(
        &mut self,
        driven: &mut Driven<Client>,
        command: &Command<'_>,
        said: &mut Said,
    ) -> Result<bool, String> {
        match command.name {
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
                match driven.connection.request(line, end, |sink| append(sink, &fields)) {
                    Some(stream) => driven.set_stream(stream),
                    None => said.event("no stream"),
                }
            }
            "streams" => said.event(format!("streams {}", driven.connection.streams_available())),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn event(&mut self, driven: &mut Driven<Client>, event: Event<ResponseHead>, said: &mut Said) {
        if let Some((_, head, end)) = driven.event(event, said) {
            let end = if end { "end" } else { "" };
            said.event(format!("{} {} {end}", head.status, version(head.version)));
            say_fields(&head.fields, said);
        }
    }
}
