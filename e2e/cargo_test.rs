//! The Cargo half of the build: the same sources, the same tests, as the lock file has them.

#![forbid(unsafe_code)]

#[test]
fn cargo_builds_and_tests_the_workspace() {
    let workspace = nested::workspace();
    nested::cargo(&workspace, &["build", "--workspace", "--locked"]).expect(0);
    nested::cargo(&workspace, &["test", "--workspace", "--locked"]).expect(0);
    // What modules get that have no hub of crates.
    nested::cargo(&workspace, &["run", "--locked", "--package=ringwire-crates", "--", "--check"]).expect(0);
}
