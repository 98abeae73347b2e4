//! A TLS connection: ciphertext in, plaintext out, and the other way round.

use crate::TlsFault;
use crate::server_name::{self, Found};
use bytes::{Buf, Bytes, BytesMut};
use ringwire_http::{Close, Output, SendQueue};
use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus, WriteTraffic};
use rustls::{ClientConfig, CommonState, Error, HandshakeKind, ProtocolVersion, ServerConfig};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A TLS connection, for either side.
///
/// The contract is that of an HTTP connection: after everything that changes it, call [`poll_event`](Self::poll_event) until
/// `None` and [`poll_output`](Self::poll_output). Plaintext goes on to the HTTP connection that its ALPN result names, whose
/// output `poll_output` encrypts.
#[derive(Debug)]
pub struct TlsConnection {
    side: Side,
    limits: TlsLimits,
    phase: Phase,
    input_ended: bool,
    /// Ciphertext of which no record is whole.
    incoming: BytesMut,
    /// The name that the client asked for.
    server_name: Found,
    /// Records of the handshake, alerts and key updates that are to be sent.
    records: BytesMut,
    events: VecDeque<TlsEvent>,
    /// Plaintext to send. What is encrypted stays in it until it is sent, so that the HTTP connection sees it leave.
    plain: SendQueue,
    is_encrypted: bool,
    /// close_notify was sent.
    is_notified: bool,
}

/// Bounds on what a peer may cost.
#[derive(Clone, Debug)]
pub struct TlsLimits {
    /// The longest time of the handshake.
    pub handshake_timeout: Duration,
    /// The most bytes that the peer sends in the handshake. A chain of certificates takes some kilobytes.
    pub handshake_max: usize,
    /// The longest time between an alert and the close, so that the peer can read it.
    pub linger_timeout: Duration,
}

/// An event of a TLS connection.
#[derive(Debug, PartialEq)]
pub enum TlsEvent {
    /// The handshake is complete. This comes before all others but `Failed`.
    Established(TlsSession),
    /// Plaintext.
    Data(Bytes),
    /// The peer has said that it sends no more.
    End,
    /// The transport has ended, and the peer had not said that it sends no more: what was received may be cut short.
    Truncated,
    /// The connection has failed. Nothing follows.
    Failed(TlsFault),
}

/// What was agreed on in a handshake.
#[derive(Debug, Eq, PartialEq)]
pub struct TlsSession {
    /// The protocol that is spoken inside: `h2`, `http/1.1`; `None` if the client offered nothing.
    pub alpn: Option<Vec<u8>>,
    /// The name of the server that the client asked for. On a client, always `None`.
    pub server_name: Option<String>,
    /// The chain of the peer's certificates, its own first; empty if it was not asked.
    pub peer_certificates: Vec<CertificateDer<'static>>,
    /// The version of TLS.
    pub version: Option<ProtocolVersion>,
    /// An earlier session was resumed.
    pub resumed: bool,
}

enum Side {
    Server(UnbufferedServerConnection),
    Client(UnbufferedClientConnection),
}

#[derive(Debug)]
enum Phase {
    /// So many bytes of it have arrived.
    Handshake {
        until: Instant,
        received: usize,
    },
    Open,
    /// The alert is written.
    Failed {
        until: Instant,
    },
    Closed,
}

impl Default for TlsLimits {
    fn default() -> Self {
        Self {
            handshake_timeout: Duration::from_secs(10),
            handshake_max: 64 * 1024,
            linger_timeout: Duration::from_secs(2),
        }
    }
}

impl TlsConnection {
    /// A connection that a client has opened.
    ///
    /// # Errors
    /// The configuration does not fit together, or allows early data, which anyone can send again.
    pub fn server(config: Arc<ServerConfig>, limits: TlsLimits, now: Instant) -> Result<Self, Error> {
        if config.max_early_data_size > 0 {
            return Err(early_data());
        }
        let side = Side::Server(UnbufferedServerConnection::new(config)?);
        Ok(Self::new(side, limits, now, Found::Short))
    }

