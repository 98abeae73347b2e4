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
    let build = "load(\"@rules_rust//rust:defs.bzl\", \"rust_library\")\n\nrust_library(\n    name = \"alone\",\n    \
                 srcs = [\"lib.rs\"],\n    edition = \"2024\",\n)\n";
    let module = module("depends", "//proto_rules:toolchain", build);
    fs::write(module.join("lib.rs"), "").unwrap();

    nested::bazel(&module, &["build", "//:alone"]).expect(0);
    no_hub_is_made(&module);
    let fetched = fetched(&module);
    assert!(!fetched.iter().any(|name| name.contains("ringwire_crates")), "{fetched:?}");
}

#[test]
fn a_module_of_messages_alone_fetches_no_client_no_server_and_no_tokio() {
    let smoke = nested::workspace().join("e2e/smoke/people");
    let build = fs::read_to_string(smoke.join("BUILD.bazel")).unwrap();
    let module = module("messages", "//proto_rules:messages_toolchain", &build);
    fs::copy(smoke.join("people.proto"), module.join("people.proto")).unwrap();

    // What is built is analysed, and what is analysed is fetched.
    nested::bazel(&module, &["build", "--nobuild", "//:people_rust"]).expect(0);
    no_hub_is_made(&module);
    let crates = crates(&module);
    assert!(crates.iter().any(|name| name.starts_with("buffa-")), "{crates:?}");
    assert!(
        !crates.iter().any(|name| name.starts_with("tokio-") || name.starts_with("rustls-")),
        "{crates:?}"
    );
    assert!(crates.len() < 30, "{} crates: {crates:?}", crates.len());
}

/// A module that has Ringwire with one of its toolchains, and this BUILD file.
fn module(name: &str, toolchain: &str, build: &str) -> PathBuf {
    let module = PathBuf::from(std::env::var_os("TEST_TMPDIR").unwrap()).join(name);
    fs::create_dir_all(&module).unwrap();
    let smoke = nested::workspace().join("e2e/smoke");
    let text = fs::read_to_string(smoke.join("MODULE.bazel")).unwrap();
    assert!(text.contains("\"@ringwire//proto_rules:toolchain\""), "{text}");
    let path = format!("path = \"{}\"", nested::workspace().display());
    let text = text.replace("path = \"../..\"", &path).replace("//proto_rules:toolchain", toolchain);
    fs::write(module.join("MODULE.bazel"), text).unwrap();
    fs::copy(smoke.join(".bazelrc"), module.join(".bazelrc")).unwrap();
    fs::write(module.join("BUILD.bazel"), build).unwrap();
    module
}

/// The crates under Ringwire that Bazel has fetched for a module: name and version.
fn crates(module: &Path) -> Vec<String> {
    let fetched = fetched(module).into_iter().filter(|name| !name.ends_with(".marker"));
    let crates = fetched.filter_map(|name| Some(name.split_once("ringwire_crates__")?.1.to_owned()));
    // What names them all is a repository too.
    crates.filter(|name| name.contains('-')).collect()
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
