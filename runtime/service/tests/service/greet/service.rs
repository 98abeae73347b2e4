/// Greets.
pub trait Greet: ::core::marker::Send + ::core::marker::Sync + 'static {
    /// Says hello once.
    fn greet(
        &self,
        call: &mut ::ringwire_service::Call,
        request: GreetRequestView<'_>,
    ) -> impl ::core::future::Future<Output = ::ringwire_service::Result<GreetResponse>> + ::core::marker::Send
    {
        let _ = request;
        ::ringwire_service::unimplemented(call.spec())
    }

    /// [`greet`](Self::greet), for an answer that is borrowed, or encoded already.
    fn greet_into(
        &self,
        call: &mut ::ringwire_service::Call,
        request: GreetRequestView<'_>,
        response: ::ringwire_service::Response<'_, GreetResponse>,
    ) -> impl ::core::future::Future<
        Output = ::ringwire_service::Result<::ringwire_service::Sent>,
    > + ::core::marker::Send {
        async move {
            let message = <Self as Greet>::greet(self, call, request).await?;
            response.answer(call, &message).await
        }
    }

    /// Says hello to all of them at once.
    fn collect(
        &self,
        call: &mut ::ringwire_service::Call,
        requests: ::ringwire_service::Requests<'_, GreetRequest>,
    ) -> impl ::core::future::Future<Output = ::ringwire_service::Result<GreetResponse>> + ::core::marker::Send
    {
        let _ = requests;
        ::ringwire_service::unimplemented(call.spec())
    }

    /// [`collect`](Self::collect), for an answer that is borrowed, or encoded already.
    fn collect_into(
        &self,
        call: &mut ::ringwire_service::Call,
        requests: ::ringwire_service::Requests<'_, GreetRequest>,
        response: ::ringwire_service::Response<'_, GreetResponse>,
    ) -> impl ::core::future::Future<
        Output = ::ringwire_service::Result<::ringwire_service::Sent>,
    > + ::core::marker::Send {
        async move {
            let message = <Self as Greet>::collect(self, call, requests).await?;
            response.answer(call, &message).await
        }
    }

    /// Says hello to each letter of a name.
    fn spell(
        &self,
        call: &mut ::ringwire_service::Call,
        request: GreetRequestView<'_>,
        responses: ::ringwire_service::Responses<'_, GreetResponse>,
    ) -> impl ::core::future::Future<Output = ::ringwire_service::Result<()>> + ::core::marker::Send
    {
        let _ = (request, responses);
        ::ringwire_service::unimplemented(call.spec())
    }

    /// Answers each line.
    fn chat(
        &self,
        call: &mut ::ringwire_service::Call,
        requests: ::ringwire_service::Requests<'_, ChatRequest>,
        responses: ::ringwire_service::Responses<'_, ChatResponse>,
    ) -> impl ::core::future::Future<Output = ::ringwire_service::Result<()>> + ::core::marker::Send
    {
        let _ = (requests, responses);
        ::ringwire_service::unimplemented(call.spec())
    }
}

/// A [`Greet`] that a server can serve.
pub struct GreetServer<S>(S);

impl<S: Greet> GreetServer<S> {
    /// Wraps a service, to be added to a router.
    #[allow(clippy::new_ret_no_self)]
    pub fn new(service: S) -> ::ringwire_service::Mounted<Self> {
        ::ringwire_service::Mounted::new(Self(service))
    }
}

impl<S: Greet> ::ringwire_service::Service for GreetServer<S> {
    const NAME: &'static str = "greet.v1.Greet";
    const METHODS: &'static [::ringwire_service::Spec] = &GREET_METHODS;

    fn find(method: &str) -> ::core::option::Option<usize> {
        match method {
            "Greet" => ::core::option::Option::Some(0),
            "Collect" => ::core::option::Option::Some(1),
            "Spell" => ::core::option::Option::Some(2),
            "Chat" => ::core::option::Option::Some(3),
            _ => ::core::option::Option::None,
        }
    }

    async fn serve(
        &self,
        method: usize,
        call: &mut ::ringwire_service::Call,
        ends: ::ringwire_service::Ends<'_>,
    ) -> ::ringwire_service::Result<()> {
        match method {
            0 => {
                let (request, response) = ends.unary::<GreetRequest, GreetResponse>()?;
                <S as Greet>::greet_into(&self.0, call, request.view()?, response).await?.done()
            }
            1 => {
                let (requests, response) = ends.client_stream::<GreetRequest, GreetResponse>()?;
                <S as Greet>::collect_into(&self.0, call, requests, response).await?.done()
            }
            2 => {
                let (request, responses) = ends.server_stream::<GreetRequest, GreetResponse>().await?;
                <S as Greet>::spell(&self.0, call, request.view()?, responses).await
            }
            3 => {
                let (requests, responses) = ends.bidi::<ChatRequest, ChatResponse>()?;
                <S as Greet>::chat(&self.0, call, requests, responses).await
            }
            _ => ::ringwire_service::unimplemented(call.spec()).await,
        }
    }
}

static GREET_METHODS: [::ringwire_service::Spec; 4] = [
    ::ringwire_service::Spec::new("/greet.v1.Greet/Greet", ::ringwire_service::StreamShape::Unary)
        .with_idempotency(::ringwire_service::Idempotency::NoSideEffects)
        .with_descriptor(&::ringwire_service::MethodDescriptor {
            method: b"\n\x05Greet\x12\x16.greet.v1.GreetRequest\x1a\x17.greet.v1.GreetResponse\"\x03\x90\x02\x01",
            files: GREET_FILES,
        }),
    ::ringwire_service::Spec::new("/greet.v1.Greet/Collect", ::ringwire_service::StreamShape::ClientStream)
        .with_descriptor(&::ringwire_service::MethodDescriptor {
            method: b"\n\x07Collect\x12\x16.greet.v1.GreetRequest\x1a\x17.greet.v1.GreetResponse(\x01",
            files: GREET_FILES,
        }),
    ::ringwire_service::Spec::new("/greet.v1.Greet/Spell", ::ringwire_service::StreamShape::ServerStream)
        .with_descriptor(&::ringwire_service::MethodDescriptor {
            method: b"\n\x05Spell\x12\x16.greet.v1.GreetRequest\x1a\x17.greet.v1.GreetResponse0\x01",
            files: GREET_FILES,
        }),
    ::ringwire_service::Spec::new("/greet.v1.Greet/Chat", ::ringwire_service::StreamShape::Bidi)
        .with_descriptor(&::ringwire_service::MethodDescriptor {
            method: b"\n\x04Chat\x12\x15.greet.v1.ChatRequest\x1a\x16.greet.v1.ChatResponse(\x010\x01",
            files: GREET_FILES,
        }),
];

static GREET_FILES: &[u8] = include_bytes!("greet.binpb");
