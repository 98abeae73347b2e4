//! The tower service under test, on hyper.

#![forbid(unsafe_code)]

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    ringwire_conformance::hyper::run().await
}
