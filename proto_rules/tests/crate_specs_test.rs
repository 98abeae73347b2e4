//! rust-analyzer knows the generated sources, and which of them name which.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)] // A test's way to fail.

use std::fs;
use std::path::Path;

/// The folder of the protos, as a runfile and among the outputs.
const GREET: &str = "proto_rules/tests/protos/greet";

fn check(target: &str, root: &str, deps: &[&str]) {
    let spec =
        fs::read_to_string(Path::new(GREET).join(format!("{target}.rust_analyzer_crate_spec.json"))).unwrap();
    let has = |name: &str, ending: &str| {
        let mut lines = spec.lines().filter(|line| line.contains(name));
        assert!(
            lines.any(|line| line.trim_end_matches(',').ends_with(&format!("{ending}\""))),
            "{ending}\n{spec}"
        );
    };
    has("\"root_module\": \"__EXEC_ROOT__/", root);
    for dep in deps {
        has("\"ID-", dep);
    }
}

#[test]
fn a_facade_names_the_message_crates_of_its_whole_closure() {
    let deps = [
        "client/src/lib.rs",
        "common/models_proto.connect_rust/lib.rs",
        "greet/greet_proto.connect_rust/lib.rs",
        "greet/models_proto.connect_rust/lib.rs",
        "runtime/message/src/lib.rs",
        "runtime/service/src/lib.rs",
    ];
    check("greet-rust", "greet/greet-rust.generated/lib.rs", &deps);
}

#[test]
fn a_message_crate_names_those_below() {
    let deps = ["common/models_proto.connect_rust/lib.rs", "runtime/message/src/lib.rs"];
    check("models_proto", "greet/models_proto.connect_rust/lib.rs", &deps);
}
