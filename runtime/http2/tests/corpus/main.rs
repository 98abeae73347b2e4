//! What fuzzers found, and what is easily found. `tools/fuzz` runs the same targets for longer.

mod targets;

#[test]
fn nothing_breaks_the_hpack_decoder() {
    replay("hpack");
}

#[test]
fn nothing_breaks_the_reader_of_frames() {
    replay("http2_frames");
}

#[test]
fn nothing_breaks_a_server() {
    replay("http2_server");
}

#[test]
fn nothing_breaks_a_client() {
    replay("http2_client");
}

fn replay(name: &str) {
    let target = targets::TARGETS.iter().find(|target| target.name == name).expect("a target");
    target.replay("runtime/http2", "testdata/corpus", 20_000);
}
