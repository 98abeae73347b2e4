//! The memory of a connection that is idle after a call.
//!
//! The clients live in the same process, and hold no more than their sockets by then.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "helpers of a test fail it as its body would")]

#[path = "../echo/mod.rs"]
mod echo;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::Arc;

use ringwire_server::rustls::client::Resumption;
use ringwire_server::rustls::crypto::ring;
use ringwire_server::rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use ringwire_server::rustls::{ClientConfig, ClientConnection, RootCertStore, Stream};
use ringwire_server::{DriverChoice, Handle, Server, ServerTls};

/// The most that a connection may take, by what is spoken on it.
const BOUNDS: [(Version, Layer, usize); 4] = [
    (Version::Http1, Layer::Plain, 4_500),
    (Version::Http2, Layer::Plain, 5_400),
    (Version::Http1, Layer::Tls, 10_000),
    (Version::Http2, Layer::Tls, 11_000),
];

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Version {
    Http1,
    Http2,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Layer {
    Plain,
    Tls,
}

#[test]
fn an_idle_connection_is_small() {
    if let Some(case) = std::env::var_os(CASE) {
        let (driver, version, layer, _) = cases()[case.to_str().unwrap().parse::<usize>().unwrap()];
        println!("{MEASURED}{}", measure(driver, version, layer));
        return;
    }
    let mut over = Vec::new();
    for (number, (driver, version, layer, bound)) in cases().into_iter().enumerate() {
        // Each in a process of its own: what one has given back to the allocator, the next would take without growing.
        let run = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "an_idle_connection_is_small", "--nocapture"])
            .env(CASE, number.to_string())
            .output()
            .unwrap();
        let output = String::from_utf8(run.stdout).unwrap();
        let bytes = output.split_once(MEASURED).map(|(_, rest)| rest.lines().next().unwrap_or(rest));
        let bytes: usize = bytes.unwrap_or_else(|| panic!("{output}")).parse().unwrap();
        println!("{driver:?} {version:?} {layer:?}: {bytes} bytes per idle connection, at most {bound}");
        if bytes > bound {
            over.push((driver, version, layer, bytes));
        }
    }
    assert_eq!(over, []);
}

const CASE: &str = "RINGWIRE_MEMORY_CASE";
const MEASURED: &str = "measured: ";

fn cases() -> Vec<(DriverChoice, Version, Layer, usize)> {
    let drivers = [DriverChoice::Readiness, DriverChoice::Ring];
    drivers
        .into_iter()
        .flat_map(|driver| BOUNDS.map(|(version, layer, bound)| (driver, version, layer, bound)))
        .collect()
}

fn measure(driver: DriverChoice, version: Version, layer: Layer) -> usize {
    let mut server = Server::bind("127.0.0.1:0").driver(driver).shards(1);
    if layer == Layer::Tls {
        server = server.tls(ServerTls::from_pem(SERVER_PEM, SERVER_KEY).unwrap());
    }
    let address = server.local_address().unwrap().tcp().unwrap();
    let handle = server.handle();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let serving = runtime.spawn(server.serve(echo::router()));
    // Thousands of handshakes without optimisation take minutes.
    let connections = if layer == Layer::Tls { 400 } else { connections() };
    let client = Client { address, version, tls: (layer == Layer::Tls).then(client_config) };
    // Whatever is made once for the first connections is there after those.
    let mut open: Vec<TcpStream> = (0..connections / 10).map(|_| client.call()).collect();
    settle(&handle, open.len());
    let before = resident();
    open.extend((0..connections).map(|_| client.call()));
    settle(&handle, open.len());
    let grown = resident().saturating_sub(before);
    drop(open);
    handle.drain();
    runtime.block_on(serving).unwrap().unwrap();
    grown / connections
}

/// Waits until every call has ended and every connection is there.
fn settle(handle: &Handle, open: usize) {
    loop {
        let load = handle.load();
        if (load.connections, load.requests) == (open, 0) {
            return;
        }
        std::thread::yield_now();
    }
}

