//! A client under test, told to call a server that plays what a case has written for it.

use crate::answers::{Answers, Connection};
use crate::protocol::{Method, Protocol};
use conformance_rust::connectrpc::conformance::v1::client_compat_response::Result as Outcome;
use conformance_rust::connectrpc::conformance::v1::{self, ClientCompatRequest, ClientCompatResponse};
use ringwire_conformance::compat;
use ringwire_message::buffa_types::google::protobuf::Any;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// What a client is told, what it is answered, and what it should make of that.
#[derive(Clone, Debug)]
pub(crate) struct ClientCase {
    pub(crate) name: String,
    protocol: Protocol,
    method: Method,
    is_http2: bool,
    calls: usize,
    connections: Vec<Connection>,
    want: &'static str,
    connect_go: Option<&'static str>,
}

impl ClientCase {
    pub(crate) fn http1(name: impl Into<String>, protocol: Protocol, method: Method) -> Self {
        let name = name.into();
        Self {
            name,
            protocol,
            method,
            is_http2: false,
            calls: 1,
            connections: Vec::new(),
            want: "",
            connect_go: None,
        }
    }

    pub(crate) fn http2(name: impl Into<String>, protocol: Protocol, method: Method) -> Self {
        Self { is_http2: true, ..Self::http1(name, protocol, method) }
    }

    /// Calls so often, one after the other.
    pub(crate) fn calls(mut self, calls: usize) -> Self {
        self.calls = calls;
        self
    }

    pub(crate) fn on(mut self, connection: Connection) -> Self {
        self.connections.push(connection);
        self
    }

    /// What the calls come to, and over how many connections.
    pub(crate) fn want(mut self, says: &'static str) -> Self {
        self.want = says;
        self
    }

    /// What connect-go says in its place, and why.
    pub(crate) fn connect_go(mut self, says: &'static str, why: &'static str) -> Self {
        assert!(!why.is_empty(), "{}: a difference has a reason", self.name);
        self.connect_go = Some(says);
        self
    }

    pub(crate) fn expected(&self, is_connect_go: bool) -> &'static str {
        self.connect_go.filter(|_| is_connect_go).unwrap_or(self.want)
    }

    /// Runs a client through it, and says what it made of it, on one line.
    pub(crate) async fn run(&self, program: &Path, patience: Duration) -> std::io::Result<String> {
        let answers = Answers::start(self.connections.clone(), self.is_http2).await;
        let (program, request, calls) = (program.to_owned(), self.request(answers.port), self.calls);
        let asking = tokio::task::spawn_blocking(move || -> std::io::Result<Vec<String>> {
            let mut client =
                Killed(Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?);
            let pipes = (client.0.stdin.take(), client.0.stdout.take());
            let (Some(mut stdin), Some(mut stdout)) = pipes else { return Ok(Vec::new()) };
            // A client that says nothing is killed, and its silence is the end of its output.
            let pid = client.0.id();
            let (done, waiting) = std::sync::mpsc::channel::<()>();
            let watch = std::thread::spawn(move || {
                if waiting
                    .recv_timeout(patience)
                    .is_err_and(|end| end == std::sync::mpsc::RecvTimeoutError::Timeout)
                {
                    // It may have ended just now.
                    let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).status();
                }
            });
            let mut said = Vec::new();
            for _ in 0..calls {
                compat::send(&mut stdin, &request)?;
                match compat::receive::<ClientCompatResponse>(&mut stdout)? {
                    Some(response) => said.push(told(response)),
                    None => {
                        said.push("silence".to_owned());
                        break;
                    }
                }
            }
            drop(done);
            // It does not panic.
            let _ = watch.join();
            Ok(said)
        });
        let said = asking.await.map_err(std::io::Error::other)??;
        let over = if answers.accepted() == 1 {
            "1 connection".to_owned()
        } else {
            format!("{} connections", answers.accepted())
        };
        Ok(format!("{}; {over}", said.join(", ")))
    }

    fn request(&self, port: u16) -> ClientCompatRequest {
        let (stream_type, message) = match self.method {
            Method::ServerStream => (v1::StreamType::STREAM_TYPE_SERVER_STREAM, "ServerStreamRequest"),
            _ => (v1::StreamType::STREAM_TYPE_UNARY, "UnaryRequest"),
        };
        let http =
            if self.is_http2 { v1::HTTPVersion::HTTP_VERSION_2 } else { v1::HTTPVersion::HTTP_VERSION_1 };
        let protocol = match self.protocol {
            Protocol::Connect => v1::Protocol::PROTOCOL_CONNECT,
            Protocol::Grpc => v1::Protocol::PROTOCOL_GRPC,
            Protocol::GrpcWeb => v1::Protocol::PROTOCOL_GRPC_WEB,
        };
        let message = Any {
            type_url: format!("type.googleapis.com/connectrpc.conformance.v1.{message}"),
            ..Any::default()
        };
        ClientCompatRequest {
            test_name: self.name.clone(),
            http_version: http.into(),
            protocol: protocol.into(),
            codec: v1::Codec::CODEC_JSON.into(),
            compression: v1::Compression::COMPRESSION_IDENTITY.into(),
            host: "127.0.0.1".to_owned(),
            port: port.into(),
            message_receive_limit: LIMIT,
            service: Some("connectrpc.conformance.v1.ConformanceService".to_owned()),
            method: Some(format!("{:?}", self.method)),
            stream_type: stream_type.into(),
            request_messages: vec![message],
            ..ClientCompatRequest::default()
        }
    }
}

/// The code of an error, and how many messages came.
fn told(response: ClientCompatResponse) -> String {
    match response.result {
        Some(Outcome::Response(response)) => {
            let code = match response.error.as_option() {
                Some(error) => format!("{:?}", error.code.as_known().unwrap_or_default()),
                None => "CODE_OK".to_owned(),
            };
            let code = code.trim_start_matches("CODE_").to_lowercase();
            match response.payloads.len() {
                0 => code,
                payloads => format!("{code} with {payloads}"),
            }
        }
        Some(Outcome::Error(error)) => format!("refused: {}", error.message),
        None => "nothing".to_owned(),
    }
}

struct Killed(std::process::Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // It is gone, or it goes now.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The limit on received messages that clients are told.
pub(crate) const LIMIT: u32 = 1000;
