//! One call in flight, without task or channel: the shell that owns the connection drives it.

use crate::budget::Share;
use crate::deadline::{Expired, Timer};
use crate::lane::{Lane, LaneRef, NO_REQUEST, Shared, Turn};
use crate::messages::{Closed, Closing, Messages, Unsent};
use crate::router::{Refused, Route, Routes};
use crate::service::{Handled, Started, drop_caught, poll_caught};
use crate::trailers::Trailers;
use crate::watch::{Watch, trace_failure};
use crate::{Arrival, BoxFuture, Call, Error, Instant};
use bytes::{Bytes, BytesMut};
use ringwire_call::{CallOutcome, Traffic};
use ringwire_http::{Head, Headers, HeadersMut};
use ringwire_rpc::{
    Answer, Code, Metadata, Opening, Received, RequestRest, ServerExchange, Spec, StreamShape, answer_error,
};
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

/// One call in flight.
///
/// A shell gives it what has arrived with [`handle_input`](Self::handle_input), then calls [`poll`](Self::poll) until it
/// says what it waits for. In return come one [`Step::Head`], any number of [`Step::Body`], and one [`Step::Done`];
/// [`Step::Wait`] may stand between any two. This is all of a shell that has a request at hand:
/// ```
/// # use ringwire_service::*; use std::task::{Context, Waker}; use bytes::{Bytes, BytesMut};
/// # use ringwire_http::{Head, Headers, Token};
/// # let routes = Router::new().build().unwrap();
/// let head = Head::post("/greet.v1.Greet/Greet", "application/json", &ringwire_rpc::NAMES);
/// let (mut cx, now) = (Context::from_waker(Waker::noop()), Instant::now());
/// let mut call = routes.start(Arrival::new(head), now);
/// call.handle_input(Input::Data(Bytes::from_static(b"{}")));
/// call.handle_input(Input::End);
/// let (mut status, mut body) = (0, BytesMut::new());
/// let (mut headers, mut trailers) = (Vec::<(String, Vec<u8>)>::new(), Vec::<(String, Vec<u8>)>::new());
/// let ended = loop {
///     let fields = if status == 0 { &mut headers } else { &mut trailers };
///     let before = body.len();
///     let step = call.poll(&mut cx, now, &mut Outbox { fields, body: &mut body });
///     call.handle_sent(body.len() - before);
///     match step {
///         Step::Head(known) => status = known,
///         Step::Body => {}
///         Step::Done(ended) => break Some(ended),
///         Step::Wait { .. } => break None, // For input, the waker, or the time: a server comes back to the call then.
///     }
/// };
/// assert_eq!((status, ended.and_then(|ended| ended.code)), (404, Some(Code::Unimplemented)));
/// ```
/// - **Order.** Fields that are written at `Head` are those of the response's head, fields that are written at `Done` its
///   trailers. Bytes of the body may be appended by any step: the body of a unary response comes with the head. They leave
///   after the head and before the trailers. A shell that polls on until `Wait` or `Done` before it writes knows by then
///   whether the body is whole.
/// - **Buffer.** It is the shell's, and may hold other bytes in front. Its free room is lent to the handler, so that a unary
///   response is encoded where it leaves. A handler that has to wait may keep the room: then the buffer is as long as it was,
///   and has no room left.
/// - **Input** may come unasked: it is kept, and counts in the [`Budget`](crate::Budget). A shell that reads from the peer only
///   when `Wait` asks for input passes the handler's pace on.
/// - **Backpressure.** A stream's `send` waits while 64 KiB of the body have not been reported by
///   [`handle_sent`](Self::handle_sent). They count in the budget too, after `Done` as well: for as long as the call is kept.
/// - **Cancelling.** Dropping a call before `Done` cancels it.
pub struct CallInFlight {
    state: State,
    timer: Timer,
    /// Kept for the answer to a call whose time runs out while its handler holds everything else.
    head: Head,
    spec: Option<&'static Spec>,
    input_ended: bool,
    /// Whether code of the application has run.
    has_begun: bool,
    unsent: Unsent,
    /// Where they wait to be written, from the end of the handler on.
    trailers: Trailers,
    watch: Option<Box<Watch>>,
}

