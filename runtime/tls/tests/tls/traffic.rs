//! Plaintext, keys and the end.

use crate::parties::{End, Ours, Theirs, client, run, server, ways};
use ringwire_http::Close;
use ringwire_testing::chop::Chop;
use ringwire_testing::seed::Seed;
use ringwire_tls::rustls;

fn established() -> (Ours, Theirs) {
    let (mut ours, mut theirs) = (Ours::server(server()), Theirs::client(client()));
    run(&mut ours, &mut theirs, Chop::Whole);
    assert!(ours.session.is_some());
    (ours, theirs)
}

#[test]
fn plaintext_arrives_whatever_its_length_and_cuts() {
    for len in [1, 2, 16_383, 16_384, 16_385, 100_000] {
        for way in [Chop::Whole, Chop::Seeded(1), Chop::Seeded(2), Chop::At(1), Chop::At(17)] {
            let (mut ours, mut theirs) = established();
            let (up, down) = (Seed::new(1).bytes(len), Seed::new(2).bytes(len));
            theirs.tls.set_buffer_limit(None);
            theirs.send(&up);
            ours.to_send = down.clone();
            run(&mut ours, &mut theirs, way);
            assert!(ours.received == up && theirs.received == down, "{len} {way:?}");
        }
    }
}

#[test]
fn our_two_ends_understand_each_other() {
    for way in ways() {
        let (mut one, mut other) = (Ours::client(client()), Ours::server(server()));
        one.to_send = b"early".to_vec();
        run(&mut one, &mut other, way);
        one.to_send = vec![1; 40_000];
        other.to_send = vec![2; 40_000];
        run(&mut one, &mut other, way);
        assert_eq!(other.received.len(), 40_005, "{way:?}");
        assert_eq!(one.received, vec![2; 40_000]);
        one.close = Close::Sending;
        run(&mut one, &mut other, way);
        assert!(other.ended && one.closes == Close::Sending);
        other.to_send = b"late".to_vec();
        run(&mut one, &mut other, way);
        assert!(one.received.ends_with(b"late"), "a closed half does not close the other");
    }
}

#[test]
fn keys_are_updated() {
    let (mut ours, mut theirs) = established();
    for round in 1..=5_u8 {
        theirs.tls.refresh_traffic_keys().unwrap();
        theirs.send(&[round]);
        run(&mut ours, &mut theirs, Chop::Bytes);
        ours.to_send = vec![round];
        run(&mut ours, &mut theirs, Chop::Bytes);
    }
    assert_eq!((ours.received, theirs.received), (vec![1, 2, 3, 4, 5], vec![1, 2, 3, 4, 5]));
}

#[test]
fn a_flood_of_key_updates_fails() {
    let (mut ours, mut theirs) = established();
    for _ in 0..40 {
        theirs.tls.refresh_traffic_keys().unwrap();
    }
    run(&mut ours, &mut theirs, Chop::Whole);
    assert!(ours.fault.is_some());
}

#[test]
fn the_end_is_said_and_heard() {
    let (mut ours, mut theirs) = established();
    ours.to_send = vec![3; 50_000];
    ours.close = Close::Sending;
    run(&mut ours, &mut theirs, Chop::Seeded(3));
    assert!(theirs.ended && theirs.received.len() == 50_000);
    assert_eq!(ours.closes, Close::Sending);
    theirs.send(b"and you");
    theirs.tls.send_close_notify();
    run(&mut ours, &mut theirs, Chop::Seeded(4));
    assert!(ours.ended && ours.received == b"and you");
    ours.tls.handle_end(ours.now);
    ours.pump();
    assert!(!ours.truncated, "the peer had said that it sends no more");
}

#[test]
fn an_end_that_was_not_said_is_told_apart() {
    let (mut ours, mut theirs) = established();
    theirs.send(b"half");
    run(&mut ours, &mut theirs, Chop::Whole);
    ours.tls.handle_end(ours.now);
    ours.tls.handle_end(ours.now);
    ours.pump();
    assert!(ours.truncated && !ours.ended && ours.received == b"half");
}

#[test]
fn nothing_is_shut_down_before_the_peer_is_told() {
    let (mut ours, mut theirs) = established();
    ours.to_send = b"hello".to_vec();
    ours.poll();
    assert!(!ours.out.is_empty());
    ours.close = Close::Sending;
    ours.poll();
    assert_eq!(ours.closes, Close::No, "close_notify has no room yet");
    let sent = ours.output();
    theirs.input(&sent);
    assert!(theirs.ended && theirs.received == b"hello");
    assert_eq!(ours.closes, Close::Sending);
    assert!(ours.output().is_empty(), "it is said once");
}

#[test]
fn plaintext_counts_as_unsent_until_its_ciphertext_is_sent() {
    let (mut ours, _) = established();
    let mut left = Vec::new();
    ours.to_send = vec![9; 1000];
    ours.poll();
    while !ours.out.is_empty() {
        let part = ours.out.len().min(100);
        ours.out.advance(part);
        ours.tls.poll_output(ours.now, &mut ours.out, |plain| {
            left.push(plain.len());
            ringwire_http::Output { deadline: None, read: true, close: Close::No }
        });
    }
    assert!(left.windows(2).all(|pair| pair[0] > pair[1]), "{left:?}");
    assert_eq!(left.last(), Some(&0));
}

#[test]
fn a_broken_record_fails_the_connection_after_what_came_before_it() {
    let (mut ours, mut theirs) = established();
    theirs.send(b"good");
    let mut bytes = theirs.output();
    theirs.send(b"bad");
    let mut broken = theirs.output();
    *broken.last_mut().unwrap() ^= 1;
    bytes.extend_from_slice(&broken);
    ours.input(&bytes);
    assert_eq!(ours.received, b"good");
    assert!(ours.fault.is_some());
    let alert = ours.output();
    theirs.input(&alert);
    assert_eq!(
        theirs.error,
        Some(rustls::Error::AlertReceived(rustls::AlertDescription::BadRecordMac)),
        "the peer is told"
    );
    assert_eq!(ours.closes, Close::Sending);
}

/// rustls remembers where the parts of a handshake message lie; what is sent in between must not make it forget.
#[test]
fn messages_of_many_records_are_mixed_with_traffic() {
    let mut config = server();
    config.max_fragment_size = Some(32);
    let (mut ours, mut theirs) = (Ours::client(client()), Theirs::server(config));
    for _ in 0..10 {
        let sent = ours.output();
        theirs.input(&sent);
        for byte in theirs.output() {
            ours.input(&[byte]);
            if ours.session.is_some() {
                ours.to_send = b"x".to_vec();
            }
            let sent = ours.output();
            theirs.input(&sent);
        }
    }
    assert!(ours.session.is_some() && ours.fault.is_none() && theirs.error.is_none());
    assert!(theirs.received.len() > 10, "tickets came byte by byte, and each was answered");
    assert!(theirs.received.iter().all(|&byte| byte == b'x'));
}
