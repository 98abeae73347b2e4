//! The tests of the suite fail where they should: with a server that forgets its trailers, and with cases missing.

use ringwire_conformance::suite::{Suite, Verdict};
use std::path::Path;
use std::time::Duration;

/// Runs the cases of one suite, in the configuration of a target, against a server.
fn verdict(name: &str, config: &str, server: &str) -> Verdict {
    let suite = Suite { name, config, cases: &["Basic/**"], time_max: Duration::from_secs(250) };
    let verdict = suite.run_server(Path::new(server)).expect("the runner runs");
    println!("{name}: {verdict}");
    verdict
}

#[test]
fn a_broken_server_is_red_in_each_configuration() {
    for (name, config, cases) in [("default", "", 288), ("full", include_str!("../full.yaml"), 928)] {
        let green = verdict(&format!("{name}-whole"), config, &whole());
        assert!(green.is_green(cases), "{green:?}");
        assert!(!green.is_green(cases + 1), "a case is missing");
        let red = verdict(&format!("{name}-broken"), config, &broken());
        assert!(red.failed > 0 && !red.success && !red.is_green(cases), "{red:?}");
    }
}

#[test]
fn a_server_that_ends_at_once_is_red() {
    let red = verdict("ends", "", "/bin/false");
    assert!(!red.is_green(288) && red.passed == 0, "{red:?}");
}

fn whole() -> String {
    std::env::var("SERVER")
        .ok()
        .or(option_env!("CARGO_BIN_EXE_tower_server").map(str::to_owned))
        .expect("a server")
}

fn broken() -> String {
    let built = option_env!("CARGO_BIN_EXE_broken_server").map(str::to_owned);
    std::env::var("BROKEN_SERVER").ok().or(built).expect("a server that is broken")
}
