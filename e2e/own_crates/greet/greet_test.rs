//! A service and its client, with the tokio of the module's own hub under both.

use greet_rust::greet::v1::*;
use ringwire::{Call, Channel, LocalChannel, Result};
use std::time::Duration;

struct Greeter;

impl Greet for Greeter {
    async fn greet(&self, _: &mut Call, request: GreetRequestView<'_>) -> Result<GreetResponse> {
        // A timer of this tokio, which a runtime of another one would not know.
        tokio::time::timeout(Duration::from_secs(60), async {}).await?;
        Ok(GreetResponse { greeting: format!("Hello, {}!", request.name), ..Default::default() })
    }
}

#[tokio::test]
async fn the_service_answers_its_client() {
    let greet = GreetClient::new(Channel::local(GreetServer::new(Greeter)));
    let ada = GreetRequest { name: "Ada".to_owned(), ..Default::default() };
    let reply = greet.greet(&ada).timeout(Duration::from_secs(60)).await.unwrap();
    assert_eq!(reply.greeting, "Hello, Ada!");
}
