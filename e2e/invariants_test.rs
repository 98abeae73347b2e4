//! What breaks an invariant of runtime/README.md does not get through, and hears why.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)] // A test's way to fail.

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn invariants_hold_or_say_why_not() {
    let copy = PathBuf::from(std::env::var_os("TEST_TMPDIR").unwrap()).join("workspace");
    nested::copy_workspace(&copy);
    a_lower_layer_cannot_depend_on_a_higher_one(&copy);
    a_sans_io_package_cannot_read_the_clock(&copy);
}

fn a_lower_layer_cannot_depend_on_a_higher_one(workspace: &Path) {
    append(
        &workspace.join("runtime/wire/BUILD.bazel"),
        "rust_library(name = \"reaches_up\", srcs = [], deps = [\"//runtime/service\"])",
    );
    let run = nested::bazel(workspace, &["build", "--nobuild", "//runtime/wire:reaches_up"]);
    run.expect(1);
    let said = run.output.split_whitespace().collect::<Vec<_>>().join(" ");
    let wanted = "target '//runtime/service:service' is not visible from target '//runtime/wire:reaches_up'";
    assert!(said.contains(wanted), "{}", run.output);
}

fn a_sans_io_package_cannot_read_the_clock(workspace: &Path) {
    append(
        &workspace.join("runtime/http/src/lib.rs"),
        "\n/// Reads the clock.\npub fn now() -> std::time::Instant {\n    std::time::Instant::now()\n}",
    );
    let run = nested::bazel(workspace, &["test", "//runtime/http:http_test"]);
    run.expect(1);
    assert!(
        run.output.contains("sans-io: `now` is a parameter, so that tests own the clock"),
        "{}",
        run.output
    );
}

fn append(file: &Path, text: &str) {
    fs::write(file, fs::read_to_string(file).unwrap() + text + "\n").unwrap();
}
