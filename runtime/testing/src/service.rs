//! A whole service as a machine for transcripts: router, interceptors, handlers, and no port.
//!
//! | Command | Does |
//! |---|---|
//! | `! request POST /greet.v1.Greet/Greet HTTP/2`, fields below | The head of a request. |
//! | `> …` | Its body. |
//! | `! trailers`, fields below | Its trailers, which end it. |
//! | `! wait 100ms` | Moves the clock, past every timer and deadline on the way. |
//! | `! cancel` | The client goes away. |
//!
//! Events are `head 200` and its fields, `trailers` and theirs, `end`, and `discard the rest of the request` where the
//! answer is whole before the request is.
//!
//! ```
//! use ringwire_testing::{clock::Clock, service::Served, transcript::check_text};
//!
//! let transcript = r#"
//! == a path that leads nowhere
//! ! request POST /greet.v1.Greet/Great HTTP/2
//! | content-type: application/grpc
//! * head 200
//! * content-type: application/grpc
//! * grpc-status: 12
//! * grpc-message: there is no such method
//! * end
//! * discard the rest of the request
//! "#;
//! check_text("nowhere", transcript, || Served::new(ringwire_service::Router::new(), Clock::new()));
//! ```

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Wake, Waker},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use ringwire_http::{Fields, Head, Method, Version};
use ringwire_rpc::{NAMES, RequestRest};
use ringwire_service::{Arrival, CallInFlight, Ended, Input, Instant, Outbox, Router, Routes, Step};

use crate::{
    clock::Clock,
    transcript::{Command, Machine, Said},
};

/// A service that a transcript calls, one call at a time.
#[derive(Debug)]
pub struct Served {
    routes: Arc<Routes>,
    clock: Clock,
    call: Option<Driven>,
}

#[derive(Debug)]
struct Driven {
    flight: CallInFlight,
    /// What has come of the request and was not asked for yet; `None` is its end.
    input: VecDeque<Option<Bytes>>,
    head_sent: bool,
    ended: bool,
    /// When the call wants to be polled again.
    until: Option<Instant>,
}

impl Served {
    /// The services of `router`; handlers that wait should wait by the same `clock`.
    ///
    /// # Panics
    /// If the router cannot be built.
    pub fn new(router: Router, clock: Clock) -> Self {
        let routes = router.build().unwrap_or_else(|error| panic!("the router is no router: {error}"));
        Self { routes, clock, call: None }
    }

    fn request(&mut self, command: &Command<'_>) -> Result<(), String> {
        let words: Vec<&str> = command.args.split_whitespace().collect();
        let [method, target, version] = words[..] else {
            return Err("a request is a method, a path and a version".to_owned());
        };
        let version = match version {
            "HTTP/1" => Version::Http11,
            "HTTP/2" => Version::Http2,
            _ => return Err(format!("there is no version {version:?}")),
        };
        let method = Method::from_bytes(method.as_bytes()).ok_or("a method is a token")?;
        let head = Head::new(method, target, version, Fields::copied(&NAMES, &command.owned_fields()?));
        let flight = self.routes.start(Arrival::new(head), self.clock.now());
        let input = VecDeque::new();
        self.call = Some(Driven { flight, input, head_sent: false, ended: false, until: None });
        Ok(())
    }

    fn wait(&mut self, step: &str, said: &mut Said) -> Result<(), String> {
        let ms = step.strip_suffix("ms").and_then(|ms| ms.parse().ok());
        let end =
            self.clock.now() + Duration::from_millis(ms.ok_or_else(|| format!("{step:?} is no time in ms"))?);
        loop {
            let deadline = self.call.as_ref().filter(|call| !call.ended).and_then(|call| call.until);
            let next = deadline.into_iter().chain(self.clock.next_timer()).min();
            let now = self.clock.now();
            // What is due already has been polled; a time that has passed cannot come again.
            let at = next.filter(|&at| at > now && at < end).unwrap_or(end);
            self.clock.advance(at - now);
            self.drive(said);
            if at == end {
                return Ok(());
            }
        }
    }

    fn drive(&mut self, said: &mut Said) {
        let Some(call) = &mut self.call else { return };
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        let waker = Waker::from(woken.clone());
        while woken.0.swap(false, Ordering::Relaxed) && !call.ended {
            call.poll(&mut Context::from_waker(&waker), &self.clock, said);
        }
    }
}

impl Driven {
    /// Polls until nothing more comes of it, or something wakes us.
    fn poll(&mut self, cx: &mut Context<'_>, clock: &Clock, said: &mut Said) {
        loop {
            let (mut fields, mut body) = (Vec::<(String, Vec<u8>)>::new(), BytesMut::new());
            let step =
                self.flight.poll(cx, clock.now(), &mut Outbox { fields: &mut fields, body: &mut body });
            if let Step::Head(status) = step {
                said.event(format_args!("head {status}"));
                say_fields(&fields, said);
                self.head_sent = true;
            }
            if !body.is_empty() {
                said.bytes(&body);
            }
            self.flight.handle_sent(body.len());
            match step {
                Step::Head(_) | Step::Body => {}
                Step::Done(ended) => return self.finish(ended, &fields, said),
                Step::Wait { input: true, .. } if self.feed() => {}
                Step::Wait { until, .. } => {
                    self.until = until;
                    return;
                }
            }
        }
    }

    /// Hands over the next piece of the request, if there is one.
    fn feed(&mut self) -> bool {
        match self.input.pop_front() {
            Some(Some(piece)) => self.flight.handle_input(Input::Data(piece)),
            Some(None) => self.flight.handle_input(Input::End),
            None => return false,
        }
        true
    }

    fn finish(&mut self, ended: Ended, fields: &[(String, Vec<u8>)], said: &mut Said) {
        if ended.trailers {
            said.event("trailers");
            say_fields(fields, said);
        }
        said.event("end");
        self.ended = true;
        if ended.rest == RequestRest::Discard && !self.input.contains(&None) {
            said.event("discard the rest of the request");
        }
    }
}

impl Machine for Served {
    fn command(&mut self, command: &Command<'_>, said: &mut Said) -> Result<(), String> {
        match command.name {
            "request" => self.request(command)?,
            "trailers" => {
                let fields = command.owned_fields()?;
                self.call.as_mut().ok_or("there is no call")?.flight.handle_input(Input::Trailers(&fields));
            }
            "wait" => self.wait(command.args, said)?,
            "cancel" => self.call = None,
            name => return Err(format!("there is no command {name:?}")),
        }
        self.drive(said);
        Ok(())
    }

    fn input(&mut self, bytes: &[u8], end: bool, said: &mut Said) {
        let Some(call) = &mut self.call else { return };
        let piece = (!bytes.is_empty()).then(|| Some(Bytes::copy_from_slice(bytes)));
        call.input.extend(piece.into_iter().chain(end.then_some(None)));
        self.drive(said);
    }

    /// A request that has ended is answered, once its handler has had all the time it may want.
    fn cut(&mut self, said: &mut Said) -> Result<(), String> {
        self.wait(&format!("{PATIENCE_MS}ms"), said)?;
        let answered = self.call.as_ref().is_none_or(|call| call.ended);
        if answered { Ok(()) } else { Err("the call does not end".to_owned()) }
    }
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn say_fields(fields: &[(String, Vec<u8>)], said: &mut Said) {
    for (name, value) in fields {
        said.event(format_args!("{name}: {}", String::from_utf8_lossy(value)));
    }
}

// By the clock of the test, so it costs nothing.
const PATIENCE_MS: u64 = 3_600_000;
