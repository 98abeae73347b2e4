//! A stranger's module that depends on ours builds and passes, and gets nothing that it did not ask for.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)] // A test's way to fail.

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn the_smoke_module_builds_and_passes() {
    let module = nested::workspace().join("e2e/smoke");
    nested::bazel(&module, &["test", "//..."]).expect(0);
    no_hub_is_made(&module);
    // What else there is: the crates that stand in their place, each as a repository.
    assert!(fetched(&module).iter().any(|name| name.contains("ringwire_crates__tokio-")));
}

#[test]
fn a_module_that_only_depends_fetches_no_crate() {
    let module = PathBuf::from(std::env::var_os("TEST_TMPDIR").unwrap()).join("depends");
    fs::create_dir_all(&module).unwrap();
    let smoke = nested::workspace().join("e2e/smoke");
    let text = fs::read_to_string(smoke.join("MODULE.bazel")).unwrap();
    let path = format!("path = \"{}\"", nested::workspace().display());
    fs::write(module.join("MODULE.bazel"), text.replace("path = \"../..\"", &path)).unwrap();
    fs::copy(smoke.join(".bazelrc"), module.join(".bazelrc")).unwrap();
    let build = "load(\"@rules_rust//rust:defs.bzl\", \"rust_library\")\n\nrust_library(\n    name = \"alone\",\n    \
                 srcs = [\"lib.rs\"],\n    edition = \"2024\",\n)\n";
    fs::write(module.join("BUILD.bazel"), build).unwrap();
    fs::write(module.join("lib.rs"), "").unwrap();

    nested::bazel(&module, &["build", "//:alone"]).expect(0);
    no_hub_is_made(&module);
    let fetched = fetched(&module);
    assert!(!fetched.iter().any(|name| name.contains("ringwire_crates")), "{fetched:?}");
}

/// No extension of ours runs crate_universe in the build of another.
#[track_caller]
fn no_hub_is_made(module: &Path) {
    let graph = nested::bazel(module, &["mod", "graph", "--extension_info=usages"]);
    graph.expect(0);
    assert!(graph.output.contains("tools/crates:extension.bzl%crates"), "{}", graph.output);
    assert!(!graph.output.contains("crate_universe:extension"), "{}", graph.output);
    let fetched = fetched(module);
    let of_hubs = ["cargo_bazel", "rust_host_tools"];
    assert!(!fetched.iter().any(|name| of_hubs.iter().any(|hub| name.contains(hub))), "{fetched:?}");
}

/// The repositories that Bazel has made for a module.
fn fetched(module: &Path) -> Vec<String> {
    let base = nested::bazel(module, &["info", "output_base"]);
    base.expect(0);
    let base = base.output.lines().next().unwrap().to_owned();
    let entries = fs::read_dir(Path::new(&base).join("external")).unwrap();
    entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}
