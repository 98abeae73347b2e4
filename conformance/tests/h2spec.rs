//! The server under h2spec, with the driver that the environment names.

use ringwire_conformance::h2spec;
use std::path::Path;

#[test]
fn http2_is_as_specified() {
    let built = option_env!("CARGO_BIN_EXE_echoing_server").map(str::to_owned);
    let server = std::env::var("SERVER").ok().or(built).expect("a server");
    let found = h2spec::run("h2spec", Path::new(&server)).expect("h2spec runs");
    println!("{found:?}");
    let green = (found.tests, found.passed, found.skipped) == (146, 146, 0);
    assert!(green && found.failed.is_empty(), "{:?}", found.failed);
}
