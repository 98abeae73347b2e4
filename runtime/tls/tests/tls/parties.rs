//! The two ends of a connection in memory.

use bytes::Bytes;
use ringwire_http::{Close, Output, SendQueue};
use ringwire_testing::chop::Chop;
use ringwire_tls::rustls::crypto::{CryptoProvider, ring};
use ringwire_tls::rustls::pki_types::ServerName;
use ringwire_tls::rustls::{self, ClientConfig, ClientConnection, ServerConfig, ServerConnection};
use ringwire_tls::{
    Certificates, TlsConnection, TlsEvent, TlsFault, TlsLimits, TlsSession, client_config, server_config,
};
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Instant;

const FINE: &str = "the test gives what fits together";
pub(crate) const AUTHORITY: &[u8] = include_bytes!("../certificates/ca.pem");
pub(crate) const SERVER: (&[u8], &[u8]) =
    (include_bytes!("../certificates/server.pem"), include_bytes!("../certificates/server.key"));
pub(crate) const RENEWED: (&[u8], &[u8]) =
    (include_bytes!("../certificates/renewed.pem"), include_bytes!("../certificates/renewed.key"));
pub(crate) const CLIENT: (&[u8], &[u8]) =
    (include_bytes!("../certificates/client.pem"), include_bytes!("../certificates/client.key"));
pub(crate) const STRANGER: (&[u8], &[u8]) =
    (include_bytes!("../certificates/stranger.pem"), include_bytes!("../certificates/stranger.key"));

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

pub(crate) fn certificates() -> Arc<Certificates> {
    Arc::new(Certificates::from_pem(SERVER.0, SERVER.1, provider()).expect(FINE))
}

pub(crate) fn server() -> ServerConfig {
    server_config(provider(), certificates(), None).expect(FINE)
}

pub(crate) fn client() -> ClientConfig {
    client_config(provider(), AUTHORITY, None).expect(FINE)
}

pub(crate) fn localhost() -> ServerName<'static> {
    ServerName::try_from("localhost").expect(FINE)
}

/// One end: bytes in, bytes out.
pub(crate) trait End {
    fn input(&mut self, bytes: &[u8]);
    fn output(&mut self) -> Vec<u8>;
}

/// An end that is our stage, and what it said.
pub(crate) struct Ours {
    pub(crate) tls: TlsConnection,
    pub(crate) now: Instant,
    pub(crate) session: Option<TlsSession>,
    pub(crate) received: Vec<u8>,
    pub(crate) ended: bool,
    pub(crate) truncated: bool,
    pub(crate) fault: Option<TlsFault>,
    /// What the HTTP connection inside has to send, and whether it closes then.
    pub(crate) to_send: Vec<u8>,
    pub(crate) close: Close,
    pub(crate) closes: Close,
    pub(crate) deadline: Option<Instant>,
    pub(crate) out: SendQueue,
}

impl Ours {
    pub(crate) fn server(config: ServerConfig) -> Self {
        Self::server_with(Arc::new(config), TlsLimits::default())
    }

    pub(crate) fn server_with(config: Arc<ServerConfig>, limits: TlsLimits) -> Self {
        let now = Instant::now();
        Self::new(TlsConnection::server(config, limits, now).expect(FINE), now)
    }

    pub(crate) fn client(config: ClientConfig) -> Self {
        Self::client_with(Arc::new(config))
    }

    pub(crate) fn client_with(config: Arc<ClientConfig>) -> Self {
        let now = Instant::now();
        Self::new(TlsConnection::client(config, localhost(), TlsLimits::default(), now).expect(FINE), now)
    }

    fn new(tls: TlsConnection, now: Instant) -> Self {
        Self {
            tls,
            now,
            session: None,
            received: Vec::new(),
            ended: false,
            truncated: false,
            fault: None,
            to_send: Vec::new(),
            close: Close::No,
            closes: Close::No,
            deadline: None,
            out: SendQueue::new(),
        }
    }

