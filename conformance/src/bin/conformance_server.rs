//! The server under test.

#![forbid(unsafe_code)]

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    ringwire_conformance::server::run(ringwire_conformance::router).await
}
