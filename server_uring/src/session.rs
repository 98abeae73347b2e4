//! One connection: HTTP on its bytes, and an exchange for each of its streams.
//!
//! The HTTP engine and the exchanges never see each other. Events of the one are fed to the others; what those answer is
//! written straight into the buffer that the engine sends.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use ringwire_call::{ConnectionEnd, Observer};
use ringwire_http::{
    Close, Event, Head, Headers, HeadersMut, Names, Output, Part, Reset, SendQueue, Server, StreamId, Token,
};
use ringwire_http2::{Preface, preface};
use ringwire_service::{Code, Input, Outbox, Peer, PeerAddress};
use ringwire_tls::rustls::ServerConfig;
use ringwire_tls::{TlsConnection, TlsEvent, TlsLimits};
use {ringwire_http1 as http1, ringwire_http2 as http2};

use crate::exchange::{Arrived, Exchange, Handler, Step};
use crate::listener::Address;
use crate::observed::ObservedConnection;
use crate::shard::{Lost, Session, Sessions, Turn};
use crate::wakes::CallWaker;

/// The settings of all connections of a server.
pub(crate) struct Config {
    pub(crate) http1: http1::Limits,
    pub(crate) http2: http2::Limits,
    pub(crate) tls: Option<(Arc<ServerConfig>, TlsLimits)>,
    pub(crate) names: &'static Names,
    /// From accept to the first request of HTTP/1, or to the preface of HTTP/2.
    pub(crate) handshake: Duration,
    /// Requests in the life of a connection.
    pub(crate) requests_max: Option<u64>,
    /// Requests in flight on one connection.
    pub(crate) in_flight_max: usize,
    /// The time after which a client that was turned away may try again.
    pub(crate) push_back: Duration,
    pub(crate) age: Option<Duration>,
    /// The time that requests get to finish once a connection that is old or used up was told to go.
    pub(crate) grace: Duration,
    pub(crate) observer: Option<Arc<dyn Observer>>,
}

/// The connections of one shard.
pub(crate) struct HttpSessions<H> {
    handler: H,
    config: Arc<Config>,
    /// Requests in flight on all connections of the shard.
    in_flight_max: usize,
    /// The bytes of a body on their way from an exchange to its connection.
    body: BytesMut,
    random: Random,
}

/// One connection.
pub(crate) struct HttpSession<E> {
    config: Arc<Config>,
    peer: Arc<Peer>,
    /// The stage between the socket and HTTP.
    tls: Option<Box<TlsConnection>>,
    stage: Stage,
    calls: Vec<Option<Call<E>>>,
    /// The places in `calls` that no call has.
    free: Vec<u32>,
    /// The streams of `calls`, by number.
    streams: Vec<(StreamId, u32)>,
    /// Calls that are done, and wait for the peer to take the last bytes.
    done: Vec<u32>,
    requests: u64,
    old_at: Option<Instant>,
    /// The server drains, and the peer has not said anything yet.
    is_late: bool,
    /// Until when requests in flight have time then. A drained server bounds it otherwise.
    going_until: Option<Instant>,
    /// Why the peer was asked to go, if it was.
    going: Option<Going>,
    observed: Option<Box<ObservedConnection>>,
}

/// Why a peer is asked to go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Going {
    Drain,
    Age,
}

enum Stage {
    /// The first bytes tell the version.
    Detect {
        read: BytesMut,
        until: Instant,
    },
    Http(Engine),
    Closed,
}

enum Engine {
    One(Box<http1::Connection<Server>>),
    Two(Box<http2::Connection<Server>>),
}

/// One exchange in flight.
struct Call<E> {
    stream: StreamId,
    exchange: E,
    /// There until the call is removed.
    waker: Option<CallWaker>,
    armed: Option<Instant>,
    /// The status of the response, once its head is sent.
    status: Option<u16>,
    /// Bytes of the request that the exchange has, and the peer is not told of.
    unreleased: usize,
    /// The client waits to be told to go on.
    expects: bool,
    /// The request has ended.
    is_ended: bool,
    /// The response is complete; its last bytes wait for the peer.
    is_done: bool,
}

impl<H: Handler> HttpSessions<H> {
    pub(crate) fn new(handler: H, config: Arc<Config>, in_flight_max: usize) -> Self {
        Self { handler, config, in_flight_max, body: BytesMut::new(), random: Random::new() }
    }
}

