//! A plain service behind the portable server, for h2spec.

#![forbid(unsafe_code)]

#[tokio::main]
async fn main() -> ringwire_service::Result<()> {
    ringwire_conformance::tower::run(|_| ringwire_conformance::Plain).await
}
