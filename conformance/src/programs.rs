//! Programs that a test runs: where they are, where they may leave files, and how long they may take.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Where a test may leave files.
pub(crate) fn outputs() -> PathBuf {
    let bazel = std::env::var_os("TEST_UNDECLARED_OUTPUTS_DIR").map(PathBuf::from);
    bazel.unwrap_or_else(std::env::temp_dir)
}

/// A program of a Go module: the one that Bazel made and `variable` names, or for Cargo one that the Go command makes.
pub(crate) fn made_by_go(variable: &str, package: &str) -> io::Result<PathBuf> {
    if let Some(program) = std::env::var_os(variable) {
        return Ok(PathBuf::from(program));
    }
    let folder = std::env::temp_dir().join("ringwire-conformance");
    let made = Command::new("go").args(["install", package]).env("GOBIN", &folder).status()?;
    let name = package.rsplit('/').next().and_then(|name| name.split('@').next()).unwrap_or_default();
    if made.success() {
        Ok(folder.join(name))
    } else {
        Err(io::Error::other(format!("go install {package} failed")))
    }
}

/// Runs a program to its end; `None` if it takes too long. Then it is killed with all that it started.
pub(crate) fn run_within(time_max: Duration, mut program: Command) -> io::Result<Option<ExitStatus>> {
    let mut running = program.process_group(0).spawn()?;
    let group = running.id();
    let (ended, end) = mpsc::channel();
    let waiting = thread::spawn(move || {
        let status = running.wait();
        // Nobody listens any more once time is up.
        let _ = ended.send(());
        status
    });
    let in_time = end.recv_timeout(time_max).is_ok();
    if !in_time {
        Command::new("kill").args(["-KILL", "--", &format!("-{group}")]).status()?;
    }
    let status = waiting.join().expect("waiting does not panic")?;
    Ok(in_time.then_some(status))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Stdio;

    #[test]
    fn what_takes_too_long_is_killed_with_all_that_it_started() {
        let mut program = Command::new("sh");
        program.args(["-c", "tail -f /dev/null & wait"]).stdin(Stdio::null());
        assert_eq!(run_within(Duration::from_millis(20), program).unwrap(), None);
        let mut program = Command::new("true");
        program.stdin(Stdio::null());
        assert!(run_within(Duration::from_secs(60), program).unwrap().unwrap().success());
    }
}
