//! What the tests of Ringwire, and of what is built on it, have in common; for tests only.
//!
//! Nothing here opens a port, sleeps, or depends on the time of day; `instructions` alone starts a program.

#![forbid(unsafe_code)]

use std::path::PathBuf;

pub mod chop;
pub mod clock;
pub mod compression;
pub mod fuzz;
pub mod instructions;
pub mod seed;
pub mod service;
pub mod transcript;

/// Where `folder` of `package` is: among the sources for `bazel run`, below the working directory for `bazel test`, which
/// starts in the root, and for Cargo, which starts tests in their package.
fn find(package: &str, folder: &str) -> PathBuf {
    if let Some(sources) = std::env::var_os("BUILD_WORKSPACE_DIRECTORY") {
        return PathBuf::from(sources).join(package).join(folder);
    }
    let from_root = PathBuf::from(package).join(folder);
    if from_root.is_dir() { from_root } else { PathBuf::from(folder) }
}
