//! One request and its response, between a connection and the code that answers: the contract of both kinds of service.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use ringwire_http::Head;
use ringwire_service::{Code, Input, Outbox, Peer, Spec};

/// Answers the requests of one shard.
pub(crate) trait Handler {
    type Exchange: Exchange;

    /// Begins an exchange. Nothing of the application runs before its first poll.
    fn start(&mut self, request: Arrived) -> Self::Exchange;

    /// Begins an exchange that answers "unavailable": the server has enough to do, and the client may try again after `wait`.
    fn shed(&mut self, request: Arrived, wait: Duration) -> Self::Exchange;

    /// Ready when no work goes on that no exchange waits for.
    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<()>;
}

/// A request whose head is there.
pub(crate) struct Arrived {
    pub(crate) head: Head,
    pub(crate) peer: Arc<Peer>,
    /// Whether the request ends with its head.
    pub(crate) end: bool,
    pub(crate) now: Instant,
}

/// One request and its response. Dropping it cancels it.
///
/// The steps are one [`Step::Head`], any number of [`Step::Body`], one [`Step::Done`], and [`Step::Wait`] between any two. The
/// first two may append to the body; the first and the third may write fields: of the head, and of the trailers.
pub(crate) trait Exchange {
    /// Takes a piece of the request. Poll next.
    fn handle_input(&mut self, input: Input<'_>);
    /// Takes the news that so many bytes of the body have left. Poll next.
    fn handle_sent(&mut self, len: usize);
    /// Goes on.
    fn poll(&mut self, cx: &mut Context<'_>, now: Instant, outbox: &mut Outbox<'_>) -> Step;
    /// Whether all of the response has been written, so that [`Step::Done`] without trailers would be next.
    fn is_whole(&self) -> bool;
    /// The code of the error with which it has ended, if it speaks in codes and that is known.
    fn code(&self) -> Option<Code>;
    /// The method that is called, if it is one of a router.
    fn spec(&self) -> Option<&'static Spec>;
}

/// What a poll has come to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Step {
    /// The fields of the head are written.
    Head(u16),
    /// There is more of the body.
    Body,
    /// All of the response is there, trailers included if there are any.
    Done { trailers: bool },
    /// The response broke off.
    Failed,
    /// Nothing moves until there is more of the request (if `input`), until a wake-up, or until that time.
    Wait { input: bool, until: Option<Instant> },
}
