//! A server under the runner's default configuration.

use ringwire_conformance::suite::Suite;
use std::path::Path;
use std::time::Duration;

#[test]
fn all_cases_of_the_default_configuration_pass() {
    let suite = Suite { name: "server", config: "", cases: &[], time_max: Duration::from_secs(800) };
    let verdict = suite.run_server(Path::new(&server())).expect("the runner runs");
    println!("{verdict}");
    assert!(verdict.is_green(3_600), "{verdict:?}");
}

fn server() -> String {
    std::env::var("SERVER")
        .ok()
        .or(option_env!("CARGO_BIN_EXE_conformance_server").map(str::to_owned))
        .expect("a server")
}
