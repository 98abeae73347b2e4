//! Heads that follow other heads: lines that came before are not read again, and must mean the same.

use bytes::Bytes;
use ringwire_http::{Event, Head, Names, SendQueue};
use ringwire_http1::{Connection, Limits, Outcome};
use std::time::Instant;

#[test]
fn a_head_means_the_same_after_any_other() {
    let heads = heads();
    let mut refused = 0;
    for head in &heads {
        let alone = read(&[head], usize::MAX);
        refused += usize::from(alone.0.is_none());
        let goes_on = |outcome: &Option<Outcome>| outcome.is_none();
        for before in heads.iter().filter(|before| goes_on(&read(&[before], usize::MAX).1)) {
            for pieces in [usize::MAX, 7] {
                assert_eq!(read(&[before, head], pieces), alone, "{head:?} after {before:?}");
                if goes_on(&alone.1) {
                    assert_eq!(read(&[before, head, head], pieces), alone, "{head:?} twice after {before:?}");
                }
            }
        }
    }
    assert!(refused > 5 && heads.len() - refused > 50, "{refused}");
}

/// What the last of the heads says, and what became of the connection. The heads come in pieces of so many bytes.
fn read(heads: &[&String], piece: usize) -> (Option<String>, Option<Outcome>) {
    let now = Instant::now();
    let mut connection = Connection::server(Limits { fields_max: 5, ..Limits::default() }, Names::HTTP, now);
    let mut out = SendQueue::new();
    let mut last = None;
    for head in heads {
        last = None;
        for piece in head.as_bytes().chunks(piece.min(head.len())) {
            connection.handle_input(now, Bytes::copy_from_slice(piece));
            while let Some(event) = connection.poll_event() {
                if let Event::Head { stream, head, end: true } = event {
                    last = Some(say(&head));
                    connection.stream(stream).expect("an open stream").send_head(204, true, |_| {});
                }
            }
        }
        connection.poll_output(now, &mut out);
        out.advance(out.len());
    }
    (last, connection.outcome().copied())
}

fn say(head: &Head) -> String {
    let fields: Vec<_> = head
        .fields()
        .iter()
        .map(|field| (field.token, field.name.to_owned(), field.value.to_vec()))
        .collect();
    format!("{} {} {:?} {fields:?}", head.method(), head.target(), head.authority())
}

/// Heads of few lines: their order, number, values, spelling and first lines differ.
fn heads() -> Vec<String> {
    let firsts = [
        "GET /a HTTP/1.1",
        "GET /ab HTTP/1.1",
        "PUT /a HTTP/1.1",
        "GET http://b/a HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "GET /a HTTP/1.0",
    ];
    let lines = [
        "host: a",
        "Host: a",
        "host:  ab ",
        "te: trailers",
        "x-a: 1",
        "X-A: 1",
        "x-a: 12",
        "content-length: 0",
        "expect: 100-continue",
        "x a: 1",
        "accept:",
    ];
    let mut heads: Vec<String> = firsts.iter().map(|first| format!("{first}\r\nhost: a\r\n\r\n")).collect();
    for a in lines {
        heads.push(format!("GET /a HTTP/1.1\r\n{a}\r\n\r\n"));
        for b in lines {
            heads.push(format!("GET /a HTTP/1.1\r\nhost: a\r\n{a}\r\n{b}\r\nte: trailers\r\n\r\n"));
        }
    }
    let many = "te: trailers\r\n".repeat(5);
    heads.push(format!("GET /a HTTP/1.1\r\nhost: a\r\n{many}\r\n"));
    heads
}
