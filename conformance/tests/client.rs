//! The pooled client under the runner's default configuration.

use ringwire_conformance::suite::Suite;
use std::path::Path;
use std::time::Duration;

#[test]
fn all_cases_of_the_default_configuration_pass() {
    let suite = Suite { name: "client", config: "", cases: &[], time_max: Duration::from_secs(800) };
    let verdict = suite.run_client(Path::new(&client())).expect("the runner runs");
    println!("{verdict}");
    assert!(verdict.is_green(4_574), "{verdict:?}");
}

fn client() -> String {
    std::env::var("CLIENT")
        .ok()
        .or(option_env!("CARGO_BIN_EXE_pooled_client").map(str::to_owned))
        .expect("a client")
}
