//! Drives the server's half.
//!
//! | Command | Does |
//! |---|---|
//! | `! method bidi` | Chooses the method; see `show::method`. It is `unary` otherwise. |
//! | `! limit receive 10`, `! limit send 10` | Sets a limit. |
//! | `! compress all` | Compresses every message, however small. |
//! | `! request POST /path HTTP/2`, fields below | The head of the request. |
//! | `> …` | The body of the request. |
//! | `! header a: 1`, `! trailer a: 1` | What the handler sets. |
//! | `! send …` | A message of the handler's. |
//! | `! finish ok`, `! finish not_found text` | The outcome; below it, `detail a.B: bytes` and metadata. |
//! | `! fail` | The outcome is the error that the exchange reported. |

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use ringwire_compress::{CompressionPolicy, Compressions};
use ringwire_http::{Fields as HeadFields, Head, Method, Version};
use ringwire_rpc::{
    Answer, ClientConfig, ClientExchange, ClientProtocol, Ending, Error, Limits, Metadata, NAMES, Received,
    RequestRest, ServerConfig, ServerExchange, Sinks, Spec,
};
use ringwire_testing::transcript::{Command, Machine, Said, notation};

use crate::envelopes::Envelopes;
use crate::show::{Fields, error, metadata, method, number, say_error, say_fields};

pub(crate) struct Server {
    spec: Spec,
    config: ServerConfig,
    exchange: Option<ServerExchange>,
    envelopes: Option<Envelopes>,
    headers: Metadata,
    trailers: Metadata,
    out: BytesMut,
    response: Response,
    failed: Option<Error>,
    ended: bool,
    finished: bool,
}

impl Default for Server {
    fn default() -> Self {
        let mut config = ServerConfig::new(&["proto", "json"]);
        config.compressions = Compressions::default();
        Self {
            spec: method("unary").expect("there is such a method"),
            config,
            exchange: None,
            envelopes: None,
            headers: Metadata::new(),
            trailers: Metadata::new(),
            out: BytesMut::new(),
            response: Response::default(),
            failed: None,
            ended: false,
            finished: false,
        }
    }
}

impl Machine for Server {
    fn command(&mut self, command: &Command<'_>, said: &mut Said) -> Result<(), String> {
        match (command.name, command.args) {
            ("method", name) => self.spec = method(name)?,
            ("limit", args) => match args.split_once(' ') {
                Some(("receive", max)) => self.config.limits.receive_max = number(max)?,
                Some(("send", max)) => self.config.limits.send_max = number(max)?,
                _ => return Err(format!("there is no limit {args:?}")),
            },
            ("compress", "all") => self.config.compression_policy = CompressionPolicy::ALWAYS,
            ("request", line) => self.accept(line, &command.owned_fields()?, said)?,
            ("header", field) => {
                self.headers.extend(&metadata(&Command { block: vec![field], ..command.clone() })?);
            }
            ("trailer", field) => {
                self.trailers.extend(&metadata(&Command { block: vec![field], ..command.clone() })?);
            }
            ("send", _) => self.send(&command.bytes()?, said)?,
            ("finish", "ok") => self.finish(Ok(()), said)?,
            ("finish", _) => self.finish(Err(&error(command)?), said)?,
            ("fail", "") => {
                let failed = self.failed.clone().ok_or("nothing has failed")?;
                self.finish(Err(&failed), said)?;
            }
            _ => return Err(format!("there is no command {:?}", command.name)),
        }
        Ok(())
    }

    fn input(&mut self, bytes: &[u8], end: bool, said: &mut Said) {
        let Some(exchange) = &mut self.exchange else { return };
        if let Some(envelopes) = &mut self.envelopes {
            envelopes.push(bytes);
        }
        exchange.push(Bytes::copy_from_slice(bytes), end);
        self.drain(said);
    }

    /// The request broke off, so the exchange must say that it is over, as a failure if an envelope broke; and what
    /// the server answers must be an answer to our client, with the same code.
    fn cut(&mut self, said: &mut Said) -> Result<(), String> {
        if self.exchange.is_none() || self.finished {
            return Ok(());
        }
        if !self.ended && self.failed.is_none() {
            return Err("the exchange waits for more than there is".to_owned());
        }
        let broken = self.envelopes.as_ref().is_some_and(Envelopes::is_broken);
        if broken && self.failed.is_none() {
            return Err("an envelope broke off, and the exchange did not fail".to_owned());
        }
        let outcome = self.failed.clone();
        self.finish(outcome.as_ref().map_or(Ok(()), Err), said)?;
        self.response.is_understood(&self.spec, outcome)
    }
}