impl<H: Handler> Sessions for HttpSessions<H> {
    type Session = HttpSession<H::Exchange>;

    fn open(&mut self, peer: Address, now: Instant) -> Self::Session {
        // A fleet of clients must not come back at once.
        let age = self.config.age.map(|age| age.mul_f64(0.9 + 0.2 * self.random.next()));
        let tls = self.config.tls.as_ref().map(|(config, limits)| {
            let tls = TlsConnection::server(config.clone(), limits.clone(), now);
            Box::new(tls.expect("the configuration was tried when the server started"))
        });
        let observed = self.config.observer.clone();
        let observed = observed.map(|observer| Box::new(ObservedConnection::new(observer, peer.tcp())));
        HttpSession {
            config: self.config.clone(),
            peer: Arc::new(Peer::new(PeerAddress::from(peer))),
            tls,
            stage: Stage::Detect { read: BytesMut::new(), until: now + self.config.handshake },
            calls: Vec::new(),
            free: Vec::new(),
            streams: Vec::new(),
            done: Vec::new(),
            requests: 0,
            old_at: age.map(|age| now + age),
            is_late: false,
            going_until: None,
            going: None,
            observed,
        }
    }

    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.handler.poll_idle(cx)
    }
}

impl<H: Handler> Session<HttpSessions<H>> for HttpSession<H::Exchange> {
    fn handle_input(&mut self, sessions: &mut HttpSessions<H>, turn: &mut Turn<'_>, bytes: Bytes) {
        match &mut self.tls {
            None => self.handle_plain(turn.now, bytes),
            Some(tls) => {
                tls.handle_input(turn.now, bytes);
                return self.pump_tls(sessions, turn);
            }
        }
        self.pump(sessions, turn);
    }

    fn handle_end(&mut self, sessions: &mut HttpSessions<H>, turn: &mut Turn<'_>) {
        match &mut self.tls {
            None => self.handle_plain_end(turn.now),
            Some(tls) => {
                tls.handle_end(turn.now);
                return self.pump_tls(sessions, turn);
            }
        }
        self.pump(sessions, turn);
    }

    fn handle_lost(&mut self, sessions: &mut HttpSessions<H>, turn: &mut Turn<'_>, how: Lost) {
        if let Some(observed) = self.observed.take() {
            observed.ends(self.end(&how), &how, turn.now);
        }
        self.with_engine(|engine| engine.close(turn.now));
        self.pump(sessions, turn);
        for slot in 0..self.calls.len() {
            self.remove(turn, slot as u32);
        }
    }

    fn handle_wake(&mut self, sessions: &mut HttpSessions<H>, turn: &mut Turn<'_>, slot: u32) {
        // An engine learns the time from what it is told, and is about to be written to.
        self.with_engine(|engine| engine.handle_timeout(turn.now));
        self.drive(sessions, turn, slot);
    }

    fn handle_alarm(&mut self, sessions: &mut HttpSessions<H>, turn: &mut Turn<'_>, slot: u32) {
        if let Some(Some(call)) = self.calls.get_mut(slot as usize) {
            call.armed = None;
            self.handle_wake(sessions, turn, slot);
        }
    }

    fn handle_timeout(&mut self, sessions: &mut HttpSessions<H>, turn: &mut Turn<'_>) {
        if self.going_until.is_some_and(|until| until <= turn.now) {
            self.stage = Stage::Closed;
            return;
        }
        if self.old_at.is_some_and(|at| at <= turn.now) {
            self.old_at = None;
            self.go(turn.now);
        }
        match &mut self.stage {
            Stage::Detect { until, .. } if *until <= turn.now => self.stage = Stage::Closed,
            Stage::Detect { .. } | Stage::Closed => {}
            Stage::Http(engine) => engine.handle_timeout(turn.now),
        }
        if let Some(tls) = &mut self.tls {
            tls.handle_timeout(turn.now);
            self.pump_tls(sessions, turn);
        }
        self.pump(sessions, turn);
    }

    fn drain(&mut self, sessions: &mut HttpSessions<H>, turn: &mut Turn<'_>) {
        self.going.get_or_insert(Going::Drain);
        match &mut self.stage {
            // Clients open connections ahead of need. One that has asked for nothing yet loses nothing, and must not hold up
            // a drain for as long as a handshake may take; one whose request is under way has it here by then.
            Stage::Detect { until, .. } => {
                *until = (*until).min(turn.now + DRAIN_HANDSHAKE);
                self.is_late = true;
            }
            Stage::Http(engine) => engine.drain(turn.now),
            Stage::Closed => {}
        }
        self.pump(sessions, turn);
    }

