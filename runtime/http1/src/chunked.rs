//! The chunked transfer coding: <https://www.rfc-editor.org/rfc/rfc9112#section-7.1>.

use crate::field::{Admit, FieldLines, LinesBefore, Progress, is_forbidden_trailer};
use crate::input::Input;
use crate::scan::{trim, value_len};
use crate::{Fault, Limits};
use bytes::Bytes;
use ringwire_http::{Fields, Names};

/// A reader of a chunked body.
#[derive(Debug)]
pub(crate) struct Chunked {
    state: State,
    /// The bytes of chunk extensions so far.
    extensions: usize,
}

#[derive(Debug)]
enum State {
    /// The line before a chunk.
    ExpectSize,
    /// So many bytes of the chunk; not 0.
    ExpectData(u64),
    /// The CR LF after a chunk.
    ExpectDataEnd,
    Trailers(Box<FieldLines>),
}

/// A part of a chunked body.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Chunk {
    /// Bytes of the body; not empty.
    Data(Bytes),
    /// The body has ended.
    End(Fields),
}

impl Chunked {
    pub(crate) fn new() -> Self {
        Self { state: State::ExpectSize, extensions: 0 }
    }

    /// Reads the next part; `None` if it has not arrived.
    pub(crate) fn read(
        &mut self,
        input: &mut Input,
        limits: &Limits,
        names: &'static Names,
    ) -> Result<Option<Chunk>, Fault> {
        loop {
            match &mut self.state {
                State::ExpectSize => {
                    let Some(line) = size_line(input.bytes(), limits)? else { return Ok(None) };
                    input.advance(line.len);
                    self.extensions += line.extensions;
                    if self.extensions > limits.chunk_extensions_max {
                        return Err(Fault::Chunk);
                    }
                    self.state = match line.size {
                        0 => State::Trailers(Box::new(FieldLines::new(Fields::new(names), 0))),
                        size => State::ExpectData(size),
                    };
                }
                State::ExpectData(left) => {
                    let data = input.take(*left);
                    if data.is_empty() {
                        return Ok(None);
                    }
                    *left -= data.len() as u64;
                    if *left == 0 {
                        self.state = State::ExpectDataEnd;
                    }
                    return Ok(Some(Chunk::Data(data)));
                }
                State::ExpectDataEnd => match input.bytes() {
                    [b'\r', b'\n', ..] => {
                        input.advance(2);
                        self.state = State::ExpectSize;
                    }
                    [] | [b'\r'] => return Ok(None),
                    _ => return Err(Fault::Chunk),
                },
                State::Trailers(lines) => {
                    let progress =
                        lines.read(input.bytes(), limits, &mut LinesBefore::default(), |token, _, _| {
                            Ok(if is_forbidden_trailer(token) { Admit::Drop } else { Admit::Keep })
                        })?;
                    match progress {
                        Progress::Whole(len) => {
                            input.advance(len);
                            let fields = std::mem::replace(&mut lines.fields, Fields::new(names));
                            return Ok(Some(Chunk::End(fields)));
                        }
                        Progress::Partial(len) => {
                            input.advance(len);
                            return Ok(None);
                        }
                    }
                }
            }
        }
    }
}

impl Chunked {
    /// Reads the end of the body, if it is there at once and without trailers: a last chunk seldom comes alone.
    pub(crate) fn skip_bare_end(&self, input: &mut Input) -> bool {
        let is_end = matches!(self.state, State::ExpectDataEnd) && input.bytes().starts_with(BARE_END);
        if is_end {
            input.advance(BARE_END.len());
        }
        is_end
    }
}

struct SizeLine {
    size: u64,
    extensions: usize,
    len: usize,
}

/// Reads `chunk-size [ chunk-ext ] CRLF`; `None` if it is not whole.
///
/// Extensions are ignored, but not what a recipient with less care would take for the end of the line.
fn size_line(bytes: &[u8], limits: &Limits) -> Result<Option<SizeLine>, Fault> {
    let window = &bytes[..bytes.len().min(limits.chunk_line_max)];
    let mut size = 0_u64;
    let mut digits = 0;
    while let Some(digit) = window.get(digits).and_then(|&byte| char::from(byte).to_digit(16)) {
        if size >> 60 != 0 {
            return Err(Fault::Chunk);
        }
        size = size << 4 | u64::from(digit);
        digits += 1;
    }
    let extensions = value_len(&window[digits..]);
    let extension = trim(&window[digits..digits + extensions]);
    if extension.first().is_some_and(|&first| first != b';') || (digits == 0 && !window.is_empty()) {
        return Err(Fault::Chunk);
    }
    match window[digits + extensions..] {
        [b'\r', b'\n', ..] if extension.is_empty() && extensions > 0 => Err(Fault::Chunk),
        [b'\r', b'\n', ..] => Ok(Some(SizeLine { size, extensions, len: digits + extensions + 2 })),
        [] | [b'\r'] if window.len() == bytes.len() => Ok(None),
        _ => Err(Fault::Chunk),
    }
}

/// The end of a chunk, and the last chunk without trailers.
const BARE_END: &[u8] = b"\r\n0\r\n\r\n";
