//! A BUILD file that breaks an invariant of runtime/README.md does not build, and says why.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)] // A test's way to fail.

use std::fs;
use std::path::PathBuf;

#[test]
fn a_lower_layer_cannot_depend_on_a_higher_one() {
    let copy = PathBuf::from(std::env::var_os("TEST_TMPDIR").unwrap()).join("workspace");
    nested::copy_workspace(&copy);
    let build = copy.join("runtime/wire/BUILD.bazel");
    let broken = fs::read_to_string(&build).unwrap()
        + "\nrust_library(name = \"reaches_up\", srcs = [], deps = [\"//runtime/service\"])\n";
    fs::write(build, broken).unwrap();

    let run = nested::bazel(&copy, &["build", "--nobuild", "//runtime/wire:reaches_up"]);
    run.expect(1);
    let said = run.output.split_whitespace().collect::<Vec<_>>().join(" ");
    let wanted = "target '//runtime/service:service' is not visible from target '//runtime/wire:reaches_up'";
    assert!(said.contains(wanted), "{}", run.output);
}
