//! The pooled client under everything that the runner has, but HTTP/3.

use ringwire_conformance::suite::Suite;
use std::path::Path;
use std::time::Duration;

#[test]
fn all_cases_but_http3_pass() {
    let config = include_str!("../full.yaml");
    let suite = Suite { name: "client_full", config, cases: &[], time_max: Duration::from_secs(3_400) };
    let verdict = suite.run_client(Path::new(&client())).expect("the runner runs");
    println!("{verdict}");
    assert!(verdict.is_green(13_046), "{verdict:?}");
}

fn client() -> String {
    std::env::var("CLIENT")
        .ok()
        .or(option_env!("CARGO_BIN_EXE_pooled_client").map(str::to_owned))
        .expect("a client")
}
