//! The interceptors around a stream: a future that lives as long as the call, and is polled by its receiving end.

use crate::call::Call;
use crate::interceptor::Way;
use crate::{BoxFuture, Result};
use bytes::Bytes;
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// The interceptors around one call.
pub(crate) struct Chain {
    future: BoxFuture<'static, (Call, Result<()>)>,
    meeting: Arc<Meeting>,
}

/// How a call ends, when its interceptors have the last word.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) call: Call,
    pub(crate) outcome: Result<()>,
    /// The message of an interceptor that answered.
    pub(crate) reply: Option<Bytes>,
}

impl Chain {
    pub(crate) fn new(mut call: Call) -> Self {
        let meeting = Arc::new(Meeting::default());
        let mut way = StreamWay(meeting.clone());
        let future = Box::pin(async move {
            let channel = call.channel.clone();
            let outcome = channel.interceptors().run(&mut call, &mut way).await;
            (call, outcome)
        });
        Self { future, meeting }
    }

    /// Waits until the interceptors let the call go on, or end it.
    pub(crate) fn poll_begun(&mut self, cx: &mut Context<'_>) -> Poll<Result<Call, Box<Ended>>> {
        match self.poll(cx) {
            Poll::Ready(ended) => Poll::Ready(Err(ended)),
            Poll::Pending => match self.meeting.lock().begun.take() {
                Some(call) => Poll::Ready(Ok(call)),
                None => Poll::Pending,
            },
        }
    }

    /// Tells them that the call has ended.
    pub(crate) fn end(&self, call: Call, outcome: Result<()>) {
        let mut place = self.meeting.lock();
        place.ended = Some((call, outcome));
        let waiting = place.waiting.take();
        drop(place);
        if let Some(waker) = waiting {
            waker.wake();
        }
    }

    /// Waits until they have ended the call.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Box<Ended>> {
        self.future.as_mut().poll(cx).map(|(call, outcome)| {
            let reply = self.meeting.lock().reply.take();
            Box::new(Ended { call, outcome, reply })
        })
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Chain")
    }
}

/// Where the end of the chain meets the call that goes on elsewhere.
#[derive(Default)]
struct Meeting(Mutex<Place>);

#[derive(Default)]
struct Place {
    begun: Option<Call>,
    ended: Option<(Call, Result<()>)>,
    reply: Option<Bytes>,
    waiting: Option<Waker>,
}

impl Meeting {
    fn lock(&self) -> MutexGuard<'_, Place> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end of the chain.
struct StreamWay(Arc<Meeting>);

impl Way for StreamWay {
    fn go<'c>(&'c mut self, call: &'c mut Call) -> BoxFuture<'c, Result<()>> {
        Box::pin(async move {
            let stand_in = call.stand_in();
            self.0.lock().begun = Some(std::mem::replace(call, stand_in));
            let (back, outcome) = poll_fn(|cx| {
                let mut place = self.0.lock();
                match place.ended.take() {
                    Some(ended) => Poll::Ready(ended),
                    None => {
                        place.waiting = Some(cx.waker().clone());
                        Poll::Pending
                    }
                }
            })
            .await;
            *call = back;
            outcome
        })
    }

    fn reply(&mut self, message: Bytes) {
        self.0.lock().reply = Some(message);
    }
}
