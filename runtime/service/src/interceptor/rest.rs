//! The rest of the way to the handler, as an interceptor holds it.

use crate::ends::Ends;
use crate::{BoxFuture, Call, Result};
use ringwire_message::{Encode, Message};
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;

/// The rest of the way to the handler.
pub struct Next<'a, R = Dynamic<'a>> {
    rest: R,
    life: PhantomData<&'a ()>,
}

/// What comes after an interceptor: another one, or the handler.
pub trait Rest: Send {
    /// Goes on to the handler.
    fn run(self, call: &mut Call) -> impl Future<Output = Result<()>> + Send;

    /// Gives up the way to the handler for the two ends of the call.
    #[doc(hidden)]
    fn with_ends(self, then: &mut dyn FnMut(Ends<'_>));

    /// The same without its type. One that has none already is handed on as it is.
    #[doc(hidden)]
    fn erased<'a>(slot: &'a mut Option<Self>) -> Dynamic<'a>
    where
        Self: Sized + 'a,
    {
        Dynamic(slot)
    }
}

impl<'a, R: Rest> Next<'a, R> {
    pub(crate) fn new(rest: R) -> Self {
        Self { rest, life: PhantomData }
    }

    /// Lets the call go on. What it returns is how the call ends, unless the interceptor says otherwise.
    pub fn run(self, call: &mut Call) -> impl Future<Output = Result<()>> + Send {
        self.rest.run(call)
    }

    /// Answers in place of the handler, with one message, which must be of the method's response type.
    ///
    /// # Errors
    /// The message is larger than the limit, or has no form in the codec of the call.
    pub fn reply<M: Message, K>(self, call: &mut Call, message: &impl Encode<M, K>) -> Result<()> {
        let mut outcome = Ok(());
        self.rest.with_ends(&mut |ends| outcome = ends.reply(call, message));
        outcome
    }

    pub(crate) fn into_rest(self) -> R {
        self.rest
    }

    pub(super) fn into_slot(self) -> Option<R> {
        Some(self.rest)
    }
}

impl<'a> Next<'a> {
    pub(super) fn dynamic<R: Rest>(slot: &'a mut Option<R>) -> Self {
        Self::new(R::erased(slot))
    }
}

impl<R> fmt::Debug for Next<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Next")
    }
}

/// The rest of a chain whose types are not known here.
pub struct Dynamic<'a>(&'a mut (dyn DynRest + 'a));

impl fmt::Debug for Dynamic<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dynamic")
    }
}

impl Rest for Dynamic<'_> {
    async fn run(self, call: &mut Call) -> Result<()> {
        self.0.run_once(call).await
    }

    fn with_ends(self, then: &mut dyn FnMut(Ends<'_>)) {
        self.0.ends_once(then);
    }

    fn erased<'a>(slot: &'a mut Option<Self>) -> Dynamic<'a>
    where
        Self: 'a,
    {
        Dynamic(slot.take().expect("`Next` is used once").0)
    }
}

/// `Rest` as an object. It is taken by reference, so that only its future is boxed.
pub(super) trait DynRest: Send {
    fn run_once<'c>(&'c mut self, call: &'c mut Call) -> BoxFuture<'c, Result<()>>;
    fn ends_once(&mut self, then: &mut dyn FnMut(Ends<'_>));
}

impl<R: Rest> DynRest for Option<R> {
    fn run_once<'c>(&'c mut self, call: &'c mut Call) -> BoxFuture<'c, Result<()>> {
        Box::pin(self.take().expect("`Next` is used once").run(call))
    }

    fn ends_once(&mut self, then: &mut dyn FnMut(Ends<'_>)) {
        self.take().expect("`Next` is used once").with_ends(then);
    }
}
