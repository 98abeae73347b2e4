//! Handshakes that do not come to an end.

use crate::parties::{End, Ours, Theirs, client, run, server};
use ringwire_http::Close;
use ringwire_testing::chop::Chop;
use ringwire_tls::{TlsFault, TlsLimits};
use std::sync::Arc;
use std::time::Duration;

#[test]
fn a_handshake_takes_no_longer_than_its_limit() {
    let mut ours = Ours::server(server());
    let start = ours.now;
    ours.poll();
    assert_eq!(ours.deadline, Some(start + Duration::from_secs(10)));
    let hello = Theirs::client(client()).output();
    ours.now += Duration::from_millis(9_999);
    ours.input(&hello[..hello.len() / 2]);
    ours.tls.handle_timeout(ours.now);
    ours.pump();
    assert_eq!(ours.fault, None);
    ours.now += Duration::from_millis(1);
    ours.tls.handle_timeout(ours.now);
    ours.pump();
    assert_eq!(ours.fault, Some(TlsFault::HandshakeTimeout));
    check_close(&mut ours);
}

#[test]
fn a_complete_handshake_has_no_time_limit() {
    let (mut ours, mut theirs) = (Ours::server(server()), Theirs::client(client()));
    run(&mut ours, &mut theirs, Chop::Whole);
    ours.now += Duration::from_secs(100_000);
    ours.tls.handle_timeout(ours.now);
    theirs.send(b"a");
    run(&mut ours, &mut theirs, Chop::Whole);
    assert_eq!((ours.deadline, ours.fault, ours.received), (None, None, b"a".to_vec()));
}

#[test]
fn a_handshake_takes_no_more_bytes_than_its_limit() {
    // What the client sends until the server is done: its hello and its last flight.
    let (mut ours, mut theirs) = (Ours::server(server()), Theirs::client(client()));
    let hello = theirs.output();
    ours.input(&hello);
    let answer = ours.output();
    theirs.input(&answer);
    let needed = hello.len() + theirs.output().len();
    for (limit, is_enough) in [(needed + 1, true), (needed, true), (needed - 1, false)] {
        let limits = TlsLimits { handshake_max: limit, ..TlsLimits::default() };
        let mut ours = Ours::server_with(Arc::new(server()), limits);
        let mut theirs = Theirs::client(client());
        run(&mut ours, &mut theirs, Chop::Whole);
        let want = (!is_enough).then_some(TlsFault::HandshakeTooLarge { limit });
        assert_eq!((ours.session.is_some(), ours.fault), (is_enough, want), "{limit} of {needed}");
    }
}

#[test]
fn a_request_that_comes_with_the_end_of_the_handshake_is_not_counted() {
    let limit = TlsLimits::default().handshake_max;
    for len in [1, limit - 1, limit, limit + 1, 10 * limit] {
        let (mut ours, mut theirs) = (Ours::server(server()), Theirs::client(client()));
        theirs.tls.set_buffer_limit(None);
        theirs.send(&vec![7; len]);
        run(&mut ours, &mut theirs, Chop::Whole);
        assert_eq!((ours.fault.take(), ours.received.len()), (None, len));
    }
}

#[test]
fn what_is_no_tls_is_answered_with_an_alert() {
    for bytes in [
        &b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"[..],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        &[0; 5],
        &[0xff; 100],
    ] {
        let mut ours = Ours::server(server());
        ours.input(bytes);
        assert!(matches!(ours.fault, Some(TlsFault::Protocol(_))), "{:?}", ours.fault);
        let alert = ours.output();
        assert_eq!(alert.first(), Some(&21), "{alert:?}");
        ours.input(bytes);
        check_close(&mut ours);
    }
}

#[test]
fn an_end_within_the_handshake_is_a_failure() {
    let hello = Theirs::client(client()).output();
    for len in [0, 1, 5, hello.len() / 2, hello.len()] {
        let mut ours = Ours::server(server());
        ours.input(&hello[..len]);
        ours.output();
        ours.tls.handle_end(ours.now);
        ours.pump();
        assert_eq!(ours.fault, Some(TlsFault::Truncated));
        ours.poll();
        assert_eq!(ours.closes, Close::Both);
    }
}

/// After a failure the sending side closes, then everything, at the latest after a time.
fn check_close(ours: &mut Ours) {
    ours.output();
    assert_eq!(ours.closes, Close::Sending);
    let deadline = ours.deadline.expect("a lingering connection has a deadline");
    assert_eq!(deadline, ours.now + Duration::from_secs(2));
    ours.now = deadline;
    ours.tls.handle_timeout(ours.now);
    ours.poll();
    assert_eq!((ours.closes, ours.deadline), (Close::Both, None));
}
