//! The pooled client under test.

#![forbid(unsafe_code)]

#[tokio::main]
async fn main() -> std::io::Result<()> {
    ringwire_conformance::client::run(|channel| channel).await
}
