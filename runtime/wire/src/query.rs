//! The query of a unary call by GET: `connect=v1&base64=1&compression=gzip&encoding=proto&message=…`
//! ([the specification](https://connectrpc.com/docs/protocol#unary-get-request)).
//!
//! Parameters are read in any order and written in the specified one, so that equal calls have equal URLs
//! and caches can tell.

use std::borrow::Cow;
use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};

use crate::base64::{self, Alphabet};
use crate::percent;

/// What a query says.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Query<'a> {
    /// `connect`: the version of the protocol.
    pub version: Option<Cow<'a, str>>,
    /// `encoding`: the codec of the message.
    pub encoding: Option<Cow<'a, str>>,
    /// `compression`: the coding of the message.
    pub compression: Option<Cow<'a, str>>,
    /// `message`: the message, out of percent-encoding and base64.
    pub message: Option<Bytes>,
}

/// Reads the query of a URL, which is what follows its `?`.
///
/// Parameters that the specification does not know are ignored. One of its own given twice is refused, since
/// two readers of such a URL may see two different calls.
pub fn parse(query: &str) -> Result<Query<'_>, QueryError> {
    let [mut version, mut base64, mut compression, mut encoding, mut message] = [None; 5];
    for (name, value) in parameters(query) {
        let (name, seen) = match name {
            "connect" => ("connect", &mut version),
            "base64" => ("base64", &mut base64),
            "compression" => ("compression", &mut compression),
            "encoding" => ("encoding", &mut encoding),
            "message" => ("message", &mut message),
            _ => continue,
        };
        if seen.replace(value).is_some() {
            return Err(QueryError { parameter: name, fault: Fault::Repeated });
        }
    }
    let form = if base64 == Some("1") { MessageForm::Base64 } else { MessageForm::Percent };
    Ok(Query {
        version: version.map(|value| text("connect", value)).transpose()?,
        encoding: encoding.map(|value| text("encoding", value)).transpose()?,
        compression: compression.map(|value| text("compression", value)).transpose()?,
        message: message.map(|value| read_message(value, form)).transpose()?,
    })
}

/// Every parameter in order, its name and its value as they stand in the URL.
pub fn parameters(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split('&').filter(|part| !part.is_empty()).map(|part| part.split_once('=').unwrap_or((part, "")))
}

/// The bytes that a name or a value of a query stands for; `None` where an escape is malformed.
pub fn unescape(value: &str) -> Option<Cow<'_, [u8]>> {
    let value = value.as_bytes();
    if !value.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return Some(Cow::Borrowed(value));
    }
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value;
    while let [first, tail @ ..] = rest {
        rest = tail;
        bytes.push(match (first, tail) {
            (b'%', [high, low, tail @ ..]) => {
                rest = tail;
                percent::escaped(*high, *low)?
            }
            (b'%', _) => return None,
            // As browsers write forms, and so as readers of queries read all of them.
            (b'+', _) => b' ',
            (other, _) => *other,
        });
    }
    Some(Cow::Owned(bytes))
}

/// Appends the query of a call.
pub fn write(call: &Call<'_>, out: &mut BytesMut) {
    out.put_slice(b"connect=v1");
    if call.form == MessageForm::Base64 {
        out.put_slice(b"&base64=1");
    }
    if let Some(compression) = call.compression {
        out.put_slice(b"&compression=");
        escape(compression.as_bytes(), out);
    }
    out.put_slice(b"&encoding=");
    escape(call.encoding.as_bytes(), out);
    out.put_slice(b"&message=");
    match call.form {
        MessageForm::Base64 => base64::encode(Alphabet::Url, call.message, out),
        MessageForm::Percent => escape(call.message, out),
    }
}

/// A call to be written as a query.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The coding of `message`, if it is compressed.
    pub compression: Option<&'a str>,
    /// The codec of `message`.
    pub encoding: &'a str,
    /// The message.
    pub message: &'a [u8],
    /// How `message` is to be written.
    pub form: MessageForm,
}

/// How a query writes bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MessageForm {
    /// As they are, but for the escapes: shorter for most text.
    Percent,
    /// In base64: shorter for everything else.
    Base64,
}

/// A parameter that cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct QueryError {
    /// The name of the parameter.
    pub parameter: &'static str,
    /// What is wrong with it.
    pub fault: Fault,
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fault = match self.fault {
            Fault::Repeated => "is given more than once",
            Fault::Escape => "has a malformed escape",
            Fault::NotText => "is not UTF-8",
            Fault::NotBase64 => "is not base64",
        };
        write!(f, "query parameter {:?} {fault}", self.parameter)
    }
}

impl std::error::Error for QueryError {}

/// What can be wrong with a parameter.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// It is given more than once.
    Repeated,
    /// A `%` is not followed by two hexadecimal digits.
    Escape,
    /// It should be text and is not UTF-8.
    NotText,
    /// It should be base64 and is not.
    NotBase64,
}

fn text<'a>(parameter: &'static str, value: &'a str) -> Result<Cow<'a, str>, QueryError> {
    let text = match unescape(value).ok_or(QueryError { parameter, fault: Fault::Escape })? {
        Cow::Borrowed(_) => return Ok(Cow::Borrowed(value)),
        Cow::Owned(bytes) => String::from_utf8(bytes),
    };
    text.map(Cow::Owned).map_err(|_| QueryError { parameter, fault: Fault::NotText })
}

fn read_message(value: &str, form: MessageForm) -> Result<Bytes, QueryError> {
    let parameter = "message";
    let bytes = unescape(value).ok_or(QueryError { parameter, fault: Fault::Escape })?;
    match form {
        MessageForm::Percent => Ok(Bytes::from(bytes.into_owned())),
        MessageForm::Base64 => {
            let mut message = BytesMut::new();
            base64::decode(Alphabet::Url, &bytes, &mut message)
                .map_err(|_| QueryError { parameter, fault: Fault::NotBase64 })?;
            Ok(message.freeze())
        }
    }
}

fn escape(bytes: &[u8], out: &mut BytesMut) {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    percent::encode_except(bytes, unreserved, out);
}

#[cfg(test)]
mod tests;
