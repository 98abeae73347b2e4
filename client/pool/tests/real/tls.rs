//! TLS: whom to trust, who to be, and what to agree on.

use http::Version;
use ringwire_pool::{HttpVersion, Pool, PoolError, PoolOptions, Tls};
use ringwire_server::{Server, ServerTls};
use ringwire_transport::TransportErrorKind;
use std::error::Error;

use crate::server::{call, start};

fn pool(port: u16, tls: Tls, http: HttpVersion) -> Pool {
    Pool::new(&format!("https://localhost:{port}"), PoolOptions::new().tls(tls).http(http)).unwrap()
}

fn trusting() -> Tls {
    Tls::with_roots(SERVER_PEM).unwrap()
}

#[tokio::test]
async fn alpn_agrees_on_a_version() {
    let tls = ServerTls::from_pem(SERVER_PEM, SERVER_KEY).unwrap();
    let (port, server) = start(Server::bind("127.0.0.1:0").tls(tls));
    for (http, answer) in
        [(HttpVersion::Auto, "HTTP/2.0"), (HttpVersion::Http2, "HTTP/2.0"), (HttpVersion::Http1, "HTTP/1.1")]
    {
        let pool = pool(port, trusting(), http);
        for version in [Version::HTTP_11, Version::HTTP_2, Version::HTTP_11] {
            assert_eq!(call(&pool, version).await.unwrap(), answer);
        }
    }
    assert_eq!(server.load().connections_accepted, 3);
}

/// A TLS server that knows HTTP/1.1 only.
async fn without_http2() -> u16 {
    use ringwire_pool::rustls::ServerConfig;
    use ringwire_pool::rustls::crypto::ring;
    use ringwire_pool::rustls::pki_types::pem::PemObject;
    use ringwire_pool::rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let config = ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(SERVER_PEM).unwrap()],
            PrivateKeyDer::from_pem_slice(SERVER_KEY).unwrap(),
        )
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let Ok(mut stream) = acceptor.accept(listener.accept().await.unwrap().0).await else { continue };
            tokio::spawn(async move {
                while stream.read(&mut [0; 1024]).await.is_ok_and(|count| count > 0) {
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\none";
                    stream.write_all(answer).await.unwrap();
                }
            });
        }
    });
    port
}

#[tokio::test]
async fn a_server_that_agrees_on_nothing_is_spoken_to_in_http1_unless_that_will_not_do() {
    let port = without_http2().await;
    let pool = pool(port, trusting(), HttpVersion::Auto);
    for _ in 0..2 {
        assert_eq!(call(&pool, Version::HTTP_11).await.unwrap(), "one");
        let error = call(&pool, Version::HTTP_2).await.unwrap_err();
        assert_eq!((error.kind(), error.is_unprocessed()), (TransportErrorKind::Handshake, true));
        assert!(error.source().unwrap().to_string().contains("needs HTTP/2"));
    }
    // Waiting would not make it better.
    let patient = PoolOptions::new().tls(trusting()).wait_for_ready(true);
    let patient = Pool::new(&format!("https://localhost:{port}"), patient).unwrap();
    let error = call(&patient, Version::HTTP_2).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Handshake);
    let strict = self::pool(port, trusting(), HttpVersion::Http2);
    let error = call(&strict, Version::HTTP_11).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Handshake);
}

#[tokio::test]
async fn a_server_must_be_trusted_and_have_the_right_name() {
    let tls = ServerTls::from_pem(SERVER_PEM, SERVER_KEY).unwrap();
    let (port, server) = start(Server::bind("127.0.0.1:0").tls(tls));
    let wrong = [Tls::with_roots(STRANGER_PEM).unwrap(), trusting().server_name("other.example").unwrap()];
    for tls in wrong {
        let error = call(&pool(port, tls, HttpVersion::Auto), Version::HTTP_2).await.unwrap_err();
        assert_eq!((error.kind(), error.is_unprocessed()), (TransportErrorKind::Handshake, true));
        assert_eq!(error.peer(), Some(format!("127.0.0.1:{port}").as_str()));
        assert!(error.source().unwrap().to_string().contains("certificate"), "{error:?}");
    }
    assert_eq!(server.load().requests_accepted, 0);
    // The name is what the certificate must say, not where the connection goes.
    let named = trusting().server_name("localhost").unwrap();
    let pool = Pool::new(&format!("https://127.0.0.1:{port}"), PoolOptions::new().tls(named)).unwrap();
    assert_eq!(call(&pool, Version::HTTP_2).await.unwrap(), "HTTP/2.0");
}

#[tokio::test]
async fn a_client_shows_its_certificate() {
    let tls = ServerTls::from_pem_with_clients(SERVER_PEM, SERVER_KEY, CLIENT_PEM).unwrap();
    let (port, server) = start(Server::bind("127.0.0.1:0").tls(tls));
    for http in [HttpVersion::Auto, HttpVersion::Http1] {
        let stranger = Tls::with_identity(SERVER_PEM, STRANGER_PEM, STRANGER_KEY).unwrap();
        for tls in [trusting(), stranger] {
            // With TLS 1.3 a client learns with its first read that it is not welcome.
            call(&pool(port, tls, http), Version::HTTP_11).await.unwrap_err();
        }
        assert_eq!(server.load().requests_accepted, u64::from(http == HttpVersion::Http1));
        let known = Tls::with_identity(SERVER_PEM, CLIENT_PEM, CLIENT_KEY).unwrap();
        call(&pool(port, known, http), Version::HTTP_11).await.unwrap();
    }
}

#[tokio::test]
async fn a_server_without_tls_fails_the_handshake() {
    let (port, _server) = start(Server::bind("127.0.0.1:0"));
    let error = call(&pool(port, trusting(), HttpVersion::Auto), Version::HTTP_2).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Handshake);
}

#[test]
fn what_is_no_certificate_is_refused() {
    assert!(Tls::with_roots(b"").is_err());
    assert!(Tls::with_roots(SERVER_KEY).is_err());
    assert!(Tls::with_identity(SERVER_PEM, CLIENT_PEM, STRANGER_KEY).is_err());
    assert!(Tls::with_identity(SERVER_PEM, CLIENT_PEM, b"").is_err());
    assert!(trusting().server_name("not a name").is_err());
}

#[test]
fn the_platforms_roots_are_taken_by_default_or_their_lack_is_said() {
    match Pool::new("https://greet.example", PoolOptions::new()) {
        Ok(pool) => assert!(format!("{pool:?}").contains("greet.example:443")),
        Err(error) => assert!(matches!(error, PoolError::Tls(_)), "{error}"),
    }
}

const SERVER_PEM: &[u8] = include_bytes!("certificates/server.pem");
const SERVER_KEY: &[u8] = include_bytes!("certificates/server.key");
const CLIENT_PEM: &[u8] = include_bytes!("certificates/client.pem");
const CLIENT_KEY: &[u8] = include_bytes!("certificates/client.key");
const STRANGER_PEM: &[u8] = include_bytes!("certificates/stranger.pem");
const STRANGER_KEY: &[u8] = include_bytes!("certificates/stranger.key");
