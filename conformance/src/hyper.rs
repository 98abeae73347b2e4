//! The tower service as a program under test, on hyper, as someone who brings an HTTP server would write it.

use crate::compat;
use crate::serving::{Identity, identity, router};
use conformance_rust::connectrpc::conformance::v1::{HTTPVersion, ServerCompatRequest, ServerCompatResponse};
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use ringwire_server::{rustls, terminated};
use ringwire_tls::{Certificates, server_config};
use ringwire_tower::RpcService;
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// Becomes what the runner asks for, in the one version of HTTP that it names, and serves until it is told to stop.
///
/// # Errors
/// The runner asks for nothing, or for what cannot be served.
pub async fn run() -> Result<(), Box<dyn Error>> {
    let asked: ServerCompatRequest =
        compat::receive(&mut io::stdin().lock())?.ok_or("the runner has asked for nothing to serve")?;
    let service = RpcService::new(router(&asked))?;
    let is_http2 = asked.http_version.as_known() == Some(HTTPVersion::HTTP_VERSION_2);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut answer = ServerCompatResponse {
        port: listener.local_addr()?.port().into(),
        ..ServerCompatResponse::default()
    };
    let mut tls = None;
    if let Some(given) = identity(&asked)? {
        tls = Some(acceptor(&given)?);
        answer.pem_cert = given.cert.to_owned();
    }
    compat::send(&mut io::stdout().lock(), &answer)?;
    let mut stop = std::pin::pin!(terminated());
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => accepted?.0,
            () = &mut stop => return Ok(()),
        };
        stream.set_nodelay(true)?;
        let (service, tls) = (service.clone(), tls.clone());
        tokio::spawn(async move {
            match tls {
                None => serve(stream, service, is_http2).await,
                // A client that does not trust the certificate is its test's to notice.
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        serve(stream, service, is_http2).await;
                    }
                }
            }
        });
    }
}

/// Serves one connection. That it ends in an error is its client's doing, and its test's to notice.
async fn serve<I>(io: I, service: RpcService, is_http2: bool)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (io, service) = (TokioIo::new(io), TowerToHyperService::new(service));
    if is_http2 {
        let _ = http2::Builder::new(TokioExecutor::new()).serve_connection(io, service).await;
        return;
    }
    // hyper closes after an early answer, and the close would destroy an answer that the client has not read yet. So that each
    // answer is the last of its connection, which ends in order.
    let connection = http1::Builder::new().keep_alive(false).serve_connection(io, service);
    if let Ok(parts) = connection.without_shutdown().await {
        let mut io = parts.io.into_inner();
        let rest = async {
            io.shutdown().await?;
            tokio::io::copy(&mut io, &mut tokio::io::sink()).await
        };
        let _ = tokio::time::timeout(LINGER, rest).await;
    }
}

fn acceptor(given: &Identity<'_>) -> Result<TlsAcceptor, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let certificates = Certificates::from_pem(given.cert, given.key, provider.clone())?;
    let clients = (!given.clients.is_empty()).then_some(given.clients);
    Ok(Arc::new(server_config(provider, Arc::new(certificates), clients)?).into())
}

const LINGER: Duration = Duration::from_secs(5);
