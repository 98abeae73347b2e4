//! The Echo service on a port of its own, in a thread of its own.

use std::path::PathBuf;
use std::thread::JoinHandle;

use http::HeaderName;
use ringwire_server::{DriverChoice, Handle, IntoService, Server, ServerTls};
use ringwire_tower::{Cors, RpcService};
use tower_layer::Layer;

pub(crate) struct Running {
    pub(crate) port: u16,
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// The services alone.
    pub(crate) fn router(driver: DriverChoice, tls: Option<ServerTls>) -> Self {
        Self::start(driver, tls, crate::echo::router())
    }

    /// The services behind a layer.
    pub(crate) fn with_cors(driver: DriverChoice, tls: Option<ServerTls>) -> Self {
        let cors =
            Cors::origins(["https://app.example"]).response_headers([HeaderName::from_static("x-echo")]);
        Self::start(driver, tls, cors.layer(RpcService::new(crate::echo::router()).unwrap()))
    }

    fn start<K: 'static>(
        driver: DriverChoice,
        tls: Option<ServerTls>,
        service: impl IntoService<K> + Send + 'static,
    ) -> Self {
        let mut server = Server::bind("127.0.0.1:0").driver(driver);
        if let Some(tls) = tls {
            server = server.tls(tls);
        }
        let port = server.local_address().unwrap().tcp().unwrap().port();
        let handle = server.handle();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(server.serve(service)).unwrap();
        });
        Self { port, handle, thread: Some(thread) }
    }
}

/// The identity of the server.
pub(crate) fn identity() -> ServerTls {
    ServerTls::from_pem(SERVER_PEM, SERVER_KEY).unwrap()
}

impl Drop for Running {
    fn drop(&mut self) {
        self.handle.drain();
        let ended = self.thread.take().unwrap().join();
        // A failing test must not hide behind a second panic.
        assert!(ended.is_ok() || std::thread::panicking());
    }
}

/// A file with the certificate to trust, for as long as it lives.
pub(crate) struct Certificate(PathBuf);

impl Certificate {
    pub(crate) fn for_test(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("ringwire-{test}-{}.pem", std::process::id()));
        std::fs::write(&path, SERVER_PEM).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

const SERVER_PEM: &[u8] = include_bytes!("../server/certificates/server.pem");
const SERVER_KEY: &[u8] = include_bytes!("../server/certificates/server.key");

pub(crate) const DRIVERS: &[DriverChoice] = &[
    DriverChoice::Readiness,
    #[cfg(target_os = "linux")]
    DriverChoice::Ring,
];
