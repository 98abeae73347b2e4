//! What the integration tests share: a compression made of runs, a server whose handlers are told what to do
//! by their requests, and responses as text.
// Each test uses a part of this, and a failed `unwrap` is a failed test here as well.
#![allow(dead_code, clippy::unwrap_used)]

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use ringwire_compress::{Compression, CompressionPolicy, Compressions, DecompressError, Level};
use ringwire_http::{Fields as HeadFields, Head, Headers, Method, Version};
use ringwire_rpc::{
    Answer, Code, Ending, Error, Idempotency, Metadata, NAMES, Received, RequestRest, ServerConfig,
    ServerExchange, Sinks, Spec, StreamShape,
};
use ringwire_wire::base64::{Alphabet, StreamDecoder};

pub(crate) type Fields = Vec<(String, Vec<u8>)>;

pub(crate) const UNARY: Spec =
    Spec::new("/s.S/Unary", StreamShape::Unary).with_idempotency(Idempotency::NoSideEffects);
pub(crate) const CLIENT_STREAM: Spec = Spec::new("/s.S/ClientStream", StreamShape::ClientStream);
pub(crate) const SERVER_STREAM: Spec = Spec::new("/s.S/ServerStream", StreamShape::ServerStream);
pub(crate) const BIDI: Spec = Spec::new("/s.S/Bidi", StreamShape::Bidi);

/// Runs of up to 255 equal bytes, each as its length and the byte.
#[derive(Debug)]
pub(crate) struct Runs;

impl Compression for Runs {
    fn name(&self) -> &'static str {
        "runs"
    }

    fn compress(&self, input: &[u8], _: Level, out: &mut BytesMut) {
        for run in input.chunk_by(|a, b| a == b).flat_map(|run| run.chunks(255)) {
            out.extend_from_slice(&[run.len() as u8, run[0]]);
        }
    }

    fn decompress(&self, input: &[u8], limit: usize, out: &mut BytesMut) -> Result<(), DecompressError> {
        let start = out.len();
        for run in input.chunks(2) {
            let &[len, byte] = run else {
                out.truncate(start);
                return Err(DecompressError::Corrupt);
            };
            let len = usize::from(len);
            if out.len() - start + len > limit {
                out.truncate(start);
                return Err(DecompressError::TooLarge { limit });
            }
            out.resize(out.len() + len, byte);
        }
        Ok(())
    }
}

pub(crate) fn compressions() -> Compressions {
    Compressions::none().with(&Runs)
}

/// Protobuf and JSON, runs, messages of four bytes and more compressed, 64 bytes received at most.
pub(crate) fn config() -> ServerConfig {
    let mut config = ServerConfig::new(&["proto", "json"]);
    config.compressions = compressions();
    config.compression_policy = CompressionPolicy::default().with_min_size(4);
    config.limits.receive_max = 64;
    config
}

pub(crate) fn frame(flags: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    let payload = payload.as_ref();
    let mut frame = vec![flags];
    frame.extend_from_slice(&(payload.len() as u32).to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) target: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) version: Version,
}

pub(crate) fn post(content_type: &str, body: impl AsRef<[u8]>) -> Request {
    Request {
        method: "POST",
        target: "/s.S/Method".into(),
        headers: vec![("content-type", content_type.into())],
        body: body.as_ref().to_vec(),
        version: Version::Http2,
    }
}

pub(crate) fn get(query: &str) -> Request {
    Request {
        method: "GET",
        target: format!("/s.S/Unary?{query}"),
        headers: Vec::new(),
        body: Vec::new(),
        version: Version::Http2,
    }
}

impl Request {
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn method(mut self, method: &'static str) -> Self {
        self.method = method;
        self
    }

    pub(crate) fn version(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    pub(crate) fn head(&self) -> Head {
        let method = Method::from_bytes(self.method.as_bytes()).unwrap();
        Head::new(method, &*self.target, self.version, HeadFields::copied(&NAMES, &self.headers))
    }
}

/// The head of a request over HTTP/2.
pub(crate) fn head(method: &str, target: &str, fields: &(impl Headers + ?Sized)) -> Head {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    Head::new(method, target, Version::Http2, HeadFields::copied(&NAMES, fields))
}

#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Fields,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Option<Fields>,
    pub(crate) open: bool,
}

impl Response {
    /// `200; name: value; name: value | body | name: value`, the bytes as in Rust source.
    pub(crate) fn show(&self) -> String {
        let fields = |fields: &Fields| {
            let fields: Vec<_> =
                fields.iter().map(|(name, value)| format!("{name}: {}", value.escape_ascii())).collect();
            fields.join("; ")
        };
        let mut text = format!("{}; {}", self.status, fields(&self.headers));
        text.push_str(&format!(" | {}", self.body.escape_ascii()));
        if let Some(trailers) = &self.trailers {
            text.push_str(&format!(" | {}", fields(trailers)));
        }
        if self.open {
            text.push_str(" (open)");
        }
        text
    }
}

