//! HTTP/1.1 inside TLS, as a shell joins the two.

use crate::parties::{End, Theirs, client, server};
use bytes::Bytes;
use ringwire_http::{Close, Event, Names, Output, SendQueue};
use ringwire_http1::{Connection, Limits};
use ringwire_tls::{TlsConnection, TlsEvent, TlsLimits};
use std::sync::Arc;
use std::time::Instant;

#[test]
fn an_exchange_and_the_end_pass_through_both() {
    let now = Instant::now();
    let mut tls = TlsConnection::server(Arc::new(server()), TlsLimits::default(), now).unwrap();
    let mut http = Connection::server(Limits::default(), Names::HTTP, now);
    let mut theirs = Theirs::client(client());
    theirs.send(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    let mut out = SendQueue::new();
    let mut close = Close::No;
    for _ in 0..20 {
        for piece in theirs.output().chunks(1000) {
            tls.handle_input(now, Bytes::copy_from_slice(piece));
            while let Some(event) = tls.poll_event() {
                match event {
                    TlsEvent::Established(_) => {}
                    TlsEvent::Data(data) => http.handle_input(now, data),
                    TlsEvent::End => http.handle_end(now),
                    TlsEvent::Truncated | TlsEvent::Failed(_) => panic!("{event:?}"),
                }
                while let Some(event) = http.poll_event() {
                    if let Event::Head { stream, .. } = event {
                        let mut stream = http.stream(stream).unwrap();
                        stream.send_head(200, false, |_| {});
                        stream.send_data(Bytes::from(vec![b'a'; 100_000]), true);
                    }
                }
            }
        }
        loop {
            let output: Output = tls.poll_output(now, &mut out, |plain| http.poll_output(now, plain));
            close = output.close;
            if out.is_empty() {
                break;
            }
            let sent: Vec<u8> = out.chunks().flatten().copied().collect();
            out.advance(sent.len());
            theirs.input(&sent);
        }
        if theirs.ended {
            theirs.tls.send_close_notify();
        }
    }
    let text = String::from_utf8_lossy(&theirs.received);
    assert!(text.starts_with("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 100000\r\n\r\naaaa"));
    assert!(theirs.ended && theirs.received.len() > 100_000);
    assert_eq!(close, Close::Both);
}