    fn poll_output(
        &mut self,
        sessions: &mut HttpSessions<H>,
        turn: &mut Turn<'_>,
        queue: &mut SendQueue,
    ) -> Output {
        match self.tls.take() {
            None => self.poll_plain(sessions, turn, queue),
            Some(mut tls) => {
                let output = tls.poll_output(turn.now, queue, |plain| self.poll_plain(sessions, turn, plain));
                self.tls = Some(tls);
                output
            }
        }
    }

    fn requests(&self) -> usize {
        self.streams.len()
    }
}

impl<E: Exchange> HttpSession<E> {
    /// Takes bytes as HTTP sees them.
    fn handle_plain(&mut self, now: Instant, bytes: Bytes) {
        match &mut self.stage {
            Stage::Detect { read, .. } => {
                let bytes = if read.is_empty() {
                    bytes
                } else {
                    read.extend_from_slice(&bytes);
                    read.split().freeze()
                };
                match preface(&bytes) {
                    Preface::Short => {
                        *read = BytesMut::from(&bytes[..]);
                        return;
                    }
                    Preface::Http2 => self.speak_http2(now),
                    // A peer that meant HTTP/2 would take an answer for a frame.
                    Preface::Other if is_of_no_version(&bytes) => self.stage = Stage::Closed,
                    Preface::Other => self.speak_http1(now),
                }
                self.with_engine(|engine| engine.handle_input(now, bytes));
            }
            Stage::Http(engine) => engine.handle_input(now, bytes),
            Stage::Closed => {}
        }
        if self.is_late {
            // It asked before it was told, and is answered.
            self.is_late = false;
            self.going_until = None;
            self.with_engine(|engine| engine.drain(now));
        }
    }

    fn handle_plain_end(&mut self, now: Instant) {
        match &mut self.stage {
            Stage::Detect { .. } => self.stage = Stage::Closed,
            Stage::Http(engine) => engine.handle_end(now),
            Stage::Closed => {}
        }
    }

    fn speak_http1(&mut self, now: Instant) {
        let Config { http1, names, .. } = &*self.config;
        self.speak(Engine::One(Box::new(http1::Connection::server(http1.clone(), names, now))), now);
    }

    fn speak_http2(&mut self, now: Instant) {
        let Config { http2, names, .. } = &*self.config;
        self.speak(Engine::Two(Box::new(http2::Connection::server(http2.clone(), names, now))), now);
    }

    fn speak(&mut self, engine: Engine, now: Instant) {
        if self.is_late {
            self.going_until = Some(now + DRAIN_HANDSHAKE);
        }
        self.stage = Stage::Http(engine);
        if let Some(observed) = &mut self.observed {
            observed.opens(now);
        }
    }

    /// Why the connection ends, if it was open.
    fn end<'a>(&'a self, how: &'a Lost) -> ConnectionEnd<'a> {
        let Stage::Http(engine) = &self.stage else { return self.ending(ConnectionEnd::Drain) };
        match (how, engine) {
            (Lost::Cut, _) => ConnectionEnd::Drain,
            (Lost::Broken, _) => ConnectionEnd::Broken(how),
            (Lost::Closed, Engine::One(engine)) => match engine.outcome() {
                Some(http1::Outcome::Idle) => ConnectionEnd::Idle,
                Some(http1::Outcome::Fault(fault)) => ConnectionEnd::Broken(fault),
                Some(http1::Outcome::Aborted) => ConnectionEnd::Broken(how),
                // The last exchange is over, because one of the two has asked for that.
                Some(http1::Outcome::PeerClosed | http1::Outcome::Finished) | None => {
                    self.ending(ConnectionEnd::Peer)
                }
            },
            (Lost::Closed, Engine::Two(engine)) => match engine.outcome() {
                Some(http2::Outcome::Idle) => ConnectionEnd::Idle,
                Some(http2::Outcome::Aged) => ConnectionEnd::Age,
                Some(
                    http2::Outcome::Disconnected
                    | http2::Outcome::Gone { code: http2::ErrorCode::NO_ERROR, .. },
                ) => self.ending(ConnectionEnd::Peer),
                Some(
                    outcome @ (http2::Outcome::Gone { .. }
                    | http2::Outcome::Violation { .. }
                    | http2::Outcome::Excess(_)
                    | http2::Outcome::TimedOut(_)),
                ) => ConnectionEnd::Broken(outcome),
                Some(http2::Outcome::Closed) | None => self.ending(ConnectionEnd::Drain),
            },
        }
    }

