//! The tests of the suite fail where they should: with a server that forgets its trailers, a client that mistakes errors, and
//! with cases missing.

use ringwire_conformance::suite::{Suite, Verdict};
use std::path::Path;
use std::time::Duration;

#[derive(Clone, Copy)]
enum Side {
    Server,
    Client,
}

/// Runs the cases of one suite, in the configuration of a target, against a program.
fn verdict(name: &str, config: &str, side: Side, program: &str) -> Verdict {
    let suite = Suite { name, config, cases: &["Basic/**"], time_max: Duration::from_secs(250) };
    let verdict = match side {
        Side::Server => suite.run_server(Path::new(program)),
        Side::Client => suite.run_client(Path::new(program)),
    };
    let verdict = verdict.expect("the runner runs");
    println!("{name}: {verdict}");
    verdict
}

#[test]
fn a_broken_server_is_red_in_each_configuration() {
    for (name, config, cases) in [("default", "", 288), ("full", include_str!("../full.yaml"), 928)] {
        let green =
            verdict(&format!("{name}-whole"), config, Side::Server, &program("SERVER", CONFORMANCE_SERVER));
        assert!(green.is_green(cases), "{green:?}");
        assert!(!green.is_green(cases + 1), "a case is missing");
        let red = verdict(
            &format!("{name}-broken"),
            config,
            Side::Server,
            &program("BROKEN_SERVER", BROKEN_SERVER),
        );
        assert!(red.failed > 0 && !red.success && !red.is_green(cases), "{red:?}");
    }
}

#[test]
fn a_server_that_ends_at_once_is_red() {
    let red = verdict("ends", "", Side::Server, "/bin/false");
    assert!(!red.is_green(288) && red.passed == 0, "{red:?}");
}

#[test]
fn a_broken_client_is_red_in_each_configuration() {
    for (name, config, cases) in
        [("client-default", "", 314), ("client-full", include_str!("../full.yaml"), 958)]
    {
        let green =
            verdict(&format!("{name}-whole"), config, Side::Client, &program("CLIENT", POOLED_CLIENT));
        assert!(green.is_green(cases), "{green:?}");
        assert!(!green.is_green(cases + 1), "a case is missing");
        let red = verdict(
            &format!("{name}-broken"),
            config,
            Side::Client,
            &program("BROKEN_CLIENT", BROKEN_CLIENT),
        );
        assert!(red.failed > 0 && !red.success && !red.is_green(cases), "{red:?}");
    }
}

#[test]
fn a_client_that_ends_at_once_is_red() {
    let red = verdict("client-ends", "", Side::Client, "/bin/false");
    assert!(!red.is_green(314) && red.passed == 0, "{red:?}");
}

fn program(variable: &str, built: Option<&str>) -> String {
    std::env::var(variable).ok().or(built.map(str::to_owned)).expect("a program")
}

const CONFORMANCE_SERVER: Option<&str> = option_env!("CARGO_BIN_EXE_conformance_server");
const BROKEN_SERVER: Option<&str> = option_env!("CARGO_BIN_EXE_broken_server");
const POOLED_CLIENT: Option<&str> = option_env!("CARGO_BIN_EXE_pooled_client");
const BROKEN_CLIENT: Option<&str> = option_env!("CARGO_BIN_EXE_broken_client");
