//! What is agreed on: versions, protocols, names, certificates, sessions.

use crate::parties::{
    AUTHORITY, CLIENT, Ours, RENEWED, SERVER, STRANGER, Theirs, certificates, client, localhost, provider,
    run, server, ways,
};
use ringwire_testing::chop::Chop;
use ringwire_tls::rustls::pki_types::CertificateDer;
use ringwire_tls::rustls::pki_types::pem::PemObject;
use ringwire_tls::rustls::{self, ClientConfig, ProtocolVersion};
use ringwire_tls::{TlsConnection, TlsFault, TlsLimits, client_config, server_config};
use std::sync::Arc;
use std::time::Instant;

fn certificate(pem: &[u8]) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem).expect("a certificate")
}

#[test]
fn a_client_of_rustls_agrees_with_a_server_however_bytes_are_cut() {
    for way in ways() {
        let (mut ours, mut theirs) = (Ours::server(server()), Theirs::client(client()));
        run(&mut ours, &mut theirs, way);
        let session = ours.session.as_ref().expect("the handshake is complete");
        assert_eq!(session.alpn.as_deref(), Some(&b"h2"[..]), "{way:?}");
        assert_eq!(session.server_name.as_deref(), Some("localhost"), "{way:?}");
        assert_eq!(session.version, Some(ProtocolVersion::TLSv1_3));
        assert!(session.peer_certificates.is_empty() && !session.resumed);
        assert_eq!(theirs.tls.alpn_protocol(), Some(&b"h2"[..]));
        assert!(!theirs.tls.is_handshaking());
    }
}

#[test]
fn a_server_of_rustls_agrees_with_a_client_however_bytes_are_cut() {
    for way in ways() {
        let (mut ours, mut theirs) = (Ours::client(client()), Theirs::server(server()));
        run(&mut ours, &mut theirs, way);
        let session = ours.session.as_ref().expect("the handshake is complete");
        assert_eq!(session.alpn.as_deref(), Some(&b"h2"[..]), "{way:?}");
        assert_eq!(session.server_name, None);
        assert_eq!(session.peer_certificates, [certificate(SERVER.0)]);
        assert!(!theirs.tls.is_handshaking());
    }
}

#[test]
fn both_versions_of_tls_are_spoken() {
    for (version, want) in [
        (&rustls::version::TLS12, ProtocolVersion::TLSv1_2),
        (&rustls::version::TLS13, ProtocolVersion::TLSv1_3),
    ] {
        let config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[version])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(verifier())
            .with_no_client_auth();
        let (mut ours, mut theirs) = (Ours::server(server()), Theirs::client(config));
        run(&mut ours, &mut theirs, Chop::Whole);
        assert_eq!(ours.session.as_ref().unwrap().version, Some(want));
        ours.to_send = vec![7; 100_000];
        theirs.send(b"hello");
        run(&mut ours, &mut theirs, Chop::Seeded(1));
        assert_eq!((ours.received.as_slice(), theirs.received.len()), (&b"hello"[..], 100_000));
    }
}

fn verifier() -> Arc<dyn rustls::client::danger::ServerCertVerifier> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate(AUTHORITY)).expect("an authority");
    rustls::client::WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
        .build()
        .expect("a verifier")
}

#[test]
fn the_protocol_is_what_both_speak() {
    for (offered, want) in [
        (vec![b"http/1.1".to_vec()], Some(&b"http/1.1"[..])),
        (vec![b"http/1.1".to_vec(), b"h2".to_vec()], Some(&b"h2"[..])),
        (vec![], None),
    ] {
        let mut config = client();
        config.alpn_protocols = offered;
        let (mut ours, mut theirs) = (Ours::server(server()), Theirs::client(config));
        run(&mut ours, &mut theirs, Chop::Whole);
        assert_eq!(ours.session.as_ref().unwrap().alpn.as_deref(), want);
    }
    let mut config = client();
    config.alpn_protocols = vec![b"h3".to_vec()];
    let (mut ours, mut theirs) = (Ours::server(server()), Theirs::client(config));
    run(&mut ours, &mut theirs, Chop::Whole);
    let want = TlsFault::Protocol(rustls::Error::NoApplicationProtocol);
    assert_eq!(ours.fault, Some(want));
    assert!(matches!(theirs.error, Some(rustls::Error::AlertReceived(_))), "{:?}", theirs.error);
}

