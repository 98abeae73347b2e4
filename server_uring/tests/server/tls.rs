//! TLS: both versions by ALPN, client certificates, and handshakes that do not go on.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use ringwire_server::ServerTls;
use ringwire_server::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use ringwire_server::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use ringwire_server::rustls::pki_types::pem::PemObject;
use ringwire_server::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use ringwire_server::rustls::{self, ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn alpn_chooses_the_version_whatever_the_configuration_said() {
    let server = start(|server| server.tls(ServerTls::from_pem(SERVER_PEM, SERVER_KEY).unwrap()));
    check_version(&server, &[b"h2"], "HTTP/2.0").await;
    check_version(&server, &[b"h2", b"http/1.1"], "HTTP/2.0").await;
    check_version(&server, &[b"http/1.1"], "HTTP/1.1").await;
    check_version(&server, &[], "HTTP/1.1").await;

    let config = rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certificates(SERVER_PEM), PrivateKeyDer::from_pem_slice(SERVER_KEY).unwrap())
        .unwrap();
    assert!(config.alpn_protocols.is_empty());
    let server = start(|server| server.tls(ServerTls::from_config(config)));
    check_version(&server, &[b"h2"], "HTTP/2.0").await;
}

#[tokio::test(start_paused = true)]
async fn http2_without_alpn_is_detected_behind_tls() {
    let server = start(|server| server.tls(ServerTls::from_pem(SERVER_PEM, SERVER_KEY).unwrap()));
    let stream = connect(&server, &[], None).await.unwrap();
    let (mut client, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    assert_eq!(text(client.send_request(get("/version")).await.unwrap()).await, "HTTP/2.0");
}

#[tokio::test(start_paused = true)]
async fn a_client_certificate_reaches_the_handler() {
    let server = start(|server| {
        server.tls(ServerTls::from_pem_with_clients(SERVER_PEM, SERVER_KEY, CLIENT_PEM).unwrap())
    });
    let stream = connect(&server, &[b"http/1.1"], Some((CLIENT_PEM, CLIENT_KEY))).await.unwrap();
    assert_eq!(get_over(stream, "/peer").await.unwrap(), "Memory certificates=1");
}

#[tokio::test(start_paused = true)]
async fn a_client_without_the_right_certificate_gets_nowhere() {
    let server = start(|server| {
        server.tls(ServerTls::from_pem_with_clients(SERVER_PEM, SERVER_KEY, CLIENT_PEM).unwrap())
    });
    for identity in [None, Some((STRANGER_PEM, STRANGER_KEY))] {
        // With TLS 1.3 a client learns of it with its first read.
        let refused = match connect(&server, &[b"http/1.1"], identity).await {
            Ok(stream) => get_over(stream, "/peer").await.is_err(),
            Err(_) => true,
        };
        assert!(refused, "{identity:?}");
    }
    assert_eq!(server.handle.load().requests_accepted, 0);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_comes_with_the_end_of_the_handshake_is_read() {
    let server = start(|server| server.tls(ServerTls::from_pem(SERVER_PEM, SERVER_KEY).unwrap()));
    let mut pipe = server.connect();
    let mut client = ClientConnection::new(
        client_config(SERVER_PEM, &[b"http/1.1"], None),
        "localhost".try_into().unwrap(),
    )
    .unwrap();
    client.set_buffer_limit(None);
    write!(client.writer(), "POST /read HTTP/1.1\r\nhost: test\r\ncontent-length: 200000\r\n\r\n").unwrap();
    client.writer().write_all(&[b'x'; 200_000]).unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"200000 bytes") {
        let mut sent = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut sent).unwrap();
        }
        pipe.write_all(&sent).await.unwrap();
        let mut received = Vec::new();
        assert_ne!(pipe.read_buf(&mut received).await.unwrap(), 0, "{}", answer.escape_ascii());
        let mut received = &received[..];
        while !received.is_empty() {
            client.read_tls(&mut received).unwrap();
            let len = client.process_new_packets().unwrap().plaintext_bytes_to_read();
            let start = answer.len();
            answer.resize(start + len, 0);
            client.reader().read_exact(&mut answer[start..]).unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_early_answer_is_read_after_the_rest_of_the_request_was_sent() {
    let server = start(|server| server.tls(ServerTls::from_pem(SERVER_PEM, SERVER_KEY).unwrap()));
    for framing in ["content-length: 800000", "transfer-encoding: chunked"] {
        let mut stream = connect(&server, &[b"http/1.1"], None).await.unwrap();
        stream
            .write_all(format!("POST /early HTTP/1.1\r\nhost: test\r\n{framing}\r\n\r\n").as_bytes())
            .await
            .unwrap();
        for _ in 0..100 {
            stream.write_all(&[&b"1f38\r\n"[..], &[b'x'; 7992], b"\r\n"].concat()).await.unwrap();
            // The answer is out by now, and the client goes on.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("the end of the answer is said");
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.contains("connection: close\r\n") && answer.ends_with("early"), "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_last_response_is_whole() {
    let server = start(|server| server.tls(ServerTls::from_pem(SERVER_PEM, SERVER_KEY).unwrap()));
    for chunks in 1..=5 {
        let mut stream = connect(&server, &[b"http/1.1"], None).await.unwrap();
        stream
            .write_all(
                format!("GET /flood/{chunks} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n").as_bytes(),
            )
            .await
            .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("the end of the answer is said");
        assert!(answer.ends_with(b"\r\n0\r\n\r\n"), "{chunks}: {} bytes", answer.len());
        assert!(answer.len() > chunks * 64 * 1024);
    }
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_does_not_go_on_is_closed() {
    let server = start(|server| server.tls(ServerTls::from_pem(SERVER_PEM, SERVER_KEY).unwrap()));
    for bytes in [&b""[..], b"\x16", b"\x16\x03\x01\x02\x00\x01"] {
        let mut pipe = server.connect();
        pipe.write_all(bytes).await.unwrap();
        let (_, after) = read_to_close(&mut pipe).await;
        assert_eq!(after.as_secs(), 10);
    }
    for alpn in [&b"h2"[..], b"http/1.1"] {
        // TLS is done, and then nothing comes.
        let started = tokio::time::Instant::now();
        let mut stream = connect(&server, &[alpn], None).await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
        assert_eq!(started.elapsed().as_secs(), 10);
    }
}

#[tokio::test(start_paused = true)]
async fn plain_http_on_a_tls_port_is_closed() {
    let server = start(|server| server.tls(ServerTls::from_pem(SERVER_PEM, SERVER_KEY).unwrap()));
    let mut pipe = server.connect();
    pipe.write_all(b"GET / HTTP/1.1\r\nhost: test\r\n\r\n").await.unwrap();
    let (_, after) = read_to_close(&mut pipe).await;
    assert_eq!(after.as_secs(), 0);
}

#[tokio::test]
async fn certificates_are_read_again_from_their_files() {
    let folder = std::env::var_os("TEST_TMPDIR").map_or_else(std::env::temp_dir, std::path::PathBuf::from);
    let folder = folder.join(format!("ringwire-reload-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (chain, key) = (folder.join("chain.pem"), folder.join("key.pem"));
    std::fs::write(&chain, SERVER_PEM).unwrap();
    std::fs::write(&key, SERVER_KEY).unwrap();
    let tls = ServerTls::files(&chain, &key).unwrap().reload_every(Duration::from_millis(5));
    let server = start(|server| server.tls(tls));
    let shows = async |pem| connect_to(&server, pem, &[b"http/1.1"], None).await;
    let kept = shows(SERVER_PEM).await.unwrap();
    // A chain whose key has not come yet, and then no certificate at all: the old one is shown on.
    for other in [STRANGER_PEM, b"nothing"] {
        std::fs::write(&chain, other).unwrap();
        for _ in 0..50 {
            shows(SERVER_PEM).await.unwrap();
        }
    }
    std::fs::write(&chain, STRANGER_PEM).unwrap();
    std::fs::write(&key, STRANGER_KEY).unwrap();
    while shows(STRANGER_PEM).await.is_err() {}
    assert!(shows(SERVER_PEM).await.is_err());
    // Connections from before go on.
    assert_eq!(get_over(kept, "/version").await.unwrap(), "HTTP/1.1");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_wrong_pem_says_so() {
    for (certificates, key) in
        [(SERVER_KEY, SERVER_KEY), (SERVER_PEM, SERVER_PEM), (SERVER_PEM, b""), (SERVER_PEM, STRANGER_KEY)]
    {
        assert_eq!(ServerTls::from_pem(certificates, key).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
    assert!(ServerTls::from_pem_with_clients(SERVER_PEM, SERVER_KEY, b"").is_err());
}

async fn check_version(server: &Running, alpn: &[&[u8]], version: &str) {
    let stream = connect(server, alpn, None).await.unwrap();
    if version == "HTTP/1.1" {
        assert_eq!(get_over(stream, "/version").await.unwrap(), version);
    } else {
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let (mut client, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        assert_eq!(text(client.send_request(get("/version")).await.unwrap()).await, version);
    }
}

async fn get_over(stream: TlsStream<DuplexStream>, path: &str) -> hyper::Result<String> {
    let (mut client, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(text(client.send_request(get(path)).await?).await)
}

async fn connect(
    server: &Running,
    alpn: &[&[u8]],
    identity: Option<(&[u8], &[u8])>,
) -> io::Result<TlsStream<DuplexStream>> {
    connect_to(server, SERVER_PEM, alpn, identity).await
}

/// Connects to a server that must show this certificate.
async fn connect_to(
    server: &Running,
    shown: &'static [u8],
    alpn: &[&[u8]],
    identity: Option<(&[u8], &[u8])>,
) -> io::Result<TlsStream<DuplexStream>> {
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(client_config(shown, alpn, identity)).connect(name, server.connect()).await
}

fn client_config(
    shown: &'static [u8],
    alpn: &[&[u8]],
    identity: Option<(&[u8], &[u8])>,
) -> Arc<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Exactly { shown, provider }));
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => builder
            .with_client_auth_cert(certificates(chain), PrivateKeyDer::from_pem_slice(key).unwrap())
            .unwrap(),
    };
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    Arc::new(config)
}

fn certificates(pem: &[u8]) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem).map(Result::unwrap).collect()
}

/// Trusts one certificate and no other.
#[derive(Debug)]
struct Exactly {
    shown: &'static [u8],
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Exactly {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if *end_entity != certificates(self.shown)[0] {
            return Err(rustls::Error::General("another certificate".to_owned()));
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

const SERVER_PEM: &[u8] = include_bytes!("certificates/server.pem");
const SERVER_KEY: &[u8] = include_bytes!("certificates/server.key");
const CLIENT_PEM: &[u8] = include_bytes!("certificates/client.pem");
const CLIENT_KEY: &[u8] = include_bytes!("certificates/client.key");
const STRANGER_PEM: &[u8] = include_bytes!("certificates/stranger.pem");
const STRANGER_KEY: &[u8] = include_bytes!("certificates/stranger.key");