    /// The reason for which the peer was asked to go, which is why it closes; or another one if it was not asked.
    fn ending<'a>(&self, otherwise: ConnectionEnd<'a>) -> ConnectionEnd<'a> {
        match self.going {
            Some(Going::Age) => ConnectionEnd::Age,
            Some(Going::Drain) => ConnectionEnd::Drain,
            None => otherwise,
        }
    }

    /// Hands on what TLS has to say.
    fn pump_tls<H: Handler<Exchange = E>>(&mut self, sessions: &mut HttpSessions<H>, turn: &mut Turn<'_>) {
        while let Some(event) = self.tls.as_mut().and_then(|tls| tls.poll_event()) {
            match event {
                TlsEvent::Established(session) => {
                    let certificates = session.peer_certificates.iter();
                    let certificates = certificates.map(|der| Bytes::copy_from_slice(der)).collect();
                    self.peer = Arc::new(Peer::clone(&self.peer).with_certificates(certificates));
                    match session.alpn.as_deref() {
                        Some(b"h2") => self.speak_http2(turn.now),
                        Some(b"http/1.1") => self.speak_http1(turn.now),
                        // The first bytes tell.
                        Some(_) | None => {}
                    }
                }
                TlsEvent::Data(bytes) => self.handle_plain(turn.now, bytes),
                // On a server the end of a request is never that of the connection, so a cut is found by HTTP.
                TlsEvent::End | TlsEvent::Truncated => self.handle_plain_end(turn.now),
                TlsEvent::Failed(fault) => {
                    if let Some(observed) = self.observed.take() {
                        observed.ends(ConnectionEnd::Broken(&fault), &fault, turn.now);
                    }
                    self.with_engine(|engine| engine.close(turn.now));
                }
            }
            self.pump(sessions, turn);
        }
    }

    fn poll_plain<H: Handler<Exchange = E>>(
        &mut self,
        sessions: &mut HttpSessions<H>,
        turn: &mut Turn<'_>,
        queue: &mut SendQueue,
    ) -> Output {
        let mut output = match &mut self.stage {
            Stage::Detect { until, .. } => Output { deadline: Some(*until), read: true, close: Close::No },
            Stage::Closed => Output { deadline: None, read: false, close: Close::Both },
            Stage::Http(engine) => {
                let was_empty = queue.is_empty();
                let mut output = engine.poll_output(turn.now, queue);
                // Room for more, and what came behind a request that is answered now.
                if was_empty && !queue.is_empty() && self.pump(sessions, turn) {
                    output = self.with_engine(|engine| engine.poll_output(turn.now, queue)).unwrap_or(output);
                }
                if !self.done.is_empty() {
                    self.end_done(turn);
                }
                output
            }
        };
        output.deadline = [output.deadline, self.old_at, self.going_until].into_iter().flatten().min();
        output
    }

    fn with_engine<T>(&mut self, act: impl FnOnce(&mut Engine) -> T) -> Option<T> {
        match &mut self.stage {
            Stage::Http(engine) => Some(act(engine)),
            Stage::Detect { .. } | Stage::Closed => None,
        }
    }

    /// Asks the peer to go, and gives requests in flight some time.
    fn go(&mut self, now: Instant) {
        self.going.get_or_insert(Going::Age);
        self.going_until.get_or_insert(now + self.config.grace);
        self.with_engine(|engine| engine.drain(now));
    }

    /// Acts on the events of the engine; says whether there were any.
    fn pump<H: Handler<Exchange = E>>(
        &mut self,
        sessions: &mut HttpSessions<H>,
        turn: &mut Turn<'_>,
    ) -> bool {
        let mut any = false;
        // A call that gets more with the next event is polled then: mostly that completes the request.
        let mut fed: Option<(StreamId, u32)> = None;
        while let Stage::Http(engine) = &mut self.stage
            && let Some(event) = engine.poll_event()
        {
            any = true;
            if let Some((stream, slot)) = fed.take()
                && stream_of(&event) != stream
            {
                self.drive(sessions, turn, slot);
            }
            match event {
                Event::Head { stream, head, end } => {
                    let slot = self.begin(sessions, turn, stream, head, end);
                    match end {
                        true => self.drive(sessions, turn, slot),
                        false => fed = Some((stream, slot)),
                    }
                }
                Event::Data { stream, data, end } => {
                    let Some(slot) = self.slot(stream) else { continue };
                    let call = self.calls[slot as usize].as_mut().expect("a slot that is named is in use");
                    call.expects = false;
                    call.unreleased += data.len();
                    call.exchange.handle_input(Input::Data(data));
                    if !end {
                        fed = Some((stream, slot));
                        continue;
                    }
                    call.is_ended = true;
                    call.exchange.handle_input(Input::End);
                    self.drive(sessions, turn, slot);
                }
                Event::Trailers { stream, fields } => {
                    let Some(slot) = self.slot(stream) else { continue };
                    let call = self.calls[slot as usize].as_mut().expect("a slot that is named is in use");
                    call.is_ended = true;
                    call.exchange.handle_input(Input::Trailers(&fields));
                    self.drive(sessions, turn, slot);
                }
                Event::Room { stream } => {
                    if let Some(slot) = self.slot(stream) {
                        self.drive(sessions, turn, slot);
                    }
                }
                Event::Reset { stream, reset: _ } => {
                    if let Some(slot) = self.slot(stream) {
                        self.remove(turn, slot);
                    }
                }
            }
        }
        if let Some((_, slot)) = fed {
            self.drive(sessions, turn, slot);
        }
        any
    }

    fn begin<H: Handler<Exchange = E>>(
        &mut self,
        sessions: &mut HttpSessions<H>,
        turn: &mut Turn<'_>,
        stream: StreamId,
        head: Head,
        end: bool,
    ) -> u32 {
        let is_shed = turn.shard.requests() >= sessions.in_flight_max
            || self.streams.len() >= self.config.in_flight_max;
        turn.shard.request_started(is_shed);
        self.requests += 1;
        if self.config.requests_max.is_some_and(|max| self.requests >= max) {
            self.go(turn.now);
        }
        let expects = !end && head.fields().known(Token::EXPECT).is_some();
        let arrived = Arrived { head, peer: self.peer.clone(), end, now: turn.now };
        let exchange = match is_shed {
            true => sessions.handler.shed(arrived, self.config.push_back),
            false => sessions.handler.start(arrived),
        };
        let slot = self.free.pop().unwrap_or_else(|| {
            if self.calls.capacity() == 0 {
                // Many connections have one call at a time, and many of them are idle.
                self.calls.reserve_exact(1);
            }
            self.calls.push(None);
            u32::try_from(self.calls.len() - 1).expect("a connection has fewer streams than 2^32")
        });
        self.calls[slot as usize] = Some(Call {
            stream,
            exchange,
            waker: Some(turn.wakers.take(turn.key, slot)),
            armed: None,
            status: None,
            unreleased: 0,
            expects,
            is_ended: end,
            is_done: false,
        });
        let place = self.streams.partition_point(|(other, _)| *other < stream);
        self.streams.insert(place, (stream, slot));
        slot
    }

    fn slot(&self, stream: StreamId) -> Option<u32> {
        let place = self.streams.binary_search_by_key(&stream, |(stream, _)| *stream).ok()?;
        Some(self.streams[place].1)
    }

    fn remove(&mut self, turn: &mut Turn<'_>, slot: u32) {
        let Some(place) = self.calls.get_mut(slot as usize) else { return };
        let Some(call) = place else { return };
        if !call.is_done {
            turn.shard.request_answered(Some(Code::Canceled));
        }
        turn.disarm(&mut call.armed, slot);
        if let Ok(place) = self.streams.binary_search_by_key(&call.stream, |(stream, _)| *stream) {
            self.streams.remove(place);
        }
        let waker = call.waker.take();
        // Where it lies, since moving it costs more. Its code may keep a clone of the waker until then.
        *place = None;
        if self.streams.is_empty() && self.calls.len() > SLOTS_KEPT {
            (self.calls, self.free, self.streams) = (Vec::new(), Vec::new(), Vec::new());
        } else {
            self.free.push(slot);
        }
        turn.wakers.put(waker.expect("there until the call is removed"));
        turn.shard.request_ended();
    }

    /// Ends a call whose response is complete, once the peer has taken all of it.
    fn done(&mut self, turn: &mut Turn<'_>, slot: u32) {
        let (Some(Some(call)), Stage::Http(engine)) = (self.calls.get_mut(slot as usize), &mut self.stage)
        else {
            return;
        };
        if !std::mem::replace(&mut call.is_done, true) {
            // Who answers in no code answers with a status.
            let status = call.status.filter(|status| *status >= 400);
            let code = call.exchange.code().or_else(|| status.map(Code::from_http_status));
            turn.shard.request_answered(code);
        }
        if engine.stream(call.stream).is_none() {
            return self.remove(turn, slot);
        }
        self.done.push(slot);
    }

    /// Ends the calls whose last bytes have left.
    fn end_done(&mut self, turn: &mut Turn<'_>) {
        for slot in std::mem::take(&mut self.done) {
            self.done(turn, slot);
        }
    }

    /// Polls an exchange until it waits, or there is no room for what it says.
    fn drive<H: Handler<Exchange = E>>(
        &mut self,
        sessions: &mut HttpSessions<H>,
        turn: &mut Turn<'_>,
        slot: u32,
    ) {
        let body = &mut sessions.body;
        loop {
            let Some(Some(call)) = self.calls.get_mut(slot as usize) else { return };
            let Stage::Http(engine) = &mut self.stage else { return };
            if call.is_done {
                return;
            }
            // The connection cannot be used again if it is closed within a request, and a client that is not told so may send
            // its next request into the close.
            let closes = matches!(engine, Engine::One(_)) && !call.is_ended;
            let Some(mut stream) = engine.stream(call.stream) else { return self.remove(turn, slot) };
            if call.status.is_some() && stream.room() == 0 {
                // An event says when there is some.
                return;
            }
            turn.shard.runs(call.exchange.spec());
            body.clear();
            let exchange = &mut call.exchange;
            let waker = call.waker.as_ref().expect("there until the call is removed").waker();
            let cx = &mut Context::from_waker(waker);
            let (step, is_whole) = stream.write(|fields, _| {
                let step = exchange.poll(cx, turn.now, &mut Outbox { fields, body });
                let is_whole = exchange.is_whole();
                let part = match step {
                    Step::Head(status) => {
                        if status >= 200 {
                            fields.append_known(Token::DATE, turn.date.at(turn.now));
                            if closes {
                                fields.append_known(Token::CONNECTION, b"close");
                            }
                        }
                        Part::Head { status, end: is_whole && body.is_empty() }
                    }
                    Step::Done { trailers: true } => Part::Trailers,
                    Step::Done { trailers: false } => Part::Data { end: true },
                    Step::Body | Step::Failed | Step::Wait { .. } => Part::Nothing,
                };
                (part, (step, is_whole))
            });
            let sent = body.len();
            match step {
                Step::Head(_) | Step::Body => {
                    if let Step::Head(status) = step {
                        call.status = Some(status);
                    }
                    let ends_with_head = matches!(step, Step::Head(_)) && is_whole && sent == 0;
                    if !ends_with_head {
                        send_body(&mut stream, body, if is_whole { End::Yes } else { End::No });
                    }
                    if is_whole {
                        return self.done(turn, slot);
                    }
                    call.exchange.handle_sent(sent);
                }
                Step::Done { .. } => return self.done(turn, slot),
                Step::Failed => {
                    call.is_done = true;
                    turn.shard.request_answered(Some(Code::Internal));
                    stream.reset(Reset::Internal);
                    return self.remove(turn, slot);
                }
                Step::Wait { input, until } => {
                    if input {
                        if std::mem::take(&mut call.expects) && call.status.is_none() {
                            stream.write(|_, _| (Part::Head { status: 100, end: false }, ()));
                        }
                        if call.unreleased > 0 {
                            stream.release(std::mem::take(&mut call.unreleased));
                        }
                    }
                    if let Some(at) = until {
                        turn.arm(&mut call.armed, at, slot);
                    }
                    return;
                }
            }
        }
    }
}