#[test]
fn a_client_that_must_show_a_certificate_does_or_fails() {
    let config = || server_config(provider(), certificates(), Some(AUTHORITY)).unwrap();
    let (mut ours, mut theirs) =
        (Ours::server(config()), Theirs::client(client_config(provider(), AUTHORITY, Some(CLIENT)).unwrap()));
    run(&mut ours, &mut theirs, Chop::Whole);
    assert_eq!(ours.session.as_ref().unwrap().peer_certificates, [certificate(CLIENT.0)]);

    for identity in [None, Some(STRANGER)] {
        let config_of_client = client_config(provider(), AUTHORITY, identity).unwrap();
        let (mut ours, mut theirs) = (Ours::server(config()), Theirs::client(config_of_client));
        run(&mut ours, &mut theirs, Chop::Whole);
        assert!(ours.session.is_none(), "{identity:?}");
        assert!(matches!(ours.fault, Some(TlsFault::Protocol(_))), "{:?}", ours.fault);
        assert!(matches!(theirs.error, Some(rustls::Error::AlertReceived(_))), "{:?}", theirs.error);
    }
}

#[test]
fn our_client_shows_its_certificate() {
    let config = server_config(provider(), certificates(), Some(AUTHORITY)).unwrap();
    let identity = client_config(provider(), AUTHORITY, Some(CLIENT)).unwrap();
    let (mut ours, mut theirs) = (Ours::client(identity), Theirs::server(config));
    run(&mut ours, &mut theirs, Chop::Bytes);
    assert!(ours.session.is_some());
    assert_eq!(theirs.tls.peer_certificates().unwrap(), [certificate(CLIENT.0)]);
}

#[test]
fn a_server_that_no_authority_has_signed_is_refused() {
    let config = client_config(provider(), STRANGER.0, None).unwrap();
    let (mut ours, mut theirs) = (Ours::client(config), Theirs::server(server()));
    run(&mut ours, &mut theirs, Chop::Whole);
    assert!(matches!(ours.fault, Some(TlsFault::Protocol(rustls::Error::InvalidCertificate(_)))));
    assert!(matches!(theirs.error, Some(rustls::Error::AlertReceived(_))), "{:?}", theirs.error);
}

#[test]
fn a_session_is_resumed() {
    let (config, client) = (Arc::new(server()), Arc::new(client()));
    for (round, resumed) in [(0, false), (1, true), (2, true)] {
        let mut ours = Ours::server_with(config.clone(), TlsLimits::default());
        let mut theirs = Theirs::client_with(client.clone());
        run(&mut ours, &mut theirs, Chop::Seeded(round));
        assert_eq!(ours.session.as_ref().unwrap().resumed, resumed, "{round}");
        assert_eq!(ours.session.as_ref().unwrap().server_name.as_deref(), Some("localhost"));
    }
    for (round, resumed) in [(0, true), (1, true)] {
        let mut ours = Ours::client_with(client.clone());
        let mut server = Ours::server_with(config.clone(), TlsLimits::default());
        run(&mut ours, &mut server, Chop::Seeded(round));
        assert_eq!(ours.session.as_ref().unwrap().resumed, resumed, "{round}");
    }
}

#[test]
fn a_certificate_is_replaced_while_connections_are_open() {
    let certificates = certificates();
    let config = Arc::new(server_config(provider(), certificates.clone(), None).unwrap());
    let connect = || {
        let mut ours = Ours::server_with(config.clone(), TlsLimits::default());
        let mut theirs = Theirs::client(client());
        run(&mut ours, &mut theirs, Chop::Whole);
        (ours, theirs)
    };
    let (mut ours, mut theirs) = connect();
    assert_eq!(theirs.tls.peer_certificates().unwrap(), [certificate(SERVER.0)]);

    assert!(certificates.replace(b"no certificate", RENEWED.1).is_err());
    assert!(certificates.replace(RENEWED.0, b"no key").is_err());
    assert!(certificates.replace(RENEWED.0, SERVER.1).is_err(), "the key of another certificate");
    assert_eq!(connect().1.tls.peer_certificates().unwrap(), [certificate(SERVER.0)]);

    certificates.replace(RENEWED.0, RENEWED.1).unwrap();
    assert_eq!(connect().1.tls.peer_certificates().unwrap(), [certificate(RENEWED.0)]);
    theirs.send(b"still here");
    run(&mut ours, &mut theirs, Chop::Whole);
    assert_eq!(ours.received, b"still here");
}

#[test]
fn early_data_is_not_allowed() {
    let mut config = server();
    config.max_early_data_size = 1;
    assert!(TlsConnection::server(Arc::new(config), TlsLimits::default(), Instant::now()).is_err());
}

#[test]
fn what_is_no_pem_is_refused() {
    assert!(client_config(provider(), b"", None).is_err());
    assert!(client_config(provider(), AUTHORITY, Some((b"", CLIENT.1))).is_err());
    assert!(client_config(provider(), AUTHORITY, Some((CLIENT.0, b""))).is_err());
    assert!(server_config(provider(), certificates(), Some(b"")).is_err());
    assert_eq!(localhost().to_str(), "localhost");
}
