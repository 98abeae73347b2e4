//! Instructions, counted by callgrind: budgets that no busy machine breaks.

use std::path::PathBuf;
use std::process::Command;

/// Checks that an example of the package takes no more instructions than `budget` for each time that it does what it does, and
/// that the budget is not out of date.
///
/// The example takes the number of times and then `arguments`. Bazel names its place in the variable `EXAMPLE`; `cargo test`
/// without a choice of targets puts it beside the test. Counted is what happens within `function`.
///
/// # Panics
/// It takes more, or so few that the budget is worth nothing, or valgrind does not run.
#[track_caller]
pub fn check(example: &str, function: &str, arguments: &[&str], budget: u64) {
    let count = |times: u64| count(example, function, times, arguments);
    let few = count(FEW);
    assert!(few > 0, "{example} never calls {function}");
    let each = (count(MORE) - few) / (MORE - FEW);
    println!("{example} {arguments:?}: {each} instructions");
    assert!(each <= budget, "{example} {arguments:?}: {each} instructions, not {budget}");
    assert!(
        each > budget / 5 * 4,
        "{example} {arguments:?}: {each} instructions: lower the budget of {budget}"
    );
}

fn count(example: &str, function: &str, times: u64, arguments: &[&str]) -> u64 {
    let folder = std::env::var_os("TEST_TMPDIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let out = folder.join(format!("{example}.{}.{times}.{}", std::process::id(), arguments.join(".")));
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", &format!("--callgrind-out-file={}", out.display())]);
    valgrind.args(["--collect-atstart=no", &format!("--toggle-collect={function}")]);
    let ran =
        valgrind.arg(place(example)).arg(times.to_string()).args(arguments).output().expect("valgrind runs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let text = std::fs::read_to_string(&out).expect("what was counted");
    std::fs::remove_file(&out).expect("the file is ours");
    let total = text.lines().find_map(|line| line.strip_prefix("totals: ")).expect("a total");
    total.trim().parse().expect("a number")
}

fn place(example: &str) -> PathBuf {
    if let Some(place) = std::env::var_os("EXAMPLE") {
        return PathBuf::from(place);
    }
    let test = std::env::current_exe().expect("a test is a program");
    test.parent().and_then(|deps| deps.parent()).expect("it has a folder").join("examples").join(example)
}

const FEW: u64 = 1_000;
const MORE: u64 = 6_000;
