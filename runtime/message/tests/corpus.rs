//! What fuzzers found in the reading of messages, and what is easily found. `tools/fuzz` runs the same targets for longer.

use ringwire_testing::fuzz::Target;

#[test]
fn readers_keep_their_word() {
    for target in ringwire_message::fuzz::TARGETS {
        let target = Target { name: target.name, run: target.run, seeds: target.seeds };
        target.replay("runtime/message", "testdata/corpus", 20_000);
    }
}