    pub(crate) fn pump(&mut self) {
        while let Some(event) = self.tls.poll_event() {
            assert!(self.fault.is_none(), "an event after the failure: {event:?}");
            match event {
                TlsEvent::Established(session) => {
                    assert!(self.session.is_none() && self.received.is_empty(), "established late");
                    self.session = Some(session);
                }
                TlsEvent::Data(data) => {
                    assert!(!data.is_empty() && !self.ended, "data after the end");
                    self.received.extend_from_slice(&data);
                }
                TlsEvent::End => self.ended = true,
                TlsEvent::Truncated => self.truncated = true,
                TlsEvent::Failed(fault) => self.fault = Some(fault),
            }
        }
    }

    /// Asks for output once, without taking any.
    pub(crate) fn poll(&mut self) {
        let Self { tls, out, to_send, close, .. } = self;
        let output = tls.poll_output(self.now, out, |plain| {
            if plain.is_empty() && !to_send.is_empty() {
                // Some of it small, some of it large.
                let large = to_send.split_off(to_send.len().min(100));
                plain.buffer().extend_from_slice(to_send);
                plain.push(Bytes::from(large));
                to_send.clear();
            }
            Output { deadline: None, read: true, close: *close }
        });
        self.closes = output.close;
        self.deadline = output.deadline;
    }
}

impl End for Ours {
    fn input(&mut self, bytes: &[u8]) {
        self.tls.handle_input(self.now, Bytes::copy_from_slice(bytes));
        self.pump();
    }

    fn output(&mut self) -> Vec<u8> {
        let mut sent = Vec::new();
        loop {
            self.poll();
            if self.out.is_empty() {
                return sent;
            }
            self.out.chunks().for_each(|chunk| sent.extend_from_slice(chunk));
            self.out.advance(self.out.len());
        }
    }
}

/// An end that is rustls' buffered connection.
pub(crate) struct Theirs {
    pub(crate) tls: rustls::Connection,
    pub(crate) received: Vec<u8>,
    pub(crate) ended: bool,
    pub(crate) error: Option<rustls::Error>,
}

impl Theirs {
    pub(crate) fn server(config: ServerConfig) -> Self {
        Self::new(rustls::Connection::Server(ServerConnection::new(Arc::new(config)).expect(FINE)))
    }

    pub(crate) fn client(config: ClientConfig) -> Self {
        Self::client_with(Arc::new(config))
    }

    pub(crate) fn client_with(config: Arc<ClientConfig>) -> Self {
        Self::new(rustls::Connection::Client(ClientConnection::new(config, localhost()).expect(FINE)))
    }

    fn new(tls: rustls::Connection) -> Self {
        Self { tls, received: Vec::new(), ended: false, error: None }
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.tls.writer().write_all(bytes).expect(FINE);
    }
}

impl End for Theirs {
    fn input(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && self.error.is_none() {
            self.tls.read_tls(&mut bytes).expect(FINE);
            match self.tls.process_new_packets() {
                Ok(state) => {
                    let mut data = vec![0; state.plaintext_bytes_to_read()];
                    self.tls.reader().read_exact(&mut data).expect(FINE);
                    self.received.extend_from_slice(&data);
                    self.ended |= state.peer_has_closed();
                }
                Err(error) => self.error = Some(error),
            }
        }
    }

    fn output(&mut self) -> Vec<u8> {
        let mut sent = Vec::new();
        while self.tls.wants_write() {
            self.tls.write_tls(&mut sent).expect(FINE);
        }
        sent
    }
}

/// Carries bytes to and fro, cut in this way, until neither end has any.
pub(crate) fn run(one: &mut dyn End, other: &mut dyn End, way: Chop) {
    for _ in 0..1000 {
        let (sent, answered) = (one.output(), other.output());
        if sent.is_empty() && answered.is_empty() {
            return;
        }
        way.pieces(&sent).iter().for_each(|piece| other.input(piece));
        way.pieces(&answered).iter().for_each(|piece| one.input(piece));
    }
    panic!("the two ends never come to rest");
}

/// Ways to cut a stream that is too long to be cut everywhere.
pub(crate) fn ways() -> impl Iterator<Item = Chop> {
    [Chop::Whole, Chop::Bytes]
        .into_iter()
        .chain((0..20).map(Chop::Seeded))
        .chain((1..600).step_by(7).map(Chop::At))
}
