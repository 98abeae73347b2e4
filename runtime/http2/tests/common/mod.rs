//! Frames as tests write and read them.

#![allow(dead_code)]

use bytes::Bytes;
use ringwire_hpack::{Decoder, LineName, Pseudo};
use ringwire_http::{Close, Event, Fields, Names, SendQueue};
use ringwire_http2::{Connection, ErrorCode, Side};
use std::fmt::Write as _;
use std::time::Instant;

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const PRIORITY: u8 = 2;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PUSH_PROMISE: u8 = 5;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const ACK: u8 = 1;
pub(crate) const END: u8 = 1;
pub(crate) const WHOLE: u8 = 4;
pub(crate) const PADDED: u8 = 8;
pub(crate) const WITH_PRIORITY: u8 = 0x20;

/// A frame.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    bytes.extend_from_slice(&[kind, flags]);
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// SETTINGS with these values.
pub(crate) fn settings(settings: &[(u16, u32)]) -> Vec<u8> {
    let bytes = |(name, value): &(u16, u32)| [&name.to_be_bytes()[..], &value.to_be_bytes()].concat();
    frame(SETTINGS, 0, 0, &settings.iter().flat_map(bytes).collect::<Vec<_>>())
}

pub(crate) fn window_update(stream: u32, increment: u32) -> Vec<u8> {
    frame(WINDOW_UPDATE, 0, stream, &increment.to_be_bytes())
}

pub(crate) fn rst_stream(stream: u32, code: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &code.to_be_bytes())
}

pub(crate) fn goaway(last: u32, code: u32, debug: &[u8]) -> Vec<u8> {
    frame(GOAWAY, 0, 0, &[&last.to_be_bytes()[..], &code.to_be_bytes(), debug].concat())
}

