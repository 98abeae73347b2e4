//! A server that plays what a case has written for it: so many connections, and on each what it says when.

use crate::play::{ACK, END_STREAM, PING, SETTINGS, frame, frames};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What happens on one connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connection(Vec<Step>);

#[derive(Clone, Debug)]
enum Step {
    /// Waits for one more request, to its end.
    Request,
    Say(Vec<u8>),
    /// Says nothing any more, and listens.
    Stay,
}

impl Connection {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Waits for a request, and says this.
    pub(crate) fn answer(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.0.extend([Step::Request, Step::Say(bytes.into())]);
        self
    }

    /// After its last word, does not close.
    pub(crate) fn stay(mut self) -> Self {
        self.0.push(Step::Stay);
        self
    }

    async fn play(&self, socket: &mut TcpStream, is_http2: bool) -> std::io::Result<()> {
        let mut received = Vec::new();
        let mut requests = 0;
        let mut pings = 0;
        if is_http2 {
            let settings = [frame(SETTINGS, 0, 0, &[]), frame(SETTINGS, ACK, 0, &[])].concat();
            socket.write_all(&settings).await?;
        }
        for step in &self.0 {
            match step {
                Step::Say(bytes) => socket.write_all(bytes).await?,
                Step::Request | Step::Stay => {
                    requests += 1;
                    loop {
                        let heard = heard(&received, is_http2);
                        for ping in heard.pings.iter().skip(pings) {
                            socket.write_all(&frame(PING, ACK, 0, ping)).await?;
                        }
                        pings = heard.pings.len();
                        if heard.requests >= requests && matches!(step, Step::Request) {
                            break;
                        }
                        if socket.read_buf(&mut received).await? == 0 {
                            return Ok(());
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

struct Heard {
    /// Requests that have come to their end.
    requests: usize,
    pings: Vec<Vec<u8>>,
}

fn heard(received: &[u8], is_http2: bool) -> Heard {
    if is_http2 {
        let behind_preface = received.get(PREFACE_LEN..).unwrap_or_default();
        let mut heard = Heard { requests: 0, pings: Vec::new() };
        for found in frames(behind_preface) {
            // DATA and HEADERS are 0 and 1.
            heard.requests += usize::from(found.kind <= 1 && found.flags & END_STREAM != 0);
            if found.kind == PING && found.flags & ACK == 0 {
                heard.pings.push(found.payload.to_vec());
            }
        }
        return heard;
    }
    // The message of every request, and nothing else in it.
    let requests = String::from_utf8_lossy(received).matches("{}").count();
    Heard { requests, pings: Vec::new() }
}

/// Plays the connections in the order in which they come; one more is closed at once.
pub(crate) struct Answers {
    pub(crate) port: u16,
    accepted: Arc<AtomicUsize>,
}

impl Answers {
    pub(crate) async fn start(connections: Vec<Connection>, is_http2: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a port");
        let port = listener.local_addr().expect("it is bound").port();
        let accepted = Arc::new(AtomicUsize::new(0));
        let count = accepted.clone();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let connection = connections.get(count.fetch_add(1, Ordering::SeqCst)).cloned();
                tokio::spawn(async move {
                    if let Some(connection) = connection {
                        // A client that goes is none of a server's business.
                        let _ = connection.play(&mut socket, is_http2).await;
                    }
                });
            }
        });
        Self { port, accepted }
    }

    /// How many connections have come.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

const PREFACE_LEN: usize = 24;
