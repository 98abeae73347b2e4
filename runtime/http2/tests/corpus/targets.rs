//! Entries for fuzzers, and for the tests that replay their finds.
//!
//! An entry panics where a connection breaks its word: how the input is cut must not show, an outcome must stay, and what is
//! sent must be whole frames.

use bytes::Bytes;
use ringwire_hpack::Decoder;
use ringwire_http::{Client, Event, Method, Names, RequestLine, Scheme, SendQueue, Server};
use ringwire_http2::{Connection, Limits, Outcome, Side};
use ringwire_testing::fuzz::Target;
use std::fmt::Debug;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// All entries. The first byte of an input for a connection says where it is cut.
pub(crate) const TARGETS: &[Target] = &[
    Target {
        name: "hpack",
        run: hpack,
        seeds: &[
            b"\x82\x86\x84\x41\x0fwww.example.com",
            b"\x40\x0acustom-key\x0dcustom-header\xbe\x10\x08password\x06secret",
            b"\x20\x3f\xe1\x1f\x82\x87\x85\xbf\x40\x88\x25\xa8\x49\xe9\x5b\xa9\x7d\x7f\x89\x25\xa8\x49\xe9\x5b\xb8\xe8\xb4\xbf",
        ],
    },
    Target {
        name: "http2_frames",
        run: frames,
        seeds: &[
            b"\x07\x01\x05\x01\x03\x82\x86\x84\x06\0\0\x0812345678",
            b"\x20\x01\x04\x01\x03\x83\x86\x84\0\x09\x01\x05\x02ab\0\0\x08\0\0\x04\0\0\0\x09",
            b"\x05\x01\x01\x01\x01\x82\x09\x04\x01\x02\x86\x84\x03\0\x01\x04\0\0\0\x08",
            b"\x10\x04\0\0\x06\0\x04\0\0\0\0\x02\0\x01\x05\0\0\0\x03\x10\x07\0\0\x08\0\0\0\0\0\0\0\0",
        ],
    },
    Target {
        name: "http2_server",
        run: server,
        seeds: &[
            b"\x07\0\0\0\x04\0\0\0\0\0\0\0\x03\x01\x05\0\0\0\x01\x82\x86\x84\0\0\x08\x06\0\0\0\0\0\x312345678",
            b"\x20\0\0\0\x04\0\0\0\0\0\0\0\x03\x01\x04\0\0\0\x01\x83\x86\x84\0\0\x05\0\x09\0\0\0\x01\x02ab\0\0\0\0\x04\x08\0\0\0\0\x01\0\0\0\x09",
            b"\x05\0\0\0\x04\0\0\0\0\0\0\0\x01\x01\x01\0\0\0\x01\x82\0\0\x02\x09\x04\0\0\0\x01\x86\x84\0\0\x04\x03\0\0\0\0\x01\0\0\0\x08",
            b"\x40\0\0\x06\x04\0\0\0\0\0\0\x04\0\0\0\0\0\0\x03\x01\x04\0\0\0\x01\x83\x86\x84\0\0\x05\x02\0\0\0\0\x01\0\0\0\x03\x10\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\0",
        ],
    },
    Target {
        name: "http2_client",
        run: client,
        seeds: &[
            b"\x07\0\0\0\x04\0\0\0\0\0\0\0\x01\x01\x04\0\0\0\x01\x88\0\0\x02\0\x01\0\0\0\x01hi",
            b"\x01\0\0\0\x04\0\0\0\0\0\0\0\x05\x01\x04\0\0\0\x01\x08\x03103\0\0\x01\x01\x05\0\0\0\x01\x88\0\0\x08\x07\0\0\0\0\0\0\0\0\x01\0\0\0\0",
        ],
    },
];

fn hpack(input: &[u8]) {
    let mut decoder = Decoder::new(Names::HTTP);
    let mut size = 0;
    let whole = decoder.decode(input, LIST_MAX, &mut |line| size += line.value.len() + 32);
    assert!(size <= LIST_MAX);
    if whole.is_ok() {
        // A block that does not change the table means the same again.
        let generation = decoder.generation();
        let again = decoder.decode(input, LIST_MAX, &mut |_| {});
        assert!(decoder.generation() != generation || again == whole);
    }
}

fn server(input: &[u8]) {
    let connection = || Connection::server(limits(), Names::HTTP, start());
    // Half of the streams are answered, as soon as they begin.
    check(input, PREFACE, connection, |connection: &mut Connection<Server>, event| {
        if let Event::Head { stream, .. } = event
            && stream.0 % 4 == 1
            && let Some(mut open) = connection.stream(*stream)
        {
            open.send_head(204, true, |fields| fields.append("a", b"b"));
        }
    });
}