enum End {
    Yes,
    No,
}

fn send_body(stream: &mut Stream<'_>, body: &mut BytesMut, end: End) {
    let end = matches!(end, End::Yes);
    if body.is_empty() && !end {
        return;
    }
    if body.len() >= CHUNK_MIN {
        stream.send_data(body.split().freeze(), end);
    } else {
        stream.write(|_, out| {
            out.extend_from_slice(body);
            (Part::Data { end }, ())
        });
        body.clear();
    }
}

/// Whether the first line is whole, begins with a word as a preface and a request do, and names no version of HTTP.
fn is_of_no_version(bytes: &[u8]) -> bool {
    // One empty line may come before a request.
    let bytes = bytes.strip_prefix(b"\r\n").unwrap_or(bytes);
    let Some(end) = bytes.iter().position(|&byte| byte == b'\n') else { return false };
    bytes[0].is_ascii_uppercase() && !bytes[..end].windows(VERSION.len()).any(|part| part == VERSION)
}

fn stream_of(event: &Event<Head>) -> StreamId {
    match event {
        Event::Head { stream, .. }
        | Event::Data { stream, .. }
        | Event::Trailers { stream, .. }
        | Event::Room { stream }
        | Event::Reset { stream, .. } => *stream,
    }
}

macro_rules! either {
    ($engine:expr, $inner:ident => $call:expr) => {
        match $engine {
            Engine::One($inner) => $call,
            Engine::Two($inner) => $call,
        }
    };
}

