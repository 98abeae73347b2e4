//! Serves greetings until it is told to stop, by Ctrl-C or SIGTERM.

#![forbid(unsafe_code)]

use greet_rust::greet::v1::*;
use ringwire::{Call, Error, Requests, Responses, Result, Router, ServeError, Server, terminated};

struct Greeter;

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

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    let server = Server::bind("127.0.0.1:0").until(terminated());
    println!("listening on http://{}", server.local_address()?);
    server.serve(Router::new().add(GreetServer::new(Greeter))).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringwire::{Channel, Code, LocalChannel};

    #[tokio::test]
    async fn whoever_has_a_name_is_greeted() {
        let greet = GreetClient::new(Channel::local(GreetServer::new(Greeter)));
        let ada = GreetRequest { name: "Ada".to_owned(), ..Default::default() };
        assert_eq!(greet.greet(&ada).await.unwrap().greeting, "Hello, Ada!");
        let nobody = greet.greet(&GreetRequest::default()).await;
        assert_eq!(nobody.unwrap_err().code(), Code::InvalidArgument);
    }

    #[tokio::test]
    async fn lines_come_back_in_capitals() {
        let greet = GreetClient::new(Channel::local(GreetServer::new(Greeter)));
        let mut chat = greet.chat().await.unwrap();
        chat.send(&ChatRequest { line: "hi".to_owned(), ..Default::default() }).await.unwrap();
        assert_eq!(chat.next().await.unwrap().unwrap().line, "HI");
        chat.close_send().await.unwrap();
        assert!(chat.next().await.unwrap().is_none());
    }
}
