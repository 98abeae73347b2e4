//! Requests that no handler has seen are sent again, and no others.

use std::time::Duration;

use h2::Reason;
use ringwire_transport::Reset as Word;
use ringwire_transport::TransportErrorKind::{Lost, Reset};
use tokio::io::AsyncReadExt;

use crate::support::*;

/// The first connection does this with its first request; the others are ordinary.
fn first_then_ordinary<F>(
    seen: &Seen,
    first: impl Fn(Server, Seen) -> F + Clone + Send + Sync + 'static,
) -> Net
where
    F: Future<Output = ()> + Send + 'static,
{
    let seen = seen.clone();
    Net::new(move |number, _| {
        let (seen, first) = (seen.clone(), first.clone());
        match number {
            0 => serves(move |pipe| async move { first(greet(pipe, 100).await, seen).await }),
            _ => ordinary(&seen, 100),
        }
    })
}

#[tokio::test(start_paused = true)]
async fn a_refused_stream_is_sent_again() {
    let seen = Seen::default();
    let net = first_then_ordinary(&seen, |mut server, seen| async move {
        let (_, mut respond) = server.accept().await.unwrap().unwrap();
        respond.send_reset(Reason::REFUSED_STREAM);
        serve(&mut server, &seen).await;
    });
    let pool = http2(&net);
    assert_eq!(call(&pool, post("/", "x")).await.unwrap(), "hello");
    assert_eq!(seen.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stream_refused_twice_is_an_error_that_says_so() {
    let seen = Seen::default();
    let net = Net::new({
        let seen = seen.clone();
        move |_, _| {
            let seen = seen.clone();
            serves(|pipe| async move {
                let mut server = greet(pipe, 100).await;
                while let Some(Ok((_, mut respond))) = server.accept().await {
                    seen.refused();
                    respond.send_reset(Reason::REFUSED_STREAM);
                }
            })
        }
    });
    assert_eq!(failure(&http2(&net), get("/")).await, (Reset(Word::Refused), true));
    assert_eq!(seen.requests(), 2);
}

/// The peer opens its windows and reads nothing more: the pipe fills up, and what comes after never leaves.
#[tokio::test(start_paused = true)]
async fn a_request_that_never_left_a_dead_connection_is_sent_again() {
    let seen = Seen::default();
    let net = Net::new({
        let seen = seen.clone();
        move |number, _| match number {
            0 => serves(|mut pipe| async move {
                use tokio::io::AsyncWriteExt;
                pipe.write_all(b"\0\0\x06\x04\0\0\0\0\0\0\x04\x7f\xff\xff\xff").await.unwrap();
                pipe.write_all(b"\0\0\x04\x08\0\0\0\0\0\x7f\xff\0\0").await.unwrap();
                pipe.write_all(b"\0\0\0\x04\x01\0\0\0\0").await.unwrap();
                std::future::pending::<()>().await;
            }),
            _ => ordinary(&seen, 100),
        }
    });
    let pool = http2(&net);
    let first = start(&pool, post("/", vec![b'x'; 4 * PIPE]));
    pause(Duration::from_secs(1)).await;
    assert_eq!(call(&pool, get("/")).await.unwrap(), "hello");
    let error = first.await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.is_unprocessed()), (Lost, false));
    assert_eq!((seen.requests(), net.dials()), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_comes_once_is_not_sent_again() {
    let net = Net::new(|_, _| {
        serves(|pipe| async {
            let mut server = greet(pipe, 100).await;
            while let Some(Ok((_, mut respond))) = server.accept().await {
                respond.send_reset(Reason::REFUSED_STREAM);
            }
        })
    });
    let (_feed, body) = channel();
    assert_eq!(failure(&http2(&net), post_stream("/", body)).await, (Reset(Word::Refused), true));
    assert_eq!(net.dials(), 1);
}

#[tokio::test(start_paused = true)]
async fn any_other_reset_is_final() {
    for (reason, word) in [
        (Reason::INTERNAL_ERROR, Word::Internal),
        (Reason::CANCEL, Word::Cancelled),
        (Reason::ENHANCE_YOUR_CALM, Word::Excessive),
        (Reason::COMPRESSION_ERROR, Word::Other(9)),
    ] {
        let seen = Seen::default();
        let net = first_then_ordinary(&seen, move |mut server, seen| async move {
            let (_, mut respond) = server.accept().await.unwrap().unwrap();
            respond.send_reset(reason);
            serve(&mut server, &seen).await;
        });
        let pool = http2(&net);
        assert_eq!(failure(&pool, get("/")).await, (Reset(word), false));
        assert_eq!(call(&pool, get("/")).await.unwrap(), "hello");
        assert_eq!((seen.requests(), net.dials()), (1, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_ends_under_a_request_is_final() {
    let seen = Seen::default();
    let net = first_then_ordinary(&seen, |mut server, _| async move {
        let _request = server.accept().await.unwrap().unwrap();
        server.abrupt_shutdown(Reason::NO_ERROR);
        // Without GOAWAY: the server is dropped before it is written.
    });
    let pool = http2(&net);
    assert_eq!(failure(&pool, get("/")).await, (Lost, false));
    assert_eq!(seen.requests(), 0);
}

/// A peer in bytes: it answers the first `answered` of the streams it was sent, and says GOAWAY with the last of them.
async fn goes_after(mut pipe: tokio::io::DuplexStream, wanted: usize, answered: u32) {
    use tokio::io::AsyncWriteExt;
    pipe.write_all(b"\0\0\0\x04\0\0\0\0\0\0\0\0\x04\x01\0\0\0\0").await.unwrap();
    let mut preface = [0; 24];
    pipe.read_exact(&mut preface).await.unwrap();
    let mut heads = 0;
    while heads < wanted {
        let mut header = [0; 9];
        pipe.read_exact(&mut header).await.unwrap();
        let length = u32::from_be_bytes([0, header[0], header[1], header[2]]);
        pipe.read_exact(&mut vec![0; length as usize]).await.unwrap();
        heads += usize::from(header[3] == 1);
    }
    let last = (2 * answered).saturating_sub(1);
    let mut go_away = b"\0\0\x08\x07\0\0\0\0\0".to_vec();
    go_away.extend_from_slice(&last.to_be_bytes());
    go_away.extend_from_slice(&[0; 4]);
    pipe.write_all(&go_away).await.unwrap();
    pause(Duration::from_secs(1)).await;
    for stream in (1..=last).step_by(2) {
        let mut head = b"\0\0\x01\x01\x05".to_vec();
        head.extend_from_slice(&stream.to_be_bytes());
        head.push(0x88);
        pipe.write_all(&head).await.unwrap();
    }
    let _ = pipe.read_to_end(&mut Vec::new()).await;
}

#[tokio::test(start_paused = true)]
async fn a_goaway_between_requests_parts_them_exactly() {
    for answered in 0..=6_u32 {
        let seen = Seen::default();
        let net = Net::new({
            let seen = seen.clone();
            move |number, _| match number {
                0 => serves(move |pipe| goes_after(pipe, 6, answered)),
                _ => ordinary(&seen, 100),
            }
        });
        let pool = http2(&net);
        let calls: Vec<_> = (0..6).map(|_| start(&pool, post("/", "x"))).collect();
        let mut by_first = 0;
        for call in calls {
            by_first += u32::from(call.await.unwrap().unwrap().is_empty());
        }
        assert_eq!((by_first, seen.requests() as u32), (answered, 6 - answered));
    }
}

#[tokio::test(start_paused = true)]
async fn a_goaway_turns_new_requests_away_at_once() {
    let seen = Seen::default();
    let net = Net::new({
        let seen = seen.clone();
        move |number, _| match number {
            0 => serves(|pipe| goes_after(pipe, 1, 1)),
            _ => ordinary(&seen, 100),
        }
    });
    let mut limits = ringwire_pool::Limits::default();
    limits.http2_connections_max = 1;
    let pool = pool(options(&net).http(ringwire_pool::HttpVersion::Http2).limits(limits));
    let slow = start(&pool, get("/"));
    pause(Duration::from_millis(500)).await;
    let (feed, body) = channel();
    drop(feed);
    // One that could not be replayed, so it was not sent there in the first place.
    assert_eq!(call(&pool, post_stream("/", body)).await.unwrap(), "hello");
    assert_eq!((slow.await.unwrap().unwrap().as_str(), seen.requests(), net.dials()), ("", 1, 2));
}

/// Servers that go away in turn under load: every call is answered, and handled once.
#[tokio::test(start_paused = true)]
async fn nothing_is_lost_or_repeated_while_servers_go_away_under_load() {
    let handled = Seen::default();
    let net = Net::new({
        let handled = handled.clone();
        move |_, _| {
            let handled = handled.clone();
            serves(|pipe| async move {
                let mut server = greet(pipe, 100).await;
                let mut count = 0;
                while let Some(Ok((request, respond))) = server.accept().await {
                    answer(request, respond, &handled);
                    count += 1;
                    if count == 37 {
                        server.graceful_shutdown();
                    }
                }
            })
        }
    });
    let pool = http2(&net);
    let mut workers = Vec::new();
    for _ in 0..20 {
        let pool = pool.clone();
        workers.push(tokio::spawn(async move {
            for _ in 0..100 {
                assert_eq!(call(&pool, post("/", "x")).await.unwrap(), "hello");
            }
        }));
    }
    for worker in workers {
        worker.await.unwrap();
    }
    assert_eq!(handled.requests(), 2000);
    assert!(net.dials() >= 2000 / 60, "{} connections", net.dials());
    assert_eq!(pool.targets()[0].in_flight, 0);
}
