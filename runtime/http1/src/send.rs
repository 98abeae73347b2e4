//! The message that is being sent.

use crate::Outcome;
use crate::connection::{Connection, Phase, Side};
use crate::field::{content_length, list};
use bytes::{Bytes, BytesMut};
use ringwire_http::{HeadersMut, Part, Reset, Server, StreamId};
use std::io::Write;

/// What is sent next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Send {
    /// Nothing: no message, or it is complete.
    Idle,
    /// A response.
    Head,
    /// The end of a head that is written up to the fields of its framing, which depend on what comes next.
    Framing,
    /// So many bytes of a body.
    Length(u64),
    Chunked,
    /// A body that ends with the connection.
    UntilEnd,
    /// A body that is not sent, because the message may not have one.
    NoBody,
}

/// One stream of a connection, to send on.
#[derive(Debug)]
pub struct StreamMut<'a, R: Side> {
    connection: &'a mut Connection<R>,
    id: StreamId,
}

impl StreamMut<'_, Server> {
    /// Sends the head of the response; with `end`, all of it. A status of 1xx is interim, and the final head follows.
    ///
    /// The connection frames the body: by the `content-length` that `fields` says, or else by what is known when the first part
    /// of the body is written. `transfer-encoding` and `connection` are its own, but `connection: close` is heeded. 100 is sent
    /// only while the client waits for it, and 101 only to a request that asked for an upgrade.
    ///
    /// # Panics
    /// The final head was sent already.
    pub fn send_head(&mut self, status: u16, end: bool, fields: impl FnOnce(&mut dyn HeadersMut)) {
        self.write(|sink, _| {
            fields(sink);
            (Part::Head { status, end }, ())
        });
    }
}

impl<'a, R: Side> StreamMut<'a, R> {
    pub(crate) fn new(connection: &'a mut Connection<R>, id: StreamId) -> Self {
        Self { connection, id }
    }

    /// The number of the stream.
    pub fn id(&self) -> StreamId {
        self.id
    }

    /// Lets `write` append fields of a head or of trailers, or bytes of the body to the buffer that is sent, and say which
    /// it was. The bytes that lie in the buffer already must stay.
    ///
    /// # Panics
    /// The message is complete already, or its head is missing or there twice.
    pub fn write<T>(&mut self, write: impl FnOnce(&mut dyn HeadersMut, &mut BytesMut) -> (Part, T)) -> T {
        let connection = &mut *self.connection;
        let mut fields = FieldSink::new(std::mem::take(&mut connection.scratch));
        let prefix_len = connection.send.prefix().len();
        let buffer = connection.out.buffer();
        let start = buffer.len();
        buffer.extend_from_slice(connection.send.prefix());
        let (part, value) = write(&mut fields, buffer);
        let len = buffer.len() - start - prefix_len;
        match part {
            Part::Nothing => buffer.truncate(start),
            Part::Head { status, end } => {
                buffer.truncate(start);
                R::send_head(connection, status, end, &fields);
            }
            Part::Data { end } => connection.frame(start, len, end),
            Part::Trailers => {
                buffer.truncate(start);
                connection.trailers(&fields.text);
            }
        }
        fields.text.clear();
        connection.scratch = fields.text;
        value
    }

    /// Sends a piece of the body; with `end`, the last. A large one is not copied.
    ///
    /// # Panics
    /// The head was not sent, or the message is complete already.
    pub fn send_data(&mut self, data: Bytes, end: bool) {
        if data.len() < COPY_MAX {
            self.write(|_, body| {
                body.extend_from_slice(&data);
                (Part::Data { end }, ())
            });
        } else {
            self.connection.push(data, end);
        }
    }

    /// Sends the trailers, which end the message. A message that is not chunked has no place for them: then it ends without.
    ///
    /// # Panics
    /// The head was not sent, or the message is complete already.
    pub fn send_trailers(&mut self, fields: impl FnOnce(&mut dyn HeadersMut)) {
        self.write(|sink, _| {
            fields(sink);
            (Part::Trailers, ())
        });
    }

    /// Gives the stream up, and the connection with it. No event of the stream follows.
    pub fn reset(self, _reset: Reset) {
        self.connection.stream = None;
        self.connection.end(Phase::Closed, Outcome::Aborted);
    }

    /// The bytes that the stream wants to take now. At 0, wait for [`Event::Room`](ringwire_http::Event::Room); what is sent
    /// anyway is kept.
    pub fn room(&self) -> usize {
        self.connection.room()
    }