/// What a shell has to tell a call.
pub enum Input<'a> {
    /// A piece of the request body has arrived.
    Data(Bytes),
    /// The request has ended.
    End,
    /// The request has ended in these trailers.
    Trailers(&'a dyn Headers),
}

/// The place that a call writes to.
pub struct Outbox<'a> {
    /// Gets the fields of the response's head, and then its trailers.
    pub fields: &'a mut dyn HeadersMut,
    /// Gets the body: it is appended.
    pub body: &'a mut BytesMut,
}

/// What a call has come to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// The head of the response is known: this HTTP status, and the fields that were written.
    Head(u16),
    /// The body has grown.
    Body,
    /// The response is complete, the trailers written. Nothing follows.
    Done(Ended),
    /// Nothing moves before one of these happens: the waker of the context is woken, bytes are reported as sent, or
    Wait {
        /// input arrives, if the call waits for it;
        input: bool,
        /// this time comes, if there is one.
        until: Option<Instant>,
    },
}

/// The end of a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ended {
    /// Whether the response has trailers.
    pub trailers: bool,
    /// What to do with the rest of the request.
    pub rest: RequestRest,
    /// The code of the error; `None` for success, and where only HTTP was at fault.
    pub code: Option<Code>,
}

/// What a call does. Each state owns what it needs; a transition takes it.
enum State {
    /// Waits until the request of a unary call is whole, or for the first poll.
    Gather(Box<Started>),
    /// Polls the handler, and the interceptors around it.
    Run(Run),
    /// The handler has ended, and the rest of the response is not written.
    Close(Handled),
    /// The handler of a stream was dropped, and the rest of the response is not written.
    Break(Arc<Shared>, Error),
    /// Has been refused, and the answer is not written.
    Refuse(Box<Answer>),
    /// Waits to write the trailers.
    Trail(Ended),
    /// Waits for nothing.
    Done,
}

struct Run {
    handler: BoxFuture<'static, Handled>,
    /// The messages, unless the handler has them to itself.
    shared: Option<Arc<Shared>>,
}

impl Routes {
    /// Starts a call. It never fails: a refusal is an answer too. Nothing of the application runs before the first poll.
    ///
    /// # Panics
    /// The fields of the head were not classified with [`NAMES`](ringwire_rpc::NAMES).
    pub fn start(&self, arrival: Arrival, now: Instant) -> CallInFlight {
        let head = arrival.head.clone();
        if let Some((route, opening)) = self.opened(&head) {
            return self.begin(route, opening, arrival, now);
        }
        match self.open(&head) {
            Ok((route, opening)) => self.begin(route, &opening, arrival, now),
            Err(Refused { spec, answer }) => self.refuse(head, spec, answer, now),
        }
    }

    /// A call that is refused with `error` before any code of the application runs, in the words of its protocol.
    pub fn turn_away(&self, head: Head, error: &Error, now: Instant) -> CallInFlight {
        let spec = self.spec_of(&head);
        let answer = Box::new(answer_error(&head, error));
        self.refuse(head, spec, answer, now)
    }

    fn refuse(
        &self,
        head: Head,
        spec: Option<&'static Spec>,
        answer: Box<Answer>,
        now: Instant,
    ) -> CallInFlight {
        let watch = self.observer.as_ref().map(|observer| Watch::begin(observer, &head, spec, now));
        CallInFlight::new(State::Refuse(answer), Timer::default(), head, spec, watch)
    }

