//! The same input gives the same bytes, in another process too.

use std::path::{Path, PathBuf};

#[test]
fn generating_again_gives_the_same_bytes() {
    let built = Path::new(env!("OUT_DIR"));
    let again = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let protos = Path::new(env!("CARGO_MANIFEST_DIR")).join("../protos");
    for name in ["letters", "oneofs", "proto2", "shapes", "well_known"] {
        let config = ringwire_build::Config::new().include(&protos).file(format!("awkward/{name}.proto"));
        config.out_dir(&again).out_file(format!("{name}.rs")).compile().expect("generated");
        let [built, again] = [built, &again].map(|folder| std::fs::read(folder.join(format!("{name}.rs"))));
        assert!(built.expect("built") == again.expect("generated"), "{name}");
    }
}