/// Frames whose headers are what they should be: type, flags, stream and length take a byte each of the input.
fn frames(input: &[u8]) {
    let Some((&cut, mut rest)) = input.split_first() else { return };
    let mut bytes = vec![cut];
    bytes.extend_from_slice(&[0, 0, 0, 4, 0, 0, 0, 0, 0]);
    while let [kind, flags, stream, len, payload @ ..] = rest {
        let (payload, behind) = payload.split_at(usize::from(*len).min(payload.len()));
        bytes.extend_from_slice(&[0, 0, payload.len() as u8, kind % 11, *flags, 0, 0, 0, stream % 16]);
        bytes.extend_from_slice(payload);
        rest = behind;
    }
    server(&bytes);
}

fn client(input: &[u8]) {
    let connection = || {
        let mut connection = Connection::client(limits(), Names::HTTP, start());
        let line = RequestLine { method: &Method::Post, scheme: Scheme::Http, authority: "a", target: "/" };
        let stream = connection.request(line, false, |_| {}).expect("a new connection has room");
        connection.stream(stream).expect("an open stream").send_data(Bytes::from_static(&[7; 5000]), false);
        connection
    };
    check(input, b"", connection, |_: &mut Connection<Client>, _| {});
}

/// Runs a connection over the input whole, and cut; all must say the same.
fn check<R: Side>(
    input: &[u8],
    begin: &[u8],
    connection: impl Fn() -> Connection<R>,
    answer: impl Fn(&mut Connection<R>, &Event<R::Head>),
) where
    R::Head: Debug,
{
    let Some((&cut, rest)) = input.split_first() else { return };
    let whole = run(&[begin, rest], &connection, &answer);
    let (first, second) = rest.split_at(usize::from(cut).min(rest.len()));
    let bytes: Vec<&[u8]> = std::iter::once(begin).chain(rest.chunks(1)).collect();
    for pieces in [&[begin, first, second][..], &bytes] {
        let record = run(pieces, &connection, &answer);
        // A client that is told to go away does so between two pieces, if it has nothing else to do.
        assert!(record == whole || record.1 == Some(Outcome::Closed), "{record:?} is not {whole:?}");
    }
}

/// What a connection said: its events, bodies joined, and its outcome.
type Record = (Vec<String>, Option<Outcome>);

fn run<R: Side>(
    pieces: &[&[u8]],
    connection: &impl Fn() -> Connection<R>,
    answer: &impl Fn(&mut Connection<R>, &Event<R::Head>),
) -> Record
where
    R::Head: Debug,
{
    let now = start();
    let mut connection = connection();
    let mut out = SendQueue::new();
    let (mut events, mut outcome) = (Vec::new(), None);
    let mut body = None;
    let mut sent = Vec::new();
    for piece in pieces {
        connection.handle_input(now, Bytes::copy_from_slice(piece));
        while let Some(event) = connection.poll_event() {
            answer(&mut connection, &event);
            note(&mut events, &mut body, event);
        }
        loop {
            connection.poll_output(now, &mut out);
            if out.is_empty() {
                break;
            }
            out.chunks().for_each(|chunk| sent.extend_from_slice(chunk));
            out.advance(out.len());
        }
        assert!(outcome.is_none() || connection.outcome() == outcome.as_ref(), "an outcome stays");
        outcome = connection.outcome().cloned();
    }
    events.extend(body.map(|body| format!("{body:?}")));
    // Silence is bounded, too.
    connection.handle_timeout(now + Duration::from_secs(3600));
    while connection.poll_event().is_some() {}
    let mut sent = sent.strip_prefix(PREFACE).unwrap_or(&sent);
    while !sent.is_empty() {
        let len = u32::from_be_bytes([0, sent[0], sent[1], sent[2]]) as usize;
        assert!(len <= 16_384 && sent[3] <= 9, "frames are whole, and of types that are known");
        sent = &sent[9 + len..];
    }
    (events, outcome)
}

/// Notes an event. How a body is cut must not show.
fn note<H: Debug>(events: &mut Vec<String>, body: &mut Option<(u32, Vec<u8>)>, event: Event<H>) {
    if let Event::Data { stream, data, end } = &event {
        let (_, mut bytes) = body.take().filter(|(id, _)| *id == stream.0).unwrap_or((stream.0, Vec::new()));
        bytes.extend_from_slice(data);
        *body = Some((stream.0, bytes));
        if !end {
            return;
        }
    }
    events.extend(body.take().map(|body| format!("{body:?}")));
    events.push(match event {
        Event::Data { stream, .. } => format!("end {}", stream.0),
        other => format!("{other:?}"),
    });
}

fn limits() -> Limits {
    Limits { streams_max: 2, header_list_max: LIST_MAX as u32, ..Limits::default() }
}

/// One time for all connections.
fn start() -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    *START.get_or_init(Instant::now)
}

const LIST_MAX: usize = 1000;
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