    /// A connection to the server `name`.
    ///
    /// # Errors
    /// The configuration does not fit together.
    pub fn client(
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
        limits: TlsLimits,
        now: Instant,
    ) -> Result<Self, Error> {
        let side = Side::Client(UnbufferedClientConnection::new(config, name)?);
        let mut connection = Self::new(side, limits, now, Found::Nothing);
        connection.process(now, None);
        Ok(connection)
    }

    fn new(side: Side, limits: TlsLimits, now: Instant, server_name: Found) -> Self {
        Self {
            side,
            phase: Phase::Handshake { until: now + limits.handshake_timeout, received: 0 },
            limits,
            input_ended: false,
            incoming: BytesMut::new(),
            server_name,
            records: BytesMut::new(),
            events: VecDeque::new(),
            plain: SendQueue::new(),
            is_encrypted: false,
            is_notified: false,
        }
    }

    /// Takes ciphertext that has arrived, cut in any way. It is decrypted in place, if nobody else holds these bytes.
    pub fn handle_input(&mut self, now: Instant, mut bytes: Bytes) {
        if let Phase::Handshake { received, .. } = &mut self.phase {
            // The last bytes of a handshake may come together with the first request, which has bounds of its own.
            let room = self.limits.handshake_max - *received;
            let beyond = bytes.split_off(bytes.len().min(room));
            *received += bytes.len();
            self.take(now, bytes);
            if beyond.is_empty() {
                return;
            }
            if matches!(self.phase, Phase::Handshake { .. }) {
                return self.fail(TlsFault::HandshakeTooLarge { limit: self.limits.handshake_max }, now);
            }
            bytes = beyond;
        }
        self.take(now, bytes);
    }

    fn take(&mut self, now: Instant, bytes: Bytes) {
        if matches!(self.phase, Phase::Failed { .. } | Phase::Closed) {
            return;
        }
        if self.incoming.is_empty() {
            self.incoming = bytes.try_into_mut().unwrap_or_else(|bytes| BytesMut::from(&bytes[..]));
        } else {
            self.incoming.extend_from_slice(&bytes);
        }
        if matches!(self.phase, Phase::Handshake { .. }) && self.server_name == Found::Short {
            self.server_name = server_name::find(&self.incoming);
        }
        self.process(now, None);
    }

    /// Takes note that the peer has closed its sending side, or that the transport is lost.
    pub fn handle_end(&mut self, now: Instant) {
        let had_ended = std::mem::replace(&mut self.input_ended, true);
        match self.phase {
            Phase::Handshake { .. } => {
                self.fail(TlsFault::Truncated, now);
                self.phase = Phase::Closed;
            }
            Phase::Open if !had_ended => self.events.push_back(TlsEvent::Truncated),
            Phase::Open => {}
            Phase::Failed { .. } | Phase::Closed => self.phase = Phase::Closed,
        }
    }

