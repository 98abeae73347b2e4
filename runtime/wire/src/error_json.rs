//! How an RPC's end is written in JSON: the body of a failed unary call, and the last envelope of a stream
//! ([the specification](https://connectrpc.com/docs/protocol#error-end-stream)).
//!
//! Writers produce exactly the specified members. Readers ignore members they do not know, and take a
//! `null` for an absent one; it is for the caller to say what an error without a known code means.

use std::borrow::Cow;

use bytes::{BufMut, Bytes, BytesMut};

use crate::base64::{self, Alphabet};
use crate::json::{self, Kind, Reader};
use crate::metadata::TRAILERS_MAX;
use crate::{Code, Malformed, Metadata};

/// An error to be written.
#[derive(Clone, Copy, Debug)]
pub struct Error<'a> {
    /// The code.
    pub code: Code,
    /// The message; an empty one is left out.
    pub message: &'a str,
    /// The details; none are left out.
    pub details: &'a [Detail<'a>],
}

/// A detail to be written.
#[derive(Clone, Copy, Debug)]
pub struct Detail<'a> {
    /// The full name of the message's type, without an address before it.
    pub type_name: &'a str,
    /// The message in binary.
    pub value: &'a [u8],
    /// The same message in JSON, for people to read; it must be valid, and is written as it is.
    pub debug: Option<&'a str>,
}

/// Appends the body of a failed unary call.
pub fn write_error(error: &Error<'_>, out: &mut BytesMut) {
    out.put_slice(b"{\"code\":\"");
    out.put_slice(error.code.as_str().as_bytes());
    out.put_u8(b'"');
    if !error.message.is_empty() {
        out.put_slice(b",\"message\":");
        json::write_string(error.message, out);
    }
    if let [first, others @ ..] = error.details {
        out.put_slice(b",\"details\":[");
        write_detail(first, out);
        for detail in others {
            out.put_u8(b',');
            write_detail(detail, out);
        }
        out.put_u8(b']');
    }
    out.put_u8(b'}');
}

/// Appends the payload of a stream's last envelope: its error, if it failed, and its trailers.
///
/// Of the trailers, those that are the application's; what is not UTF-8 in their values is replaced.
pub fn write_end_stream(error: Option<&Error<'_>>, trailers: &Metadata, out: &mut BytesMut) {
    out.put_u8(b'{');
    if let Some(error) = error {
        out.put_slice(b"\"error\":");
        write_error(error, out);
    }
    if trailers.iter_custom().next().is_some() {
        out.put_slice(if error.is_some() { b",\"metadata\":{" } else { b"\"metadata\":{" });
        write_metadata(trailers, out);
        out.put_u8(b'}');
    }
    out.put_u8(b'}');
}

/// An error that was read.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ReceivedError {
    /// The code; `None` where it is absent or is none of ours.
    pub code: Option<Code>,
    /// The message, or nothing.
    pub message: String,
    /// The details that could be read; of very many, the first.
    pub details: Vec<ReceivedDetail>,
}

/// A detail that was read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReceivedDetail {
    /// The full name of the message's type, without an address before it.
    pub type_name: String,
    /// The message in binary.
    pub value: Bytes,
}

/// What the last envelope of a stream says.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct EndStream {
    /// The error; `None` is success.
    pub error: Option<ReceivedError>,
    /// The trailers.
    pub trailers: Metadata,
}

/// Reads the body of a failed unary call.
pub fn parse_error(body: &[u8]) -> Result<ReceivedError, Malformed> {
    let mut reader = Reader::new(body)?;
    let error = read_error(&mut reader)?;
    reader.end()?;
    Ok(error)
}

