//! The portable server under h2spec.

use ringwire_conformance::h2spec;
use std::path::Path;

#[test]
fn http2_is_as_specified() {
    let built = option_env!("CARGO_BIN_EXE_plain_server").map(str::to_owned);
    let server = std::env::var("SERVER").ok().or(built).expect("a server");
    let found = h2spec::run("h2spec_tower", Path::new(&server)).expect("h2spec runs");
    println!("{found:?}");
    assert_eq!((found.tests, found.passed, found.skipped), (146, 145, 0));
    // The port answers HTTP/1.1 too. hyper takes what is no preface for a request of that, and says 400 before it closes,
    // which h2spec takes for a frame.
    assert_eq!(found.failed, ["2: Sends invalid connection preface"]);
}
