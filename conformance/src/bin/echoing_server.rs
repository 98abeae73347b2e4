//! A plain service behind the server, for h2spec.

#![forbid(unsafe_code)]

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    ringwire_conformance::server::run(|_| ringwire_conformance::Plain).await
}
