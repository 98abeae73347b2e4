//! A workspace of its own for each test, with a copy of the wrapper in it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub(crate) struct Fixture {
    pub(crate) dir: PathBuf,
    path: Vec<PathBuf>,
    cache: PathBuf,
}

impl Fixture {
    /// An empty workspace whose PATH has what the wrapper calls, and no Bazel.
    pub(crate) fn new(name: &str) -> Self {
        let dir = PathBuf::from(std::env::var_os("TEST_TMPDIR").unwrap()).join(name);
        fs::create_dir_all(dir.join("tools/root")).unwrap();
        for file in [
            "bazel",
            "root/bazelrc",
            "root/enter",
            "root/go.txt",
            "root/inside",
            "root/make",
            "root/packages.txt",
            "root/registry.py",
        ] {
            let from = Path::new("tools").join(file);
            fs::copy(fs::canonicalize(&from).unwrap(), dir.join(&from)).unwrap();
            fs::set_permissions(dir.join(&from), fs::Permissions::from_mode(0o755)).unwrap();
        }
        let programs = dir.join("programs");
        fs::create_dir(&programs).unwrap();
        for program in fs::read_dir("/usr/bin").unwrap().chain(fs::read_dir("/usr/sbin").unwrap()) {
            let program = program.unwrap();
            if program.file_name() != "bazel" {
                let _ = symlink(program.path(), programs.join(program.file_name()));
            }
        }
        let cache = dir.join("cache");
        Self { path: vec![programs], dir, cache }
    }

    /// Uses the private root that this test itself runs in.
    pub(crate) fn with_the_real_root(mut self) -> Self {
        let root = real_root();
        self.cache = root.parent().and_then(Path::parent).unwrap().to_path_buf();
        self
    }

    pub(crate) fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.dir.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// A program that comes first on PATH.
    pub(crate) fn program(&mut self, name: &str, script: &str) -> PathBuf {
        let path = self.write(&format!("first/{name}"), script);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        if self.path.len() == 1 {
            self.path.insert(0, self.dir.join("first"));
        }
        path
    }

    pub(crate) fn without_program(&self, name: &str) {
        fs::remove_file(self.dir.join("programs").join(name)).unwrap();
    }

    pub(crate) fn also_on_path(&mut self, dir: PathBuf) {
        self.path.insert(0, dir);
    }

    /// `tools/bazel` with `arguments`, ready to be changed or started.
    pub(crate) fn bazel(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.dir.join("tools/bazel"));
        command
            .args(arguments)
            .current_dir(&self.dir)
            .env_clear()
            .env("HOME", &self.dir)
            .env("XDG_CACHE_HOME", &self.cache)
            // Or every fixture would ask for an index of its own.
            .env("CARGO_HOME", Path::new(&std::env::var_os("HOME").unwrap()).join(".cargo"))
            .env("PATH", std::env::join_paths(&self.path).unwrap())
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        Run::of(self.bazel(arguments).output().unwrap())
    }
}

pub(crate) fn real_root() -> PathBuf {
    std::env::var_os("RINGWIRE_ROOT").expect("tools/bazel sets it").into()
}

/// How a run ended, with everything it said.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "out:\n{}\nerr:\n{}", self.out, self.err);
        self
    }
}
