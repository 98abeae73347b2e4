//! Serves a unary echo, for measuring: `echo ADDRESS [ring|readiness [SHARDS]]`. One shard unless told otherwise.

#![forbid(unsafe_code)]

use buffa_types::google::protobuf::StringValue;
use ringwire_rpc::{Spec, StreamShape};
use ringwire_server::{DriverChoice, ServeError, Server, terminated};
use ringwire_service::{Call, Ends, Mounted, Result, Router, Service};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), ServeError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let address = arguments.first().map_or("127.0.0.1:0", String::as_str);
    let driver = match arguments.get(1).map(String::as_str) {
        Some("ring") => DriverChoice::Ring,
        Some("readiness") => DriverChoice::Readiness,
        _ => DriverChoice::Auto,
    };
    let shards = arguments.get(2).and_then(|shards| shards.parse().ok()).unwrap_or(1);
    let server = Server::bind(address).driver(driver).shards(shards);
    println!("{}", server.local_address()?);
    server.until(terminated()).serve(Router::new().add(Mounted::new(Echo))).await
}

/// A service of one method, as generated code would have it.
struct Echo;

impl Service for Echo {
    const NAME: &'static str = "ringwire.peers.v1.Echo";
    const METHODS: &'static [Spec] = &[Spec::new("/ringwire.peers.v1.Echo/Say", StreamShape::Unary)];

    fn find(method: &str) -> Option<usize> {
        (method == "Say").then_some(0)
    }

    async fn serve(&self, _: usize, _: &mut Call, ends: Ends<'_>) -> Result<()> {
        let (request, response) = ends.unary::<StringValue, StringValue>()?;
        let value = request.view()?.value.to_owned();
        response.send(&StringValue { value, ..Default::default() }).await?;
        Ok(())
    }
}
