//! Instructions, counted by callgrind.

use std::{path::PathBuf, process::Command};

/// The instructions of a request within a function: those of 6000 requests less those of 1000, divided by 5000.
///
/// The example of the package, which is `program`, takes the number of requests and then `arguments`. Bazel names its place
/// in the variable `EXAMPLE`; `cargo test` without a choice of targets puts it beside the test.
///
/// # Panics
/// Valgrind does not run, or nothing was counted.
pub fn per_request(program: &str, function: &str, arguments: &[&str]) -> u64 {
    let count = |requests: &str| {
        let folder = std::env::var_os("TEST_TMPDIR").map_or_else(std::env::temp_dir, PathBuf::from);
        let name = format!("{program}.{}.{requests}.{}", std::process::id(), arguments.join("."));
        let out = folder.join(name);
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--tool=callgrind", "--collect-atstart=no"]);
        valgrind.arg(format!("--toggle-collect={function}"));
        valgrind.arg(format!("--callgrind-out-file={}", out.display()));
        let ran = valgrind.arg(place(program)).arg(requests).args(arguments).output().expect("valgrind runs");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        let text = std::fs::read_to_string(&out).expect("what was counted");
        std::fs::remove_file(&out).expect("the file is ours");
        let total = text.lines().find_map(|line| line.strip_prefix("totals: ")).expect("a total");
        total.trim().parse::<u64>().expect("a number")
    };
    let few = count("1000");
    assert!(few > 0, "{function} is not called");
    (count("6000") - few) / 5000
}

/// Holds a figure against its budget, and the budget against the figure: one that is far too large says nothing.
///
/// # Panics
/// The figure is above the budget, or below half of it.
pub fn check(what: &str, instructions: u64, budget: u64) {
    println!("{what}: {instructions} instructions a request");
    assert!(instructions <= budget, "{what}: {instructions} instructions, not {budget}");
    assert!(instructions > budget / 2, "{what}: {instructions} instructions: lower the budget of {budget}");
}

fn place(program: &str) -> PathBuf {
    if let Some(place) = std::env::var_os("EXAMPLE") {
        return PathBuf::from(place);
    }
    let test = std::env::current_exe().expect("a program");
    test.parent().and_then(|deps| deps.parent()).expect("a folder").join("examples").join(program)
}
