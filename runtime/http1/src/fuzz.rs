//! Entries for fuzzers, and for the tests that replay their finds.
//!
//! An entry panics where the connection breaks its word: how bytes are cut must not show, what is held must stay within its bounds,
//! and a connection whose peer has ended must end.

use crate::chunked::{Chunk, Chunked};
use crate::input::Input;
use crate::{Connection, Limits, Outcome, Side};
use bytes::Bytes;
use ringwire_http::{
    Close, Event, Fields, Head, Method, Names, RequestLine, ResponseHead, Scheme, SendQueue, Server, StreamId,
};
use std::time::{Duration, Instant};

/// Something that reads what a peer wrote, under test.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name, as a fuzzer's command line says it.
    pub name: &'static str,
    /// Plays the peer, and panics if something is wrong with what the connection does. The first byte chooses where the bytes
    /// are cut, and in `client` the method of the request.
    pub run: fn(&[u8]),
    /// Inputs from which more can be made.
    pub seeds: &'static [&'static [u8]],
}

/// All entries.
pub const TARGETS: &[Target] = &[
    Target {
        name: "http1_head",
        run: head,
        seeds: &[
            b"\x05GET /a?b=c HTTP/1.1\r\nHost: a.example:80\r\nAccept: */*\r\nConnection: close, upgrade\r\n\r\n",
            b"\x20POST http://[::1]:80/ HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\nexpect: 100-continue\r\n\r\n",
            b"\x01OPTIONS * HTTP/1.0\r\nconnection: keep-alive\r\n\r\n",
            b"\x09CONNECT a:443 HTTP/1.1\r\nhost: a:443\r\ntransfer-encoding: chunked\r\n\r\n",
            b"\x40\r\nPATCH / HTTP/1.1\r\nhost:\r\nx-a: \t1 2 \r\nx-b:\xe2\x98\xba\r\n\r\n",
        ],
    },
    Target {
        name: "http1_chunked",
        run: chunked,
        seeds: &[
            b"\x045\r\nhello\r\n0\r\n\r\n",
            b"\x11A;a=b\r\n0123456789\r\n00;x=\"y\"\r\nx-sum: 1\r\ncontent-length: 5\r\n\r\n",
            b"\x02ffffffffffffffff\r\nhello",
        ],
    },
    Target {
        name: "http1_server",
        run: server,
        seeds: &[
            b"\x30GET / HTTP/1.1\r\nhost: a\r\n\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n",
            b"\x45POST /1 HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhelloPOST /2 HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nHEAD /3 HTTP/1.0\r\n\r\n",
            b"\x45GET /2 HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: x\r\n\r\nbytes",
        ],
    },
    Target {
        name: "http1_client",
        run: client,
        seeds: &[
            b"\x10HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhelloHTTP/1.1 204 No Content\r\n\r\n",
            b"\x21HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx-a: 1\r\n\r\n",
            b"\x02HTTP/1.0 200 OK\r\n\r\nhello",
            b"\x03HTTP/1.1 101 \r\nupgrade: x\r\n\r\nbytes",
        ],
    },
];

/// What an application heard: each message, its body in one piece.
#[derive(Debug, Default, Eq, PartialEq)]
struct Record {
    lines: Vec<String>,
    body: Vec<u8>,
    sent: Vec<u8>,
    outcome: Option<Outcome>,
}

impl Record {
    fn body_ends(&mut self, what: &str) {
        let body = std::mem::take(&mut self.body);
        if !body.is_empty() || !what.is_empty() {
            self.lines.push(format!("body {} {what}", body.escape_ascii()));
        }
    }

    fn fields(&mut self, fields: &Fields) {
        assert!(fields.len() <= limits().fields_max, "more fields than the limit");
        for field in fields.iter() {
            assert!(
                ringwire_http::is_token(field.name.as_bytes())
                    && !field.name.contains(|c: char| c.is_ascii_uppercase())
            );
            assert!(field.value.iter().all(|&byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f)));
            self.lines.push(format!("{}: {}", field.name, field.value.escape_ascii()));
        }
    }
}

fn head(input: &[u8]) {
    check(input, |chunks| {
        let mut connection = Connection::server(limits(), Names::HTTP, start());
        play(&mut connection, chunks, |_, _, _| {}, say_request)
    });
}

/// Answers every request when it is complete: with a body whole or in pieces, a reset or an upgrade.
fn server(input: &[u8]) {
    check(input, |chunks| {
        let mut connection = Connection::server(limits(), Names::HTTP, start());
        let mut target = String::new();
        let answer = |connection: &mut Connection<Server>, stream, head: Option<&Head>| {
            if let Some(head) = head {
                target = head.path().to_owned();
                return;
            }
            let Some(mut stream) = connection.stream(stream) else { return };
            match target.len() % 4 {
                0 => stream.send_head(204, true, |_| {}),
                1 => {
                    stream.send_head(200, false, |_| {});
                    stream.send_data(Bytes::from_static(b"hello"), true);
                }
                2 => {
                    stream.send_head(101, false, |fields| fields.append("upgrade", b"x"));
                    if let Some(mut stream) = connection.stream(stream_id(connection)) {
                        stream.send_data(Bytes::from_static(b"hello"), true);
                    }
                }
                _ => {
                    stream.send_head(200, false, |_| {});
                    stream.send_data(Bytes::from_static(b"hel"), false);
                    stream.send_trailers(|fields| fields.append("x-a", b"1"));
                }
            }
        };
        play(&mut connection, chunks, answer, say_request)
    });
}

fn stream_id(connection: &Connection<Server>) -> StreamId {
    connection.stream.unwrap_or(StreamId(0))
}

