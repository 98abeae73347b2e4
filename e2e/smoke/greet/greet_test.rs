//! A call over a connection, to a service of the stranger's.

use greet_rust::greet::v1::*;
use people_rust::people::v1::Person;
use ringwire::{Call, Channel, Result, Router, Server};

struct Greeter;

impl Greet for Greeter {
    async fn greet(&self, _: &mut Call, request: GreetRequestView<'_>) -> Result<GreetResponse> {
        let who: Person = request.to_owned_message()?.who.take().unwrap_or_default();
        let greeting = format!("Hello, {}!", who.name.unwrap_or_default());
        Ok(GreetResponse { greeting: Some(greeting), ..Default::default() })
    }
}

#[tokio::test]
async fn the_service_answers_its_client() {
    let server = Server::bind("127.0.0.1:0");
    let origin = format!("http://{}", server.local_address().unwrap());
    tokio::spawn(server.serve(Router::new().add(GreetServer::new(Greeter))));

    let greet = GreetClient::new(Channel::new(&origin).unwrap());
    let ada = Person { name: Some("Ada".to_owned()), ..Default::default() };
    let request = GreetRequest { who: ada.into(), ..Default::default() };
    let reply = greet.greet(&request).await.unwrap();
    assert_eq!(reply.greeting.as_deref(), Some("Hello, Ada!"));
}
