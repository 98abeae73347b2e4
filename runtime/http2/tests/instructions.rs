//! The instructions of a request on a warm connection, counted by callgrind.

use std::path::PathBuf;
use std::process::Command;

#[test]
fn a_request_stays_within_its_budget() {
    let each = (count("6000") - count("1000")) / 5000;
    println!("{each} instructions a request");
    assert!(each <= BUDGET, "{each} instructions, not {BUDGET}");
    assert!(each > BUDGET / 2, "{each} instructions: lower the budget of {BUDGET}");
}

/// The instructions within `exchange`, for so many requests.
fn count(requests: &str) -> u64 {
    let folder = std::env::var_os("TEST_TMPDIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let out = folder.join(format!("http2_instructions.{}.{requests}", std::process::id()));
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--collect-atstart=no", "--toggle-collect=http2_exchanges::exchange*"]);
    valgrind.arg(format!("--callgrind-out-file={}", out.display())).arg(program()).args([requests, "ours"]);
    let ran = valgrind.output().expect("valgrind runs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let text = std::fs::read_to_string(&out).expect("what was counted");
    std::fs::remove_file(&out).expect("the file is ours");
    let total = text.lines().find_map(|line| line.strip_prefix("totals: ")).expect("a total");
    total.trim().parse().expect("a number")
}

/// The example `http2_exchanges`, which Bazel names, and which `cargo test` without a choice of targets puts beside the test.
fn program() -> PathBuf {
    if let Some(program) = std::env::var_os("EXCHANGES") {
        return PathBuf::from(program);
    }
    let test = std::env::current_exe().expect("a program");
    test.parent().and_then(|deps| deps.parent()).expect("a folder").join("examples/http2_exchanges")
}

/// The crate h2 takes ten times as many with optimisation, on the same requests.
const BUDGET: u64 = if cfg!(debug_assertions) { 16_500 } else { 2_300 };