impl Engine {
    fn handle_input(&mut self, now: Instant, bytes: Bytes) {
        either!(self, engine => engine.handle_input(now, bytes));
    }

    fn handle_end(&mut self, now: Instant) {
        either!(self, engine => engine.handle_end(now));
    }

    fn handle_timeout(&mut self, now: Instant) {
        either!(self, engine => engine.handle_timeout(now));
    }

    fn poll_event(&mut self) -> Option<Event<Head>> {
        either!(self, engine => engine.poll_event())
    }

    fn poll_output(&mut self, now: Instant, queue: &mut SendQueue) -> Output {
        either!(self, engine => engine.poll_output(now, queue))
    }

    fn drain(&mut self, now: Instant) {
        either!(self, engine => engine.drain(now));
    }

    fn close(&mut self, now: Instant) {
        either!(self, engine => engine.close(now));
    }

    fn stream(&mut self, stream: StreamId) -> Option<Stream<'_>> {
        match self {
            Self::One(engine) => engine.stream(stream).map(Stream::One),
            Self::Two(engine) => engine.stream(stream).map(Stream::Two),
        }
    }
}

/// A stream of either engine.
enum Stream<'a> {
    One(http1::StreamMut<'a, Server>),
    Two(http2::StreamMut<'a, Server>),
}

impl Stream<'_> {
    fn write<T>(&mut self, write: impl FnOnce(&mut dyn HeadersMut, &mut BytesMut) -> (Part, T)) -> T {
        match self {
            Self::One(stream) => stream.write(write),
            Self::Two(stream) => stream.write(write),
        }
    }

    fn send_data(&mut self, data: Bytes, end: bool) {
        match self {
            Self::One(stream) => stream.send_data(data, end),
            Self::Two(stream) => stream.send_data(data, end),
        }
    }

    fn reset(self, reset: Reset) {
        match self {
            Self::One(stream) => stream.reset(reset),
            Self::Two(stream) => stream.reset(reset),
        }
    }

    fn room(&mut self) -> usize {
        match self {
            Self::One(stream) => stream.room(),
            Self::Two(stream) => stream.room(),
        }
    }

    fn release(&mut self, len: usize) {
        match self {
            Self::One(stream) => stream.release(len),
            Self::Two(stream) => stream.release(len),
        }
    }
}

/// Numbers from 0 to 1 that only have to differ.
struct Random(u64);

impl Random {
    fn new() -> Self {
        use std::hash::BuildHasher;
        // A hasher with random keys is the random number that std gives.
        Self(std::collections::hash_map::RandomState::new().hash_one(0_u8) | 1)
    }

    fn next(&mut self) -> f64 {
        // xorshift64.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

const VERSION: &[u8] = b"HTTP/";
// An idle connection does not keep the places of more calls.
const SLOTS_KEPT: usize = 4;
// From here on a body is moved instead of copied: the same bound as that of a `SendQueue`.
const CHUNK_MIN: usize = 4096;
const DRAIN_HANDSHAKE: Duration = Duration::from_secs(1);
