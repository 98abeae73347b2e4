//! protoc, run for a descriptor set.

use crate::Error;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Compiles the files, and everything that they import, to a descriptor set.
pub(crate) fn run(includes: &[PathBuf], files: &[String], out: &Path) -> Result<PathBuf, Error> {
    let program = std::env::var_os("PROTOC").map_or_else(ringwire_protoc::path, PathBuf::from);
    let mut command = Command::new(&program);
    command.args(["--include_imports", "--include_source_info"]);
    command.arg(joined("--descriptor_set_out=", out));
    command.args(includes.iter().map(|include| joined("--proto_path=", include)));
    let output = command.args(files).output().map_err(|error| Error::NoProtoc { program, error })?;
    if output.status.success() {
        Ok(out.to_owned())
    } else {
        Err(Error::Protoc { message: String::from_utf8_lossy(&output.stderr).into_owned() })
    }
}

fn joined(flag: &str, path: &Path) -> OsString {
    let mut argument = OsString::from(flag);
    argument.push(path);
    argument
}
