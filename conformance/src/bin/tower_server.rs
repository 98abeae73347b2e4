//! The portable server under test.

#![forbid(unsafe_code)]

use conformance_rust::connectrpc::conformance::v1::{ServerCompatRequest, ServerCompatResponse};
use ringwire_conformance::{compat, router, tls};
use ringwire_service::{Error, Result};
use ringwire_tower::{Server, terminated};
use std::io;

#[tokio::main]
async fn main() -> Result<()> {
    let asked: ServerCompatRequest =
        compat::receive(&mut io::stdin().lock())?.ok_or_else(|| Error::invalid_argument("nothing to serve"))?;
    let mut server = Server::bind("127.0.0.1:0").until(terminated());
    let mut answer = ServerCompatResponse::default();
    if let Some(tls) = tls(&asked)? {
        server = server.tls(tls);
        answer.pem_cert = asked.server_creds.cert.clone();
    }
    answer.port = server.local_address()?.tcp().map_or(0, |address| address.port().into());
    compat::send(&mut io::stdout().lock(), &answer)?;
    server.serve(router(&asked)).await
}
