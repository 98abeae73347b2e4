//! What `proto_library` hands on, made by the protoc of this package.

#![forbid(unsafe_code)]

use std::fs;

#[test]
fn it_has_the_messages_of_an_edition_and_their_comments() {
    let path = std::env::var("DESCRIPTOR_SET").unwrap();
    let set = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
    for wanted in ["ringwire.tools.protoc", "Kept", " A comment that must reach the descriptor set."] {
        assert!(set.contains(wanted), "no {wanted:?} in the descriptor set");
    }
}
