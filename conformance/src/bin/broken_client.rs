//! A client that takes every error for another: what the tests of the suite must notice.

#![forbid(unsafe_code)]

use ringwire_client::{Call, Code, Next, Result};

async fn mistake(call: &mut Call, next: Next<'_>) -> Result<()> {
    next.run(call).await.map_err(|error| error.with_code(Code::DataLoss))
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    ringwire_conformance::client::run(|channel| channel.intercept(mistake)).await
}
