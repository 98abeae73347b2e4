//! Serves the echo service of the tests, for measuring: `echo ADDRESS [ring|readiness]`. One shard, on core 0 with `pinned`.

#![forbid(unsafe_code)]

#[path = "../tests/echo/mod.rs"]
mod echo;

use ringwire_server::{DriverChoice, ServeError, Server, terminated};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), ServeError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let address = arguments.first().map_or("127.0.0.1:0", String::as_str);
    let driver = match arguments.get(1).map(String::as_str) {
        Some("ring") => DriverChoice::Ring,
        Some("readiness") => DriverChoice::Readiness,
        _ => DriverChoice::Auto,
    };
    let server = Server::bind(address).driver(driver).shards(1);
    println!("{}", server.local_address()?);
    server.until(terminated()).serve(echo::router()).await
}
