//! What fuzzers found in the exchanges, and what is easily found. `tools/fuzz` runs the same targets for longer.

use ringwire_testing::fuzz::Target;

mod targets;

#[test]
fn request_heads_are_accepted_or_answered() {
    check(targets::REQUEST_HEAD);
}

#[test]
fn response_heads_are_understood_or_refused() {
    check(targets::RESPONSE_HEAD);
}

#[test]
fn exchanges_keep_their_word() {
    for target in ringwire_rpc::fuzz::TARGETS {
        check(Target { name: target.name, run: target.run, seeds: target.seeds });
    }
}

fn check(target: Target) {
    target.replay("runtime/rpc", "testdata/corpus", 10_000);
}
