//! Generates the crate from the .proto files of the suite's Go module, which the Go command fetches and checks.

use ringwire_codegen::{Externs, Layout, Mode, Options, Request, Schema, generate};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=CONFORMANCE_PROTO");
    let root = match std::env::var_os("CONFORMANCE_PROTO") {
        Some(root) => PathBuf::from(root),
        None => module()?.join("proto"),
    };
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("Cargo sets OUT_DIR")?);
    let set = out.join("conformance.binpb");
    describe(&root, &set)?;
    let schema =
        Schema::decode([&*std::fs::read(set)?], Schema::ELEMENT_MEMORY_MAX).map_err(|(_, error)| error)?;
    let text = generate(&Request {
        schema: &schema,
        generate: &FILES.map(str::to_owned),
        externs: &Externs::new(),
        mode: Mode::Both,
        layout: Layout::Include,
        options: &Options::default(),
    })?;
    std::fs::write(out.join("conformance.rs"), text)?;
    Ok(())
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

fn describe(root: &Path, set: &Path) -> Result<(), Box<dyn Error>> {
    let mut protoc = Command::new(ringwire_protoc::path());
    protoc.arg("--include_imports").arg("--include_source_info");
    protoc.arg("-I").arg(root).arg("--descriptor_set_out").arg(set).args(FILES);
    if protoc.status()?.success() {
        Ok(())
    } else {
        Err(format!("protoc failed over {}", root.display()).into())
    }
}

const MODULE: &str = "connectrpc.com/conformance@v1.0.5";
const SUM: &str = "h1:w5d+gBj0uUX/DAN+hInQMeUxYTmec5m1Vvi2s/6V56s=";
const FILES: [&str; 4] = [
    "connectrpc/conformance/v1/client_compat.proto",
    "connectrpc/conformance/v1/config.proto",
    "connectrpc/conformance/v1/server_compat.proto",
    "connectrpc/conformance/v1/service.proto",
];
