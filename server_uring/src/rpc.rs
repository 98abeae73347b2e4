//! The services of a router, as the answer to requests.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use ringwire_rpc::{Code, Error, answer_error};
use ringwire_service::{Arrival, CallInFlight, Input, Outbox, Routes, Spec, Step as CallStep};

use crate::exchange::{Arrived, Exchange, Handler, Step};

/// Answers with the services of a router.
pub(crate) struct RpcHandler {
    pub(crate) routes: Arc<Routes>,
    /// The longest silence within a request that is one message.
    pub(crate) body_timeout: Duration,
}

impl Handler for RpcHandler {
    type Exchange = RpcExchange;

    fn start(&mut self, request: Arrived) -> RpcExchange {
        let Arrived { head, peer, end, now } = request;
        let arrival = Arrival { head, peer, extensions: http::Extensions::new() };
        let call = self.routes.start(arrival, now);
        self.exchange(call, end)
    }

    fn shed(&mut self, request: Arrived, wait: Duration) -> RpcExchange {
        let error = Error::unavailable("the server has too many requests in flight").with_push_back(wait);
        self.exchange(self.routes.turn_away(request.head, &error, request.now), request.end)
    }

    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        pin!(self.routes.idle()).poll(cx)
    }
}

impl RpcHandler {
    fn exchange(&self, mut call: CallInFlight, end: bool) -> RpcExchange {
        if end {
            call.handle_input(Input::End);
        }
        // Streams of requests are conversations, and bounded by the deadline of the call alone.
        let has_one_request = call.spec().is_some_and(|spec| spec.shape.has_one_request());
        let silence_max = has_one_request.then_some(self.body_timeout);
        RpcExchange { call, silence_max, silent_since: None, stage: Stage::Head, code: None }
    }
}

/// One call.
pub(crate) struct RpcExchange {
    call: CallInFlight,
    silence_max: Option<Duration>,
    /// Since when more of the request is waited for.
    silent_since: Option<Instant>,
    stage: Stage,
    /// The code of the error with which the call has ended.
    code: Option<Code>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stage {
    Head,
    Body,
    /// The request stopped arriving, and that is answered.
    Stalled,
}

impl Exchange for RpcExchange {
    fn handle_input(&mut self, input: Input<'_>) {
        self.silent_since = None;
        self.call.handle_input(input);
    }

    fn handle_sent(&mut self, len: usize) {
        self.call.handle_sent(len);
    }

    fn poll(&mut self, cx: &mut Context<'_>, now: Instant, outbox: &mut Outbox<'_>) -> Step {
        if self.stage == Stage::Stalled {
            return Step::Done { trailers: false };
        }
        match self.call.poll(cx, now, outbox) {
            CallStep::Head(status) => {
                self.stage = Stage::Body;
                Step::Head(status)
            }
            CallStep::Body => Step::Body,
            CallStep::Done(ended) => {
                self.code = ended.code;
                Step::Done { trailers: ended.trailers }
            }
            CallStep::Wait { input: true, until } => match self.silence_max {
                None => Step::Wait { input: true, until },
                Some(max) => {
                    let end = *self.silent_since.get_or_insert(now) + max;
                    if end <= now {
                        return self.stalled(outbox);
                    }
                    Step::Wait { input: true, until: Some(until.map_or(end, |until| until.min(end))) }
                }
            },
            CallStep::Wait { input: false, until } => Step::Wait { input: false, until },
        }
    }

    fn is_whole(&self) -> bool {
        self.stage == Stage::Stalled || self.call.ending().is_some_and(|ended| !ended.trailers)
    }

    fn code(&self) -> Option<Code> {
        self.code.or_else(|| self.call.ending()?.code)
    }

    fn spec(&self) -> Option<&'static Spec> {
        self.call.spec()
    }
}

impl RpcExchange {
    fn stalled(&mut self, outbox: &mut Outbox<'_>) -> Step {
        if self.stage == Stage::Body {
            return Step::Failed;
        }
        self.stage = Stage::Stalled;
        self.code = Some(Code::DeadlineExceeded);
        let answer =
            answer_error(self.call.head(), &Error::deadline_exceeded("the request stopped arriving"));
        for (name, value) in &answer.headers {
            outbox.fields.append(name, value);
        }
        outbox.body.extend_from_slice(&answer.body);
        Step::Head(answer.status)
    }
}
