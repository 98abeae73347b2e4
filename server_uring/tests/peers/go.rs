//! connect-go, grpc-go and grpcurl.

use std::path::Path;
use std::process::Command;

use crate::programs::find;
use crate::running::{Certificate, DRIVERS, Running, identity};

/// Runs connectpeer against `server` in every combination of these options.
fn check_connect(server: &Running, base: &str, rest: &[&str]) {
    let Some(program) = find("RINGWIRE_CONNECTPEER", "connectpeer") else { return };
    let url = format!("{base}:{}", server.port);
    for protocol in ["connect", "grpc", "grpcweb"] {
        for codec in ["proto", "json"] {
            for gzip in ["-gzip=false", "-gzip=true"] {
                for http2 in ["-http2=true", "-http2=false"] {
                    if protocol == "grpc" && http2 == "-http2=false" {
                        continue;
                    }
                    let arguments = ["-url", &url, "-protocol", protocol, "-codec", codec, gzip, http2];
                    run(Command::new(&program).args(arguments).args(rest));
                }
            }
        }
    }
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}\n{said}");
    said
}

#[test]
fn connect_go_in_every_protocol_codec_and_version() {
    for &driver in DRIVERS {
        check_connect(&Running::router(driver, None), "http://127.0.0.1", &[]);
    }
}

#[test]
fn connect_go_over_tls() {
    let certificate = Certificate::for_test("connect-go");
    for &driver in DRIVERS {
        let server = Running::router(driver, Some(identity()));
        check_connect(&server, "https://localhost", &["-ca", certificate.path()]);
    }
}

#[test]
fn connect_go_with_get() {
    let Some(program) = find("RINGWIRE_CONNECTPEER", "connectpeer") else { return };
    for &driver in DRIVERS {
        let server = Running::router(driver, None);
        let url = format!("http://127.0.0.1:{}", server.port);
        for codec in ["proto", "json"] {
            for gzip in ["-gzip=false", "-gzip=true"] {
                run(Command::new(&program).args(["-url", &url, "-get", "-codec", codec, gzip]));
            }
        }
    }
}

#[test]
fn grpc_go() {
    let Some(program) = find("RINGWIRE_GRPCPEER", "grpcpeer") else { return };
    for &driver in DRIVERS {
        let server = Running::router(driver, None);
        let target = format!("127.0.0.1:{}", server.port);
        run(Command::new(&program).args(["-target", &target]));
        run(Command::new(&program).args(["-target", &target, "-gzip"]));
    }
}

#[test]
fn grpc_go_over_tls() {
    let Some(program) = find("RINGWIRE_GRPCPEER", "grpcpeer") else { return };
    let certificate = Certificate::for_test("grpc-go");
    for &driver in DRIVERS {
        let server = Running::router(driver, Some(identity()));
        let target = format!("127.0.0.1:{}", server.port);
        run(Command::new(&program).args(["-target", &target, "-ca", certificate.path()]));
    }
}

#[test]
fn grpcurl() {
    for &driver in DRIVERS {
        check_grpcurl(&Running::router(driver, None));
    }
}

fn check_grpcurl(server: &Running) {
    let Some(program) = find("RINGWIRE_GRPCURL", "grpcurl") else { return };
    let target = format!("127.0.0.1:{}", server.port);
    let folder = match std::env::var_os("RINGWIRE_PEERS_PROTO") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance/peers"),
    };
    let call = |data: &str, method: &str| {
        let mut command = Command::new(&program);
        command.arg("-plaintext").arg("-import-path").arg(&folder).args(["-proto", "echo.proto", "-d", data]);
        command.arg(&target).arg(format!("ringwire.peers.v1.Echo/{method}"));
        command
    };
    assert_eq!(run(&mut call("\"hello\"", "Say")).trim(), "\"hello\"");
    assert_eq!(
        run(&mut call("\"3\"", "Count")).split_whitespace().collect::<Vec<_>>(),
        ["\"1\"", "\"2\"", "\"3\""]
    );
    assert_eq!(run(&mut call("\"a\" \"b\"", "Join")).trim(), "\"a,b\"");
    assert_eq!(
        run(&mut call("\"a\" \"b\"", "Chat")).split_whitespace().collect::<Vec<_>>(),
        ["\"A\"", "\"B\""]
    );
    let failed = call("\"why\"", "Fail").output().unwrap();
    let said = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert!(said.contains("ResourceExhausted") && said.contains("no more of ☺"), "{said}");
}
