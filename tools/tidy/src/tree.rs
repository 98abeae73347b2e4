//! The files of the workspace, read once.
//!
//! The contract: paths are relative to the workspace and use `/`; a check sees only what is in the tree, so a test
//! can build one by hand.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// One text file.
#[derive(Clone, Debug)]
pub struct File {
    /// Where it is, relative to the workspace.
    pub path: String,
    /// What it says.
    pub text: String,
}

impl File {
    /// The last component of the path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// The folder it lies in; empty for the workspace itself.
    pub fn folder(&self) -> &str {
        folder_of(&self.path)
    }

    /// Whether it is Rust.
    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether it is a BUILD file.
    pub fn is_build(&self) -> bool {
        self.name() == "BUILD.bazel"
    }

    /// Whether it is written in Starlark.
    pub fn is_starlark(&self) -> bool {
        self.is_build() || self.name() == "MODULE.bazel" || self.path.ends_with(".bzl")
    }

    /// Whether it is a script for a shell, by its name or its first line.
    pub fn is_shell(&self) -> bool {
        let first = self.text.lines().next().unwrap_or_default();
        self.path.ends_with(".sh") || (first.starts_with("#!") && first.contains("sh"))
    }

    /// Whether all of it serves tests: an integration test, a `tests.rs`, or the `testing` package.
    pub fn is_test(&self) -> bool {
        let path = &self.path;
        path.ends_with("/tests.rs")
            || path.contains("/tests/")
            || path.contains("/benches/")
            || path.starts_with("benches/")
            || path.starts_with("runtime/testing/")
    }

    /// Whether it is data of a test, which no rule of style binds.
    pub fn is_data(&self) -> bool {
        self.path.split('/').any(|part| part == "testdata" || part == "golden" || part == "goldens")
    }
}

/// The files of a workspace.
#[derive(Debug, Default)]
pub struct Tree {
    /// Text files, sorted by path.
    pub files: Vec<File>,
    paths: BTreeSet<String>,
    folders: BTreeSet<String>,
}

impl Tree {
    /// Reads everything below `root` but what Git and the two builds own.
    pub fn read(root: &Path) -> io::Result<Self> {
        let mut tree = Self::default();
        tree.read_folder(root, "")?;
        tree.files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(tree)
    }

    /// A tree written down in a test.
    pub fn of(files: &[(&str, &str)]) -> Self {
        let mut tree = Self::default();
        for &(path, text) in files {
            tree.add_path(path);
            tree.files.push(File { path: path.to_owned(), text: text.to_owned() });
        }
        tree.files.sort_by(|a, b| a.path.cmp(&b.path));
        tree
    }

    /// The text file at `path`.
    pub fn get(&self, path: &str) -> Option<&File> {
        let at = self.files.binary_search_by(|file| file.path.as_str().cmp(path)).ok()?;
        self.files.get(at)
    }

    /// Whether a file of any kind is at `path`.
    pub fn has_file(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    /// Whether `path` is a folder; the empty path is the workspace.
    pub fn has_folder(&self, path: &str) -> bool {
        path.is_empty() || self.folders.contains(path)
    }

    /// The folders of the workspace itself.
    pub fn top_folders(&self) -> impl Iterator<Item = &str> {
        self.folders.iter().map(String::as_str).filter(|folder| !folder.contains('/'))
    }

    /// The nearest folder at or above `folder` that has a BUILD file.
    pub fn package_of<'a>(&self, folder: &'a str) -> Option<&'a str> {
        self.nearest(folder, "BUILD.bazel")
    }

    /// The folder that labels below `folder` start from: `e2e` holds modules of their own.
    pub fn module_of<'a>(&self, folder: &'a str) -> &'a str {
        self.nearest(folder, "MODULE.bazel").unwrap_or_default()
    }

    fn nearest<'a>(&self, folder: &'a str, name: &str) -> Option<&'a str> {
        let mut at = folder;
        loop {
            if self.has_file(&join(at, name)) {
                return Some(at);
            }
            if at.is_empty() {
                return None;
            }
            at = folder_of(at);
        }
    }

    fn read_folder(&mut self, folder: &Path, prefix: &str) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if SKIPPED.contains(&name.as_str()) || name.starts_with("bazel-") || name.ends_with(".swp") {
                continue;
            }
            let path = join(prefix, &name);
            // A link is its target's business, and may lead out of the workspace.
            let kind = entry.file_type()?;
            if kind.is_dir() {
                self.read_folder(&entry.path(), &path)?;
            } else if kind.is_file() {
                self.add_path(&path);
                if let Ok(text) = String::from_utf8(fs::read(entry.path())?)
                    && !text.contains('\0')
                {
                    self.files.push(File { path, text });
                }
            }
        }
        Ok(())
    }

    fn add_path(&mut self, path: &str) {
        self.paths.insert(path.to_owned());
        let mut at = folder_of(path);
        while !at.is_empty() && self.folders.insert(at.to_owned()) {
            at = folder_of(at);
        }
    }
}

/// Finds the workspace that this program, or its test, was started for.
pub fn workspace_root() -> io::Result<PathBuf> {
    // A Bazel test sees links; the file behind the link lies in the workspace itself.
    let starts = [
        env::var_os("TIDY_ANCHOR").map(PathBuf::from),
        env::var_os("BUILD_WORKSPACE_DIRECTORY").map(PathBuf::from),
        env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from),
        env::current_dir().ok(),
    ];
    let start = starts.into_iter().flatten().next().unwrap_or_default();
    let start = fs::canonicalize(start)?;
    for folder in start.ancestors() {
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
        if manifest.lines().any(|line| line.trim() == "[workspace]") {
            return Ok(folder.to_owned());
        }
    }
    Err(io::Error::new(
        io::ErrorKind::NotFound,
        format!("no Cargo workspace at or above {}", start.display()),
    ))
}

/// The folder of a path; empty at the top.
pub fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// `folder/name`, or `name` at the top.
pub fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

const SKIPPED: &[&str] = &[".git", "target", "node_modules"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_packages_follow_from_paths() {
        let tree = Tree::of(&[("a/BUILD.bazel", ""), ("a/b/c/d.rs", "")]);
        assert!(tree.has_folder("a/b/c") && tree.has_folder("") && !tree.has_folder("b"));
        assert_eq!(tree.package_of("a/b/c"), Some("a"));
        assert_eq!(tree.package_of("x"), None);
        assert_eq!(tree.top_folders().collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn the_workspace_is_found() {
        let root = workspace_root().expect("tests run inside the workspace");
        assert!(root.join("tools/tidy/Cargo.toml").is_file());
    }
}