    /// Takes note that the application is done with `len` bytes of the body.
    pub fn release(&mut self, len: usize) {
        self.connection.release(len);
    }
}

impl Send {
    /// What stands in front of a piece of the body, to be patched when its length is known.
    fn prefix(self) -> &'static [u8] {
        match self {
            Self::Framing => SLOT,
            Self::Chunked => CHUNK_PREFIX,
            Self::Idle | Self::Head | Self::Length(_) | Self::UntilEnd | Self::NoBody => b"",
        }
    }
}

impl<R: Side> Connection<R> {
    /// Ends a head before a body of this length, if that is known.
    pub(crate) fn end_head(&mut self, length: Option<u64>) {
        self.send = match length {
            Some(length) => {
                write_length(self.out.buffer(), length);
                Send::Length(length)
            }
            None => Send::Framing,
        };
    }

    /// Frames a piece of the body that was written at `start`, and its prefix before it.
    fn frame(&mut self, start: usize, len: usize, end: bool) {
        let buffer = self.out.buffer();
        match self.send {
            Send::Framing if end => {
                patch_length(buffer, start, len);
                self.send = Send::Length(0);
            }
            Send::Framing | Send::Chunked if len == 0 => buffer.truncate(start),
            Send::Framing => {
                patch_chunk(buffer, start + SLOT.len() - CHUNK_PREFIX.len(), len);
                self.send = Send::Chunked;
            }
            Send::Chunked => patch_chunk(buffer, start, len),
            Send::Length(left) => {
                let kept = self.count(left, len);
                self.out.buffer().truncate(start + kept);
            }
            Send::UntilEnd => {}
            Send::NoBody => buffer.truncate(start),
            Send::Idle | Send::Head => panic!("{NO_BODY_NOW}"),
        }
        self.note_room();
        if end {
            self.end_body();
        }
    }

    /// Sends a large piece of the body.
    fn push(&mut self, data: Bytes, end: bool) {
        if self.send == Send::Framing && end {
            self.end_head(Some(data.len() as u64));
        }
        self.flush_head();
        match self.send {
            Send::Chunked => {
                write!(Text(self.out.buffer()), "{:x}\r\n", data.len()).expect(GROWS);
                self.out.push(data);
                self.out.buffer().extend_from_slice(b"\r\n");
            }
            Send::Length(left) => {
                let kept = self.count(left, data.len());
                self.out.push(data.slice(..kept));
            }
            Send::UntilEnd => self.out.push(data),
            Send::NoBody => {}
            Send::Framing | Send::Idle | Send::Head => panic!("{NO_BODY_NOW}"),
        }
        self.note_room();
        if end {
            self.end_body();
        }
    }

    /// Ends a head whose message goes on by itself: nothing is known of its length.
    pub(crate) fn flush_head(&mut self) {
        if self.send == Send::Framing {
            self.out.buffer().extend_from_slice(&SLOT[..SLOT.len() - CHUNK_PREFIX.len()]);
            self.send = Send::Chunked;
        }
    }

    fn trailers(&mut self, text: &[u8]) {
        self.flush_head();
        match self.send {
            Send::Chunked => {
                let buffer = self.out.buffer();
                buffer.extend_from_slice(b"0\r\n");
                buffer.extend_from_slice(text);
                buffer.extend_from_slice(b"\r\n");
                self.complete();
            }
            Send::Length(_) | Send::UntilEnd | Send::NoBody => self.end_body(),
            Send::Framing | Send::Idle | Send::Head => panic!("{NO_BODY_NOW}"),
        }
    }

    /// Counts bytes of a body of a given length; returns how many of them belong to it.
    fn count(&mut self, left: u64, len: usize) -> usize {
        debug_assert!(len as u64 <= left, "a body is longer than its content-length");
        let kept = left.min(len as u64);
        self.send = Send::Length(left - kept);
        kept as usize
    }

    pub(crate) fn end_body(&mut self) {
        match self.send {
            Send::Chunked => self.out.buffer().extend_from_slice(LAST_CHUNK),
            Send::Framing => self.out.buffer().extend_from_slice(b"\r\n"),
            Send::Length(left) => {
                debug_assert!(left == 0, "a body is shorter than its content-length");
                if left > 0 {
                    self.stream = None;
                    self.end(Phase::Closed, Outcome::Aborted);
                    return;
                }
            }
            Send::UntilEnd | Send::NoBody | Send::Idle | Send::Head => {}
        }
        self.complete();
    }

