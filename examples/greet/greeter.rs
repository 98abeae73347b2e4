//! The service of `greet.proto`.

#![forbid(unsafe_code)]

use greet_rust::greet::v1::*;
use ringwire::{Call, Error, Requests, Responses, Result};

/// Greets people.
#[derive(Debug)]
pub struct Greeter;

impl Greet for Greeter {
    async fn greet(&self, _: &mut Call, request: GreetRequestView<'_>) -> Result<GreetResponse> {
        if request.name.is_empty() {
            return Err(Error::invalid_argument("a greeting needs a name"));
        }
        Ok(GreetResponse { greeting: format!("Hello, {}!", request.name), ..Default::default() })
    }

    async fn chat(
        &self,
        _: &mut Call,
        mut requests: Requests<'_, ChatRequest>,
        mut responses: Responses<'_, ChatResponse>,
    ) -> Result<()> {
        while let Some(request) = requests.next().await? {
            responses.send(&ChatResponse { line: request.line.to_uppercase(), ..Default::default() }).await?;
        }
        Ok(())
    }
}
