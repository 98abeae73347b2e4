//! The runner, run: one configuration against one program, and what the runner says of it.
//!
//! The runner can dead-lock when calls hang, so it has a time to be done in.

use crate::programs::{made_by_go, outputs, run_within};
use std::fmt;
use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// What is asked of a program under test.
#[derive(Debug)]
pub struct Suite<'a> {
    /// What the log is called.
    pub name: &'a str,
    /// The configuration in the runner's YAML; its defaults if empty.
    pub config: &'a str,
    /// The cases to run, as patterns of the runner; all of the configuration if empty.
    pub cases: &'a [&'a str],
    /// How long it may take.
    pub time_max: Duration,
}

/// What the runner said. As text, its summary and the first of what it found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Verdict {
    /// Cases of the configuration.
    pub total: u32,
    /// Cases that passed.
    pub passed: u32,
    /// Cases that failed.
    pub failed: u32,
    /// Whether it ended in time, and with success.
    pub success: bool,
    text: String,
}

impl Suite<'_> {
    /// Runs the cases against a server, and keeps the runner's log with the outputs of the test.
    ///
    /// # Errors
    /// A program cannot be started, or the log cannot be written.
    pub fn run_server(&self, server: &Path) -> io::Result<Verdict> {
        self.run("server", server)
    }

    /// The same for a client.
    ///
    /// # Errors
    /// As those of [`run_server`](Self::run_server).
    pub fn run_client(&self, client: &Path) -> io::Result<Verdict> {
        self.run("client", client)
    }

    fn run(&self, mode: &str, program: &Path) -> io::Result<Verdict> {
        let folder = outputs();
        let log = folder.join(format!("{}.log", self.name));
        let mut runner = Command::new(made_by_go("CONFORMANCE_RUNNER", RUNNER)?);
        runner.args(["--mode", mode, "--trace"]);
        if !self.config.is_empty() {
            let config = folder.join(format!("{}.yaml", self.name));
            std::fs::write(&config, self.config)?;
            runner.arg("--conf").arg(config);
        }
        for cases in self.cases {
            runner.args(["--run", cases]);
        }
        runner.arg("--").arg(program);
        let out = File::create(&log)?;
        runner.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
        let status = run_within(self.time_max, runner)?;
        let mut verdict = Verdict::read(&std::fs::read_to_string(&log)?);
        verdict.success = status.is_some_and(|status| status.success());
        Ok(verdict)
    }
}

impl Verdict {
    /// Whether all cases passed, and were as many as there should be: cases that could not be run are no failures to the
    /// runner.
    pub fn is_green(&self, cases: u32) -> bool {
        self.success && self.total == cases && self.passed == cases && self.failed == 0
    }

    /// From the last lines of the runner's log.
    fn read(log: &str) -> Self {
        let found = log.lines().take(LINES_MAX).collect::<Vec<_>>().join("\n");
        let summary =
            log.rfind("Total cases: ").map_or("The runner came to no end.", |from| log[from..].trim_end());
        let mut verdict = Self { text: summary.to_owned(), ..Self::default() };
        for line in log.lines() {
            if let Some(total) = line.strip_prefix("Total cases: ") {
                verdict.total = total.parse().unwrap_or_default();
            } else if let Some((passed, failed)) = line.split_once(" passed, ") {
                verdict.passed = passed.parse().unwrap_or_default();
                let failed = failed.split(' ').next().unwrap_or_default();
                verdict.failed = failed.parse().unwrap_or_default();
            }
        }
        if verdict.failed > 0 || verdict.total == 0 {
            verdict.text = format!("{found}\n\n{summary}");
        }
        verdict
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

const RUNNER: &str = "connectrpc.com/conformance/cmd/connectconformance@v1.0.5";
// As much of a log as one looks at first.
const LINES_MAX: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(log: &str, total: u32, passed: u32, failed: u32) {
        let verdict = Verdict::read(log);
        assert_eq!((verdict.total, verdict.passed, verdict.failed), (total, passed, failed));
    }

    #[test]
    fn the_summary_is_read() {
        check("Running 3 tests\n\nTotal cases: 3600\n3600 passed, 0 failed\n", 3600, 3600, 0);
        check("Total cases: 5\n3 passed, 1 failed\n(Another 1 could not be run.)\n", 5, 3, 1);
        check("Total cases: 5\n3 passed, 2 failed (Another 1 failed as expected.)\n", 5, 3, 2);
        check("", 0, 0, 0);
    }

    #[test]
    fn only_all_cases_are_green() {
        let verdict = Verdict { total: 5, passed: 5, success: true, ..Verdict::default() };
        assert!(verdict.is_green(5));
        assert!(!verdict.is_green(6));
        assert!(!Verdict { passed: 4, ..verdict.clone() }.is_green(5));
        assert!(!Verdict { passed: 4, failed: 1, ..verdict.clone() }.is_green(5));
        assert!(!Verdict { success: false, ..verdict }.is_green(5));
    }
}