impl Server {
    fn accept(&mut self, line: &str, headers: &Fields, said: &mut Said) -> Result<(), String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [verb, target, version] = words[..] else {
            return Err("a request is a method, a path and a version".into());
        };
        let version = match version {
            "HTTP/1" => Version::Http11,
            "HTTP/2" => Version::Http2,
            _ => return Err(format!("there is no version {version:?}")),
        };
        let method = Method::from_bytes(verb.as_bytes()).ok_or("a method is a token")?;
        let head = Head::new(method, target, version, HeadFields::copied(&NAMES, headers));
        match ServerExchange::accept(&head, &self.spec, &Arc::new(self.config.clone())) {
            Ok(exchange) => {
                said.event(format_args!(
                    "accepted {} {}",
                    exchange.protocol(),
                    ["proto", "json"][exchange.codec()]
                ));
                if let Some(timeout) = exchange.timeout() {
                    said.event(format_args!("timeout {timeout:?}"));
                }
                self.envelopes = Envelopes::of(headers);
                self.exchange = Some(exchange);
                self.drain(said);
            }
            Err(answer) => say_answer(&answer, said),
        }
        Ok(())
    }

    fn drain(&mut self, said: &mut Said) {
        let Some(exchange) = &mut self.exchange else { return };
        while !self.ended && self.failed.is_none() && !self.finished {
            match exchange.next_input() {
                Ok(Received::Message(message)) => {
                    said.event(format_args!("message {}", notation::write(&message)));
                }
                Ok(Received::End) => {
                    said.event("end");
                    self.ended = true;
                }
                Ok(Received::Pending) => return,
                Err(error) => {
                    say_error(&error, said);
                    self.failed = Some(error);
                }
            }
        }
    }

    fn send(&mut self, message: &[u8], said: &mut Said) -> Result<(), String> {
        let exchange = self.exchange.as_mut().ok_or("there is no exchange")?;
        let sent = exchange.send(&mut self.out, |out| {
            out.extend_from_slice(message);
            Ok(())
        });
        if let Err(error) = sent {
            say_error(&error, said);
            self.failed = Some(error);
            return Ok(());
        }
        if let Some(status) = exchange.write_head(&self.headers, &mut self.response.headers) {
            self.response.status = status;
            say_head(&self.response, said);
        }
        if self.response.status != 0 {
            self.flush(said);
        }
        Ok(())
    }

    fn finish(&mut self, outcome: Result<(), &Error>, said: &mut Said) -> Result<(), String> {
        let exchange = self.exchange.as_mut().ok_or("there is no exchange")?;
        let mut trailers = Fields::new();
        let end = exchange.finish(
            Ending { outcome, headers: &self.headers, trailers: &self.trailers },
            Sinks { head: &mut self.response.headers, body: &mut self.out, trailers: &mut trailers },
        );
        if let Some(status) = end.status {
            self.response.status = status;
            say_head(&self.response, said);
        }
        self.flush(said);
        if end.trailers {
            said.event("trailers");
            say_fields("", &trailers, said);
            self.response.trailers = Some(trailers);
        }
        if end.rest == RequestRest::Discard {
            said.event("discard the rest of the request");
        }
        self.finished = true;
        Ok(())
    }

    fn flush(&mut self, said: &mut Said) {
        said.bytes(&self.out);
        self.response.body.extend_from_slice(&self.out.split());
    }
}

fn say_answer(answer: &Answer, said: &mut Said) {
    said.event(format_args!("answer {}", answer.status));
    say_fields("", &answer.headers, said);
    said.bytes(&answer.body);
    if answer.rest == RequestRest::Discard {
        said.event("discard the rest of the request");
    }
}

fn say_head(response: &Response, said: &mut Said) {
    said.event(format_args!("head {}", response.status));
    say_fields("", &response.headers, said);
}

/// All of a response so far.
#[derive(Default)]
struct Response {
    status: u16,
    headers: Fields,
    body: Vec<u8>,
    trailers: Option<Fields>,
}

impl Response {
    /// Whether our own client reads this outcome out of the response.
    fn is_understood(&self, spec: &Spec, outcome: Option<Error>) -> Result<(), String> {
        let content_type =
            self.headers.iter().find(|(name, _)| name == "content-type").map(|(_, value)| &value[..]);
        let content_type = String::from_utf8_lossy(content_type.unwrap_or_default()).into_owned();
        let protocol = match content_type.split(['+', ';']).next().unwrap_or_default() {
            "application/grpc" => ClientProtocol::GRPC,
            "application/grpc-web" => ClientProtocol::GRPC_WEB,
            "application/grpc-web-text" => ClientProtocol::GRPC_WEB_TEXT,
            _ => ClientProtocol::CONNECT,
        };
        let codec = if content_type.contains("json") && self.status == 200 { "json" } else { "proto" };
        let mut config = ClientConfig::new(protocol, codec);
        config.compressions = Compressions::default();
        config.limits = Limits { receive_max: u32::MAX, ..Limits::default() };
        let mut client = ClientExchange::new(spec, &Arc::new(config));
        client.head(self.status, &self.headers, false);
        client.push(Bytes::copy_from_slice(&self.body), self.trailers.is_none());
        if let Some(trailers) = &self.trailers {
            client.push_trailers(trailers);
        }
        let read = loop {
            match client.next_input() {
                Ok(Received::Message(_)) => {}
                Ok(Received::End) => break None,
                Ok(Received::Pending) => return Err("our client waits for more of the response".to_owned()),
                Err(error) => break Some(error),
            }
        };
        match (&outcome, &read) {
            (Some(ours), Some(theirs)) if ours.code() == theirs.code() => Ok(()),
            // Without a response of the handler's, success turns into an error where one is promised.
            (None, None) => Ok(()),
            (None, Some(_)) if spec.shape.has_one_response() => Ok(()),
            _ => Err(format!("the outcome was {outcome:?}, and our client reads {read:?}")),
        }
    }
}
