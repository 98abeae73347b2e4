//! Generates the crate from the .proto files of the suite's Go module, which the Go command fetches and checks.

use std::error::Error;
use std::path::PathBuf;
use std::process::Command;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-env-changed=CONFORMANCE_PROTO");
    let root = match std::env::var_os("CONFORMANCE_PROTO") {
        Some(root) => PathBuf::from(root),
        None => module()?.join("proto"),
    };
    let files = FILES.map(|name| format!("connectrpc/conformance/v1/{name}.proto"));
    ringwire_build::Config::new()
        .include(root)
        .files(files)
        .compile()
        .map_err(|error| error.to_string().into())
}

/// The folder of the module.
fn module() -> Result<PathBuf, Box<dyn Error>> {
    let output = Command::new("go").args(["mod", "download", "-json", MODULE]).output().map_err(|error| {
        format!(
            "cannot run go, which has the suite's .proto files ({error}): install Go, or set CONFORMANCE_PROTO to the \
             folder proto of {MODULE}"
        )
    })?;
    let answer = String::from_utf8(output.stdout)?;
    let field = |name: &str| {
        let after = answer.split_once(&format!("\"{name}\": \""))?.1;
        Some(after.split_once('"')?.0.to_owned())
    };
    match (field("Dir"), field("Sum")) {
        (Some(folder), Some(sum)) if sum == SUM => Ok(PathBuf::from(folder)),
        (_, Some(sum)) => Err(format!("{MODULE} has the hash {sum}, and not {SUM}").into()),
        (_, None) => Err(format!("go mod download {MODULE}: {answer}").into()),
    }
}

const MODULE: &str = "connectrpc.com/conformance@v1.0.5";
const SUM: &str = "h1:w5d+gBj0uUX/DAN+hInQMeUxYTmec5m1Vvi2s/6V56s=";
const FILES: [&str; 4] = ["client_compat", "config", "server_compat", "service"];
