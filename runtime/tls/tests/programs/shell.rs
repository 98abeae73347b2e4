//! A shell around TLS and both versions of HTTP, over sockets that block.

use bytes::Bytes;
use ringwire_http::{Close, Event, Head, Names, Output, SendQueue, Server, StreamId};
use ringwire_tls::rustls::ServerConfig;
use ringwire_tls::{TlsConnection, TlsEvent, TlsLimits};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A server on a free port, whose threads end with the test.
pub(crate) struct Running {
    pub(crate) port: u16,
    connections: Arc<AtomicUsize>,
}

impl Running {
    pub(crate) fn start(config: ServerConfig) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("a bound socket has an address").port();
        let connections = Arc::new(AtomicUsize::new(0));
        let (config, count) = (Arc::new(config), connections.clone());
        std::thread::spawn(move || {
            while let Ok((socket, _)) = listener.accept() {
                count.fetch_add(1, Ordering::SeqCst);
                let config = config.clone();
                std::thread::spawn(move || serve(socket, config));
            }
        });
        Self { port, connections }
    }

    /// The connections so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// The HTTP connection inside: what the handshake has agreed on.
enum Http {
    One(Box<ringwire_http1::Connection<Server>>),
    Two(Box<ringwire_http2::Connection<Server>>),
}

fn serve(mut socket: TcpStream, config: Arc<ServerConfig>) {
    let mut tls = TlsConnection::server(config, TlsLimits::default(), Instant::now())
        .expect("a configuration that fits");
    let mut http = None;
    let mut out = SendQueue::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let now = Instant::now();
        while let Some(event) = tls.poll_event() {
            match event {
                TlsEvent::Established(session) => http = Some(Http::new(session.alpn.as_deref(), now)),
                TlsEvent::Data(data) => http.as_mut().expect("a handshake").input(now, data),
                TlsEvent::End | TlsEvent::Truncated => http.as_mut().expect("a handshake").end(now),
                TlsEvent::Failed(_) => {}
            }
        }
        let output = tls.poll_output(now, &mut out, |plain| match &mut http {
            Some(http) => http.output(now, plain),
            None => Output { deadline: None, read: true, close: Close::No },
        });
        if !out.is_empty() {
            let sent: Vec<u8> = out.chunks().flatten().copied().collect();
            if socket.write_all(&sent).is_err() {
                return;
            }
            out.advance(sent.len());
            continue;
        }
        match output.close {
            Close::No => {}
            Close::Sending => drop(socket.shutdown(Shutdown::Write)),
            Close::Both => return,
        }
        let wait = output.deadline.map_or(WAIT_MAX, |at| at.saturating_duration_since(now));
        socket.set_read_timeout(Some(wait.max(Duration::from_millis(1)))).expect("a time that is not zero");
        match socket.read(&mut buffer) {
            Ok(0) => tls.handle_end(Instant::now()),
            Ok(len) => tls.handle_input(Instant::now(), Bytes::copy_from_slice(&buffer[..len])),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                tls.handle_timeout(Instant::now());
            }
            Err(_) => return,
        }
    }
}

impl Http {
    fn new(alpn: Option<&[u8]>, now: Instant) -> Self {
        if alpn == Some(b"h2") {
            let limits = ringwire_http2::Limits::default();
            return Self::Two(Box::new(ringwire_http2::Connection::server(limits, Names::HTTP, now)));
        }
        let limits = ringwire_http1::Limits::default();
        Self::One(Box::new(ringwire_http1::Connection::server(limits, Names::HTTP, now)))
    }

    fn end(&mut self, now: Instant) {
        match self {
            Self::One(http) => http.handle_end(now),
            Self::Two(http) => http.handle_end(now),
        }
    }

    fn output(&mut self, now: Instant, out: &mut SendQueue) -> Output {
        match self {
            Self::One(http) => http.poll_output(now, out),
            Self::Two(http) => http.poll_output(now, out),
        }
    }

    /// Greets whoever asks, once the request is complete.
    fn input(&mut self, now: Instant, data: Bytes) {
        match self {
            Self::One(http) => {
                http.handle_input(now, data);
                while let Some(event) = http.poll_event() {
                    if let Some(mut open) = complete(&event).and_then(|stream| http.stream(stream)) {
                        open.send_head(200, false, |_| {});
                        open.send_data(Bytes::from_static(b"hello"), true);
                    }
                }
            }
            Self::Two(http) => {
                http.handle_input(now, data);
                while let Some(event) = http.poll_event() {
                    if let Some(mut open) = complete(&event).and_then(|stream| http.stream(stream)) {
                        open.send_head(200, false, |_| {});
                        open.send_data(Bytes::from_static(b"hello"), true);
                    }
                }
            }
        }
    }
}

/// The stream whose request is complete with this event.
fn complete(event: &Event<Head>) -> Option<StreamId> {
    match event {
        Event::Head { stream, end, .. } | Event::Data { stream, end, .. } => end.then_some(*stream),
        Event::Trailers { stream, .. } => Some(*stream),
        Event::Room { .. } | Event::Reset { .. } => None,
    }
}

const WAIT_MAX: Duration = Duration::from_secs(60);
