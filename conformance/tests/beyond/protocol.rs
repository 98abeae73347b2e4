//! The three protocols, written and read by hand: JSON messages, and as little code as their specifications allow.

use crate::http::Answer;
use bytes::BytesMut;
use http::HeaderMap;
use ringwire_compress::{Compressions, Level};
use ringwire_compress_br::Br;
use ringwire_compress_deflate::Deflate;
use ringwire_compress_snappy::Snappy;
use serde_json::Value;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Protocol {
    Connect,
    Grpc,
    GrpcWeb,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Method {
    Unary,
    IdempotentUnary,
    ClientStream,
    ServerStream,
    BidiStream,
    Missing,
}

/// What a caller learns from an answer.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// `ok`, or the name of a code, or what is wrong with the answer.
    pub(crate) code: String,
    pub(crate) messages: Vec<Value>,
    /// How many messages came compressed.
    pub(crate) compressed: usize,
    pub(crate) trailers: Vec<(String, String)>,
}

impl Protocol {
    /// What the method's body consists of.
    pub(crate) fn has_envelopes(self, method: Method) -> bool {
        self != Self::Connect || !matches!(method, Method::Unary | Method::IdempotentUnary | Method::Missing)
    }

    pub(crate) fn content_type(self, method: Method, codec: &str) -> String {
        match self {
            Self::Connect if self.has_envelopes(method) => format!("application/connect+{codec}"),
            Self::Connect => format!("application/{codec}"),
            Self::Grpc => format!("application/grpc+{codec}"),
            Self::GrpcWeb => format!("application/grpc-web+{codec}"),
        }
    }

    pub(crate) fn encoding_field(self, method: Method) -> &'static str {
        match self {
            Self::Connect if self.has_envelopes(method) => "connect-content-encoding",
            Self::Connect => "content-encoding",
            Self::Grpc | Self::GrpcWeb => "grpc-encoding",
        }
    }

    pub(crate) fn accept_field(self, method: Method) -> &'static str {
        match self {
            Self::Connect if self.has_envelopes(method) => "connect-accept-encoding",
            Self::Connect => "accept-encoding",
            Self::Grpc | Self::GrpcWeb => "grpc-accept-encoding",
        }
    }

    /// The fields that every request of the protocol has, and those of a timeout.
    pub(crate) fn fields(self, timeout_ms: Option<u32>) -> Vec<(String, String)> {
        let mut fields = match self {
            Self::Connect => vec![("connect-protocol-version", "1".to_owned())],
            Self::Grpc => vec![("te", "trailers".to_owned())],
            Self::GrpcWeb => vec![("x-grpc-web", "1".to_owned())],
        };
        if let Some(timeout) = timeout_ms {
            fields.push(match self {
                Self::Connect => ("connect-timeout-ms", timeout.to_string()),
                Self::Grpc | Self::GrpcWeb => ("grpc-timeout", format!("{timeout}m")),
            });
        }
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// What an answer to a call says. An answer that the protocol does not know is its HTTP status.
    pub(crate) fn read(self, method: Method, answer: &Answer) -> Result<Outcome, String> {
        if !self.has_envelopes(method) || (self == Self::Connect && answer.status != 200) {
            return read_whole(answer);
        }
        if answer.status != 200 {
            return Err(format!("http {}", answer.status));
        }
        let encoding = text(&answer.headers, self.encoding_field(method)).unwrap_or("identity");
        let mut outcome = Outcome::default();
        let mut end = None;
        let mut rest = &answer.body[..];
        while !rest.is_empty() {
            let (flags, payload, behind) = cut(rest).ok_or("broken off in an envelope")?;
            rest = behind;
            let is_compressed = flags & 1 != 0;
            let payload = if is_compressed { decompress(encoding, payload)? } else { payload.to_vec() };
            if end.is_some() {
                return Err("goes on after its end".to_owned());
            }
            if flags & !1 == 0 {
                outcome.compressed += usize::from(is_compressed);
                outcome.messages.push(serde_json::from_slice(&payload).map_err(|_| "no JSON")?);
            } else {
                end = Some(payload);
            }
        }
        (outcome.code, outcome.trailers) = match (self, end) {
            (Self::Connect, Some(end)) => read_end_of_stream(&end)?,
            (Self::GrpcWeb, Some(end)) => read_status(lines(&end))?,
            (Self::GrpcWeb, None) if outcome.messages.is_empty() => read_status(pairs(&answer.headers))?,
            (Self::Grpc, None) if !answer.trailers.is_empty() => read_status(pairs(&answer.trailers))?,
            (Self::Grpc, None) if outcome.messages.is_empty() => read_status(pairs(&answer.headers))?,
            _ => return Err("has no end".to_owned()),
        };
        Ok(outcome)
    }
}

