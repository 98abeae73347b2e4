//! nginx and haproxy in front of the server, each with HTTP/2 on both sides.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::programs::find;

/// A proxy on a port of its own, for as long as it lives.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    folder: PathBuf,
    process: Child,
}

impl Proxy {
    /// `None` after saying that it is missing.
    pub(crate) fn nginx(server: u16) -> Option<Self> {
        let program = find("RINGWIRE_NGINX", "nginx")?;
        Some(Self::start("nginx", |folder, port| {
            let here = folder.display();
            let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                .map(|what| format!("{what}_temp_path {here}/{what};\n"))
                .concat();
            let text = format!(
                "daemon off; master_process off; pid {here}/pid; error_log {here}/error.log;\n\
                 events {{}}\n\
                 http {{ access_log off; {temporary} server {{ listen 127.0.0.1:{port} http2;\n\
                 location / {{ grpc_pass grpc://127.0.0.1:{server}; }} }} }}\n"
            );
            let file = write(folder, &text);
            let mut command = Command::new(program);
            command.arg("-p").arg(folder).arg("-c").arg(file).arg("-e").arg(folder.join("error.log"));
            command
        }))
    }

    /// `None` after saying that it is missing.
    pub(crate) fn haproxy(server: u16) -> Option<Self> {
        let program = find("RINGWIRE_HAPROXY", "haproxy")?;
        Some(Self::start("haproxy", |folder, port| {
            let text = format!(
                "defaults\n  mode http\n  timeout connect 20s\n  timeout client 60s\n  timeout server 60s\n\
                 frontend front\n  bind 127.0.0.1:{port} proto h2\n  default_backend back\n\
                 backend back\n  server one 127.0.0.1:{server} proto h2\n"
            );
            let file = write(folder, &text);
            let mut command = Command::new(program);
            command.arg("-db").arg("-f").arg(file);
            command
        }))
    }

    fn start(name: &str, command: impl FnOnce(&Path, u16) -> Command) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = std::env::temp_dir().join(format!("ringwire-{name}-{port}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let process = command(&folder, port).stderr(Stdio::inherit()).spawn().unwrap();
        let mut proxy = Self { port, folder, process };
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(proxy.process.try_wait().unwrap().is_none(), "{name} ended");
            std::thread::yield_now();
        }
        proxy
    }
}

fn write(folder: &Path, text: &str) -> PathBuf {
    let file = folder.join("configuration");
    std::fs::write(&file, text).unwrap();
    file
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
