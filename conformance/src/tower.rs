//! The portable server as a program under test.

use crate::compat;
use crate::serving::{Identity, identity};
use conformance_rust::connectrpc::conformance::v1::{ServerCompatRequest, ServerCompatResponse};
use ringwire_service::{Error, Result};
use ringwire_tower::{IntoService, Server, Tls, terminated};
use std::io;

/// Becomes what the runner asks for, and serves until it is told to stop.
///
/// # Errors
/// The runner asks for nothing, or for what cannot be served.
pub async fn run<K, S: IntoService<K>>(service: impl FnOnce(&ServerCompatRequest) -> S) -> Result<()> {
    let asked: ServerCompatRequest = compat::receive(&mut io::stdin().lock())?
        .ok_or_else(|| Error::invalid_argument("nothing to serve"))?;
    let mut server = Server::bind("127.0.0.1:0").until(terminated());
    let mut answer = ServerCompatResponse::default();
    if let Some(Identity { cert, key, clients }) = identity(&asked)? {
        server = server.tls(match clients {
            [] => Tls::from_pem(cert, key),
            clients => Tls::from_pem_with_clients(cert, key, clients),
        }?);
        answer.pem_cert = cert.to_owned();
    }
    answer.port = server.local_address()?.tcp().map_or(0, |address| address.port().into());
    compat::send(&mut io::stdout().lock(), &answer)?;
    Ok(server.serve(service(&asked)).await?)
}
