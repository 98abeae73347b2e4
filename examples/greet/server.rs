//! Serves greetings until it is told to stop, by Ctrl-C or SIGTERM.

#![forbid(unsafe_code)]

use greet_rust::greet::v1::GreetServer;
use greeter::Greeter;
use ringwire::tower::{Server, terminated};
use ringwire::{Result, Router};

#[tokio::main]
async fn main() -> Result<()> {
    let server = Server::bind("127.0.0.1:0").until(terminated());
    println!("listening on http://{}", server.local_address()?);
    server.serve(Router::new().add(GreetServer::new(Greeter))).await
}
