//! Holds the checked-in fixture against the generator, so that the tests see what generated crates look like.
//!
//! `fixture.binpb` is `protoc --include_imports --descriptor_set_out` of `fixture.proto`. To rewrite the golden,
//! run this test with `UPDATE_GOLDEN` set.

use buffa::Message as _;
use buffa_codegen::generated::descriptor::FileDescriptorSet;
use buffa_codegen::{CodeGenConfig, MapRepr, generate};

#[test]
fn the_fixture_is_what_the_generator_writes() {
    let set = FileDescriptorSet::decode_from_slice(include_bytes!("fixture/fixture.binpb"))
        .expect("a descriptor set");
    let mut config = CodeGenConfig::default();
    config.generate_json = true;
    config.file_per_package = true;
    config.emit_register_fn = false;
    config.generate_with_setters = false;
    config.map_fields = vec![(".".to_owned(), MapRepr::BTreeMap)];
    let files = generate(&set.file, &["fixture.proto".to_owned()], &config).expect("generated");
    let [file] = &files[..] else { panic!("one package is one file") };
    let generated = through_message(&file.content);
    if let Some(path) = std::env::var_os("UPDATE_GOLDEN") {
        std::fs::write(path, &generated).expect("written");
    }
    assert!(generated == include_str!("fixture/fixture.rs"), "the fixture is out of date");
}

/// Names buffa and serde as re-exported by `ringwire_message`, which is then all that generated code depends on.
fn through_message(content: &str) -> String {
    content
        .replace("::buffa::", "::ringwire_message::buffa::")
        .replace("::buffa_types::", "::ringwire_message::buffa_types::")
        .replace("::serde::", "::ringwire_message::serde::")
        .replace("#[serde(default)]", "#[serde(default, crate = \"::ringwire_message::serde\")]")
}
