//! Services that answer as they are told, for tests of whatever calls them: what generated mocks are made of.

use futures_core::Stream;
use ringwire_service::{Call, Ends, Error, Message, Metadata, Requests, Result, Spec};
use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A method with one response, as a mock has it: what it is to answer, and what it was asked.
///
/// Each call takes the first answer that is left. Clones are the same method.
pub struct MockMethod<Q, A>(Script<Q, Result<A>>);

/// A method with many responses, as a mock has it: what it is to answer, and what it was asked.
///
/// Each call takes the first answer that is left. Clones are the same method.
pub struct MockStream<Q, A>(Script<Q, Streamed<A>>);

/// One call, as the method was asked it.
#[derive(Clone, Debug)]
pub struct Asked<Q> {
    /// The headers of the request.
    pub headers: Metadata,
    /// The requests: one, unless the method takes a stream.
    pub requests: Vec<Q>,
}

impl<Q> Asked<Q> {
    /// The request of a method that takes one.
    ///
    /// # Panics
    /// No request has come: the method takes a stream, and it was empty.
    pub fn request(&self) -> &Q {
        self.requests.first().expect("the method takes one request")
    }
}

impl<Q, A> MockMethod<Q, A> {
    /// Answers one more call, with this message.
    pub fn returns(&self, response: A) -> &Self {
        self.0.push(Ok(response));
        self
    }

    /// Fails one more call. One that takes a stream ends as soon as the first request is there.
    pub fn fails(&self, error: Error) -> &Self {
        self.0.push(Err(error));
        self
    }

    /// Answers every call for which no other answer is left.
    pub fn answers(&self, answer: impl FnMut(&Asked<Q>) -> Result<A> + Send + 'static) -> &Self {
        self.0.set_rest(answer);
        self
    }
}

impl<Q, A> MockStream<Q, A> {
    /// Answers one more call, with these messages. The call ends when the client has sent all that it has.
    pub fn returns(&self, responses: impl IntoIterator<Item = A>) -> &Self {
        self.0.push(Streamed { responses: responses.into_iter().collect(), outcome: Ok(()) });
        self
    }

    /// Fails one more call.
    pub fn fails(&self, error: Error) -> &Self {
        self.fails_after([], error)
    }

    /// Fails one more call, after these messages. One that takes a stream ends as soon as the first request is there.
    pub fn fails_after(&self, responses: impl IntoIterator<Item = A>, error: Error) -> &Self {
        self.0.push(Streamed { responses: responses.into_iter().collect(), outcome: Err(error) });
        self
    }

    /// Answers every call for which no other answer is left, once all of its requests are there.
    pub fn answers(&self, mut answer: impl FnMut(&Asked<Q>) -> Result<Vec<A>> + Send + 'static) -> &Self {
        self.0.set_rest(move |asked| match answer(asked) {
            Ok(responses) => Streamed { responses, outcome: Ok(()) },
            Err(error) => Streamed { responses: Vec::new(), outcome: Err(error) },
        });
        self
    }
}

impl<Q: Clone, A> MockMethod<Q, A> {
    /// The calls so far, in the order in which they came.
    pub fn asked(&self) -> Vec<Asked<Q>> {
        self.0.lock().asked.clone()
    }
}

impl<Q: Clone, A> MockStream<Q, A> {
    /// The calls so far, in the order in which they came.
    pub fn asked(&self) -> Vec<Asked<Q>> {
        self.0.lock().asked.clone()
    }
}

/// What generated code calls.
#[doc(hidden)]
impl<Q: Message, A: Message> MockMethod<Q, A> {
    pub async fn unary(&self, call: &mut Call, ends: Ends<'_>) -> Result<()> {
        let (request, response) = ends.unary::<Q, A>()?;
        let place = self.0.begin(call);
        self.0.record(place, request.owned()?);
        let message = self.0.answer(call.spec(), place)??;
        response.answer(call, &message).await?.done()
    }

    pub async fn client_stream(&self, call: &mut Call, ends: Ends<'_>) -> Result<()> {
        let (requests, response) = ends.client_stream::<Q, A>()?;
        let place = self.0.begin(call);
        let answer = match self.0.pop() {
            Some(Err(error)) => {
                self.0.record_some(place, requests, 1).await?;
                return Err(error);
            }
            Some(answer) => {
                self.0.record_some(place, requests, usize::MAX).await?;
                answer
            }
            None => {
                self.0.record_some(place, requests, usize::MAX).await?;
                self.0.answer(call.spec(), place)?
            }
        };
        response.answer(call, &answer?).await?.done()
    }
}

