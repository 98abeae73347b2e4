//! A server that forgets the trailers of every response: what the tests of the suite must notice.

#![forbid(unsafe_code)]

use ringwire_conformance::{router, server};
use ringwire_service::{Call, Interceptor, Metadata, Next, Result};

struct Forgetful;

impl Interceptor<Call> for Forgetful {
    async fn intercept(&self, call: &mut Call, next: Next<'_>) -> Result<()> {
        let outcome = next.run(call).await;
        *call.response_trailers_mut() = Metadata::new();
        outcome
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    server::run(|asked| router(asked).intercept(Forgetful)).await
}
