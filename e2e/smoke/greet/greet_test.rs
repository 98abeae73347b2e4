//! A call over a connection, to a service of the stranger's.

use greet_rust::greet::v1::*;
use people_rust::people::v1::Person;
use ringwire::tower::Server;
use ringwire::{Call, Result, Router};
use std::io::{Read, Write};
use std::net::TcpStream;

struct Greeter;

impl Greet for Greeter {
    async fn greet(&self, _: &mut Call, request: GreetRequestView<'_>) -> Result<GreetResponse> {
        let who: Person = request.to_owned_message()?.who.take().unwrap_or_default();
        let greeting = format!("Hello, {}!", who.name.unwrap_or_default());
        Ok(GreetResponse { greeting: Some(greeting), ..Default::default() })
    }
}

#[test]
fn the_service_answers_a_stranger() {
    let server = Server::bind("127.0.0.1:0");
    let address = server.local_address().unwrap().to_string();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.spawn(server.serve(Router::new().add(GreetServer::new(Greeter))));

    let body = r#"{"who":{"name":"Ada"}}"#;
    let mut connection = TcpStream::connect(&address).unwrap();
    write!(
        connection,
        "POST /greet.v1.Greet/Greet HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut response = String::new();
    connection.read_to_string(&mut response).unwrap();
    assert!(response.ends_with(r#"{"greeting":"Hello, Ada!"}"#), "{response}");
}
