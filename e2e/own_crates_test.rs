//! A stranger's module that brings its own crates builds and passes, and does not mix them with ours.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)] // A test's way to fail.

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn the_module_of_own_crates_builds_passes_and_refuses_to_mix() {
    let workspace = PathBuf::from(std::env::var_os("TEST_TMPDIR").unwrap()).join("workspace");
    nested::copy_workspace(&workspace);
    let commit = nested::commit(&workspace);
    let module = workspace.join("e2e/own_crates");
    nested::take_ringwire_from(
        &module,
        &format!(
            "git_override(\n    module_name = \"ringwire\",\n    commit = \"{commit}\",\n    remote = \"file://{}\",\n)\n",
            workspace.display()
        ),
    );
    lend_crates(&workspace, &module);
    nested::bazel(&module, &["test", "//..."]).expect(0);

    check_refused(
        &module,
        "//mixed:runtimes",
        "//runtime:runtime is built on Ringwire's own crates, and //:connect_rust, the connect_rust_toolchain of this build, \
         has generated code built on others",
    );
    check_refused(
        &module,
        "//mixed:tokios",
        "//mixed:tokios: two copies of the crate tokio would be in this program",
    );
}

#[test]
fn every_line_of_the_page_stands_in_one_of_the_modules() {
    let workspace = nested::workspace();
    let read = |file: &str| fs::read_to_string(workspace.join(file)).unwrap();
    let files = [
        "own_crates/.bazelrc",
        "own_crates/BUILD.bazel",
        "own_crates/Cargo.toml",
        "own_crates/MODULE.bazel",
        "smoke/MODULE.bazel",
        "smoke/greet/BUILD.bazel",
    ];
    let modules: String = files.iter().map(|file| read(&format!("e2e/{file}"))).collect();
    let mut code = false;
    for line in read("docs/crates.md").lines() {
        match line.trim_start().starts_with("```") {
            true => code = !code,
            false if code => {
                assert!(
                    modules.lines().any(|other| other.trim() == line.trim()),
                    "{line:?} is nowhere in {files:?}"
                );
            }
            false => {}
        }
    }
}

/// Crates that no registry has yet, in place of those that it will have.
fn lend_crates(workspace: &Path, module: &Path) {
    let manifest = fs::read_to_string(workspace.join("Cargo.toml")).unwrap();
    let ours = manifest.lines().filter(|line| line.contains("{ path = "));
    let names = ours.filter_map(|line| line.split_once(" = ")).map(|(name, _)| name);
    let lent: String =
        names.map(|name| format!("{name} = {{ git = \"file://{}\" }}\n", workspace.display())).collect();
    let file = module.join("Cargo.toml");
    let manifest = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{manifest}\n[patch.crates-io]\n{lent}")).unwrap();
    nested::cargo(module, &["generate-lockfile"]).expect(0);
}

#[track_caller]
fn check_refused(module: &Path, target: &str, wanted: &str) {
    let run = nested::bazel(module, &["build", "--nobuild", target]);
    run.expect(1);
    for wanted in [wanted, "docs/crates.md has both ways", &format!("Analysis of target '{target}'")] {
        assert!(run.output.contains(wanted), "{wanted}\n{}", run.output);
    }
}
