//! Drives the client's half.
//!
//! | Command | Does |
//! |---|---|
//! | `! method bidi` | Chooses the method; see `show::method`. It is `unary` otherwise. |
//! | `! protocol grpc-web`, `! codec json` | Chooses how to speak: `connect` and `proto` otherwise. The codec before other choices. |
//! | `! offer` | Tells servers that zstd and gzip are understood. |
//! | `! compress gzip` | Compresses every request. |
//! | `! get 200` | Lets calls without side effects travel as GET, in so many bytes of path and query. |
//! | `! limit receive 10`, `! limit metadata 10` | Sets a limit. |
//! | `! send …` | A message of the caller's. |
//! | `! call`, `! call 1500ms`, metadata below | The head of the request goes out, and then the messages. |
//! | `! response 200`, `! response 200 end`, fields below | The head of the response. |
//! | `> …` | The body of the response. |
//! | `! trailers`, fields below | The HTTP trailers. |

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use ringwire_compress::{Compress, CompressionPolicy, Compressions};
use ringwire_rpc::{CallHead, ClientConfig, ClientExchange, ClientProtocol, GetPolicy, Received, Spec};
use ringwire_testing::transcript::{Command, Machine, Said, notation};

use crate::envelopes::Envelopes;
use crate::show::{Fields, metadata, method, number, say_error, say_fields, say_metadata};

pub(crate) struct Client {
    spec: Spec,
    config: ClientConfig,
    exchange: Option<ClientExchange<Fields>>,
    out: BytesMut,
    called: bool,
    envelopes: Option<Envelopes>,
    over: Option<Over>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Over {
    Succeeded,
    Failed,
}

impl Default for Client {
    fn default() -> Self {
        let mut config = ClientConfig::new(ClientProtocol::CONNECT, "proto");
        config.user_agent = "test".into();
        Self {
            spec: method("unary").expect("there is such a method"),
            config,
            exchange: None,
            out: BytesMut::new(),
            called: false,
            envelopes: None,
            over: None,
        }
    }
}

impl Machine for Client {
    fn command(&mut self, command: &Command<'_>, said: &mut Said) -> Result<(), String> {
        match (command.name, command.args) {
            ("method", name) => self.spec = method(name)?,
            ("protocol", name) => {
                self.config.protocol = match name {
                    "connect" => ClientProtocol::CONNECT,
                    "grpc" => ClientProtocol::GRPC,
                    "grpc-web" => ClientProtocol::GRPC_WEB,
                    "grpc-web-text" => ClientProtocol::GRPC_WEB_TEXT,
                    _ => return Err(format!("there is no protocol {name:?}")),
                }
            }
            ("codec", "json") => {
                self.config = ClientConfig::new(self.config.protocol, "json");
                self.config.user_agent = "test".into();
            }
            ("offer", "") => self.config.compressions = Compressions::default(),
            ("compress", name) => {
                let found = Compressions::default().find(name).map_err(|error| error.to_string())?;
                self.config.compression = found;
                self.config.compression_policy = CompressionPolicy::ALWAYS;
            }
            ("get", max) => self.config.get = GetPolicy::UpTo { url_max: number(max)? as usize },
            ("limit", args) => match args.split_once(' ') {
                Some(("receive", max)) => self.config.limits.receive_max = number(max)?,
                Some(("metadata", max)) => self.config.limits.metadata_max = number(max)? as usize,
                _ => return Err(format!("there is no limit {args:?}")),
            },
            ("send", _) => self.send(&command.bytes()?, said),
            ("call", _) => self.call(command, said)?,
            ("response", args) => self.response(args, &command.owned_fields()?, said)?,
            ("trailers", "") => {
                let trailers = command.owned_fields()?;
                self.exchange().push_trailers(trailers);
                self.drain(said);
            }
            _ => return Err(format!("there is no command {:?}", command.name)),
        }
        Ok(())
    }

    fn input(&mut self, bytes: &[u8], end: bool, said: &mut Said) {
        if let Some(envelopes) = &mut self.envelopes {
            envelopes.push(bytes);
        }
        self.exchange().push(Bytes::copy_from_slice(bytes), end);
        self.drain(said);
    }

    /// The response broke off, so the call must be over; and it must have failed, if the end is an envelope, or
    /// trailers, which a broken response has not. Other bodies have no end of their own: HTTP notices.
    fn cut(&mut self, _: &mut Said) -> Result<(), String> {
        let ended = self.envelopes.as_ref().is_none_or(Envelopes::have_end);
        match self.over {
            None => Err("the exchange waits for more than there is".to_owned()),
            Some(Over::Succeeded) if !ended => Err("the call succeeded without its end".to_owned()),
            Some(_) => Ok(()),
        }
    }
}

impl Client {
    fn exchange(&mut self) -> &mut ClientExchange<Fields> {
        let Self { spec, config, .. } = self;
        self.exchange.get_or_insert_with(|| ClientExchange::new(spec, &Arc::new(config.clone())))
    }

    fn send(&mut self, message: &[u8], said: &mut Said) {
        self.exchange();
        let Self { exchange: Some(exchange), out, .. } = self else { return };
        exchange.set_compress(Compress::ByPolicy);
        let sent = exchange.send(out, |out| {
            out.extend_from_slice(message);
            Ok(())
        });
        if let Err(error) = sent {
            say_error(&error, said);
        } else if self.called {
            said.bytes(&self.out.split());
        }
    }

    fn call(&mut self, command: &Command<'_>, said: &mut Said) -> Result<(), String> {
        let timeout = match command.args.strip_suffix("ms") {
            Some(ms) => Some(Duration::from_millis(number(ms)?.into())),
            None if command.args.is_empty() => None,
            None => return Err(format!("{:?} is no time in ms", command.args)),
        };
        let headers = metadata(command)?;
        self.exchange();
        let Self { exchange: Some(exchange), out, .. } = self else { return Ok(()) };
        let mut head = Fields::new();
        let call = CallHead { prefix: "", headers: &headers, timeout };
        match exchange.write_head(call, out, &mut head) {
            Ok(line) => {
                said.event(format_args!("{} {}", line.method, line.target));
                say_fields("", &head, said);
                said.bytes(&self.out.split());
                self.called = true;
            }
            Err(error) => say_error(&error, said),
        }
        Ok(())
    }

    fn response(&mut self, args: &str, headers: &Fields, said: &mut Said) -> Result<(), String> {
        let (status, end) = match args.strip_suffix(" end") {
            Some(status) => (status, true),
            None => (args, false),
        };
        let status = u16::try_from(number(status)?).map_err(|error| error.to_string())?;
        self.envelopes = Envelopes::of(headers);
        self.exchange().head(status, headers.clone(), end);
        self.drain(said);
        Ok(())
    }

    fn drain(&mut self, said: &mut Said) {
        while self.over.is_none() {
            let exchange = self.exchange();
            match exchange.next_input() {
                Ok(Received::Message(message)) => {
                    said.event(format_args!("message {}", notation::write(&message)));
                }
                Ok(Received::Pending) => return,
                Ok(Received::End) => {
                    said.event("success");
                    say_metadata("header ", exchange.headers(), said);
                    say_metadata("trailer ", exchange.trailers(), said);
                    self.over = Some(Over::Succeeded);
                }
                Err(error) => {
                    say_error(&error, said);
                    say_metadata("with ", error.metadata(), said);
                    say_metadata("header ", exchange.headers(), said);
                    say_metadata("trailer ", exchange.trailers(), said);
                    self.over = Some(Over::Failed);
                }
            }
        }
    }
}