/// A header block of literals that no table keeps.
pub(crate) fn block(lines: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in lines {
        block.push(0);
        for text in [name, value] {
            assert!(text.len() < 127, "short text");
            block.push(text.len() as u8);
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

/// The block of a request, with more lines.
pub(crate) fn request(method: &str, more: &[(&str, &str)]) -> Vec<u8> {
    [block(&[(":method", method), (":scheme", "http"), (":path", "/"), (":authority", "a")]), block(more)]
        .concat()
}

/// The block of a GET.
pub(crate) fn get() -> Vec<u8> {
    request("GET", &[])
}

/// HEADERS with a GET, which ends.
pub(crate) fn get_frame(stream: u32) -> Vec<u8> {
    frame(HEADERS, WHOLE | END, stream, &get())
}

/// HEADERS with a POST, whose body follows.
pub(crate) fn post_frame(stream: u32) -> Vec<u8> {
    frame(HEADERS, WHOLE, stream, &request("POST", &[]))
}

/// What a connection has said: events, then frames, a line each.
#[derive(Debug, Default)]
pub(crate) struct Said {
    events: Vec<String>,
    out: Vec<u8>,
    /// The body that is coming in pieces.
    body: Option<(u32, Vec<u8>)>,
}

impl Said {
    /// Takes what the connection has to say; `answer` sees each event before it is noted.
    pub(crate) fn take<R: Side>(
        &mut self,
        connection: &mut Connection<R>,
        now: Instant,
        head: impl Fn(&R::Head) -> String,
        mut answer: impl FnMut(&mut Connection<R>, &Event<R::Head>),
    ) -> Close {
        let mut out = SendQueue::new();
        loop {
            while let Some(event) = connection.poll_event() {
                answer(connection, &event);
                self.event(event, &head);
            }
            let output = connection.poll_output(now, &mut out);
            if out.is_empty() {
                return output.close;
            }
            out.chunks().for_each(|chunk| self.out.extend_from_slice(chunk));
            out.advance(out.len());
        }
    }

    fn event<H>(&mut self, event: Event<H>, head_text: impl Fn(&H) -> String) {
        let end_text = |end| if end { " end" } else { "" };
        match event {
            Event::Data { stream, data, end } => {
                // How a body is cut must not show.
                let (_, mut body) = self.body.take().filter(|(id, _)| *id == stream.0).unwrap_or_default();
                body.extend_from_slice(&data);
                if !end {
                    self.body = Some((stream.0, body));
                    return;
                }
                self.events.push(format!("* data {} {} end", stream.0, text(&body)));
            }
            other => {
                self.flush_body();
                self.events.push(match other {
                    Event::Head { stream, head, end } => {
                        format!("* head {} {}{}", stream.0, head_text(&head), end_text(end))
                    }
                    Event::Trailers { stream, fields } => {
                        format!("* trailers {}{}", stream.0, fields_text(&fields))
                    }
                    Event::Room { stream } => format!("* room {}", stream.0),
                    Event::Reset { stream, reset } => format!("* reset {} {reset:?}", stream.0),
                    Event::Data { .. } => unreachable!("matched above"),
                });
            }
        }
    }

    fn flush_body(&mut self) {
        if let Some((stream, body)) = self.body.take() {
            self.events.push(format!("* data {stream} {}", text(&body)));
        }
    }

    /// All of it as text, without the preface and the SETTINGS of the beginning.
    pub(crate) fn text(mut self) -> String {
        self.flush_body();
        let bytes = self.out.strip_prefix(PREFACE).unwrap_or(&self.out);
        self.events.extend(frames(bytes).into_iter().skip(1));
        self.events.join("\n")
    }
}

/// Frames as text, a line each.
pub(crate) fn frames(mut bytes: &[u8]) -> Vec<String> {
    let mut decoder = Decoder::new(Names::HTTP);
    let mut lines = Vec::new();
    while !bytes.is_empty() {
        let len = u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]) as usize;
        let (kind, flags) = (bytes[3], bytes[4]);
        let stream = u32::from_be_bytes(bytes[5..9].try_into().expect("four bytes"));
        let payload = &bytes[9..9 + len];
        bytes = &bytes[9 + len..];
        let number = |at: usize| u32::from_be_bytes(payload[at..at + 4].try_into().expect("four bytes"));
        let end = if flags & END != 0 && matches!(kind, DATA | HEADERS) { " end" } else { "" };
        let ack = if flags & ACK != 0 { " ack" } else { "" };
        lines.push(match kind {
            DATA => format!("< DATA {stream} {}{end}", text(payload)),
            HEADERS => {
                let mut line = format!("< HEADERS {stream}");
                let add = &mut |field: ringwire_hpack::Line<'_>| {
                    let name = match field.name {
                        LineName::Pseudo(Pseudo::Status) => ":status",
                        LineName::Pseudo(Pseudo::Method) => ":method",
                        LineName::Pseudo(Pseudo::Path) => ":path",
                        LineName::Pseudo(Pseudo::Scheme) => ":scheme",
                        LineName::Pseudo(Pseudo::Authority) => ":authority",
                        LineName::Known(token) => token.as_str(),
                        LineName::Text(name) => name,
                        LineName::Pseudo(Pseudo::Protocol) | LineName::Malformed => panic!("{field:?}"),
                    };
                    let _ = write!(line, " {name}={}", field.value.escape_ascii());
                };
                decoder.decode(payload, usize::MAX, add).expect("a block");
                line + end
            }
            RST_STREAM => format!("< RST_STREAM {stream} {}", ErrorCode(number(0))),
            SETTINGS => format!("< SETTINGS{ack}"),
            PING => format!("< PING{ack} {}", text(payload)),
            GOAWAY => {
                format!("< GOAWAY {} {} {}", number(0), ErrorCode(number(4)), payload[8..].escape_ascii())
            }
            WINDOW_UPDATE => format!("< WINDOW_UPDATE {stream} {}", number(0)),
            other => panic!("a frame of type {other}"),
        });
    }
    lines
}

pub(crate) fn fields_text(fields: &Fields) -> String {
    fields.iter().map(|field| format!(" {}={}", field.name, field.value.escape_ascii())).collect()
}

fn text(bytes: &[u8]) -> String {
    if bytes.len() > 40 { format!("{} bytes", bytes.len()) } else { format!("\"{}\"", bytes.escape_ascii()) }
}

/// Bytes as they come from a transport.
pub(crate) fn chunk(bytes: &[u8]) -> Bytes {
    Bytes::copy_from_slice(bytes)
}