/// Reads the payload of a stream's last envelope.
pub fn parse_end_stream(payload: &[u8]) -> Result<EndStream, Malformed> {
    let mut reader = Reader::new(payload)?;
    let mut end = EndStream::default();
    reader.object(|reader, name| {
        let kind = reader.kind()?;
        match name {
            "error" if kind != Kind::Null => end.error = Some(read_error(reader)?),
            "metadata" if kind != Kind::Null => read_metadata(reader, &mut end.trailers)?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    reader.end()?;
    Ok(end)
}

fn write_detail(detail: &Detail<'_>, out: &mut BytesMut) {
    out.put_slice(b"{\"type\":");
    json::write_string(detail.type_name, out);
    out.put_slice(b",\"value\":\"");
    base64::encode(Alphabet::Standard, detail.value, out);
    out.put_u8(b'"');
    if let Some(debug) = detail.debug {
        out.put_slice(b",\"debug\":");
        out.put_slice(debug.as_bytes());
    }
    out.put_u8(b'}');
}

/// Appends the members of an object: each name once, with all of its values.
fn write_metadata(trailers: &Metadata, out: &mut BytesMut) {
    let mut separator: &[u8] = b"";
    for (index, (name, _)) in trailers.iter_custom().enumerate() {
        if trailers.iter_custom().take(index).any(|(earlier, _)| earlier == name) {
            continue;
        }
        out.put_slice(separator);
        separator = b",";
        json::write_string(name, out);
        let mut open: &[u8] = b":[";
        for value in trailers.get_all(name) {
            out.put_slice(open);
            open = b",";
            json::write_string(&String::from_utf8_lossy(value), out);
        }
        out.put_u8(b']');
    }
}

fn read_error(reader: &mut Reader<'_>) -> Result<ReceivedError, Malformed> {
    let mut error = ReceivedError::default();
    reader.object(|reader, name| {
        match name {
            "code" => error.code = read_text(reader)?.and_then(|code| Code::from_name(&code)),
            "message" => error.message = read_text(reader)?.unwrap_or_default().into_owned(),
            "details" => error.details = read_details(reader)?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    Ok(error)
}

fn read_details(reader: &mut Reader<'_>) -> Result<Vec<ReceivedDetail>, Malformed> {
    let mut details = Vec::new();
    if reader.kind()? != Kind::Array {
        reader.skip()?;
        return Ok(details);
    }
    reader.array(|reader| {
        let detail = read_detail(reader)?;
        if details.len() < DETAILS_MAX {
            details.extend(detail);
        }
        Ok(())
    })?;
    Ok(details)
}

/// A detail that cannot be read is `None`: the error it belongs to is worth more than it.
fn read_detail(reader: &mut Reader<'_>) -> Result<Option<ReceivedDetail>, Malformed> {
    if reader.kind()? != Kind::Object {
        reader.skip()?;
        return Ok(None);
    }
    let (mut type_name, mut value) = (None, None);
    reader.object(|reader, name| {
        match name {
            "type" => type_name = read_text(reader)?,
            "value" => value = read_text(reader)?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    let (Some(type_name), Some(value)) = (type_name, value) else {
        return Ok(None);
    };
    let mut bytes = BytesMut::new();
    if base64::decode(Alphabet::Standard, value.as_bytes(), &mut bytes).is_err() {
        return Ok(None);
    }
    let bare = type_name.rsplit('/').next().unwrap_or_default();
    Ok(Some(ReceivedDetail { type_name: bare.to_owned(), value: bytes.freeze() }))
}

fn read_metadata(reader: &mut Reader<'_>, trailers: &mut Metadata) -> Result<(), Malformed> {
    reader.object(|reader, name| {
        if reader.kind()? == Kind::Null {
            return reader.skip();
        }
        reader.array(|reader| {
            let value = reader.string()?;
            if trailers.len() == TRAILERS_MAX {
                return Err(MALFORMED);
            }
            trailers.append_received(name, value.as_bytes()).map_err(|_| MALFORMED)
        })
    })
}

/// Takes a string; any other value counts as absent.
fn read_text<'a>(reader: &mut Reader<'a>) -> Result<Option<Cow<'a, str>>, Malformed> {
    if reader.kind()? == Kind::String {
        return reader.string().map(Some);
    }
    reader.skip()?;
    Ok(None)
}

// As with trailers, a detail takes more memory than text.
const DETAILS_MAX: usize = 1024;
const MALFORMED: Malformed = Malformed { format: "metadata" };

#[cfg(test)]
mod tests;
