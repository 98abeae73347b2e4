//! The Echo service on a port of its own, in a thread of its own.

use std::path::PathBuf;
use std::thread::JoinHandle;

use http::HeaderName;
use ringwire_tower::{Cors, Handle, RpcService, Server, Tls};
use tower_layer::Layer;

pub(crate) struct Running {
    pub(crate) port: u16,
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    pub(crate) fn plain() -> Self {
        Self::start(|server| server)
    }

    pub(crate) fn tls() -> Self {
        Self::start(|server| server.tls(Tls::from_pem(SERVER_PEM, SERVER_KEY).unwrap()))
    }

    fn start(configure: impl FnOnce(Server) -> Server) -> Self {
        let mut server = configure(Server::bind("127.0.0.1:0"));
        let port = server.local_address().unwrap().tcp().unwrap().port();
        let handle = server.handle();
        let cors =
            Cors::origins(["https://app.example"]).response_headers([HeaderName::from_static("x-echo")]);
        let service = cors.layer(RpcService::new(crate::echo::router()).unwrap());
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(server.serve(service)).unwrap();
        });
        Self { port, handle, thread: Some(thread) }
    }
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
