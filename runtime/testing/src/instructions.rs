//! Instructions, counted by callgrind: budgets that no busy machine breaks.

use std::path::PathBuf;
use std::process::Command;

/// A program that does something as many times as its first argument says. Bazel names it in the variable `variable`; without
/// that, it is the example `name`, which `cargo test` without a choice of targets puts beside the test.
#[derive(Debug)]
pub struct Counted {
    program: PathBuf,
}

impl Counted {
    /// The program of this name.
    ///
    /// # Panics
    /// The test has no folder.
    pub fn new(variable: &str, name: &str) -> Self {
        let beside = || {
            let test = std::env::current_exe().expect("a test is a program");
            test.parent().and_then(|deps| deps.parent()).expect("it has a folder").join("examples").join(name)
        };
        Self { program: std::env::var_os(variable).map_or_else(beside, PathBuf::from) }
    }

    /// Checks that each time takes no more instructions than `budget`, and that the budget is not out of date.
    ///
    /// # Panics
    /// It takes more, or so few that the budget is worth nothing, or valgrind does not run.
    #[track_caller]
    pub fn check(&self, arguments: &[&str], budget: u64) {
        let each = (self.count(MORE, arguments) - self.count(FEW, arguments)) / (MORE - FEW);
        println!("{arguments:?}: {each} instructions");
        assert!(each <= budget, "{arguments:?}: {each} instructions, not {budget}");
        assert!(each > budget / 5 * 4, "{arguments:?}: {each} instructions: lower the budget of {budget}");
    }

    fn count(&self, times: u64, arguments: &[&str]) -> u64 {
        let folder = std::env::var_os("TEST_TMPDIR").map_or_else(std::env::temp_dir, PathBuf::from);
        let name = format!("instructions.{}.{times}.{}", std::process::id(), arguments.concat());
        let out = folder.join(name);
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--tool=callgrind", &format!("--callgrind-out-file={}", out.display())]);
        valgrind.arg(&self.program).arg(times.to_string()).args(arguments);
        let ran = valgrind.output().expect("valgrind runs");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        let text = std::fs::read_to_string(&out).expect("what was counted");
        std::fs::remove_file(&out).expect("the file is ours");
        let total = text.lines().find_map(|line| line.strip_prefix("totals: ")).expect("a total");
        total.trim().parse().expect("a number")
    }
}

const FEW: u64 = 200;
const MORE: u64 = 1200;