fn say_request(head: &Head, record: &mut Record) {
    let authority = head.authority().unwrap_or("-");
    assert!(head.target().bytes().all(|byte| byte.is_ascii_graphic()), "{:?}", head.target());
    record.lines.push(format!("{} {} {authority} {:?}", head.method(), head.target(), head.version()));
    record.fields(head.fields());
}

fn say_response(head: &ResponseHead, record: &mut Record) {
    assert!((100..1000).contains(&head.status));
    record.lines.push(format!("{} {:?}", head.status, head.version));
    record.fields(&head.fields);
}

fn client(input: &[u8]) {
    let method = match input.first() {
        Some(choice) if choice % 4 == 0 => Method::Head,
        Some(choice) if choice % 4 == 1 => Method::Connect,
        Some(_) | None => Method::Get,
    };
    check(input, |chunks| {
        let mut connection = Connection::client(limits(), Names::HTTP, start());
        let line = RequestLine { method: &method, scheme: Scheme::Http, authority: "a:1", target: "/" };
        connection.request(line, true, |fields| fields.append("upgrade", b"x"));
        play(&mut connection, chunks, |_, _, _| {}, say_response)
    });
}

/// Runs over the input whole, byte by byte, and cut in two, and expects the same of each.
fn check(input: &[u8], run: impl Fn(&[&[u8]]) -> Record) {
    let Some((&cut, bytes)) = input.split_first() else { return };
    let whole = run(&[bytes]);
    let (first, second) = bytes.split_at(usize::from(cut).min(bytes.len()));
    assert_eq!(run(&[first, second]), whole);
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(run(&single), whole);
}

fn play<R: Side>(
    connection: &mut Connection<R>,
    chunks: &[&[u8]],
    mut react: impl FnMut(&mut Connection<R>, StreamId, Option<&R::Head>),
    say: fn(&R::Head, &mut Record),
) -> Record {
    let mut record = Record::default();
    let mut out = SendQueue::new();
    let mut close = Close::No;
    let mut pump = |connection: &mut Connection<R>, record: &mut Record| {
        for _ in 0..10_000 {
            let event = connection.poll_event();
            let is_over = event.is_none();
            if let Some(event) = event {
                hear(connection, event, record, &mut react, say);
            }
            let output = connection.poll_output(start(), &mut out);
            out.chunks().for_each(|chunk| record.sent.extend_from_slice(chunk));
            let is_sent = out.is_empty();
            out.advance(out.len());
            close = output.close;
            if is_over && is_sent {
                return close;
            }
        }
        panic!("a connection that never comes to rest");
    };
    pump(connection, &mut record);
    for chunk in chunks {
        connection.handle_input(start(), Bytes::copy_from_slice(chunk));
        pump(connection, &mut record);
    }
    connection.handle_end(start());
    // An application may leave a tunnel, or a response, open for ever; a peer that is gone is not waited for.
    let close = pump(connection, &mut record);
    record.body_ends("");
    record.outcome = connection.outcome().copied();
    let is_tunnel = connection.stream.is_some();
    assert!(close == Close::Both || is_tunnel, "the peer has ended, and the connection goes on");
    connection.handle_timeout(start() + Duration::from_secs(1_000_000));
    record
}

fn hear<R: Side>(
    connection: &mut Connection<R>,
    event: Event<R::Head>,
    record: &mut Record,
    react: &mut impl FnMut(&mut Connection<R>, StreamId, Option<&R::Head>),
    say: fn(&R::Head, &mut Record),
) {
    match event {
        Event::Head { stream, head, end } => {
            record.body_ends("");
            say(&head, record);
            react(connection, stream, Some(&head));
            if end {
                record.lines.push("end".to_owned());
                react(connection, stream, None);
            }
        }
        Event::Data { stream, data, end } => {
            record.body.extend_from_slice(&data);
            if let Some(mut stream) = connection.stream(stream) {
                stream.release(data.len());
            }
            if end {
                record.body_ends("end");
                react(connection, stream, None);
            }
        }
        Event::Trailers { stream, fields } => {
            record.body_ends("trailers");
            record.fields(&fields);
            react(connection, stream, None);
        }
        Event::Room { .. } => {}
        Event::Reset { reset, .. } => {
            record.body_ends("");
            record.lines.push(format!("reset {reset:?}"));
        }
    }
}

fn chunked(input: &[u8]) {
    check(input, |chunks| {
        let (mut record, mut input, mut body) = (Record::default(), Input::default(), Chunked::new());
        let limits = limits();
        for chunk in chunks {
            input.push(Bytes::copy_from_slice(chunk));
            loop {
                match body.read(&mut input, &limits, Names::HTTP) {
                    Ok(Some(Chunk::Data(data))) => {
                        assert!(!data.is_empty());
                        record.body.extend_from_slice(&data);
                    }
                    Ok(Some(Chunk::End(fields))) => {
                        record.body_ends("end");
                        record.fields(&fields);
                        return record;
                    }
                    Ok(None) => break,
                    Err(fault) => {
                        record.outcome = Some(Outcome::Fault(fault));
                        return record;
                    }
                }
            }
            assert!(input.len() <= limits.head_max, "more is held than a line");
        }
        record
    });
}

/// Bounds that short inputs can cross.
fn limits() -> Limits {
    Limits {
        head_max: 200,
        fields_max: 6,
        target_max: 20,
        chunk_line_max: 20,
        chunk_extensions_max: 30,
        drain_max: 10,
        interim_max: 2,
        ..Limits::default()
    }
}

/// Time stands still.
fn start() -> Instant {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    #[allow(clippy::disallowed_methods)]
    *START.get_or_init(Instant::now)
}
