//! A descriptor set has every file of the closure once, each after those that it imports.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)] // A test's way to fail.

use buffa::Message;
use buffa_codegen::generated::descriptor::FileDescriptorSet;

#[test]
fn files_follow_what_they_import() {
    let bytes = std::fs::read(std::env::var("DESCRIPTOR_SET").unwrap()).unwrap();
    let set = FileDescriptorSet::decode_from_slice(&bytes).unwrap();
    let mut names: Vec<_> = set.file.iter().map(|file| file.name.as_deref().unwrap()).collect();
    for (at, file) in set.file.iter().enumerate() {
        assert!(file.dependency.iter().all(|import| names[..at].contains(&import.as_str())), "{names:?}");
    }
    names.sort_unstable();
    let expected = ["common/models.proto", "greet/greet.proto", "greet/models.proto"];
    assert_eq!(names, expected.map(|name| format!("proto_rules/tests/protos/{name}")));
}
