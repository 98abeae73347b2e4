//! What every server under test is made of, whatever carries it.

use crate::Conformance;
use conformance_rust::connectrpc::conformance::v1::{ConformanceServiceServer, ServerCompatRequest};
use ringwire_compress::Compressions;
use ringwire_compress_br::Br;
use ringwire_compress_deflate::Deflate;
use ringwire_compress_snappy::Snappy;
use ringwire_message::Types;
use ringwire_service::{Limits, Router};
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

/// The identity that the runner gives a server, and the client certificate that it wants required: none if it is empty.
pub(crate) struct Identity<'a> {
    pub(crate) cert: &'a [u8],
    pub(crate) key: &'a [u8],
    pub(crate) clients: &'a [u8],
}

/// The identity for TLS, where the runner asks for TLS.
pub(crate) fn identity(asked: &ServerCompatRequest) -> io::Result<Option<Identity<'_>>> {
    if !asked.use_tls {
        return Ok(None);
    }
    let given =
        asked.server_creds.as_option().ok_or_else(|| io::Error::other("TLS without a certificate"))?;
    Ok(Some(Identity { cert: &given.cert, key: &given.key, clients: &asked.client_tls_cert }))
}
