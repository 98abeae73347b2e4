//! A stranger's module that depends on ours builds and passes.

#![forbid(unsafe_code)]

#[test]
fn the_smoke_module_builds_and_passes() {
    nested::bazel(&nested::workspace().join("e2e/smoke"), &["test", "//..."]).expect(0);
}
