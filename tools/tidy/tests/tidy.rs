//! The workspace itself, held against every check.

use std::path::PathBuf;
use std::sync::OnceLock;

use ringwire_tidy::buildifier::{self, Verdict};
use ringwire_tidy::{CHECKS, Finding, Tree, allow, findings, largest, tree};

fn workspace() -> &'static (PathBuf, Tree) {
    static WORKSPACE: OnceLock<(PathBuf, Tree)> = OnceLock::new();
    WORKSPACE.get_or_init(|| {
        let root = tree::workspace_root().expect("the test runs in a workspace");
        let tree = Tree::read(&root).expect("the workspace can be read");
        (root, tree)
    })
}

fn check(name: &str) {
    let check = CHECKS.iter().find(|check| check.name == name).expect("a check of that name");
    show(&findings(check, &workspace().1));
}

fn show(found: &[Finding]) {
    let lines: String = found.iter().map(|finding| format!("  {finding}\n")).collect();
    assert!(found.is_empty(), "\n{lines}An exception goes into tools/tidy/allow.txt, with its reason.\n");
}

#[test]
fn unsafe_code_stays_at_home() {
    check("unsafe");
}

#[test]
fn protocols_are_named_in_one_place() {
    check("protocol");
}

#[test]
fn nothing_banned_is_used() {
    check("banned");
}

#[test]
fn no_file_knows_its_machine_or_registry() {
    check("place");
}

#[test]
fn white_space_is_plain() {
    check("layout");
}

#[test]
fn every_source_belongs_to_a_target() {
    check("unused");
}

#[test]
fn every_package_says_what_it_is() {
    check("package");
}

#[test]
fn targets_and_manifests_agree() {
    check("manifest");
}

#[test]
fn what_is_written_of_crates_agrees() {
    check("crates");
}

#[test]
fn bazel_and_cargo_name_the_same_lints() {
    check("lints");
}

#[test]
fn starlark_explains_its_attributes() {
    check("starlark");
}

#[test]
fn nothing_is_used_that_newer_bazels_lack() {
    check("dropped");
}

#[test]
fn pages_keep_their_promises() {
    check("docs");
}

#[test]
fn every_allowance_is_needed() {
    show(&allow::check(&workspace().1));
}

#[test]
fn starlark_is_as_buildifier_writes_it() {
    let (root, tree) = workspace();
    match buildifier::check(root, tree).expect("buildifier starts") {
        Verdict::Clean => {}
        Verdict::Complains(said) => panic!("\n{said}Let `buildifier -lint=fix` mend what it can.\n"),
        Verdict::Missing => {
            assert!(!buildifier::is_required(), "the root has no buildifier: its recipe installs one");
            println!("SKIPPED: no buildifier on PATH; `tools/bazel test //tools/tidy` has one");
        }
    }
}

#[test]
fn the_largest_files_and_functions_are_shown() {
    println!("{}", largest::report(&workspace().1));
}