    fn complete(&mut self) {
        self.send = Send::Idle;
        R::settle(self);
    }
}

/// A sink of fields, as text. It keeps what the connection decides by itself.
#[derive(Debug)]
pub struct FieldSink {
    pub(crate) text: BytesMut,
    pub(crate) content_length: Option<u64>,
    /// `connection: close`
    pub(crate) close: bool,
    /// There is an `upgrade` field.
    pub(crate) upgrade: bool,
}

impl FieldSink {
    pub(crate) fn new(text: BytesMut) -> Self {
        Self { text, content_length: None, close: false, upgrade: false }
    }
}

impl HeadersMut for FieldSink {
    fn append(&mut self, name: &str, value: &[u8]) {
        match name {
            "connection" => self.close |= list(value).any(|option| option.eq_ignore_ascii_case(b"close")),
            "content-length" => self.content_length = content_length(value),
            "host" | "keep-alive" | "proxy-connection" | "transfer-encoding" => {}
            _ => {
                self.upgrade |= name == "upgrade";
                self.text.reserve(name.len() + value.len() + 4);
                self.text.extend_from_slice(name.as_bytes());
                self.text.extend_from_slice(b": ");
                self.text.extend_from_slice(value);
                self.text.extend_from_slice(b"\r\n");
            }
        }
    }
}

/// Text at the end of a buffer.
pub(crate) struct Text<'a>(pub(crate) &'a mut BytesMut);

impl Write for Text<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub(crate) fn write_length(buffer: &mut BytesMut, length: u64) {
    buffer.extend_from_slice(LENGTH_NAME);
    buffer.extend_from_slice(Decimal::new(length).digits());
    buffer.extend_from_slice(b"\r\n\r\n");
}

/// Writes the length of the body into the slot before it. A body that is cheap to move is moved up to it; before a larger
/// one, blanks fill the slot: RFC 9112 section 5 allows any number of them before a value.
fn patch_length(buffer: &mut BytesMut, start: usize, len: usize) {
    let decimal = Decimal::new(len as u64);
    let digits = decimal.digits();
    let exact = LENGTH_NAME.len() + digits.len() + 4;
    let behind = start + SLOT.len();
    let end = if len < COPY_MAX {
        buffer.copy_within(behind.., start + exact);
        buffer.truncate(start + exact + len);
        start + exact
    } else {
        behind
    };
    let slot = &mut buffer[start..end];
    slot.fill(b' ');
    slot[..LENGTH_NAME.len()].copy_from_slice(LENGTH_NAME);
    let digits_at = slot.len() - digits.len() - 4;
    slot[digits_at..][..digits.len()].copy_from_slice(digits);
    slot[digits_at + digits.len()..].copy_from_slice(b"\r\n\r\n");
}

/// Writes the size of a chunk into its prefix, and its end behind it.
fn patch_chunk(buffer: &mut BytesMut, start: usize, len: usize) {
    let mut size = u32::try_from(len).expect("a message is far smaller than 4 GiB");
    for digit in buffer[start..start + 8].iter_mut().rev() {
        *digit = HEX[(size & 0xf) as usize];
        size >>= 4;
    }
    buffer.extend_from_slice(b"\r\n");
}

/// A number in decimal digits.
pub(crate) struct Decimal {
    digits: [u8; 20],
    start: usize,
}

impl Decimal {
    pub(crate) fn new(mut number: u64) -> Self {
        let mut decimal = Self { digits: [0; 20], start: 20 };
        loop {
            decimal.start -= 1;
            decimal.digits[decimal.start] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                return decimal;
            }
        }
    }

    pub(crate) fn digits(&self) -> &[u8] {
        &self.digits[self.start..]
    }
}

/// Room for either framing of a body whose first piece is written before it is known whether it is the last.
const SLOT: &[u8] = b"transfer-encoding: chunked\r\n\r\n00000000\r\n";
const CHUNK_PREFIX: &[u8] = b"00000000\r\n";
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";
const LENGTH_NAME: &[u8] = b"content-length: ";
const HEX: &[u8; 16] = b"0123456789abcdef";
/// Below this, a body is copied behind its head: the same bound as that of a [`SendQueue`](ringwire_http::SendQueue).
const COPY_MAX: usize = 4096;
const GROWS: &str = "a buffer grows";
const NO_BODY_NOW: &str = "a body is sent after its head and before its end";
