//! A server under test, running: what starts it, as the runner would, and what stops it.

use crate::compat;
use conformance_rust::connectrpc::conformance::v1::{
    HTTPVersion, Protocol, ServerCompatRequest, ServerCompatResponse,
};
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A server under test, until it is dropped. It speaks HTTP/1.1 and HTTP/2 without TLS.
#[derive(Debug)]
pub struct Running {
    process: Child,
    port: u16,
}

impl Running {
    /// Starts a program, and asks it for what the runner asks for, the limit on messages included.
    ///
    /// # Errors
    /// It cannot be started, or does not say where it listens.
    pub fn start(server: &Path) -> io::Result<Self> {
        let mut process = Command::new(server).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let asked = ServerCompatRequest {
            protocol: Protocol::PROTOCOL_CONNECT.into(),
            http_version: HTTPVersion::HTTP_VERSION_2.into(),
            message_receive_limit: RECEIVE_MAX,
            ..ServerCompatRequest::default()
        };
        let (stdin, stdout) = (process.stdin.take(), process.stdout.take());
        let mut running = Self { process, port: 0 };
        if let (Some(mut stdin), Some(mut stdout)) = (stdin, stdout) {
            compat::send(&mut stdin, &asked)?;
            let answer: Option<ServerCompatResponse> = compat::receive(&mut stdout)?;
            let port = answer.ok_or(io::ErrorKind::UnexpectedEof)?.port;
            running.port = u16::try_from(port).map_err(io::Error::other)?;
        }
        Ok(running)
    }

    /// Where it listens, on the loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Asks it to stop, as an orchestrator does.
    ///
    /// # Errors
    /// It cannot be asked.
    pub fn terminate(&self) -> io::Result<()> {
        let asked = Command::new("kill").arg(self.process.id().to_string()).status()?;
        if asked.success() { Ok(()) } else { Err(io::Error::other("it is gone")) }
    }

    /// Whether it has ended, and with success.
    ///
    /// # Errors
    /// The system does not know it.
    pub fn ended(&mut self) -> io::Result<Option<bool>> {
        Ok(self.process.try_wait()?.map(|status| status.success()))
    }

    /// The memory that it has had at most, in KiB, where the system tells.
    pub fn memory_kib_max(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().strip_suffix(" kB")?.parse().ok()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It is gone, or it goes now.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The limit on received messages: what the runner asks every server for.
pub const RECEIVE_MAX: u32 = 204_800;
