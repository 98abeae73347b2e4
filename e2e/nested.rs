//! A build inside a test: where the workspace is, and how to run a Bazel or a Cargo of the private root on it.

#![forbid(unsafe_code)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the real workspace, found through a runfile of it.
///
/// # Panics
///
/// Panics where the test has no `//:MODULE.bazel` in its data.
#[must_use]
pub fn workspace() -> PathBuf {
    let module = fs::canonicalize("MODULE.bazel").expect("//:MODULE.bazel is in the test's data");
    module.parent().expect("a file is in a folder").to_path_buf()
}

/// A Bazel of its own on the workspace in `dir`; its server ends with the command or soon after.
#[must_use]
pub fn bazel(dir: &Path, arguments: &[&str]) -> Run {
    let user_root = format!("--output_user_root={}.bazel", root().display());
    run(Command::new("bazel").args([&user_root, "--max_idle_secs=15"]).args(arguments).current_dir(dir))
}

/// Cargo on the workspace in `dir`, with a target folder that outlives the test.
#[must_use]
pub fn cargo(dir: &Path, arguments: &[&str]) -> Run {
    run(Command::new("cargo")
        .args(arguments)
        .env("CARGO_TARGET_DIR", root().with_extension("cargo"))
        // Nobody debugs here, and a hundred test binaries with symbols are 17 GB.
        .env("CARGO_PROFILE_DEV_DEBUG", "none")
        .current_dir(dir))
}

/// A copy of the workspace at `to`, without what is built or kept by git.
///
/// # Panics
///
/// Panics where a file cannot be read or written.
pub fn copy_workspace(to: &Path) {
    copy(&workspace(), to);
}

/// A copy of a folder, without what is built or kept by git.
///
/// # Panics
///
/// Panics where a file cannot be read or written.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be made");
    for entry in fs::read_dir(from).expect("a folder can be read") {
        let entry = entry.expect("a folder can be read");
        let (name, kind) = (entry.file_name(), entry.file_type().expect("an entry has a type"));
        // Cargo marks its own `target`; a module may be called so too.
        let is_cargos = || entry.path().join("CACHEDIR.TAG").exists();
        let left_out = name == ".git" || name.to_string_lossy().starts_with("bazel-") || is_cargos();
        if kind.is_dir() && !left_out {
            copy(&entry.path(), &to.join(name));
        } else if kind.is_file() && !left_out {
            fs::copy(entry.path(), to.join(name)).expect("a file can be copied");
        }
    }
}

/// Makes a repository of the folder, with all that is in it as one commit: the same for the same files. Returns its name.
pub fn commit(dir: &Path) -> String {
    let git = |arguments: &[&str]| {
        let date = "2026-01-01T00:00:00Z";
        let mut git = Command::new("git");
        git.args(["-c", "user.name=e2e", "-c", "user.email=e2e"]).args(arguments).current_dir(dir);
        let run = run(git.env("GIT_AUTHOR_DATE", date).env("GIT_COMMITTER_DATE", date));
        run.expect(0);
        run.output.trim().to_owned()
    };
    git(&["init", "--quiet", "--initial-branch=main"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message=all"]);
    git(&["rev-parse", "HEAD"])
}

/// In a module's `MODULE.bazel`, has Ringwire come from elsewhere than from the folder above.
///
/// # Panics
///
/// Panics where the module does not take it from there.
pub fn take_ringwire_from(module: &Path, from: &str) {
    let file = module.join("MODULE.bazel");
    let text = fs::read_to_string(&file).expect("a module has a MODULE.bazel");
    let here = "local_path_override(\n    module_name = \"ringwire\",\n    path = \"../..\",\n)\n";
    assert!(text.contains(here), "{text}");
    fs::write(file, text.replace(here, from)).expect("a file can be written");
}

/// Runs a script of the workspace.
#[must_use]
pub fn script(dir: &Path, command: &[&str]) -> Run {
    let (program, arguments) = command.split_first().expect("a command has a program");
    run(Command::new(dir.join(program)).args(arguments).current_dir(dir))
}

/// The private root, as the machine outside of it knows it. What belongs to it lies beside it.
fn root() -> PathBuf {
    PathBuf::from(std::env::var_os("RINGWIRE_ROOT").expect("tools/bazel sets it"))
}

/// How a command ended, and all that it said.
#[derive(Debug)]
pub struct Run {
    /// Its exit code.
    pub code: Option<i32>,
    /// Both of its outputs, standard output first.
    pub output: String,
}

impl Run {
    /// Shows the output where the command did not end with `code`, and fails.
    ///
    /// # Panics
    ///
    /// Panics where the command ended otherwise.
    #[track_caller]
    pub fn expect(&self, code: i32) {
        assert_eq!(self.code, Some(code), "\n{}", self.output);
    }
}

fn run(command: &mut Command) -> Run {
    // What Bazel tells its tests is not for a Bazel inside one.
    for name in ["TEST_TMPDIR", "RUNFILES_DIR", "TEST_SRCDIR", "BAZEL_TEST"] {
        command.env_remove(name);
    }
    let output = command.output().expect("the private root has the program");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Run { code: output.status.code(), output: text(&output.stdout) + &text(&output.stderr) }
}
