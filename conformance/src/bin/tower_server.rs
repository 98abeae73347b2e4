//! The portable server under test.

#![forbid(unsafe_code)]

#[tokio::main]
async fn main() -> ringwire_service::Result<()> {
    ringwire_conformance::tower::run(ringwire_conformance::router).await
}
