//! The services of a router, as the answer to requests.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use ringwire_service::{Arrival, CallInFlight, Input, Outbox, Routes, Spec, Step as CallStep};

use crate::exchange::{Arrived, Exchange, Handler, Step};

/// Answers with the services of a router.
pub(crate) struct RpcHandler(pub(crate) Arc<Routes>);

impl Handler for RpcHandler {
    type Exchange = CallInFlight;

    fn start(&mut self, request: Arrived) -> CallInFlight {
        let Arrived { head, peer, end, now } = request;
        let arrival = Arrival { head, peer, extensions: http::Extensions::new() };
        let mut call = self.0.start(arrival, now);
        if end {
            call.handle_input(Input::End);
        }
        call
    }

    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        pin!(self.0.idle()).poll(cx)
    }
}

impl Exchange for CallInFlight {
    fn handle_input(&mut self, input: Input<'_>) {
        self.handle_input(input);
    }

    fn handle_sent(&mut self, len: usize) {
        self.handle_sent(len);
    }

    fn poll(&mut self, cx: &mut Context<'_>, now: Instant, outbox: &mut Outbox<'_>) -> Step {
        match self.poll(cx, now, outbox) {
            CallStep::Head(status) => Step::Head(status),
            CallStep::Body => Step::Body,
            CallStep::Done(ended) => Step::Done { trailers: ended.trailers },
            CallStep::Wait { input, until } => Step::Wait { input, until },
        }
    }

    fn spec(&self) -> Option<&'static Spec> {
        self.spec()
    }
}
