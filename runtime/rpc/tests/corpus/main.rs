//! What fuzzers found in the exchanges, and what is easily found. `tools/fuzz` runs the same targets for longer.

mod targets;

#[test]
fn request_heads_are_accepted_or_answered() {
    targets::REQUEST_HEAD.replay("runtime/rpc", "testdata/corpus", 20_000);
}

#[test]
fn request_bodies_mean_the_same_however_they_are_cut() {
    targets::REQUEST_BODY.replay("runtime/rpc", "testdata/corpus", 20_000);
}

#[test]
fn response_heads_are_understood_or_refused() {
    targets::RESPONSE_HEAD.replay("runtime/rpc", "testdata/corpus", 20_000);
}

#[test]
fn response_bodies_mean_the_same_however_they_are_cut() {
    targets::RESPONSE_BODY.replay("runtime/rpc", "testdata/corpus", 20_000);
}
