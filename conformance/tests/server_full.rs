//! A server under everything that the runner has, but HTTP/3.

use ringwire_conformance::suite::Suite;
use std::path::Path;
use std::time::Duration;

#[test]
fn all_cases_but_http3_pass() {
    let config = include_str!("../full.yaml");
    let suite = Suite { name: "server_full", config, cases: &[], time_max: Duration::from_secs(3_400) };
    let verdict = suite.run_server(Path::new(&server())).expect("the runner runs");
    println!("{verdict}");
    assert!(verdict.is_green(10_736), "{verdict:?}");
}

fn server() -> String {
    std::env::var("SERVER")
        .ok()
        .or(option_env!("CARGO_BIN_EXE_conformance_server").map(str::to_owned))
        .expect("a server")
}
