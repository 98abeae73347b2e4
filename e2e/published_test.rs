//! Published .proto files go through the rules, compile, and have all their services.

#![forbid(unsafe_code)]

#[test]
fn published_protos_build_and_pass() {
    nested::bazel(&nested::workspace().join("e2e/published"), &["test", "//..."]).expect(0);
}
