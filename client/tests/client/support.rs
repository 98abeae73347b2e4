//! What the tests share: services, channels, and a way to run futures without a runtime.
#![allow(dead_code, reason = "not every test needs every helper")]

use crate::greet::*;
use ringwire_client::{Channel, ClientProtocol, Codec, Json, Proto};
use ringwire_local::LocalChannel;
use ringwire_service::{Call, Error, Requests, Responses, Result, Router};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Runs a future that never waits for anything but itself.
#[track_caller]
pub(crate) fn now<T>(future: impl IntoFuture<Output = T>) -> T {
    let mut future = pin!(future.into_future());
    // Ends of a stream may wake each other; nothing else does.
    for _ in 0..100 {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
    }
    panic!("the future waits")
}

/// A service that greets, and fails whom it is told to fail.
pub(crate) struct Greeter;

impl Greet for Greeter {
    async fn greet(&self, call: &mut Call, request: GreetRequestView<'_>) -> Result<GreetResponse> {
        let team = call.headers().get_str("x-team").unwrap_or("nobody").to_owned();
        call.response_trailers_mut().insert("served-for", team)?;
        call.response_headers_mut()?.insert("served-by", "greeter")?;
        if request.name.is_empty() {
            return Err(Error::invalid_argument("a greeting needs a name"));
        }
        Ok(response(&format!("Hello, {}!", request.name)))
    }

    async fn collect(
        &self,
        call: &mut Call,
        mut requests: Requests<'_, GreetRequest>,
    ) -> Result<GreetResponse> {
        call.response_trailers_mut().insert("served-for", "all")?;
        let mut names = Vec::new();
        while let Some(request) = requests.next().await? {
            if request.name == "stop" {
                return Err(Error::failed_precondition("stopped"));
            }
            if request.name == "enough" {
                break;
            }
            names.push(request.name.to_owned());
        }
        Ok(response(&names.join(" and ")))
    }

    async fn spell(
        &self,
        call: &mut Call,
        request: GreetRequestView<'_>,
        mut responses: Responses<'_, GreetResponse>,
    ) -> Result<()> {
        call.response_headers_mut()?.insert("served-by", "greeter")?;
        call.response_trailers_mut().insert("served-for", request.name.to_owned())?;
        if request.name.is_empty() {
            return Err(Error::invalid_argument("a greeting needs a name"));
        }
        for letter in request.name.chars() {
            if letter == '!' {
                return Err(Error::out_of_range("no letter"));
            }
            responses.send(&response(&letter.to_string())).await?;
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
            if request.line == "stop" {
                return Err(Error::failed_precondition("stopped"));
            }
            let line = request.line.to_uppercase();
            responses.send(&ChatResponse { line, ..Default::default() }).await?;
        }
        Ok(())
    }
}

pub(crate) fn channel() -> Channel {
    Channel::local(Router::new().add(GreetServer::new(Greeter)))
}

pub(crate) fn greeter() -> GreetClient {
    GreetClient::new(channel())
}

pub(crate) fn request(name: &str) -> GreetRequest {
    GreetRequest { name: name.to_owned(), ..Default::default() }
}

pub(crate) fn response(greeting: &str) -> GreetResponse {
    GreetResponse { greeting: greeting.to_owned(), ..Default::default() }
}

pub(crate) fn line(line: &str) -> ChatRequest {
    ChatRequest { line: line.to_owned(), ..Default::default() }
}

pub(crate) const PROTOCOLS: [ClientProtocol; 4] =
    [ClientProtocol::CONNECT, ClientProtocol::GRPC, ClientProtocol::GRPC_WEB, ClientProtocol::GRPC_WEB_TEXT];
pub(crate) const CODECS: [&dyn Codec; 2] = [&Proto, &Json];
