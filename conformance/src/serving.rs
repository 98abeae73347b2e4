//! What every server under test is made of, whatever carries it.

use crate::Conformance;
use conformance_rust::connectrpc::conformance::v1::{ConformanceServiceServer, ServerCompatRequest};
use ringwire_compress::Compressions;
use ringwire_compress_br::Br;
use ringwire_compress_deflate::Deflate;
use ringwire_compress_snappy::Snappy;
use ringwire_message::Types;
use ringwire_service::{Limits, Router};
use ringwire_tower::Tls;
use std::io;

/// The service, with all six compressions and the limit that the runner asks for.
///
/// Makes the suite's messages known to `Any` in JSON, as an application's `main` would.
pub fn router(asked: &ServerCompatRequest) -> Router {
    Types::new().with(conformance_rust::register_types).install();
    let limits = match asked.message_receive_limit {
        0 => Limits::default(),
        receive_max => Limits { receive_max, ..Limits::default() },
    };
    Router::new()
        .add(ConformanceServiceServer::new(Conformance))
        .compressions(Compressions::default().with(&Br).with(&Deflate).with(&Snappy))
        .limits(limits)
}

/// The identity that the runner gives, and the client certificate that it wants required.
///
/// # Errors
/// The runner gives no certificate, or one that cannot be read.
pub fn tls(asked: &ServerCompatRequest) -> io::Result<Option<Tls>> {
    if !asked.use_tls {
        return Ok(None);
    }
    let identity =
        asked.server_creds.as_option().ok_or_else(|| io::Error::other("TLS without a certificate"))?;
    match &asked.client_tls_cert[..] {
        [] => Tls::from_pem(&identity.cert, &identity.key),
        clients => Tls::from_pem_with_clients(&identity.cert, &identity.key, clients),
    }
    .map(Some)
}
