//! Finding the programs.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The program, or `None` after saying that it is missing.
pub(crate) fn find(variable: &str, name: &str) -> Option<PathBuf> {
    if let Some(path) = std::env::var_os(variable) {
        return Some(path.into());
    }
    let found = if name == "curl" { on_path(name) } else { built_by_go().map(|folder| folder.join(name)) };
    if found.is_none() {
        assert_ne!(std::env::var("RINGWIRE_PEERS").as_deref(), Ok("required"), "{name} is missing");
        println!("skipped: {name} is neither named by {variable} nor to be had otherwise");
    }
    found
}

fn on_path(name: &str) -> Option<PathBuf> {
    let runs = Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success());
    runs.then(|| name.into())
}

/// The folder with the Go programs, built once.
fn built_by_go() -> Option<&'static Path> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    BUILT
        .get_or_init(|| {
            let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance/peers");
            let folder = std::env::temp_dir().join("ringwire-peers");
            let mut build = Command::new("go");
            build.current_dir(module).arg("build").arg("-o").arg(&folder).args(PACKAGES);
            std::fs::create_dir_all(&folder).ok()?;
            build.status().ok()?.success().then_some(folder)
        })
        .as_deref()
}

const PACKAGES: [&str; 3] = ["./connectpeer", "./grpcpeer", "github.com/fullstorydev/grpcurl/cmd/grpcurl"];