/// As many connections as this process may have both ends of, up to 8,000.
fn connections() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let files: usize = line.split_whitespace().nth(3).unwrap().parse().unwrap();
    let connections = (files.saturating_sub(200) / 22 * 10).min(8_000);
    assert!(connections >= 300, "at most {files} open files: too few to measure with");
    connections
}

fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

struct Client {
    address: SocketAddr,
    version: Version,
    tls: Option<Arc<ClientConfig>>,
}

impl Client {
    /// Makes one call, and leaves the connection open.
    fn call(&self) -> TcpStream {
        let mut socket = TcpStream::connect(self.address).unwrap();
        let Some(config) = &self.tls else {
            self.speak(&mut socket);
            return socket;
        };
        let mut config = ClientConfig::clone(config);
        config.alpn_protocols = match self.version {
            Version::Http1 => vec![b"http/1.1".to_vec()],
            Version::Http2 => vec![b"h2".to_vec()],
        };
        let name = ServerName::try_from("localhost").unwrap();
        let mut tls = ClientConnection::new(Arc::new(config), name).unwrap();
        self.speak(&mut Stream::new(&mut tls, &mut socket));
        socket
    }

    fn speak(&self, stream: &mut (impl Read + Write)) {
        match self.version {
            Version::Http1 => speak_http1(stream),
            Version::Http2 => speak_http2(stream),
        }
    }
}

const PATH: &str = "/ringwire.peers.v1.Echo/Say";
const MESSAGE: &[u8] = b"\x0a\x03abc";

fn speak_http1(stream: &mut (impl Read + Write)) {
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/proto\r\n\
         connect-protocol-version: 1\r\ncontent-length: {}\r\n\r\n",
        MESSAGE.len()
    );
    stream.write_all(&[head.as_bytes(), MESSAGE].concat()).unwrap();
    let mut read = Vec::new();
    while !read.ends_with(MESSAGE) {
        receive(stream, &mut read);
    }
    assert!(read.starts_with(b"HTTP/1.1 200 "));
}

fn speak_http2(stream: &mut (impl Read + Write)) {
    let mut block = vec![0x83, 0x86];
    for (name, value) in [
        (":path", PATH),
        (":authority", "localhost"),
        ("content-type", "application/grpc+proto"),
        ("te", "trailers"),
    ] {
        block.push(0x40);
        for text in [name, value] {
            block.push(text.len() as u8);
            block.extend_from_slice(text.as_bytes());
        }
    }
    let mut out = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    frame(&mut out, 4, 0, 0, &[]);
    frame(&mut out, 1, 4, 1, &block);
    frame(&mut out, 0, 1, 1, &[&[0, 0, 0, 0, MESSAGE.len() as u8], MESSAGE].concat());
    stream.write_all(&out).unwrap();
    let mut read = Vec::new();
    loop {
        receive(stream, &mut read);
        let mut rest = &read[..];
        while let [a, b, c, kind, flags, _, _, _, _, ..] = *rest {
            let len = 9 + u32::from_be_bytes([0, a, b, c]) as usize;
            if rest.len() < len {
                break;
            }
            assert!(kind != 3 && kind != 7, "the call is answered");
            if kind == 1 && flags & 1 == 1 {
                return;
            }
            rest = &rest[len..];
        }
    }
}

fn receive(stream: &mut impl Read, into: &mut Vec<u8>) {
    let mut buffer = [0; 4096];
    let len = stream.read(&mut buffer).unwrap();
    assert!(len > 0, "the server keeps the connection");
    into.extend_from_slice(&buffer[..len]);
}

fn frame(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    out.extend_from_slice(&(payload.len() as u32).to_be_bytes()[1..]);
    out.extend_from_slice(&[kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(payload);
}

fn client_config() -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(SERVER_PEM).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    // Tickets of thousands of connections would be counted as the server's.
    config.resumption = Resumption::disabled();
    Arc::new(config)
}

const SERVER_PEM: &[u8] = include_bytes!("../server/certificates/server.pem");
const SERVER_KEY: &[u8] = include_bytes!("../server/certificates/server.key");