    /// Ends a handshake that takes too long. A call that comes early does nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        match self.phase {
            Phase::Handshake { until, .. } if until <= now => self.fail(TlsFault::HandshakeTimeout, now),
            Phase::Failed { until } if until <= now => self.phase = Phase::Closed,
            Phase::Handshake { .. } | Phase::Failed { .. } | Phase::Open | Phase::Closed => {}
        }
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<TlsEvent> {
        self.events.pop_front()
    }

    /// Moves records that are to be sent into `out`, if `out` is empty. `above` is asked for the output of the HTTP connection
    /// inside; before there is one, it returns an [`Output`] that waits for nothing.
    ///
    /// Where the HTTP connection shuts its sending side down, the peer is told first.
    pub fn poll_output(
        &mut self,
        now: Instant,
        out: &mut SendQueue,
        above: impl FnOnce(&mut SendQueue) -> Output,
    ) -> Output {
        // Ciphertext is longer than its plaintext, so that this comes to nothing when all is sent.
        if self.is_encrypted {
            let sent = self.plain.len().saturating_sub(out.len());
            self.plain.advance(sent);
            self.is_encrypted = !self.plain.is_empty();
        }
        let mut output = match self.phase {
            Phase::Handshake { until, .. } => Output { deadline: Some(until), read: true, close: Close::No },
            Phase::Open => above(&mut self.plain),
            Phase::Failed { until } => Output { deadline: Some(until), read: true, close: Close::Sending },
            Phase::Closed => Output { deadline: None, read: false, close: Close::Both },
        };
        if !out.is_empty() {
            if output.close == Close::Sending && !self.is_notified && matches!(self.phase, Phase::Open) {
                output.close = Close::No;
            }
            return output;
        }
        let is_last = output.close == Close::Sending;
        if matches!(self.phase, Phase::Open) && !self.is_notified && (is_last || !self.plain.is_empty()) {
            self.process(now, Some(Write { is_last }));
            self.is_encrypted = !self.plain.is_empty();
            self.is_notified = is_last;
        }
        if !self.records.is_empty() {
            std::mem::swap(out.buffer(), &mut self.records);
        }
        if matches!(self.phase, Phase::Failed { .. }) {
            output.close = Close::Sending;
        }
        output
    }

    /// Processes the records that have arrived, and encrypts what is to be sent.
    fn process(&mut self, now: Instant, write: Option<Write>) {
        let mut plaintext = BytesMut::new();
        loop {
            let step = self.advance(write, &mut plaintext);
            if matches!(self.phase, Phase::Handshake { .. }) && !self.common().is_handshaking() {
                self.phase = Phase::Open;
                let session = self.session();
                self.events.push_back(TlsEvent::Established(session));
            }
            match step {
                Ok(Step::Again) => {}
                Ok(Step::Wait) => return self.flush(&mut plaintext),
                Ok(Step::PeerClosed) => {
                    self.flush(&mut plaintext);
                    self.input_ended = true;
                    self.events.push_back(TlsEvent::End);
                }
                Err(error) => {
                    self.flush(&mut plaintext);
                    // What rustls still has to send: the rest of its flight, and an alert. It must not read on.
                    while self.common().wants_write() {
                        let _ = self.advance(None, &mut plaintext);
                    }
                    return self.fail(TlsFault::Protocol(error), now);
                }
            }
        }
    }

    /// Does the next thing that rustls asks for.
    ///
    /// It is given the bytes of unfinished records each time, even where it only has to send: it remembers places in them.
    fn advance(&mut self, write: Option<Write>, plaintext: &mut BytesMut) -> Result<Step, Error> {
        let Self { side, incoming, records, plain, .. } = self;
        let mut round = Round { records, plaintext, write: write.map(|write| (write, &*plain)) };
        let (discard, step) = match side {
            Side::Server(connection) => round.advance(connection.process_tls_records(incoming)),
            Side::Client(connection) => round.advance(connection.process_tls_records(incoming)),
        };
        incoming.advance(discard);
        step
    }

    fn flush(&mut self, plaintext: &mut BytesMut) {
        if !plaintext.is_empty() {
            self.events.push_back(TlsEvent::Data(plaintext.split().freeze()));
        }
    }

    fn fail(&mut self, fault: TlsFault, now: Instant) {
        self.incoming = BytesMut::new();
        self.phase = Phase::Failed { until: now + self.limits.linger_timeout };
        self.events.push_back(TlsEvent::Failed(fault));
    }

    fn session(&mut self) -> TlsSession {
        let server_name = match std::mem::replace(&mut self.server_name, Found::Nothing) {
            Found::Name(name) => Some(name),
            Found::Nothing | Found::Short => None,
        };
        let common = self.common();
        TlsSession {
            alpn: common.alpn_protocol().map(<[u8]>::to_vec),
            server_name,
            peer_certificates: common
                .peer_certificates()
                .unwrap_or_default()
                .iter()
                .cloned()
                .map(CertificateDer::into_owned)
                .collect(),
            version: common.protocol_version(),
            resumed: common.handshake_kind() == Some(HandshakeKind::Resumed),
        }
    }

    fn common(&self) -> &CommonState {
        match &self.side {
            Side::Server(connection) => connection,
            Side::Client(connection) => connection,
        }
    }
}

impl fmt::Debug for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Server(_) => "Server",
            Self::Client(_) => "Client",
        })
    }
}

/// What became of an attempt to go on.
enum Step {
    Again,
    /// More must arrive.
    Wait,
    PeerClosed,
}

