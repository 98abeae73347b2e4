//! The server as a program under test.

use crate::compat;
use crate::serving::{Identity, identity};
use conformance_rust::connectrpc::conformance::v1::{ServerCompatRequest, ServerCompatResponse};
use ringwire_server::{DriverChoice, IntoService, Server, ServerTls, terminated};
use std::error::Error;
use std::io;

/// Becomes what the runner asks for, and serves until it is told to stop. The driver is the one that the variable
/// `RINGWIRE_DRIVER` names (`ring`, or `readiness`), and the server's choice if it is not set.
///
/// # Errors
/// The runner asks for nothing, or for what cannot be served, or the variable names no driver.
pub async fn run<K, S: IntoService<K>>(
    service: impl FnOnce(&ServerCompatRequest) -> S,
) -> Result<(), Box<dyn Error>> {
    let asked: ServerCompatRequest =
        compat::receive(&mut io::stdin().lock())?.ok_or("the runner has asked for nothing to serve")?;
    let mut server = Server::bind("127.0.0.1:0").driver(driver()?).until(terminated());
    let mut answer = ServerCompatResponse::default();
    if let Some(Identity { cert, key, clients }) = identity(&asked)? {
        server = server.tls(match clients {
            [] => ServerTls::from_pem(cert, key),
            clients => ServerTls::from_pem_with_clients(cert, key, clients),
        }?);
        answer.pem_cert = cert.to_owned();
    }
    answer.port = server.local_address()?.tcp().map_or(0, |address| address.port().into());
    compat::send(&mut io::stdout().lock(), &answer)?;
    Ok(server.serve(service(&asked)).await?)
}

fn driver() -> Result<DriverChoice, String> {
    match std::env::var("RINGWIRE_DRIVER").as_deref() {
        Ok("ring") => Ok(DriverChoice::Ring),
        Ok("readiness") => Ok(DriverChoice::Readiness),
        Ok(other) => Err(format!("RINGWIRE_DRIVER is {other:?}, and must be \"ring\" or \"readiness\"")),
        Err(std::env::VarError::NotPresent) => Ok(DriverChoice::Auto),
        Err(error) => Err(format!("RINGWIRE_DRIVER: {error}")),
    }
}