/// What generated code calls.
#[doc(hidden)]
impl<Q: Message, A: Message> MockStream<Q, A> {
    pub async fn server_stream(&self, call: &mut Call, ends: Ends<'_>) -> Result<()> {
        let (request, mut responses) = ends.server_stream::<Q, A>().await?;
        let place = self.0.begin(call);
        self.0.record(place, request.owned()?);
        let answer = self.0.answer(call.spec(), place)?;
        for response in &answer.responses {
            responses.send(response).await?;
        }
        answer.outcome
    }

    pub async fn bidi(&self, call: &mut Call, ends: Ends<'_>) -> Result<()> {
        let (requests, mut responses) = ends.bidi::<Q, A>()?;
        let place = self.0.begin(call);
        let Some(answer) = self.0.pop() else {
            self.0.record_some(place, requests, usize::MAX).await?;
            let answer = self.0.answer(call.spec(), place)?;
            for response in &answer.responses {
                responses.send(response).await?;
            }
            return answer.outcome;
        };
        // At once: a client may well wait for them before it says more.
        for response in &answer.responses {
            responses.send(response).await?;
        }
        self.0.record_some(place, requests, if answer.outcome.is_ok() { usize::MAX } else { 1 }).await?;
        answer.outcome
    }
}

/// What a stream answers.
struct Streamed<A> {
    responses: Vec<A>,
    outcome: Result<()>,
}

/// The answers that are left, and the calls so far.
struct Script<Q, R>(Arc<Mutex<State<Q, R>>>);

struct State<Q, R> {
    answers: VecDeque<R>,
    rest: Option<Rest<Q, R>>,
    asked: Vec<Asked<Q>>,
}

type Rest<Q, R> = Box<dyn FnMut(&Asked<Q>) -> R + Send>;

impl<Q, R> Script<Q, R> {
    fn push(&self, answer: R) {
        self.lock().answers.push_back(answer);
    }

    fn pop(&self) -> Option<R> {
        self.lock().answers.pop_front()
    }

    fn set_rest(&self, answer: impl FnMut(&Asked<Q>) -> R + Send + 'static) {
        self.lock().rest = Some(Box::new(answer));
    }

    /// Notes a call, and gives its place among all of them.
    fn begin(&self, call: &Call) -> usize {
        let mut state = self.lock();
        state.asked.push(Asked { headers: call.headers().clone(), requests: Vec::new() });
        state.asked.len() - 1
    }

    fn record(&self, place: usize, request: Q) {
        self.lock().asked[place].requests.push(request);
    }

    async fn record_some(&self, place: usize, requests: Requests<'_, Q>, max: usize) -> Result<()>
    where
        Q: Message,
    {
        let mut requests = pin!(requests.into_stream());
        for _ in 0..max {
            match poll_fn(|cx| requests.as_mut().poll_next(cx)).await {
                Some(request) => self.record(place, request?),
                None => break,
            }
        }
        Ok(())
    }

    /// The next answer, or one to what was asked.
    fn answer(&self, spec: &Spec, place: usize) -> Result<R> {
        let mut state = self.lock();
        let State { answers, rest, asked } = &mut *state;
        let answer = answers.pop_front().or_else(|| rest.as_mut().map(|answer| answer(&asked[place])));
        answer.ok_or_else(|| {
            Error::unimplemented(format!(
                "{}/{} was called, and has no answer left: `returns`, `fails` or `answers` gives it one",
                spec.service(),
                spec.method()
            ))
        })
    }

    /// A test that has failed elsewhere leaves nothing half done here.
    fn lock(&self) -> MutexGuard<'_, State<Q, R>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Q, R> Default for Script<Q, R> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(State { answers: VecDeque::new(), rest: None, asked: Vec::new() })))
    }
}

impl<Q, R> Clone for Script<Q, R> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<Q, R> fmt::Debug for Script<Q, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Script")
            .field("answers", &state.answers.len())
            .field("asked", &state.asked.len())
            .finish_non_exhaustive()
    }
}

impl<Q, A> Default for MockMethod<Q, A> {
    fn default() -> Self {
        Self(Script::default())
    }
}

impl<Q, A> Clone for MockMethod<Q, A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<Q, A> fmt::Debug for MockMethod<Q, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MockMethod").field(&self.0).finish()
    }
}

impl<Q, A> Default for MockStream<Q, A> {
    fn default() -> Self {
        Self(Script::default())
    }
}

impl<Q, A> Clone for MockStream<Q, A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<Q, A> fmt::Debug for MockStream<Q, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MockStream").field(&self.0).finish()
    }
}