    fn begin(&self, route: Route<'_>, opening: &Opening, arrival: Arrival, now: Instant) -> CallInFlight {
        let head = arrival.head.clone();
        let (spec, config) = (route.spec(), route.config());
        let timeout = match opening.timeout(&head, config) {
            Ok(timeout) => timeout,
            Err(answer) => return self.refuse(head, Some(spec), answer, now),
        };
        let timer = Timer::new(&route.entry.deadlines, timeout, now);
        let exchange = ServerExchange::new(opening, timeout, spec, config);
        let coding = route.coding(self, opening.codec());
        let (protocol, codec) = (opening.protocol(), coding.codec.name());
        let watch = self.observer.as_ref().map(|observer| {
            let mut watch = Watch::begin(observer, &head, Some(spec), now);
            watch.form = Some((protocol, codec));
            watch
        });
        let Route { entry, method } = route;
        let started = Box::write(
            Box::new_uninit(),
            Started {
                mount: entry.mount.clone(),
                method,
                around: entry.around.clone(),
                call: Call::new(spec, protocol, codec, arrival, timer.deadline, &self.tracker),
                lane: Lane::Own(Messages::new(exchange, coding, Share::new(&self.budget))),
            },
        );
        let mut flight = CallInFlight::new(State::Gather(started), timer, head, Some(spec), watch);
        if spec.shape != StreamShape::Unary {
            flight.timer.watch_messages(&entry.deadlines, now);
        }
        flight
    }
}

impl CallInFlight {
    fn new(
        state: State,
        timer: Timer,
        head: Head,
        spec: Option<&'static Spec>,
        watch: Option<Box<Watch>>,
    ) -> Self {
        let (unsent, trailers) = (Unsent::default(), Trailers::default());
        Self { state, timer, head, spec, input_ended: false, has_begun: false, unsent, trailers, watch }
    }

