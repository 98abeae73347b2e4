//! A service with an interceptor, from the bytes of requests to the bytes of responses, under a clock of the test's own.
//! `testdata/` holds what is said.

use std::time::Duration;

use greet::*;
use ringwire_service::{
    Call, DeadlinePolicy, Error, Interceptor, Limits, Next, Requests, Responses, Result, Router,
};
use ringwire_testing::{clock::Clock, service::Served, transcript::check};

#[path = "service/greet/mod.rs"]
mod greet;

#[test]
fn greeter_keeps_to_its_transcripts() {
    check("runtime/service", "testdata", || {
        let clock = Clock::new();
        let greeter = GreetServer::new(Greeter { clock: clock.clone() });
        let router = Router::new()
            .add(greeter)
            .intercept(Doorman)
            .limits(Limits { receive_max: 64, ..Limits::default() })
            .deadlines(DeadlinePolicy { max: Some(Duration::from_secs(60)), ..DeadlinePolicy::default() });
        Served::new(router, clock)
    });
}

/// Takes a second for each greeting of somebody slow, and for each letter.
struct Greeter {
    clock: Clock,
}

impl Greet for Greeter {
    async fn greet(&self, call: &mut Call, request: GreetRequestView<'_>) -> Result<GreetResponse> {
        if request.name.is_empty() {
            return Err(Error::invalid_argument("a greeting needs a name"));
        }
        if request.name == "Slow" {
            self.clock.sleep(SECOND).await;
        }
        call.response_trailers_mut().insert("x-served-by", "greeter")?;
        Ok(GreetResponse { greeting: format!("Hello, {}!", request.name), ..Default::default() })
    }

    async fn collect(&self, _: &mut Call, mut requests: Requests<'_, GreetRequest>) -> Result<GreetResponse> {
        let mut greeting = "Hello".to_owned();
        while let Some(request) = requests.next().await? {
            greeting = format!("{greeting}, {}", request.name);
        }
        Ok(GreetResponse { greeting, ..Default::default() })
    }

    async fn spell(
        &self,
        _: &mut Call,
        request: GreetRequestView<'_>,
        mut responses: Responses<'_, GreetResponse>,
    ) -> Result<()> {
        for letter in request.name.chars() {
            responses.send(&GreetResponse { greeting: letter.to_string(), ..Default::default() }).await?;
            self.clock.sleep(SECOND).await;
        }
        Ok(())
    }

    async fn chat(
        &self,
        _: &mut Call,
        mut requests: Requests<'_, ChatRequest>,
        mut responses: Responses<'_, ChatResponse>,
    ) -> Result<()> {
        while let Some(request) = requests.next().await? {
            if request.line == "bye" {
                return Err(Error::aborted("so soon?"));
            }
            let line = request.line.to_uppercase();
            responses.send(&ChatResponse { line, ..Default::default() }).await?;
        }
        Ok(())
    }
}

/// Lets nobody in.
#[derive(Clone)]
struct Doorman;

impl Interceptor<Call> for Doorman {
    async fn intercept(&self, call: &mut Call, next: Next<'_>) -> Result<()> {
        if call.headers().get("x-user") == Some(b"nobody") {
            return Err(Error::permission_denied("nobody may come in"));
        }
        next.run(call).await
    }
}

const SECOND: Duration = Duration::from_secs(1);