/// A message, behind its prefix.
pub(crate) fn envelope(flags: u8, message: &[u8]) -> Vec<u8> {
    let len = u32::try_from(message.len()).expect("messages of tests are short");
    [&[flags][..], &len.to_be_bytes(), message].concat()
}

pub(crate) fn compress(name: &str, message: &[u8]) -> Vec<u8> {
    let mut out = BytesMut::new();
    let compression = compressions().find(name).expect("a known name");
    compression.expect("a name other than identity").compress(message, Level::Default, &mut out);
    out.to_vec()
}

fn decompress(name: &str, message: &[u8]) -> Result<Vec<u8>, String> {
    let mut out = BytesMut::new();
    let compression = compressions().find(name).map_err(|_| format!("unknown encoding {name:?}"))?;
    let compression = compression.ok_or("compressed with nothing")?;
    compression.decompress(message, MESSAGE_MAX, &mut out).map_err(|error| error.to_string())?;
    Ok(out.to_vec())
}

fn compressions() -> Compressions {
    Compressions::default().with(&Br).with(&Deflate).with(&Snappy)
}

fn read_whole(answer: &Answer) -> Result<Outcome, String> {
    let encoding = text(&answer.headers, "content-encoding").unwrap_or("identity");
    let is_compressed = encoding != "identity";
    let body = if is_compressed { decompress(encoding, &answer.body)? } else { answer.body.clone() };
    let is_json = text(&answer.headers, "content-type") == Some("application/json");
    let body: Value = match serde_json::from_slice(&body) {
        Ok(body) if is_json => body,
        _ if answer.status == 200 => Value::Null,
        _ => return Err(format!("http {}", answer.status)),
    };
    let trailers = pairs(&answer.headers)
        .filter_map(|(name, value)| Some((name.strip_prefix("trailer-")?.to_owned(), value)))
        .collect();
    if answer.status == 200 {
        let compressed = usize::from(is_compressed);
        return Ok(Outcome { code: "ok".to_owned(), messages: vec![body], compressed, trailers });
    }
    let code = body["code"].as_str().ok_or_else(|| format!("http {}", answer.status))?.to_owned();
    Ok(Outcome { code, trailers, ..Outcome::default() })
}

fn read_end_of_stream(end: &[u8]) -> Result<(String, Vec<(String, String)>), String> {
    let end: Value = serde_json::from_slice(end).map_err(|_| "the end is no JSON")?;
    let code = match &end["error"] {
        Value::Null => "ok",
        error => error["code"].as_str().ok_or("an error without a code")?,
    };
    let mut trailers = Vec::new();
    for (name, values) in end["metadata"].as_object().into_iter().flatten() {
        for value in values.as_array().into_iter().flatten() {
            trailers.push((name.to_lowercase(), value.as_str().unwrap_or_default().to_owned()));
        }
    }
    Ok((code.to_owned(), trailers))
}

fn read_status(
    fields: impl Iterator<Item = (String, String)>,
) -> Result<(String, Vec<(String, String)>), String> {
    let fields: Vec<_> = fields.collect();
    let (_, status) = fields.iter().find(|(name, _)| name == "grpc-status").ok_or("has no grpc-status")?;
    let code = status.parse().ok().and_then(|number: usize| CODES.get(number).copied());
    Ok((code.ok_or("has no known grpc-status")?.to_owned(), fields))
}

fn cut(body: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let ([flags, length @ ..], rest) = body.split_first_chunk::<5>()?;
    let (payload, behind) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    Some((*flags, payload, behind))
}

fn lines(block: &[u8]) -> impl Iterator<Item = (String, String)> {
    let block = String::from_utf8_lossy(block).into_owned();
    let fields = block.lines().filter_map(|line| line.split_once(':'));
    let fields: Vec<_> = fields.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())).collect();
    fields.into_iter()
}

fn pairs(fields: &HeaderMap) -> impl Iterator<Item = (String, String)> {
    fields.iter().map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    })
}

pub(crate) fn text<'a>(fields: &'a HeaderMap, name: &str) -> Option<&'a str> {
    fields.get(name)?.to_str().ok()
}

const CODES: [&str; 17] = [
    "ok",
    "canceled",
    "unknown",
    "invalid_argument",
    "deadline_exceeded",
    "not_found",
    "already_exists",
    "permission_denied",
    "resource_exhausted",
    "failed_precondition",
    "aborted",
    "out_of_range",
    "unimplemented",
    "internal",
    "unavailable",
    "data_loss",
    "unauthenticated",
];
const MESSAGE_MAX: usize = 1 << 20;
