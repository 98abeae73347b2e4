//! Where a Cargo build finds protoc: Google's own build, as crates.io carries it.
//!
//! Bazel does not come this way; it has the same program as `//tools/protoc`.

#![forbid(unsafe_code)]

use std::path::PathBuf;

#[cfg(all(target_os = "linux", target_arch = "aarch64"))]
use protoc_bin_vendored_linux_aarch_64 as vendored;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
use protoc_bin_vendored_linux_x86_64 as vendored;
#[cfg(all(target_os = "macos", target_arch = "aarch64"))]
use protoc_bin_vendored_macos_aarch_64 as vendored;
#[cfg(all(target_os = "macos", target_arch = "x86_64"))]
use protoc_bin_vendored_macos_x86_64 as vendored;

/// The protoc program.
#[must_use]
pub fn path() -> PathBuf {
    vendored::protoc_bin_path()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    #[test]
    fn it_is_the_protoc_that_knows_editions() {
        let version = Command::new(super::path()).arg("--version").output().unwrap().stdout;
        assert_eq!(String::from_utf8(version).unwrap().trim(), "libprotoc 36.2");
    }
}
