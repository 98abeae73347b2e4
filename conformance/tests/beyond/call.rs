//! A call as data, the requests it becomes, and what is shown of their answers.

use crate::case::{Ask, Case};
use crate::http::{Answer, Request};
use crate::protocol::{Method, Outcome, Protocol, compress, envelope, text};
use bytes::Bytes;
use http::Version;

#[derive(Clone, Debug)]
pub(crate) struct Call {
    protocols: Vec<Protocol>,
    methods: Vec<Method>,
    messages: Vec<Vec<u8>>,
    codec: &'static str,
    /// In place of the messages.
    body: Option<Vec<u8>>,
    /// In place of a body.
    query: Option<String>,
    compression: Option<&'static str>,
    accept: Option<&'static str>,
    timeout_ms: Option<u32>,
    fields: Vec<(String, String)>,
    is_open: bool,
    shown: Vec<Shown>,
}

/// What is shown of an answer, beside the code.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shown {
    Status,
    Messages,
    /// How many bytes of data the messages hold.
    Data,
    /// What the messages are compressed with.
    Compression,
    Header(&'static str),
    Trailer(&'static str),
    /// What the server says it saw of a header.
    Seen(&'static str),
    /// Whether the server says that it wants no more of the request.
    Stops,
}

impl Call {
    /// A call of these methods in all protocols and versions.
    pub(crate) fn of(methods: &[Method]) -> Self {
        Self {
            protocols: vec![Protocol::Connect, Protocol::Grpc, Protocol::GrpcWeb],
            methods: methods.to_vec(),
            messages: Vec::new(),
            codec: "json",
            body: None,
            query: None,
            compression: None,
            accept: None,
            timeout_ms: None,
            fields: Vec::new(),
            is_open: false,
            shown: Vec::new(),
        }
    }

    pub(crate) fn via(mut self, protocols: &[Protocol]) -> Self {
        self.protocols = protocols.to_vec();
        self
    }

    /// One more message, in JSON; `{zeros 12}` in it stands for so many zero bytes in base64.
    pub(crate) fn say(mut self, message: &str) -> Self {
        self.messages.push(zeros(message).into_bytes());
        self
    }

    /// One more message, in binary.
    pub(crate) fn say_proto(mut self, message: &[u8]) -> Self {
        self.codec = "proto";
        self.messages.push(message.to_vec());
        self
    }

    /// The whole body, as it travels.
    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// A GET with this query.
    pub(crate) fn query(mut self, query: impl Into<String>) -> Self {
        self.query = Some(query.into());
        self
    }

    pub(crate) fn codec(mut self, codec: &'static str) -> Self {
        self.codec = codec;
        self
    }

    pub(crate) fn compressed_by(mut self, name: &'static str) -> Self {
        self.compression = Some(name);
        self
    }

    pub(crate) fn accept(mut self, names: &'static str) -> Self {
        self.accept = Some(names);
        self
    }

    pub(crate) fn timeout_ms(mut self, timeout: u32) -> Self {
        self.timeout_ms = Some(timeout);
        self
    }

    pub(crate) fn field(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// Does not end the request.
    pub(crate) fn open(mut self) -> Self {
        self.is_open = true;
        self
    }

    pub(crate) fn show(mut self, shown: &[Shown]) -> Self {
        self.shown = shown.to_vec();
        self
    }

    pub(crate) fn case(self, name: impl Into<String>) -> Case {
        Case::new(name, Ask::Call(self))
    }

    /// Each way to make this call, with its label. gRPC needs HTTP/2.
    pub(crate) fn ways(&self) -> Vec<(String, Way<'_>)> {
        let mut ways = Vec::new();
        for &method in &self.methods {
            for &protocol in &self.protocols {
                for version in [Version::HTTP_11, Version::HTTP_2] {
                    if protocol == Protocol::Grpc && version != Version::HTTP_2 {
                        continue;
                    }
                    let http = if version == Version::HTTP_2 { "http2" } else { "http1" };
                    let label = format!("{method:?} {protocol:?} {http}").to_lowercase();
                    ways.push((label, Way { call: self, method, protocol, version }));
                }
            }
        }
        ways
    }
}

/// One way to make a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way<'a> {
    call: &'a Call,
    method: Method,
    protocol: Protocol,
    version: Version,
}

impl Way<'_> {
    pub(crate) fn request(&self) -> Request {
        let Self { call, method, protocol, version } = *self;
        let mut target = format!("/connectrpc.conformance.v1.ConformanceService/{method:?}");
        let mut fields = protocol.fields(call.timeout_ms);
        let mut put = |name: &str, value: &str| fields.push((name.to_owned(), value.to_owned()));
        if let Some(query) = &call.query {
            target = format!("{target}?{query}");
        } else {
            put("content-type", &protocol.content_type(method, call.codec));
        }
        if let Some(name) = call.compression {
            put(protocol.encoding_field(method), name);
        }
        if let Some(names) = call.accept {
            put(protocol.accept_field(method), names);
        }
        fields.extend(call.fields.iter().cloned());
        Request {
            version,
            method: if call.query.is_some() { "GET" } else { "POST" },
            target,
            fields,
            body: self.body(),
            is_open: call.is_open,
        }
    }

    fn body(&self) -> Bytes {
        if self.call.query.is_some() {
            return Bytes::new();
        }
        if let Some(body) = &self.call.body {
            return body.clone().into();
        }
        let known = self.call.compression.filter(|name| COMPRESSIONS.contains(name));
        let messages = self.call.messages.iter().map(|message| {
            let message = known.map_or_else(|| message.clone(), |name| compress(name, message));
            if self.protocol.has_envelopes(self.method) {
                envelope(u8::from(self.call.compression.is_some()), &message)
            } else {
                message
            }
        });
        messages.flatten().collect()
    }

    /// What is shown of an answer, on one line.
    pub(crate) fn shown(&self, answer: &Answer) -> String {
        match self.protocol.read(self.method, answer) {
            Ok(outcome) => {
                let facts = self.call.shown.iter().map(|shown| self.fact(*shown, answer, &outcome));
                [outcome.code.clone()].into_iter().chain(facts).collect::<Vec<_>>().join(", ")
            }
            Err(what) => what,
        }
    }

    fn fact(&self, shown: Shown, answer: &Answer, outcome: &Outcome) -> String {
        let all = |name: &'static str| {
            let values = answer.headers.get_all(name).iter();
            values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect::<Vec<_>>()
        };
        match shown {
            Shown::Status => format!("status {}", answer.status),
            Shown::Messages => format!("messages {}", outcome.messages.len()),
            Shown::Data => {
                let data = outcome.messages.iter().filter_map(|message| message["payload"]["data"].as_str());
                format!("data {}", data.map(decoded_len).sum::<usize>())
            }
            Shown::Compression => {
                let field = self.protocol.encoding_field(self.method);
                let name = text(&answer.headers, field).unwrap_or("nothing");
                let name = if name == "identity" { "nothing" } else { name };
                format!("{} of {} by {name}", outcome.compressed, outcome.messages.len())
            }
            Shown::Header(name) => format!("{name}: {}", all(name).join(" | ")),
            Shown::Trailer(name) => {
                let values = outcome.trailers.iter().filter(|(other, _)| other == name);
                let values: Vec<_> = values.map(|(_, value)| value.as_str()).collect();
                format!("{name}: {}", values.join(" | "))
            }
            Shown::Seen(name) => {
                let info = outcome.messages.first().map(|message| &message["payload"]["requestInfo"]);
                let headers = info.and_then(|info| info["requestHeaders"].as_array());
                let seen = headers.into_iter().flatten().find(|header| {
                    header["name"].as_str().is_some_and(|other| other.eq_ignore_ascii_case(name))
                });
                let values = seen.and_then(|header| header["value"].as_array()).into_iter().flatten();
                let values: Vec<_> = values.filter_map(|value| value.as_str()).collect();
                format!("saw {name}: {}", values.join(" | "))
            }
            Shown::Stops => match answer.stopped {
                Some(0) => "stops".to_owned(),
                Some(code) => format!("resets with {code}"),
                None if text(&answer.headers, "connection") == Some("close") => "stops".to_owned(),
                None => "goes on".to_owned(),
            },
        }
    }
}

/// The message with the zeros it asks for.
fn zeros(message: &str) -> String {
    let Some((before, rest)) = message.split_once("{zeros ") else { return message.to_owned() };
    let (len, behind) = rest.split_once('}').expect("the number ends");
    let len: usize = len.parse().expect("a number of bytes");
    let base64 = ["", "AA==", "AAA="][len % 3];
    format!("{before}{}{base64}{}", "AAAA".repeat(len / 3), zeros(behind))
}

/// How many bytes this much base64 stands for.
fn decoded_len(base64: &str) -> usize {
    base64.trim_end_matches('=').len() * 3 / 4
}

/// All that the suite knows.
pub(crate) const COMPRESSIONS: [&str; 5] = ["gzip", "br", "zstd", "deflate", "snappy"];