    /// The method that is called, if the path leads to one.
    pub fn spec(&self) -> Option<&'static Spec> {
        self.spec
    }

    /// The head of the request.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The end of the response, if all of its body has been written: the next [`poll`](Self::poll) answers it as
    /// [`Step::Done`].
    pub fn ending(&self) -> Option<Ended> {
        match &self.state {
            State::Trail(ended) => Some(*ended),
            State::Gather(_) | State::Run(_) | State::Close(_) | State::Break(..) => None,
            State::Refuse(_) | State::Done => None,
        }
    }

    /// Takes what has arrived. Poll next.
    #[inline]
    pub fn handle_input(&mut self, input: Input<'_>) {
        match input {
            Input::Data(chunk) => self.handle_data(chunk),
            // No protocol gives the trailers of a request a meaning.
            Input::End | Input::Trailers(_) => {
                self.handle_end();
            }
        }
    }

    fn handle_end(&mut self) {
        self.input_ended = true;
        match &mut self.state {
            State::Gather(started) => {
                started.lane.lend().with(|messages| messages.exchange.push_end());
            }
            State::Run(Run { shared: Some(shared), .. }) => shared.push_end(),
            State::Run(Run { shared: None, .. }) | State::Close(_) | State::Break(..) => {}
            State::Refuse(_) | State::Trail(_) | State::Done => {}
        }
    }

    /// Takes note of bytes of the response body that have left for the peer. Poll next, unless the call is done.
    pub fn handle_sent(&mut self, bytes: usize) {
        match &self.state {
            State::Run(Run { shared: Some(shared), .. }) | State::Break(shared, _) => shared.sent(bytes),
            State::Gather(_) | State::Run(Run { shared: None, .. }) => {}
            State::Close(_) | State::Refuse(_) | State::Trail(_) | State::Done => self.unsent.sent(bytes),
        }
    }

    /// Drives the call until it has something to say, or nothing moves.
    pub fn poll(&mut self, cx: &mut Context<'_>, now: Instant, out: &mut Outbox<'_>) -> Step {
        if let Some(watch) = &mut self.watch {
            watch.passes(now);
        }
        let mut state = match std::mem::replace(&mut self.state, State::Done) {
            State::Gather(started) => self.begin(started, out.body),
            State::Trail(ended) => {
                self.trailers.write(out.fields);
                return Step::Done(Ended { rest: self.rest(ended.rest), ..ended });
            }
            state => state,
        };
        if let State::Gather(_) | State::Run(_) = state
            && let Some(expired) = self.timer.expired(now)
        {
            state = self.failed(state, expired.into_error());
        }
        match state {
            State::Gather(_) => {
                self.state = state;
                Step::Wait { input: !self.input_ended, until: self.timer.next() }
            }
            State::Run(mut run) => match run.poll(cx, out) {
                Poll::Ready(Ok(handled)) => {
                    drop(run);
                    self.close(handled, out)
                }
                Poll::Ready(Err(panic)) => {
                    let state = self.failed(State::Run(run), panic);
                    self.settle(state, out)
                }
                Poll::Pending => {
                    let turn = run.shared.as_ref().map(|shared| shared.end_turn(out.fields, out.body));
                    self.state = State::Run(run);
                    self.wait(turn, now)
                }
            },
            state => self.settle(state, out),
        }
    }

    /// Drives a call whose handler has ended, or will never begin.
    fn settle(&mut self, state: State, out: &mut Outbox<'_>) -> Step {
        match state {
            State::Close(handled) => self.close(handled, out),
            State::Break(shared, error) => {
                let closing = Closing { head: out.fields, trailers: &mut self.trailers, body: out.body };
                let mut outcome = Err(error);
                let closed = shared.finish(&mut outcome, &Metadata::new(), closing);
                self.ended(&outcome, closed, &mut LaneRef::Shared(&shared));
                drop_caught(shared);
                self.closed(&outcome, closed, out.fields)
            }
            State::Refuse(answer) => self.refuse(*answer, out),
            State::Gather(_) | State::Run(_) | State::Trail(_) | State::Done => {
                Step::Wait { input: false, until: None }
            }
        }
    }

    /// Writes the end of the response, after the handler has ended.
    fn close(&mut self, Handled { mut started, mut outcome }: Handled, out: &mut Outbox<'_>) -> Step {
        let closing = Closing { head: out.fields, trailers: &mut self.trailers, body: out.body };
        let Started { call, lane, .. } = &mut *started;
        let (headers, trailers) = call.response();
        let closed = lane.finish(&mut outcome, headers, trailers, closing);
        self.ended(&outcome, closed, &mut lane.lend());
        if !call.extensions().is_empty() {
            // Apart from hooks, which go with the rest: two panics at once would end the program.
            drop_caught(std::mem::take(call.extensions_mut()));
        }
        drop_caught(started);
        self.closed(&outcome, closed, out.fields)
    }

    fn handle_data(&mut self, chunk: Bytes) {
        let taken = match &mut self.state {
            State::Gather(started) => started.lane.lend().with(|messages| messages.push(chunk)),
            State::Run(Run { shared: Some(shared), .. }) => shared.push(chunk),
            State::Run(Run { shared: None, .. }) | State::Close(_) | State::Break(..) => Ok(()),
            State::Refuse(_) | State::Trail(_) | State::Done => Ok(()),
        };
        if let Err(error) = taken {
            self.fail(error);
        }
    }

    #[cold]
    fn fail(&mut self, error: Error) {
        let state = std::mem::replace(&mut self.state, State::Done);
        self.state = self.failed(state, error);
    }

    /// Lets the handler begin, if it can: that of a unary call when its request is whole, all others, and interceptors, at
    /// once.
    fn begin(&mut self, mut started: Box<Started>, body: &mut BytesMut) -> State {
        let is_unary = started.call.spec().shape == StreamShape::Unary;
        let early = match is_unary.then(|| started.lane.lend().with(Messages::receive)) {
            None => None,
            Some(Ok(Received::Message(request))) => {
                started.lane.lend().with(|messages| {
                    messages.request = Some(request);
                    messages.lend_room(body);
                });
                self.has_begun = true;
                if let Some(watch) = &mut self.watch {
                    watch.lent = started.lane.lend().with(|messages| messages.traffic().0);
                }
                return State::Run(Run { handler: started.mount.clone().handle(started), shared: None });
            }
            // Interceptors run before the request is whole, and see what is wrong with it.
            Some(received) => match (received, &started.around) {
                (Ok(Received::Pending), None) => return State::Gather(started),
                (Ok(_), None) => {
                    return State::Close(Handled { started, outcome: Err(Error::unimplemented(NO_REQUEST)) });
                }
                (Err(error), None) => return State::Close(Handled { started, outcome: Err(error) }),
                (Ok(_), Some(_)) => None,
                (Err(error), Some(_)) => Some(error),
            },
        };
        self.has_begun = true;
        let started = Box::new(started.share(early));
        let shared = started.lane.shared().cloned();
        State::Run(Run { handler: started.mount.clone().handle(started), shared })
    }

    /// Ends a call in place of its handler, which is dropped where it waits.
    #[cold]
    fn failed(&self, state: State, error: Error) -> State {
        match state {
            State::Gather(started) => State::Close(Handled { started, outcome: Err(error) }),
            State::Run(Run { handler, shared }) => {
                drop_caught(handler);
                match shared {
                    Some(shared) => State::Break(shared, error),
                    None => State::Refuse(Box::new(answer_error(&self.head, &error))),
                }
            }
            ended @ (State::Close(_) | State::Break(..) | State::Refuse(_)) => ended,
            ended @ (State::Trail(_) | State::Done) => ended,
        }
    }

    fn wait(&mut self, turn: Option<Turn>, now: Instant) -> Step {
        let wants_input = match turn {
            None => false,
            Some(turn) => {
                if turn.passed {
                    self.timer.message_passed(now);
                }
                if let Some(status) = turn.status {
                    return self.head_leaves(status);
                }
                if turn.grew {
                    return Step::Body;
                }
                turn.wants_input
            }
        };
        Step::Wait { input: wants_input && !self.input_ended, until: self.timer.next() }
    }

    /// Keeps what is left of a call whose response has been written, and tells of its end.
    #[inline]
    fn ended(&mut self, outcome: &Result<(), Error>, closed: Closed, lane: &mut LaneRef<'_>) {
        self.unsent = lane.with(Messages::take_unsent);
        if self.watch.is_some() || outcome.is_err() {
            let (received, sent) = lane.with(|messages| messages.traffic());
            if let (Some(_), Some(watch)) = (closed.end.status, &mut self.watch) {
                watch.head_leaves();
            }
            let told = outcome.as_ref().map_or_else(|error| self.failure(error), |()| CallOutcome::Ok);
            self.tell_end(told, received, sent);
        }
    }

    /// Says that the end of the response has been written, its head too unless that has left before.
    #[inline]
    fn closed(&mut self, outcome: &Result<(), Error>, closed: Closed, fields: &mut dyn HeadersMut) -> Step {
        let Closed { end, grew } = closed;
        let code = outcome.as_ref().err().map(Error::code);
        let ended = Ended { trailers: end.trailers, rest: end.rest, code };
        if end.status.is_none() && !grew {
            self.trailers.write(fields);
            return Step::Done(Ended { rest: self.rest(ended.rest), ..ended });
        }
        self.state = State::Trail(ended);
        end.status.map_or(Step::Body, Step::Head)
    }

    fn refuse(&mut self, answer: Answer, out: &mut Outbox<'_>) -> Step {
        for (name, value) in &answer.headers {
            out.fields.append(name, value);
        }
        out.body.extend_from_slice(&answer.body);
        self.head_leaves(answer.status);
        let told = match &answer.error {
            Some(error) => self.failure(error),
            None => CallOutcome::RefusedByHttp(answer.status),
        };
        let received = self.watch.as_ref().map_or_else(Traffic::default, |watch| watch.lent);
        self.tell_end(told, received, Traffic { bytes: answer.body.len() as u64, messages: 0 });
        let code = answer.error.as_ref().map(Error::code);
        self.state = State::Trail(Ended { trailers: false, rest: answer.rest, code });
        Step::Head(answer.status)
    }

    fn head_leaves(&mut self, status: u16) -> Step {
        if let Some(watch) = &mut self.watch {
            watch.head_leaves();
        }
        Step::Head(status)
    }

    fn failure<'e>(&self, error: &'e Error) -> CallOutcome<'e> {
        if self.has_begun { CallOutcome::Failed(error) } else { CallOutcome::Refused(error) }
    }

    #[cold]
    fn tell_end(&mut self, outcome: CallOutcome<'_>, received: Traffic, sent: Traffic) {
        match (self.watch.take(), outcome) {
            (Some(watch), _) => watch.end(&self.head, self.spec, outcome, received, sent),
            (None, CallOutcome::Failed(error) | CallOutcome::Refused(error)) => {
                trace_failure(self.head.path(), error);
            }
            (None, CallOutcome::Ok | CallOutcome::RefusedByHttp(_) | CallOutcome::Cancelled) => {}
        }
    }

    /// Ends a call that nobody waits for any more.
    #[cold]
    fn cancel(&mut self) {
        if let Some(watch) = self.watch.take() {
            let (received, sent) = match &mut self.state {
                State::Gather(started) | State::Close(Handled { started, .. }) => {
                    started.lane.lend().with(|messages| messages.traffic())
                }
                State::Run(Run { shared: Some(shared), .. }) | State::Break(shared, _) => {
                    LaneRef::Shared(shared).with(|messages| messages.traffic())
                }
                // What the handler has written to messages of its own goes nowhere.
                State::Run(Run { shared: None, .. }) => (watch.lent, Traffic::default()),
                State::Refuse(_) | State::Trail(_) | State::Done => Default::default(),
            };
            watch.end(&self.head, self.spec, CallOutcome::Cancelled, received, sent);
        }
        drop_caught(std::mem::replace(&mut self.state, State::Done));
    }

    fn rest(&self, rest: RequestRest) -> RequestRest {
        if self.input_ended { RequestRest::Ended } else { rest }
    }
}