impl Response {
    /// The code with which a response of any protocol ends; `None` is success.
    pub(crate) fn code(&self) -> Option<Code> {
        let mut body = BytesMut::from(&self.body[..]);
        if self.headers.iter().any(|(_, value)| value.starts_with(b"application/grpc-web-text")) {
            body.clear();
            StreamDecoder::new(Alphabet::Standard).decode(&self.body, &mut body).unwrap();
        }
        let text = String::from_utf8_lossy(&body);
        let fields = self.headers.iter().chain(self.trailers.iter().flatten());
        let number = fields
            .filter(|(name, _)| name == "grpc-status")
            .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
            .next()
            .or_else(|| Some(text.split("grpc-status: ").nth(1)?.split('\r').next()?.to_owned()));
        match number {
            Some(number) => Code::from_grpc_number(number.parse().unwrap()),
            None => Some(Code::from_name(text.split("\"code\":\"").nth(1)?.split('"').next()?).unwrap()),
        }
    }
}

impl From<Answer> for Response {
    fn from(answer: Answer) -> Self {
        Self {
            status: answer.status,
            headers: answer.headers,
            body: answer.body.to_vec(),
            trailers: None,
            open: false,
        }
    }
}

/// What a handler sets beside its messages.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Extras {
    pub(crate) headers: &'static [(&'static str, &'static str)],
    pub(crate) trailers: &'static [(&'static str, &'static str)],
}

pub(crate) fn metadata(fields: &[(&'static str, &'static str)]) -> Metadata {
    let mut metadata = Metadata::new();
    for (name, value) in fields {
        metadata.append(*name, *value).unwrap();
    }
    metadata
}

/// Serves `request`, its body in `chunks`, and leaves it open if `end` is false.
///
/// The handler echoes each message; one that begins with `!` fails the call with the code it names, and `#`
/// is answered by nothing. A method with one response answers with all messages, joined by a comma.
pub(crate) fn serve(
    request: &Request,
    chunks: &[&[u8]],
    end: bool,
    spec: &Spec,
    config: &Arc<ServerConfig>,
    extras: Extras,
) -> Response {
    let mut exchange = match ServerExchange::accept(&request.head(), spec, config) {
        Ok(exchange) => exchange,
        Err(answer) => return (*answer).into(),
    };
    let (headers, trailers) = (metadata(extras.headers), metadata(extras.trailers));
    let mut response = Response::default();
    let mut out = BytesMut::new();
    let mut all: Vec<Bytes> = Vec::new();
    let mut outcome = None;
    let count = chunks.len();
    for (at, chunk) in chunks.iter().enumerate() {
        exchange.push(Bytes::copy_from_slice(chunk), end && at + 1 == count);
        while outcome.is_none() {
            outcome = match exchange.next_input() {
                Ok(Received::Pending) => break,
                Ok(Received::End) => Some(answer_all(&mut exchange, spec, &all, &mut out)),
                Ok(Received::Message(message)) if spec.shape.has_one_response() => {
                    all.push(message);
                    None
                }
                Ok(Received::Message(message)) => echo(&mut exchange, &message, &mut out).err().map(Err),
                Err(error) => Some(Err(error)),
            };
        }
        // As a shell does: the head goes before the first bytes.
        if !out.is_empty()
            && outcome.is_none()
            && let Some(status) = exchange.write_head(&headers, &mut response.headers)
        {
            response.status = status;
        }
    }
    let Some(outcome) = outcome else {
        response.open = true;
        response.body = out.to_vec();
        return response;
    };
    let mut http_trailers = Fields::new();
    let ended = exchange.finish(
        Ending { outcome: outcome.as_ref().copied(), headers: &headers, trailers: &trailers },
        Sinks { head: &mut response.headers, body: &mut out, trailers: &mut http_trailers },
    );
    if let Some(status) = ended.status {
        response.status = status;
    }
    assert!(ended.trailers || http_trailers.is_empty(), "trailers that nobody sends");
    assert_eq!(ended.rest == RequestRest::Ended, end || request.method == "GET");
    response.trailers = ended.trailers.then_some(http_trailers);
    response.body = out.to_vec();
    response
}

fn echo(exchange: &mut ServerExchange, message: &[u8], out: &mut BytesMut) -> Result<(), Error> {
    match message {
        [b'!', name @ ..] => Err(failure(name)),
        b"#" => Ok(()),
        message => exchange.send(out, |out| {
            out.extend_from_slice(message);
            Ok(())
        }),
    }
}

fn answer_all(
    exchange: &mut ServerExchange,
    spec: &Spec,
    all: &[Bytes],
    out: &mut BytesMut,
) -> Result<(), Error> {
    if spec.shape.has_one_response() { echo(exchange, &all.join(&b','), out) } else { Ok(()) }
}

pub(crate) fn failure(name: &[u8]) -> Error {
    let name = std::str::from_utf8(name).unwrap();
    let code = Code::from_name(name).unwrap();
    let mut error = Error::new(code, format!("it is {name}"));
    error.metadata_mut().append("beside", "it").unwrap();
    error
}

/// Serves `request` with its body cut at every place and byte by byte, and expects one response.
#[track_caller]
pub(crate) fn serve_every_way(
    request: &Request,
    spec: &Spec,
    config: &ServerConfig,
    extras: Extras,
) -> Response {
    let config = Arc::new(config.clone());
    let body = &request.body[..];
    let whole = serve(request, &[body], true, spec, &config, extras);
    for cut in 0..=body.len() {
        let (first, second) = body.split_at(cut);
        let got = serve(request, &[first, second], true, spec, &config, extras);
        assert_eq!(got.show(), whole.show(), "cut at {cut}");
    }
    let mut bytes: Vec<_> = body.chunks(1).collect();
    bytes.push(b"");
    let got = serve(request, &bytes, true, spec, &config, extras);
    assert_eq!(got.show(), whole.show(), "byte by byte");
    whole
}
