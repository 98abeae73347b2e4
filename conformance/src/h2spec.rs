//! h2spec, run over a server under test: the cases of HTTP/2.
//!
//! The server should read requests to their end, take a moment, and answer with a body: some cases need streams that stay
//! open, others DATA to count.

use crate::programs::{made_by_go, outputs, run_within};
use crate::running::Running;
use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// What h2spec found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Found {
    /// Cases that were tried.
    pub tests: u32,
    /// Cases that passed.
    pub passed: u32,
    /// Cases that need what the server did not give.
    pub skipped: u32,
    /// The titles of those that failed.
    pub failed: Vec<String>,
}

/// Runs all cases that are not optional, and keeps the log with the outputs of the test.
///
/// # Errors
/// A program cannot be started, or h2spec comes to no end.
pub fn run(name: &str, server: &Path) -> io::Result<Found> {
    let log = outputs().join(format!("{name}.log"));
    let out = File::create(&log)?;
    let server = Running::start(server)?;
    let mut h2spec = Command::new(made_by_go("H2SPEC", H2SPEC)?);
    h2spec.args(["--port", &server.port().to_string(), "--timeout", CASE_SECONDS_MAX]);
    h2spec.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
    run_within(TIME_MAX, h2spec)?.ok_or_else(|| io::Error::other("h2spec came to no end"))?;
    Ok(Found::read(&std::fs::read_to_string(&log)?))
}

impl Found {
    fn read(log: &str) -> Self {
        let mut found = Self::default();
        // The failures are told twice: where they happen, and at the end.
        let end = log.find("\nFailures:").map_or("", |from| &log[from..]);
        for line in end.lines() {
            if let Some((_, title)) = line.split_once("× ") {
                found.failed.push(title.trim().to_owned());
            }
        }
        let counts = log.lines().rev().find(|line| line.contains(" tests, ")).unwrap_or_default();
        for count in counts.split(", ") {
            match count.split_once(' ') {
                Some((number, "tests")) => found.tests = number.parse().unwrap_or_default(),
                Some((number, "passed")) => found.passed = number.parse().unwrap_or_default(),
                Some((number, "skipped")) => found.skipped = number.parse().unwrap_or_default(),
                _ => {}
            }
        }
        found
    }
}

const H2SPEC: &str = "github.com/summerwind/h2spec/cmd/h2spec@v0.0.0-20200804131034-70ac22940108";
// For a machine that does other things too; without that, no case takes a tenth of it.
const CASE_SECONDS_MAX: &str = "10";
const TIME_MAX: Duration = Duration::from_secs(280);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_read_by_title() {
        let log = "\
  3.5. HTTP/2 Connection Preface
    ✔ 1: Sends client connection preface
    × 2: Sends invalid connection preface

Failures:

    3.5. HTTP/2 Connection Preface
      × 2: Sends invalid connection preface
        -> The endpoint MUST terminate the TCP connection.

Finished in 4.5275 seconds
146 tests, 144 passed, 1 skipped, 1 failed
";
        let failed = vec!["2: Sends invalid connection preface".to_owned()];
        assert_eq!(Found::read(log), Found { tests: 146, passed: 144, skipped: 1, failed });
        assert_eq!(Found::read(""), Found::default());
    }
}