impl Started {
    /// Shares the messages with the shell from here on. `early` is what has been found wrong with the request already.
    fn share(self, early: Option<Error>) -> Self {
        let Self { mount, method, around, mut call, lane } = self;
        let shared = match lane {
            Lane::Own(messages) => Arc::new(Shared::new(messages, early)),
            Lane::Shared(shared) => shared,
        };
        call.share_headers(shared.clone());
        Self { mount, method, around, call, lane: Lane::Shared(shared) }
    }
}

impl Run {
    fn poll(&mut self, cx: &mut Context<'_>, out: &mut Outbox<'_>) -> Poll<Result<Handled, Error>> {
        if let Some(shared) = &self.shared {
            shared.begin_turn(cx.waker(), out.body);
        }
        poll_caught(self.handler.as_mut(), cx)
    }
}

impl Drop for CallInFlight {
    fn drop(&mut self) {
        if self.watch.is_some() || !matches!(self.state, State::Done) {
            self.cancel();
        }
    }
}

impl fmt::Debug for CallInFlight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallInFlight").field("head", &self.head).finish_non_exhaustive()
    }
}

impl fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data(bytes) => f.debug_tuple("Data").field(&bytes.len()).finish(),
            Self::End => f.write_str("End"),
            Self::Trailers(_) => f.write_str("Trailers"),
        }
    }
}

impl Expired {
    fn into_error(self) -> Error {
        Error::deadline_exceeded(match self {
            Self::Deadline => "the deadline of the call has passed",
            Self::MessageGap => "no message has passed for too long",
        })
    }
}
