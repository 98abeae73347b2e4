//! What a generated crate holds for `greet.proto`, with the client as the generator is to write it.
#![allow(dead_code, unreachable_pub, reason = "generated code is for everybody, whether it is used or not")]

#[path = "../../../runtime/service/tests/service/greet/mod.rs"]
mod generated;

pub(crate) use generated::*;

/// Greets.
#[derive(Clone, Debug)]
pub struct GreetClient {
    channel: ::ringwire_client::Channel,
}

impl GreetClient {
    /// A client that makes its calls over `channel`.
    pub fn new(channel: ::ringwire_client::Channel) -> Self {
        Self { channel }
    }

    /// Says hello once.
    pub fn greet<'r, T, K>(
        &self,
        request: &'r T,
    ) -> ::ringwire_client::UnaryCall<'r, GreetRequest, GreetResponse, T, K>
    where
        T: ::ringwire_client::Encode<GreetRequest, K>,
    {
        self.channel.unary(&GREET_METHODS[0], request)
    }

    /// Says hello to all of them at once.
    pub fn collect(&self) -> ::ringwire_client::ClientStreamCall<GreetRequest, GreetResponse> {
        self.channel.client_stream(&GREET_METHODS[1])
    }

    /// Says hello to each letter of a name.
    pub fn spell<'r, T, K>(
        &self,
        request: &'r T,
    ) -> ::ringwire_client::ServerStreamCall<'r, GreetRequest, GreetResponse, T, K>
    where
        T: ::ringwire_client::Encode<GreetRequest, K>,
    {
        self.channel.server_stream(&GREET_METHODS[2], request)
    }

    /// Answers each line.
    pub fn chat(&self) -> ::ringwire_client::BidiCall<ChatRequest, ChatResponse> {
        self.channel.bidi(&GREET_METHODS[3])
    }
}

/// The specs of the methods, which the service's own code shares.
const GREET_METHODS: &[::ringwire_service::Spec] =
    <GreetServer<Nobody> as ::ringwire_service::Service>::METHODS;

/// Something to ask for the specs.
struct Nobody;

impl Greet for Nobody {}
