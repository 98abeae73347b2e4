//! Holds the checked-in Rust of `greet/greet.proto` against the generator. `tests/greet.rs` compiles and calls it.
//!
//! `greet.binpb` is `protoc --include_imports --include_source_info --descriptor_set_out` of the file. To rewrite the
//! goldens, run this test with `UPDATE_GOLDEN` set to their folder.

use ringwire_codegen::{Externs, Layout, Mode, Options, Request, Schema, generate};

fn check(mode: Mode, externs: &Externs, name: &str, golden: &str) {
    let set: &[u8] = include_bytes!("greet/greet.binpb");
    let schema = Schema::decode([set], Schema::ELEMENT_MEMORY_MAX).expect("a descriptor set");
    let (files, options) = (["greet.proto".to_owned()], Options::default());
    let request =
        Request { schema: &schema, generate: &files, externs, mode, layout: Layout::File, options: &options };
    let generated = generate(&request).expect("generated");
    if let Some(folder) = std::env::var_os("UPDATE_GOLDEN") {
        std::fs::write(std::path::Path::new(&folder).join(name), &generated).expect("written");
    }
    assert!(generated == golden, "{name} is out of date");
}

#[test]
fn messages() {
    check(Mode::Messages, &Externs::new(), "messages.rs", include_str!("greet/messages.rs"));
}

#[test]
fn services() {
    let mut externs = Externs::new();
    externs.add("greet_messages", ["greet.proto".to_owned()]).expect("one crate");
    check(Mode::Services, &externs, "services.rs", include_str!("greet/services.rs"));
}
