//! The archive of a release is what the registry's files name, and a stranger's module builds on it.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)] // A test's way to fail.

use std::fs;
use std::path::PathBuf;

#[test]
fn a_module_builds_on_the_archive_of_a_release() {
    let folder = PathBuf::from(std::env::var_os("TEST_TMPDIR").unwrap());
    let workspace = folder.join("workspace");
    nested::copy_workspace(&workspace);
    nested::commit(&workspace);
    let read = |file: &str| fs::read_to_string(workspace.join(file)).unwrap();
    let manifest = read("Cargo.toml");
    let version =
        manifest.lines().find_map(|line| line.strip_prefix("version = \"")?.strip_suffix('"')).unwrap();

    let release = |tag: &str| nested::script(&workspace, &[".ci/release", tag, folder.to_str().unwrap()]);
    let run = release(&format!("v{version}"));
    run.expect(0);
    let (archive, integrity) = run.output.trim().split_once('\n').unwrap();

    let source = read(".bcr/source.template.json");
    for wanted in ["/{TAG}/{REPO}-{TAG}.tar.gz\"", "\"strip_prefix\": \"{REPO}-{VERSION}\""] {
        assert!(source.contains(wanted), "{source}");
    }
    assert!(archive.ends_with(&format!("/ringwire-v{version}.tar.gz")), "{archive}");
    assert!(read(".bcr/presubmit.yml").contains("module_path: e2e/smoke\n"));

    // As a registry would have it: nothing but the archive.
    let smoke = folder.join("smoke");
    nested::copy(&workspace.join("e2e/smoke"), &smoke);
    fs::remove_dir_all(&workspace).unwrap();
    nested::take_ringwire_from(
        &smoke,
        &format!(
            "archive_override(\n    module_name = \"ringwire\",\n    integrity = \"{integrity}\",\n    \
             strip_prefix = \"ringwire-{version}\",\n    urls = [\"file://{archive}\"],\n)\n"
        ),
    );
    nested::bazel(&smoke, &["test", "//..."]).expect(0);
}

#[test]
fn a_tag_of_another_version_is_refused() {
    let workspace = nested::workspace();
    let folder = std::env::var("TEST_TMPDIR").unwrap();
    let run = nested::script(&workspace, &[".ci/release", "v0.0.0", &folder]);
    run.expect(1);
    assert!(run.output.contains("the tag is v0.0.0, and Cargo.toml has version "), "{}", run.output);
}
