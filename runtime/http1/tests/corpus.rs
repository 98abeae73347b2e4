//! What fuzzers found in the connections, and what is easily found. `tools/fuzz` runs the same targets for longer.

use ringwire_testing::fuzz::Target;

#[test]
fn connections_keep_their_word() {
    for target in ringwire_http1::fuzz::TARGETS {
        let target = Target { name: target.name, run: target.run, seeds: target.seeds };
        target.replay("runtime/http1", "testdata/corpus", 5_000);
    }
}
