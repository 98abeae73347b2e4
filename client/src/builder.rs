//! A call that has not begun: its options, until it is awaited.

use crate::call::Call;
use crate::error::{bad_argument, decode_failed};
use crate::message::Lent;
use crate::{
    Bidi, BoxFuture, Channel, ClientStream, HedgePolicy, Incoming, Reply, Result, RetryPolicy, UnaryFuture,
    stream,
};
use bytes::Bytes;
use ringwire_call::{Coding, ParentCall};
use ringwire_message::{Codec, DecodeLimits, Encode, Message};
use ringwire_rpc::{
    ClientConfig, ClientProtocol, Compress, Compression, CompressionPolicy, Compressions, GetPolicy, Limits,
    Metadata, Spec,
};
use std::borrow::Cow;
use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::time::Duration;

/// A call that begins when it is awaited. Dropping it, awaited or not, cancels it.
#[must_use = "a call does nothing unless it is awaited"]
pub struct CallBuilder<S> {
    call: Call,
    shape: S,
}

/// A call of a unary method. Awaited, it is a [`Reply`] or an error.
pub type UnaryCall<'r, Q, A, T, K, F = Owned> = CallBuilder<One<'r, Q, T, K, Whole<A, F>>>;
/// A call of a server stream. Awaited, it is an [`Incoming`] as soon as the server has begun to answer.
pub type ServerStreamCall<'r, Q, A, T, K> = CallBuilder<One<'r, Q, T, K, Each<A>>>;
/// A call of a client stream. Awaited, it is a [`ClientStream`] as soon as it is on its way.
pub type ClientStreamCall<Q, A> = CallBuilder<Many<Q, Whole<A>>>;
/// A call with streams both ways. Awaited, it is a [`Bidi`] as soon as it is on its way.
pub type BidiCall<Q, A> = CallBuilder<Many<Q, Each<A>>>;

/// One request.
#[doc(hidden)]
pub struct One<'r, Q, T, K, R> {
    request: &'r T,
    of: Types<Q, K, R>,
}

type Types<Q, K, R> = PhantomData<fn() -> (Q, K, R)>;

/// Many requests.
#[doc(hidden)]
pub struct Many<Q, R>(PhantomData<fn() -> (Q, R)>);

/// One response, in the form `F`.
#[doc(hidden)]
pub struct Whole<A, F = Owned>(PhantomData<fn() -> (A, F)>);

/// Many responses.
#[doc(hidden)]
pub struct Each<A>(PhantomData<fn() -> A>);

/// The form of a response that is a message: what calls have unless they are asked for a view.
#[derive(Debug)]
pub enum Owned {}

/// The form of a response that is a view, together with the bytes that it borrows from.
#[derive(Debug)]
pub enum Viewed {}

/// In which form a response is given: [`Owned`] or [`Viewed`].
pub trait ReplyForm<A> {
    /// The form.
    type Form: Send;

    /// Decodes it.
    #[doc(hidden)]
    fn decode(coding: &Coding, bytes: Bytes) -> Result<Self::Form>;
}

impl<A: Message> ReplyForm<A> for Owned {
    type Form = A;

    fn decode(coding: &Coding, bytes: Bytes) -> Result<A> {
        A::owned(coding.codec, bytes, &coding.decode_limits).map_err(decode_failed)
    }
}

impl<A: Message> ReplyForm<A> for Viewed {
    type Form = A::OwnedView;

    fn decode(coding: &Coding, bytes: Bytes) -> Result<A::OwnedView> {
        A::owned_view(coding.codec, bytes, &coding.decode_limits).map_err(decode_failed)
    }
}

impl<'r, Q, T, K, R> CallBuilder<One<'r, Q, T, K, R>> {
    pub(crate) fn with_request(channel: &Channel, spec: &'static Spec, request: &'r T) -> Self {
        Self { call: Call::new(channel.clone(), spec), shape: One { request, of: PhantomData } }
    }
}

impl<Q, R> CallBuilder<Many<Q, R>> {
    pub(crate) fn with_stream(channel: &Channel, spec: &'static Spec) -> Self {
        Self { call: Call::new(channel.clone(), spec), shape: Many(PhantomData) }
    }
}

