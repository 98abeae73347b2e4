//! The engine under the requests.

use crate::input::Requests;
use bytes::{BufMut, Bytes};
use ringwire_http::{Event, Names, Part, SendQueue, Server, StreamId, Token};
use ringwire_http2::{Connection, Limits};
use std::time::Instant;

/// Serves `count` requests, one at a time.
pub(crate) fn run(count: u32) {
    let mut requests = Requests::new();
    let now = Instant::now();
    let mut connection = Connection::server(Limits::default(), &NAMES, now);
    let mut out = SendQueue::new();
    connection.handle_input(now, Requests::preface());
    for _ in 0..count {
        let bytes = requests.next();
        // A shell gives its buffers back to a pool: the engine does not pay for that.
        let _kept = bytes.clone();
        exchange(&mut connection, bytes, now, &mut out);
    }
}

#[inline(never)]
fn exchange(connection: &mut Connection<Server>, bytes: Bytes, now: Instant, out: &mut SendQueue) {
    connection.handle_input(now, bytes);
    let mut answered = false;
    while let Some(event) = connection.poll_event() {
        match event {
            Event::Head { head, .. } => assert!(!head.path().is_empty()),
            Event::Data { stream, data, end } => {
                let mut open = connection.stream(stream).expect("an open stream");
                open.release(data.len());
                if end {
                    answered = true;
                    answer(connection, stream, &data);
                }
            }
            Event::Trailers { .. } | Event::Room { .. } | Event::Reset { .. } => panic!("{event:?}"),
        }
    }
    assert!(answered);
    let output = connection.poll_output(now, out);
    std::hint::black_box(output);
    out.advance(out.len());
}

fn answer(connection: &mut Connection<Server>, stream: StreamId, data: &Bytes) {
    let mut open = connection.stream(stream).expect("an open stream");
    open.write(|fields, _| {
        fields.append_static(Token::CONTENT_TYPE, "application/grpc");
        (Part::Head { status: 200, end: false }, ())
    });
    open.write(|_, body| {
        body.put_slice(data);
        (Part::Data { end: false }, ())
    });
    open.write(|fields, _| {
        fields.append_static(GRPC_STATUS, "0");
        (Part::Trailers, ())
    });
}

const GRPC_STATUS: Token = Token::extra(0, "grpc-status");
static NAMES: Names = Names::new(&[GRPC_STATUS]);
