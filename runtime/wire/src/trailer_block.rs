//! Trailers as a block of text, for responses that cannot carry HTTP trailers: `name: value` lines.
//!
//! Written as gRPC-Web specifies (lower-case names, CRLF); read as its servers are known to write.

use bytes::{BufMut, BytesMut};

use crate::metadata::TRAILERS_MAX;
use crate::{Malformed, Metadata};

/// Appends one line; `name` is lower-case and `value` without control characters.
pub fn write(name: &str, value: &[u8], out: &mut BytesMut) {
    out.reserve(name.len() + value.len() + 4);
    out.put_slice(name.as_bytes());
    out.put_slice(b": ");
    out.put_slice(value);
    out.put_slice(b"\r\n");
}

/// Reads a block: names of any case, lines that end in LF or CRLF, the last perhaps in neither.
///
/// A repeated name keeps all of its values. Empty lines are passed over. A block of more than 1024 trailers
/// is refused, since they take far more memory than their text.
pub fn parse(block: &[u8]) -> Result<Metadata, Malformed> {
    let mut trailers = Metadata::new();
    for line in block.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            continue;
        }
        if trailers.len() == TRAILERS_MAX {
            return Err(MALFORMED);
        }
        let colon = line.iter().position(|byte| *byte == b':').ok_or(MALFORMED)?;
        let name = std::str::from_utf8(&line[..colon]).map_err(|_| MALFORMED)?;
        trailers.append_received(name, &line[colon + 1..]).map_err(|_| MALFORMED)?;
    }
    Ok(trailers)
}

const MALFORMED: Malformed = Malformed { format: "trailers" };

#[cfg(test)]
mod tests;