impl<S> CallBuilder<S> {
    /// How long the call may take, from its first await to its last message. The server is told, and this side
    /// waits no longer.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.call.timeout = Some(timeout);
        self
    }

    /// Adds a header. The channel's headers of the same name stay behind.
    ///
    /// The call fails with `invalid_argument` if the name belongs to the protocol or is no HTTP token, or the
    /// value holds control characters.
    pub fn header(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Bytes>) -> Self {
        let added = self.call.headers.append(name, value);
        self.note(added)
    }

    /// Adds a header of binary data, whose name ends in `-bin`. It fails the call as [`header`](Self::header)
    /// does.
    pub fn header_bin(mut self, name: impl Into<Cow<'static, str>>, value: &[u8]) -> Self {
        let added = self.call.headers.append_bin(name, value);
        self.note(added)
    }

    /// Adds all of these headers.
    pub fn headers(mut self, headers: &Metadata) -> Self {
        self.call.headers.extend(headers);
        self
    }

    /// Makes the call part of one that a handler answers: it ends no later than that one, and with it if it is
    /// cancelled.
    pub fn within(mut self, call: &impl ParentCall) -> Self {
        self.call.within(call);
        self
    }

    /// Chooses whether requests are compressed, where the channel says with what.
    pub fn compress(mut self, wish: Compress) -> Self {
        self.call.options_mut().compress = Some(wish);
        self
    }

    /// Leaves something for the transport beside the request: what tower layers look for.
    pub fn extension<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        self.call.extensions_mut().insert(value);
        self
    }

    /// Sets the protocol of this call. It goes before [`Channel::protocol`].
    pub fn protocol(self, protocol: ClientProtocol) -> Self {
        self.with_config(|config| config.protocol = protocol)
    }

    /// Sets the codec of this call. It goes before [`Channel::codec`].
    pub fn codec(mut self, codec: &'static dyn Codec) -> Self {
        self.call.options_mut().codec = Some(codec);
        self.with_config(|config| *config = config.clone().with_codec(codec.name()))
    }

    /// Sets the bounds of this call, both ways. It goes before [`Channel::limits`].
    pub fn limits(self, limits: Limits) -> Self {
        self.with_config(|config| config.limits = limits)
    }

    /// Sets the cost that decoding one message of this call may have. It goes before [`Channel::decode_limits`].
    pub fn decode_limits(mut self, limits: DecodeLimits) -> Self {
        self.call.options_mut().decode_limits = Some(limits);
        self
    }

    /// Sets the compressions that the response may have, the most preferred first. It goes before [`Channel::accept`].
    pub fn accept(self, compressions: Compressions) -> Self {
        self.with_config(|config| config.compressions = compressions)
    }

    /// Sets the compression of the requests of this call. It goes before [`Channel::compression`].
    pub fn compression(self, compression: Option<&'static dyn Compression>) -> Self {
        self.with_config(|config| config.compression = compression)
    }

    /// Sets which requests of this call are worth compressing. It goes before [`Channel::compression_policy`].
    pub fn compression_policy(self, policy: CompressionPolicy) -> Self {
        self.with_config(|config| config.compression_policy = policy)
    }

    /// Sets whether this call travels as GET, if its method has no side effects. It goes before [`Channel::get`].
    pub fn get(self, policy: GetPolicy) -> Self {
        self.with_config(|config| config.get = policy)
    }

    /// Sets the policy by which this call is made again after it has failed. It goes before [`Channel::retry`].
    pub fn retry(mut self, policy: impl Into<Option<RetryPolicy>>) -> Self {
        self.call.options_mut().retry = Some(policy.into());
        self
    }

    /// Sets the policy by which this call is sent to more than one server when the first is slow. It goes before [`Channel::hedge`].
    pub fn hedge(mut self, policy: impl Into<Option<HedgePolicy>>) -> Self {
        self.call.options_mut().hedge = Some(policy.into());
        self
    }

    fn with_config(mut self, change: impl FnOnce(&mut ClientConfig)) -> Self {
        change(self.call.config_mut());
        self
    }

    fn note<E: std::error::Error + Send + Sync + 'static>(mut self, added: Result<(), E>) -> Self {
        if let Err(error) = added {
            self.call.note(bad_argument(error));
        }
        self
    }
}

impl<'r, Q, A, T, K, F> CallBuilder<One<'r, Q, T, K, Whole<A, F>>> {
    /// Asks for the reply as a view that owns its bytes: nothing of it is copied.
    pub fn view(self) -> UnaryCall<'r, Q, A, T, K, Viewed> {
        CallBuilder { call: self.call, shape: One { request: self.shape.request, of: PhantomData } }
    }
}

impl<'r, Q, A, T, K, F> IntoFuture for CallBuilder<One<'r, Q, T, K, Whole<A, F>>>
where
    Q: Message,
    A: Message,
    T: Encode<Q, K>,
    K: 'r,
    F: ReplyForm<A> + 'r,
{
    type Output = Result<Reply<F::Form>>;
    type IntoFuture = UnaryFuture<'r, Q, A, T, K, F>;

    fn into_future(self) -> Self::IntoFuture {
        UnaryFuture::new(self.call, self.shape.request)
    }
}

impl<'r, Q, A, T, K> IntoFuture for CallBuilder<One<'r, Q, T, K, Each<A>>>
where
    Q: Message,
    A: Message,
    T: Encode<Q, K>,
    K: 'r,
{
    type Output = Result<Incoming<A>>;
    type IntoFuture = BoxFuture<'r, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { call, shape: One { request, .. } } = self;
        Box::pin(async move {
            let lent = Lent::<Q, T, K>::new(request);
            Ok(Incoming::new(stream::server_stream(call, &lent, A::FULL_NAME).await?))
        })
    }
}

impl<Q: Message, A: Message> IntoFuture for CallBuilder<Many<Q, Whole<A>>> {
    type Output = Result<ClientStream<Q, A>>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let (incoming, outgoing) = stream::open(self.call, A::FULL_NAME).await?;
            Ok(ClientStream::new(incoming, outgoing))
        })
    }
}

impl<Q: Message, A: Message> IntoFuture for CallBuilder<Many<Q, Each<A>>> {
    type Output = Result<Bidi<Q, A>>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let (incoming, outgoing) = stream::open(self.call, A::FULL_NAME).await?;
            Ok(Bidi::new(incoming, outgoing))
        })
    }
}

impl<S> fmt::Debug for CallBuilder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.call.fmt(f)
    }
}
