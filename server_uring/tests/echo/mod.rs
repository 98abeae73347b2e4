//! The service of `conformance/peers/echo.proto`, written by hand as generated code would be.

use buffa_types::google::protobuf::StringValue;
use ringwire_compress::{Compressions, Gzip};
use ringwire_rpc::{Error, Idempotency, Spec, StreamShape};
use ringwire_service::{Call, Ends, ErrorDetails, Mounted, Result, Router, Service};

/// A router with the service, and the compressions that peers ask for.
pub(crate) fn router() -> Router {
    Router::new().add(Mounted::new(Echo)).compressions(Compressions::none().with(&Gzip))
}

pub(crate) struct Echo;

impl Service for Echo {
    const NAME: &'static str = "ringwire.peers.v1.Echo";
    const METHODS: &'static [Spec] = &[
        Spec::new("/ringwire.peers.v1.Echo/Say", StreamShape::Unary)
            .with_idempotency(Idempotency::NoSideEffects),
        Spec::new("/ringwire.peers.v1.Echo/Fail", StreamShape::Unary),
        Spec::new("/ringwire.peers.v1.Echo/Wait", StreamShape::Unary),
        Spec::new("/ringwire.peers.v1.Echo/Count", StreamShape::ServerStream),
        Spec::new("/ringwire.peers.v1.Echo/Join", StreamShape::ClientStream),
        Spec::new("/ringwire.peers.v1.Echo/Chat", StreamShape::Bidi),
    ];

    fn find(method: &str) -> Option<usize> {
        ["Say", "Fail", "Wait", "Count", "Join", "Chat"].iter().position(|name| *name == method)
    }

    async fn serve(&self, method: usize, call: &mut Call, ends: Ends<'_>) -> Result<()> {
        match method {
            0 => {
                let (request, response) = ends.unary::<StringValue, StringValue>()?;
                Self::say(call)?;
                response.send(&text(request.view()?.value)).await?;
            }
            1 => {
                let (request, _) = ends.unary::<StringValue, StringValue>()?;
                return Err(failure(request.view()?.value));
            }
            2 => {
                ends.unary::<StringValue, StringValue>()?;
                std::future::pending::<()>().await;
            }
            3 => {
                let (request, mut responses) = ends.server_stream::<StringValue, StringValue>().await?;
                for number in 1..=request.view()?.value.parse::<u32>()? {
                    responses.send(&text(&number.to_string())).await?;
                }
            }
            4 => {
                let (mut requests, response) = ends.client_stream::<StringValue, StringValue>()?;
                let mut words = Vec::new();
                while let Some(word) = requests.next().await? {
                    words.push(word.value.to_owned());
                }
                response.send(&text(&words.join(","))).await?;
            }
            _ => {
                let (mut requests, mut responses) = ends.bidi::<StringValue, StringValue>()?;
                while let Some(word) = requests.next().await? {
                    if word.value == "fail" {
                        return Err(failure(word.value));
                    }
                    let answer = text(&word.value.to_uppercase());
                    responses.send(&answer).await?;
                }
            }
        }
        Ok(())
    }
}

impl Echo {
    fn say(call: &mut Call) -> Result<()> {
        if let Ok(value) = call.headers().get_str("x-echo").map(str::to_owned) {
            call.response_headers_mut()?.append("x-echo", value)?;
        }
        if let Ok(value) = call.headers().get_bin("x-echo-bin") {
            call.response_headers_mut()?.append_bin("x-echo-bin", &value)?;
            call.response_trailers_mut().append_bin("x-echo-bin", &value)?;
        }
        Ok(())
    }
}

fn failure(why: &str) -> Error {
    Error::resource_exhausted("no more of ☺").with_detail(&text(why))
}

fn text(value: &str) -> StringValue {
    StringValue { value: value.to_owned(), ..Default::default() }
}
