//! The rules of RFC 9113, each with its section: what a connection makes of frames, however they are cut.

#![allow(clippy::needless_pass_by_value)]

mod common;

use common::*;
use ringwire_http::{Client, Event, Head, Method, Names, RequestLine, ResponseHead, Scheme, Server};
use ringwire_http2::{Connection, Limits};
use ringwire_testing::chop;
use std::fs;
use std::sync::Mutex;
use std::time::Instant;

/// A rule: its section, what it says, what comes in, and what is said to it.
type Rule = (&'static str, &'static str, Vec<Vec<u8>>, &'static str);

#[test]
fn a_server_keeps_the_rules() {
    for (section, rule, input, want) in server_rules() {
        let input = [&[PREFACE.to_vec(), settings(&[])][..], &input].concat().concat();
        check(section, rule, &input, want, run_server);
    }
    for (section, rule, input, want) in preface_rules() {
        check(section, rule, &input.concat(), want, run_server);
    }
}

#[test]
fn a_client_keeps_the_rules() {
    for (section, rule, input, want) in client_rules() {
        check(section, rule, &input.concat(), want, run_client);
    }
}

/// `RINGWIRE_UPDATE=1` writes the list.
#[test]
fn the_list_of_rules_is_what_the_tests_cite() {
    let all = [server_rules(), preface_rules(), client_rules()].concat();
    let mut lines: Vec<String> =
        all.iter().map(|(section, rule, ..)| format!("- {section}: {rule}")).collect();
    lines.sort_by_key(|line| {
        line[2..].split([':', '.']).map_while(|part| part.parse().ok()).collect::<Vec<u32>>()
    });
    let text = format!("# Rules of RFC 9113 and the tests that hold them\n\n{}\n", lines.join("\n"));
    let file =
        ["runtime/http2/RULES.md", "RULES.md"].into_iter().find(|file| fs::exists(file).unwrap_or(false));
    if std::env::var_os("RINGWIRE_UPDATE").is_some() {
        fs::write(file.unwrap_or("RULES.md"), &text).expect("the list can be written");
    }
    assert_eq!(fs::read_to_string(file.expect("the list")).expect("the list"), text);
}

fn check(section: &str, rule: &str, input: &[u8], want: &str, run: impl Fn(&[&[u8]]) -> String) {
    let want = want.lines().map(str::trim).collect::<Vec<_>>().join("\n");
    for way in chop::ways(input.len()) {
        assert_eq!(run(&way.pieces(input)), want, "{section}: {rule}, cut {way:?}");
    }
}

static NOW: Mutex<Option<Instant>> = Mutex::new(None);

fn now() -> Instant {
    *NOW.lock().expect("no panic").get_or_insert_with(Instant::now)
}

fn run_server(pieces: &[&[u8]]) -> String {
    let limits = Limits {
        streams_max: 2,
        header_list_max: 400,
        stream_window: 65_535,
        connection_window: 65_535,
        ..Limits::default()
    };
    let mut connection = Connection::server(limits, Names::HTTP, now());
    let mut said = Said::default();
    said.take(&mut connection, now(), request_text, |_, _| {});
    for piece in pieces {
        connection.handle_input(now(), chunk(piece));
        said.take(&mut connection, now(), request_text, answer);
    }
    said.text()
}

fn request_text(head: &Head) -> String {
    format!("{} {}{}", head.method(), head.target(), fields_text(head.fields()))
}

/// Answers GET at once, HEAD with a reset, and nothing else.
fn answer(connection: &mut Connection<Server>, event: &Event<Head>) {
    match event {
        Event::Head { stream, head, .. } => {
            let mut open = connection.stream(*stream).expect("an open stream");
            match head.method() {
                Method::Get => open.send_head(204, true, |_| {}),
                Method::Head => open.reset(ringwire_http::Reset::Cancelled),
                _ => {}
            }
        }
        Event::Data { stream, data, .. } => {
            if let Some(mut open) = connection.stream(*stream) {
                open.release(data.len());
            }
        }
        Event::Trailers { .. } | Event::Room { .. } | Event::Reset { .. } => {}
    }
}

fn run_client(pieces: &[&[u8]]) -> String {
    let limits = Limits {
        header_list_max: 400,
        stream_window: 65_535,
        connection_window: 65_535,
        ..Limits::default()
    };
    let mut connection = Connection::client(limits, Names::HTTP, now());
    for method in [Method::Get, Method::Head, Method::Post] {
        let line = RequestLine { method: &method, scheme: Scheme::Http, authority: "a", target: "/" };
        connection.request(line, method != Method::Post, |_| {}).expect("room");
    }
    let mut said = Said::default();
    said.take(&mut connection, now(), response_text, |_, _| {});
    for piece in pieces {
        connection.handle_input(now(), chunk(piece));
        said.take(&mut connection, now(), response_text, release);
    }
    let text = said.text();
    // The requests are the same each time.
    text.lines().filter(|line| !line.starts_with("< HEADERS")).collect::<Vec<_>>().join("\n")
}

fn response_text(head: &ResponseHead) -> String {
    format!("{}{}", head.status, fields_text(&head.fields))
}

fn release(connection: &mut Connection<Client>, event: &Event<ResponseHead>) {
    if let Event::Data { stream, data, .. } = event
        && let Some(mut open) = connection.stream(*stream)
    {
        open.release(data.len());
    }
}

fn preface_rules() -> Vec<Rule> {
    vec![
        (
            "3.4",
            "a client that sends no preface is sent GOAWAY",
            vec![b"GET / HTTP/1.1\r\n\r\n........".to_vec()],
            "< GOAWAY 0 PROTOCOL_ERROR no preface",
        ),
        (
            "3.4",
            "the first frame of a client is SETTINGS",
            vec![PREFACE.to_vec(), frame(PING, 0, 0, b"12345678")],
            "< GOAWAY 0 PROTOCOL_ERROR the first frame is not SETTINGS",
        ),
        (
            "3.4",
            "the first SETTINGS are no acknowledgement",
            vec![PREFACE.to_vec(), frame(SETTINGS, ACK, 0, b"")],
            "< GOAWAY 0 PROTOCOL_ERROR the first frame is not SETTINGS",
        ),
    ]
}

fn server_rules() -> Vec<Rule> {
    let post = request("POST", &[]);
    let padded = |padding: u8, block: &[u8], rest: usize| [&[padding][..], block, &vec![0; rest]].concat();
    vec![
        (
            "4.1",
            "frames of types that are not known are ignored",
            vec![frame(0xfa, 0xff, 0, b"123"), frame(PING, 0, 0, b"12345678")],
            "< SETTINGS ack\n< PING ack \"12345678\"",
        ),
        (
            "4.1",
            "flags that are not known, and the reserved bit, are ignored",
            vec![frame(PING, 0xfe, 0x8000_0000, b"12345678")],
            "< SETTINGS ack\n< PING ack \"12345678\"",
        ),
        (
            "4.2",
            "a frame larger than the setting is an error of the connection",
            vec![frame(0xfa, 0, 0, &[0; 16_385])],
            "< SETTINGS ack\n< GOAWAY 0 FRAME_SIZE_ERROR a frame larger than the setting",
        ),
        (
            "4.3",
            "a block that cannot be decoded is an error of the connection",
            vec![frame(HEADERS, WHOLE | END, 1, &[0x80])],
            "< SETTINGS ack\n< GOAWAY 1 COMPRESSION_ERROR a header block that cannot be decoded",
        ),
        (
            "5.1",
            "DATA on an idle stream is an error of the connection",
            vec![frame(DATA, END, 1, b"a")],
            "< SETTINGS ack\n< GOAWAY 0 PROTOCOL_ERROR DATA on an idle stream",
        ),
        (
            "5.1",
            "RST_STREAM on an idle stream is an error of the connection",
            vec![rst_stream(1, 8)],
            "< SETTINGS ack\n< GOAWAY 0 PROTOCOL_ERROR RST_STREAM on an idle stream",
        ),
        (
            "5.1",
            "WINDOW_UPDATE on an idle stream is an error of the connection",
            vec![window_update(1, 8)],
            "< SETTINGS ack\n< GOAWAY 0 PROTOCOL_ERROR WINDOW_UPDATE on an idle stream",
        ),
        (
            "5.1",
            "PRIORITY on an idle stream is allowed",
            vec![frame(PRIORITY, 0, 1, &[0; 5])],
            "< SETTINGS ack",
        ),
        (
            "5.1",
            "DATA after the end of a request is an error of the stream",
            vec![frame(HEADERS, WHOLE | END, 1, &post), frame(DATA, 0, 1, b"a")],
            "* head 1 POST / end\n* reset 1 Malformed\n< SETTINGS ack\n< RST_STREAM 1 STREAM_CLOSED",
        ),
        (
            "5.1",
            "HEADERS after the end of a request are an error of the stream",
            vec![frame(HEADERS, WHOLE | END, 1, &post), frame(HEADERS, WHOLE | END, 1, &post)],
            "* head 1 POST / end\n* reset 1 Malformed\n< SETTINGS ack\n< RST_STREAM 1 STREAM_CLOSED",
        ),
        (
            "5.1",
            "DATA after a whole exchange is an error of the connection",
            vec![get_frame(1), frame(DATA, 0, 1, b"a")],
            "* head 1 GET / end\n< SETTINGS ack\n< HEADERS 1 :status=204 end\n< GOAWAY 1 STREAM_CLOSED DATA on a closed stream",
        ),
        (
            "5.1",
            "HEADERS after a whole exchange are an error of the connection",
            vec![get_frame(1), get_frame(1)],
            "* head 1 GET / end\n< SETTINGS ack\n< HEADERS 1 :status=204 end\n< GOAWAY 1 STREAM_CLOSED HEADERS on a closed stream",
        ),
        (
            "5.1",
            "DATA after the peer's own reset is an error of the stream",
            vec![post_frame(1), rst_stream(1, 8), frame(DATA, 0, 1, b"a")],
            "* head 1 POST /\n* reset 1 Cancelled\n< SETTINGS ack\n< RST_STREAM 1 STREAM_CLOSED",
        ),
        (
            "5.1",
            "WINDOW_UPDATE and RST_STREAM after a whole exchange are ignored",
            vec![get_frame(1), window_update(1, 1), rst_stream(1, 8)],
            "* head 1 GET / end\n< SETTINGS ack\n< HEADERS 1 :status=204 end",
        ),
        (
            "5.1",
            "frames that were on their way when a stream was reset are ignored",
            vec![
                frame(HEADERS, WHOLE, 1, &request("HEAD", &[])),
                frame(DATA, 0, 1, b"a"),
                frame(HEADERS, WHOLE | END, 1, &block(&[("a", "b")])),
                window_update(1, 1),
                rst_stream(1, 8),
            ],
            "* head 1 HEAD /\n< SETTINGS ack\n< RST_STREAM 1 CANCEL",
        ),
        (
            "5.1.1",
            "clients open streams with odd numbers",
            vec![get_frame(2)],
            "< SETTINGS ack\n< GOAWAY 0 PROTOCOL_ERROR HEADERS on a stream that clients do not open",
        ),
        (
            "5.1.1",
            "the numbers of streams rise",
            vec![get_frame(5), get_frame(3)],
            "* head 5 GET / end\n< SETTINGS ack\n< HEADERS 5 :status=204 end\n< GOAWAY 5 PROTOCOL_ERROR HEADERS on a stream below one that is used already",
        ),
        (
            "5.1.2",
            "a stream beyond the limit is refused, and its block still counts",
            vec![
                post_frame(1),
                post_frame(3),
                frame(HEADERS, WHOLE | END, 5, &[post.clone(), b"\x40\x01a\x01b".to_vec()].concat()),
                rst_stream(3, 8),
                frame(HEADERS, WHOLE | END, 7, &[get(), vec![0xbe]].concat()),
            ],
            "* head 1 POST /\n* head 3 POST /\n* reset 3 Cancelled\n* head 7 GET / a=b end\n< SETTINGS ack\n< RST_STREAM 5 REFUSED_STREAM\n< HEADERS 7 :status=204 end",
        ),
        (
            "5.3.2",
            "priority fields are read over",
            vec![frame(HEADERS, WHOLE | END | WITH_PRIORITY, 1, &[&[0, 0, 0, 3, 9][..], &get()].concat())],
            "* head 1 GET / end\n< SETTINGS ack\n< HEADERS 1 :status=204 end",
        ),
        (
            "5.3.2",
            "a stream that depends on itself is an error of the stream (RFC 7540, 5.3.1)",
            vec![frame(HEADERS, WHOLE | END | WITH_PRIORITY, 1, &[&[0, 0, 0, 1, 9][..], &get()].concat())],
            "< SETTINGS ack\n< RST_STREAM 1 PROTOCOL_ERROR",
        ),
        (
            "5.5",
            "extension frames within a header block are an error",
            vec![frame(HEADERS, 0, 1, &post), frame(0xfa, 0, 0, b"")],
            "< SETTINGS ack\n< GOAWAY 0 PROTOCOL_ERROR a frame within a header block",
        ),
        (
            "6.1",
            "DATA on stream 0 is an error of the connection",
            vec![frame(DATA, 0, 0, b"a")],
            "< SETTINGS ack\n< GOAWAY 0 PROTOCOL_ERROR DATA on stream 0",
        ),
        (
            "6.1",
            "padding is not handed on",
            vec![
                post_frame(1),
                frame(DATA, PADDED, 1, &padded(3, b"abc", 3)),
                frame(DATA, PADDED | END, 1, &padded(0, b"d", 0)),
            ],
            "* head 1 POST /\n* data 1 \"abcd\" end\n< SETTINGS ack",
        ),
        (
            "6.1",
            "padding may be all of DATA",
            vec![post_frame(1), frame(DATA, PADDED | END, 1, &padded(3, b"", 3))],
            "* head 1 POST /\n* data 1 \"\" end\n< SETTINGS ack",
        ),
        (
            "6.1",
            "padding longer than its DATA is an error of the connection",
            vec![post_frame(1), frame(DATA, PADDED, 1, &padded(4, b"", 3))],
            "* head 1 POST /\n* reset 1 Disconnected\n< SETTINGS ack\n< GOAWAY 1 PROTOCOL_ERROR padding longer than its frame",
        ),
        (
            "6.1",
            "DATA without the length of its padding is an error of the connection",
            vec![post_frame(1), frame(DATA, PADDED, 1, b"")],
            "* head 1 POST /\n* reset 1 Disconnected\n< SETTINGS ack\n< GOAWAY 1 FRAME_SIZE_ERROR DATA without the length of its padding",
        ),
        (
            "6.2",
            "HEADERS on stream 0 are an error of the connection",
            vec![get_frame(0)],
            "< SETTINGS ack\n< GOAWAY 0 PROTOCOL_ERROR HEADERS on stream 0",
        ),
        (
            "6.2",
            "padding of HEADERS is dropped",
            vec![frame(HEADERS, WHOLE | END | PADDED, 1, &padded(3, &get(), 3))],
            "* head 1 GET / end\n< SETTINGS ack\n< HEADERS 1 :status=204 end",
        ),
        (
            "6.2",
            "padding longer than its HEADERS is an error of the connection",
            vec![frame(HEADERS, WHOLE | END | PADDED, 1, &padded(200, &get(), 3))],
            "< SETTINGS ack\n< GOAWAY 0 PROTOCOL_ERROR padding longer than its frame",
        ),
        (
            "6.2",
            "HEADERS without the length of their padding are an error of the connection",
            vec![frame(HEADERS, WHOLE | END | PADDED, 1, b"")],
            "< SETTINGS ack\n< GOAWAY 0 FRAME_SIZE_ERROR HEADERS without the length of its padding",
        ),
        (
            "6.2",
            "HEADERS without their priority are an error of the connection",
            vec![frame(HEADERS, WHOLE | END | WITH_PRIORITY, 1, b"1234")],
            "< SETTINGS ack\n< GOAWAY 0 FRAME_SIZE_ERROR HEADERS without its priority",
        ),
        (
            "6.3",
            "PRIORITY on stream 0 is an error of the connection",
            vec![frame(PRIORITY, 0, 0, &[0; 5])],
            "< SETTINGS ack\n< GOAWAY 0 PROTOCOL_ERROR PRIORITY on stream 0",
        ),
        (
            "6.3",
            "PRIORITY has five bytes",
            vec![post_frame(1), frame(PRIORITY, 0, 1, &[0; 4])],
            "* head 1 POST /\n* reset 1 Other(6)\n< SETTINGS ack\n< RST_STREAM 1 FRAME_SIZE_ERROR",
        ),
        (
            "6.4",
            "RST_STREAM on stream 0 is an error of the connection",
            vec![rst_stream(0, 8)],
            "< SETTINGS ack\n< GOAWAY 0 PROTOCOL_ERROR RST_STREAM on an idle stream",
        ),
        (
            "6.4",
            "RST_STREAM has four bytes",
            vec![post_frame(1), frame(RST_STREAM, 0, 1, b"123")],
            "* head 1 POST /\n* reset 1 Disconnected\n< SETTINGS ack\n< GOAWAY 1 FRAME_SIZE_ERROR RST_STREAM has four bytes",
        ),
        (
            "6.4",
            "RST_STREAM ends its stream, with its code",
            vec![post_frame(1), rst_stream(1, 7), post_frame(3), rst_stream(3, 0x99)],
            "* head 1 POST /\n* reset 1 Refused\n* head 3 POST /\n* reset 3 Other(153)\n< SETTINGS ack",
        ),
        (
            "6.5",
            "SETTINGS on a stream are an error of the connection",
            vec![frame(SETTINGS, 0, 1, b"")],
            "< SETTINGS ack\n< GOAWAY 0 PROTOCOL_ERROR SETTINGS on a stream",
        ),
        (
            "6.5",
            "an acknowledgement of SETTINGS is empty",
            vec![frame(SETTINGS, ACK, 0, &[0; 6])],
            "< SETTINGS ack\n< GOAWAY 0 FRAME_SIZE_ERROR an acknowledgement of SETTINGS is empty",
        ),
        (
            "6.5",
            "a setting has six bytes",
            vec![frame(SETTINGS, 0, 0, &[0; 5])],
            "< SETTINGS ack\n< GOAWAY 0 FRAME_SIZE_ERROR a setting has six bytes",
        ),
        (
            "6.5.2",
            "SETTINGS_ENABLE_PUSH is 0 or 1",
            vec![settings(&[(2, 1)]), settings(&[(2, 2)])],
            "< SETTINGS ack\n< SETTINGS ack\n< GOAWAY 0 PROTOCOL_ERROR a wrong value of SETTINGS_ENABLE_PUSH",
        ),
        (
            "6.5.2",
            "SETTINGS_INITIAL_WINDOW_SIZE has 31 bits",
            vec![settings(&[(4, 0x7fff_ffff)]), settings(&[(4, 0x8000_0000)])],
            "< SETTINGS ack\n< SETTINGS ack\n< GOAWAY 0 FLOW_CONTROL_ERROR SETTINGS_INITIAL_WINDOW_SIZE beyond the largest window",
        ),
        (
            "6.5.2",
            "SETTINGS_MAX_FRAME_SIZE is at least 16,384",
            vec![settings(&[(5, 16_384)]), settings(&[(5, 16_383)])],
            "< SETTINGS ack\n< SETTINGS ack\n< GOAWAY 0 PROTOCOL_ERROR a wrong value of SETTINGS_MAX_FRAME_SIZE",
        ),
        (
            "6.5.2",
            "SETTINGS_MAX_FRAME_SIZE is at most 16,777,215",
            vec![settings(&[(5, 16_777_215)]), settings(&[(5, 16_777_216)])],
            "< SETTINGS ack\n< SETTINGS ack\n< GOAWAY 0 PROTOCOL_ERROR a wrong value of SETTINGS_MAX_FRAME_SIZE",
        ),
        (
            "6.5.2",
            "settings that are not known are ignored",
            vec![settings(&[(0, 1), (99, 1), (3, 0), (6, 0)])],
            "< SETTINGS ack\n< SETTINGS ack",
        ),
        (
            "6.5.3",
            "SETTINGS are acknowledged, and an acknowledgement is not",
            vec![settings(&[]), frame(SETTINGS, ACK, 0, b"")],
            "< SETTINGS ack\n< SETTINGS ack",
        ),
        (
            "6.6",
            "clients do not push",
            vec![frame(PUSH_PROMISE, WHOLE, 1, &[0, 0, 0, 2])],
            "< SETTINGS ack\n< GOAWAY 0 PROTOCOL_ERROR PUSH_PROMISE, which is not allowed",
        ),
        (
            "6.7",
            "PING is answered with its bytes, and its answer is not",
            vec![frame(PING, 0, 0, b"12345678"), frame(PING, ACK, 0, b"12345678")],
            "< SETTINGS ack\n< PING ack \"12345678\"",
        ),
        (
            "6.7",
            "PING on a stream is an error of the connection",
            vec![frame(PING, 0, 1, b"12345678")],
            "< SETTINGS ack\n< GOAWAY 0 PROTOCOL_ERROR PING on a stream",
        ),
        (
            "6.7",
            "PING has eight bytes",
            vec![frame(PING, 0, 0, b"1234567")],
            "< SETTINGS ack\n< GOAWAY 0 FRAME_SIZE_ERROR PING has eight bytes",
        ),
        (
            "6.8",
            "GOAWAY on a stream is an error of the connection",
            vec![frame(GOAWAY, 0, 1, &[0; 8])],
            "< SETTINGS ack\n< GOAWAY 0 PROTOCOL_ERROR GOAWAY on a stream",
        ),
        (
            "6.8",
            "GOAWAY has eight bytes or more",
            vec![frame(GOAWAY, 0, 0, &[0; 7])],
            "< SETTINGS ack\n< GOAWAY 0 FRAME_SIZE_ERROR GOAWAY has eight bytes",
        ),
        (
            "6.8",
            "a client's GOAWAY lets its streams end",
            vec![post_frame(1), goaway(0, 0, b"bye"), frame(DATA, END, 1, b"a")],
            "* head 1 POST /\n* data 1 \"a\" end\n< SETTINGS ack",
        ),
        (
            "6.9",
            "WINDOW_UPDATE of the connection by nothing is an error of the connection",
            vec![window_update(0, 0)],
            "< SETTINGS ack\n< GOAWAY 0 PROTOCOL_ERROR WINDOW_UPDATE by nothing",
        ),
        (
            "6.9",
            "WINDOW_UPDATE of a stream by nothing is an error of the stream",
            vec![post_frame(1), window_update(1, 0)],
            "* head 1 POST /\n* reset 1 Malformed\n< SETTINGS ack\n< RST_STREAM 1 PROTOCOL_ERROR",
        ),
        (
            "6.9",
            "WINDOW_UPDATE has four bytes",
            vec![frame(WINDOW_UPDATE, 0, 0, &[0; 5])],
            "< SETTINGS ack\n< GOAWAY 0 FRAME_SIZE_ERROR WINDOW_UPDATE has four bytes",
        ),
        (
            "6.9.1",
            "the window of the connection does not overflow",
            vec![window_update(0, 0x7fff_0000), window_update(0, 1)],
            "< SETTINGS ack\n< GOAWAY 0 FLOW_CONTROL_ERROR the window of the connection overflows",
        ),
        (
            "6.9.1",
            "the window of a stream does not overflow",
            vec![post_frame(1), window_update(1, 0x7fff_0000), window_update(1, 1)],
            "* head 1 POST /\n* reset 1 FlowControl\n< SETTINGS ack\n< RST_STREAM 1 FLOW_CONTROL_ERROR",
        ),
        (
            "6.9.2",
            "a new initial window does not make those of streams overflow",
            vec![post_frame(1), window_update(1, 0x7fff_0000), settings(&[(4, 65_536)])],
            "* head 1 POST /\n* reset 1 Disconnected\n< SETTINGS ack\n< GOAWAY 1 FLOW_CONTROL_ERROR the window of a stream overflows",
        ),
        (
            "6.10",
            "CONTINUATION completes a header block",
            vec![
                frame(HEADERS, END, 1, &get()[..5]),
                frame(CONTINUATION, 0, 1, &get()[5..9]),
                frame(CONTINUATION, WHOLE, 1, &get()[9..]),
            ],
            "* head 1 GET / end\n< SETTINGS ack\n< HEADERS 1 :status=204 end",
        ),
        (
            "6.10",
            "nothing comes within a header block",
            vec![frame(HEADERS, END, 1, &get()), frame(PING, 0, 0, b"12345678")],
            "< SETTINGS ack\n< GOAWAY 0 PROTOCOL_ERROR a frame within a header block",
        ),
        (
            "6.10",
            "CONTINUATION is of the stream of its block",
            vec![frame(HEADERS, END, 1, &get()[..5]), frame(CONTINUATION, WHOLE, 3, &get()[5..])],
            "< SETTINGS ack\n< GOAWAY 0 PROTOCOL_ERROR CONTINUATION without its header block",
        ),
        (
            "6.10",
            "CONTINUATION follows a block that is not complete",
            vec![frame(CONTINUATION, WHOLE, 1, &get())],
            "< SETTINGS ack\n< GOAWAY 0 PROTOCOL_ERROR CONTINUATION without its header block",
        ),
        (
            "8.1",
            "trailers end a request",
            vec![
                post_frame(1),
                frame(DATA, 0, 1, b"ab"),
                frame(HEADERS, WHOLE | END, 1, &block(&[("x-a", "b")])),
            ],
            "* head 1 POST /\n* data 1 \"ab\"\n* trailers 1 x-a=b\n< SETTINGS ack",
        ),
        (
            "8.1",
            "a second head without an end is malformed",
            vec![post_frame(1), frame(HEADERS, WHOLE, 1, &block(&[("x-a", "b")]))],
            "* head 1 POST /\n* reset 1 Malformed\n< SETTINGS ack\n< RST_STREAM 1 PROTOCOL_ERROR",
        ),
        (
            "8.1",
            "a server that has answered resets the rest of the request",
            vec![frame(HEADERS, WHOLE, 1, &get()), frame(DATA, END, 1, b"late")],
            "* head 1 GET /\n< SETTINGS ack\n< HEADERS 1 :status=204 end\n< RST_STREAM 1 NO_ERROR",
        ),
        (
            "8.1.1",
            "a malformed request is an error of the stream",
            vec![frame(HEADERS, WHOLE | END, 1, &block(&[(":method", "GET")])), get_frame(3)],
            "* head 3 GET / end\n< SETTINGS ack\n< RST_STREAM 1 PROTOCOL_ERROR\n< HEADERS 3 :status=204 end",
        ),
        (
            "8.1.1",
            "a body shorter than its content-length is malformed",
            vec![
                frame(HEADERS, WHOLE, 1, &request("POST", &[("content-length", "3")])),
                frame(DATA, END, 1, b"ab"),
            ],
            "* head 1 POST / content-length=3\n* reset 1 Malformed\n< SETTINGS ack\n< RST_STREAM 1 PROTOCOL_ERROR",
        ),
        (
            "8.1.1",
            "a body longer than its content-length is malformed",
            vec![
                frame(HEADERS, WHOLE, 1, &request("POST", &[("content-length", "3")])),
                frame(DATA, 0, 1, b"abcd"),
            ],
            "* head 1 POST / content-length=3\n* reset 1 Malformed\n< SETTINGS ack\n< RST_STREAM 1 PROTOCOL_ERROR",
        ),
        (
            "8.1.1",
            "a body as long as its content-length is whole",
            vec![
                frame(HEADERS, WHOLE, 1, &request("POST", &[("content-length", "3")])),
                frame(DATA, 0, 1, b"ab"),
                frame(DATA, END, 1, b"c"),
            ],
            "* head 1 POST / content-length=3\n* data 1 \"abc\" end\n< SETTINGS ack",
        ),
        (
            "8.1.1",
            "a content-length without a body is malformed",
            vec![frame(HEADERS, WHOLE | END, 1, &request("POST", &[("content-length", "3")]))],
            "< SETTINGS ack\n< RST_STREAM 1 PROTOCOL_ERROR",
        ),
        (
            "8.1.1",
            "trailers before the end of a content-length are malformed",
            vec![
                frame(HEADERS, WHOLE, 1, &request("POST", &[("content-length", "3")])),
                frame(HEADERS, WHOLE | END, 1, &block(&[("x-a", "b")])),
            ],
            "* head 1 POST / content-length=3\n* reset 1 Malformed\n< SETTINGS ack\n< RST_STREAM 1 PROTOCOL_ERROR",
        ),
        (
            "8.2",
            "trailers with pseudo-header fields are malformed",
            vec![post_frame(1), frame(HEADERS, WHOLE | END, 1, &block(&[(":path", "/")]))],
            "* head 1 POST /\n* reset 1 Malformed\n< SETTINGS ack\n< RST_STREAM 1 PROTOCOL_ERROR",
        ),
        (
            "8.2.1",
            "names in upper case are malformed",
            vec![frame(HEADERS, WHOLE | END, 1, &request("GET", &[("X-A", "b")]))],
            "< SETTINGS ack\n< RST_STREAM 1 PROTOCOL_ERROR",
        ),
        (
            "8.2.2",
            "fields of a connection of HTTP/1 are malformed",
            vec![frame(HEADERS, WHOLE | END, 1, &request("GET", &[("connection", "close")]))],
            "< SETTINGS ack\n< RST_STREAM 1 PROTOCOL_ERROR",
        ),
        (
            "8.2.3",
            "crumbs of cookies are joined",
            vec![frame(HEADERS, WHOLE | END, 1, &request("POST", &[("cookie", "a=b"), ("cookie", "c=d")]))],
            "* head 1 POST / cookie=a=b; c=d end\n< SETTINGS ack",
        ),
        (
            "8.5",
            "the extended CONNECT is not offered, and malformed (RFC 8441, 3)",
            vec![
                frame(HEADERS, WHOLE, 1, &request("CONNECT", &[])),
                frame(
                    HEADERS,
                    WHOLE,
                    3,
                    &block(&[(":method", "CONNECT"), (":protocol", "websocket"), (":authority", "a")]),
                ),
            ],
            "< SETTINGS ack\n< RST_STREAM 1 PROTOCOL_ERROR\n< RST_STREAM 3 PROTOCOL_ERROR",
        ),
        (
            "10.5.1",
            "a header list beyond the limit is answered with 431, and the connection goes on",
            vec![
                frame(
                    HEADERS,
                    WHOLE | END,
                    1,
                    &request("GET", &[("x-a", &"x".repeat(120)), ("x-b", &"x".repeat(120))]),
                ),
                get_frame(3),
            ],
            "* head 3 GET / end\n< SETTINGS ack\n< HEADERS 1 :status=431 end\n< HEADERS 3 :status=204 end",
        ),
        (
            "10.5.1",
            "trailers beyond the limit are an error of the stream",
            vec![
                post_frame(1),
                frame(
                    HEADERS,
                    WHOLE | END,
                    1,
                    &block(&[
                        ("x-a", &"x".repeat(120)),
                        ("x-b", &"x".repeat(120)),
                        ("x-c", &"x".repeat(120)),
                    ]),
                ),
            ],
            "* head 1 POST /\n* reset 1 Excessive\n< SETTINGS ack\n< RST_STREAM 1 ENHANCE_YOUR_CALM",
        ),
    ]
}

/// Streams 1, 3 and 5 are a GET, a HEAD and a POST whose body has not ended.
fn client_rules() -> Vec<Rule> {
    let head = |stream, flags, lines: &[(&str, &str)]| frame(HEADERS, WHOLE | flags, stream, &block(lines));
    vec![
        (
            "3.4",
            "the first frame of a server is SETTINGS",
            vec![frame(PING, 0, 0, b"12345678")],
            "* reset 5 Disconnected\n* reset 3 Disconnected\n* reset 1 Disconnected\n< GOAWAY 0 PROTOCOL_ERROR the first frame is not SETTINGS",
        ),
        (
            "5.1.1",
            "servers do not open streams",
            vec![settings(&[]), head(2, END, &[(":status", "200")])],
            "* reset 5 Disconnected\n* reset 3 Disconnected\n* reset 1 Disconnected\n< SETTINGS ack\n< GOAWAY 0 PROTOCOL_ERROR HEADERS on a stream that clients do not open",
        ),
        (
            "5.1.1",
            "HEADERS on a stream that is not open yet are an error of the connection",
            vec![settings(&[]), head(7, END, &[(":status", "200")])],
            "* reset 5 Disconnected\n* reset 3 Disconnected\n* reset 1 Disconnected\n< SETTINGS ack\n< GOAWAY 0 PROTOCOL_ERROR HEADERS on an idle stream",
        ),
        (
            "6.5.2",
            "a server does not allow push",
            vec![settings(&[(2, 1)])],
            "* reset 5 Disconnected\n* reset 3 Disconnected\n* reset 1 Disconnected\n< GOAWAY 0 PROTOCOL_ERROR a wrong value of SETTINGS_ENABLE_PUSH",
        ),
        (
            "6.6",
            "a push that was not allowed is an error of the connection",
            vec![settings(&[]), frame(PUSH_PROMISE, WHOLE, 1, &[0, 0, 0, 2])],
            "* reset 5 Disconnected\n* reset 3 Disconnected\n* reset 1 Disconnected\n< SETTINGS ack\n< GOAWAY 0 PROTOCOL_ERROR PUSH_PROMISE, which is not allowed",
        ),
        (
            "6.8",
            "streams above that of a GOAWAY are refused, the others go on",
            vec![settings(&[]), goaway(1, 0, b""), head(1, END, &[(":status", "200")])],
            "* reset 5 Refused\n* reset 3 Refused\n* head 1 200 end\n< SETTINGS ack",
        ),
        (
            "8.1",
            "interim responses come before the final one",
            vec![
                settings(&[]),
                head(1, 0, &[(":status", "103"), ("x-a", "b")]),
                head(1, 0, &[(":status", "200")]),
                frame(DATA, END, 1, b"hi"),
            ],
            "* head 1 103 x-a=b\n* head 1 200\n* data 1 \"hi\" end\n< SETTINGS ack",
        ),
        (
            "8.1",
            "an interim response does not end a stream",
            vec![settings(&[]), head(1, END, &[(":status", "103")])],
            "* reset 1 Malformed\n< SETTINGS ack\n< RST_STREAM 1 PROTOCOL_ERROR",
        ),
        (
            "8.1",
            "DATA before a head is malformed",
            vec![settings(&[]), frame(DATA, END, 1, b"hi")],
            "* reset 1 Malformed\n< SETTINGS ack\n< RST_STREAM 1 PROTOCOL_ERROR",
        ),
        (
            "8.1",
            "NO_ERROR after a response asks for no more of the request",
            vec![settings(&[]), head(5, END, &[(":status", "200")]), rst_stream(5, 0)],
            "* head 5 200 end\n* reset 5 NoError\n< SETTINGS ack",
        ),
        (
            "8.1",
            "trailers end a response",
            vec![
                settings(&[]),
                head(1, 0, &[(":status", "200")]),
                frame(DATA, 0, 1, b"hi"),
                head(1, END, &[("x-a", "b")]),
            ],
            "* head 1 200\n* data 1 \"hi\"\n* trailers 1 x-a=b\n< SETTINGS ack",
        ),
        (
            "8.1.1",
            "the response to HEAD has a content-length and no body",
            vec![settings(&[]), head(3, END, &[(":status", "200"), ("content-length", "9")])],
            "* head 3 200 content-length=9 end\n< SETTINGS ack",
        ),
        (
            "8.1.1",
            "304 has a content-length and no body",
            vec![settings(&[]), head(1, END, &[(":status", "304"), ("content-length", "9")])],
            "* head 1 304 content-length=9 end\n< SETTINGS ack",
        ),
        (
            "8.1.1",
            "a body in a response to HEAD is malformed",
            vec![
                settings(&[]),
                head(3, 0, &[(":status", "200"), ("content-length", "9")]),
                frame(DATA, END, 3, b"123456789"),
            ],
            "* head 3 200 content-length=9\n* reset 3 Malformed\n< SETTINGS ack\n< RST_STREAM 3 PROTOCOL_ERROR",
        ),
        (
            "8.1.1",
            "a content-length without its body is malformed",
            vec![settings(&[]), head(1, END, &[(":status", "200"), ("content-length", "9")])],
            "* reset 1 Malformed\n< SETTINGS ack\n< RST_STREAM 1 PROTOCOL_ERROR",
        ),
        (
            "8.3.2",
            "a response without a status is malformed",
            vec![settings(&[]), head(1, END, &[("x-a", "b")])],
            "* reset 1 Malformed\n< SETTINGS ack\n< RST_STREAM 1 PROTOCOL_ERROR",
        ),
        (
            "8.6",
            "HTTP/2 has no 101",
            vec![settings(&[]), head(1, 0, &[(":status", "101")])],
            "* reset 1 Malformed\n< SETTINGS ack\n< RST_STREAM 1 PROTOCOL_ERROR",
        ),
        (
            "10.5.1",
            "a response whose header list is beyond the limit is an error of the stream",
            vec![
                settings(&[]),
                head(
                    1,
                    0,
                    &[
                        (":status", "200"),
                        ("x-a", &"x".repeat(120)),
                        ("x-b", &"x".repeat(120)),
                        ("x-c", &"x".repeat(120)),
                    ],
                ),
            ],
            "* reset 1 Excessive\n< SETTINGS ack\n< RST_STREAM 1 ENHANCE_YOUR_CALM",
        ),
    ]
}
