//! The program that serves with connect-go and with grpc-go.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

/// The program while it runs, and the ports of its two servers.
pub(crate) struct Server {
    program: Child,
    pub(crate) connect: u16,
    pub(crate) grpc: u16,
}

impl Server {
    /// Starts it, or says that it is missing.
    pub(crate) fn start() -> Option<Self> {
        let mut command = Command::new(program()?);
        let mut program = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
        let mut port = |name: &str| {
            let line = lines.next().unwrap().unwrap();
            line.strip_prefix(name).and_then(|port| port.trim().parse().ok()).unwrap()
        };
        let (connect, grpc) = (port("connect"), port("grpc"));
        Some(Self { program, connect, grpc })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It ends with its standard input.
        drop(self.program.stdin.take());
        let _ = self.program.wait();
    }
}

fn program() -> Option<&'static Path> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = FOUND.get_or_init(|| match std::env::var_os("RINGWIRE_ECHOSERVER") {
        Some(path) => Some(path.into()),
        None => built_by_go(),
    });
    if found.is_none() {
        assert_ne!(std::env::var("RINGWIRE_PEERS").as_deref(), Ok("required"), "echoserver is missing");
        println!("skipped: echoserver is neither named by RINGWIRE_ECHOSERVER nor to be had otherwise");
    }
    found.as_deref()
}

fn built_by_go() -> Option<PathBuf> {
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance/peers");
    let folder = std::env::temp_dir().join("ringwire-peers-client");
    std::fs::create_dir_all(&folder).ok()?;
    let mut build = Command::new("go");
    build.current_dir(module).arg("build").arg("-o").arg(&folder).arg("./echoserver");
    build.status().ok()?.success().then(|| folder.join("echoserver"))
}