/// An order to encrypt what is to be sent.
#[derive(Clone, Copy)]
struct Write {
    /// close_notify follows.
    is_last: bool,
}

/// The buffers of one step.
struct Round<'a> {
    records: &'a mut BytesMut,
    plaintext: &'a mut BytesMut,
    write: Option<(Write, &'a SendQueue)>,
}

impl Round<'_> {
    /// Does what rustls asks for. Returns the number of bytes that are done with.
    fn advance<Data>(&mut self, status: UnbufferedStatus<'_, '_, Data>) -> (usize, Result<Step, Error>) {
        let mut discard = status.discard;
        let step = match status.state {
            Err(error) => Err(error),
            Ok(ConnectionState::ReadTraffic(mut traffic)) => loop {
                match traffic.next_record() {
                    Some(Ok(record)) => {
                        self.plaintext.extend_from_slice(record.payload);
                        discard += record.discard;
                    }
                    Some(Err(error)) => break Err(error),
                    None => break Ok(Step::Again),
                }
            },
            Ok(ConnectionState::EncodeTlsData(mut handshake)) => {
                let encoded = append(self.records, 0, |buffer| match handshake.encode(buffer) {
                    Ok(len) => Ok(Some(len)),
                    Err(EncodeError::InsufficientSize(size)) => Err(size.required_size),
                    Err(EncodeError::AlreadyEncoded) => Ok(None),
                });
                Ok(if encoded { Step::Again } else { Step::Wait })
            }
            Ok(ConnectionState::TransmitTlsData(transmit)) => {
                transmit.done();
                Ok(Step::Again)
            }
            Ok(ConnectionState::PeerClosed) => Ok(Step::PeerClosed),
            Ok(ConnectionState::ReadEarlyData(_)) => Err(early_data()),
            Ok(ConnectionState::WriteTraffic(traffic)) => self.encrypt(traffic),
            Ok(_) => Ok(Step::Wait),
        };
        (discard, step)
    }

    fn encrypt<Data>(&mut self, mut traffic: WriteTraffic<'_, Data>) -> Result<Step, Error> {
        let Some((Write { is_last }, plain)) = self.write else { return Ok(Step::Wait) };
        let mut is_written = true;
        for chunk in plain.chunks() {
            let room = chunk.len() + (chunk.len() / RECORD_MAX + 1) * OVERHEAD;
            is_written &= append(self.records, room, |buffer| encrypted(traffic.encrypt(chunk, buffer)));
        }
        if is_last {
            is_written &=
                append(self.records, OVERHEAD, |buffer| encrypted(traffic.queue_close_notify(buffer)));
        }
        if is_written { Ok(Step::Wait) } else { Err(Error::EncryptError) }
    }
}

fn encrypted(result: Result<usize, EncryptError>) -> Result<Option<usize>, usize> {
    match result {
        Ok(len) => Ok(Some(len)),
        Err(EncryptError::InsufficientSize(size)) => Err(size.required_size),
        Err(EncryptError::EncryptExhausted) => Ok(None),
    }
}

fn early_data() -> Error {
    Error::General("early data is not supported".to_owned())
}

/// Appends what `fill` writes into the room that it is given; if that is too small, it says how much it needs. `false` if it has
/// nothing to write.
fn append(
    buffer: &mut BytesMut,
    mut room: usize,
    mut fill: impl FnMut(&mut [u8]) -> Result<Option<usize>, usize>,
) -> bool {
    let start = buffer.len();
    loop {
        buffer.resize(start + room, 0);
        match fill(&mut buffer[start..]) {
            Ok(written) => {
                buffer.truncate(start + written.unwrap_or(0));
                return written.is_some();
            }
            Err(required) => {
                assert!(required > room, "rustls asks for more room than it was given");
                room = required;
            }
        }
    }
}

/// The most plaintext of a record: RFC 8446 section 5.1.
const RECORD_MAX: usize = 16 * 1024;
/// The most bytes that a record adds: its header, an explicit nonce, a tag, the type of its content.
const OVERHEAD: usize = 5 + 8 + 16 + 1;
