//! Starlark is formatted and linted by the real buildifier.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, io};

use crate::Tree;

/// What buildifier says.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There is none on this machine.
    Missing,
    /// Nothing to say.
    Clean,
    /// Files to reformat, and warnings.
    Complains(String),
}

/// Whether this machine is one that must have buildifier: the root that `tools/bazel` makes.
pub fn is_required() -> bool {
    Path::new(ROOT).is_dir()
}

/// Runs buildifier over the Starlark of a tree, without changing it.
pub fn check(root: &Path, tree: &Tree) -> io::Result<Verdict> {
    let Some(program) = program() else { return Ok(Verdict::Missing) };
    let files = tree.files.iter().filter(|file| file.is_starlark() && !file.is_data());
    let output = Command::new(program)
        .args(["-mode=check", "-lint=warn"])
        .args(files.map(|file| &file.path))
        .current_dir(root)
        .output()?;
    if output.status.success() {
        return Ok(Verdict::Clean);
    }
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    Ok(Verdict::Complains(text))
}

fn program() -> Option<PathBuf> {
    let folders =
        env::var_os("PATH").map(|path| env::split_paths(&path).collect::<Vec<_>>()).unwrap_or_default();
    let own = Path::new(ROOT).join("bin");
    [own].into_iter().chain(folders).map(|folder| folder.join("buildifier")).find(|program| program.is_file())
}

const ROOT: &str = "/opt/ringwire";

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn check(text: &str, expected: &str) {
        let folder = env::temp_dir().join(format!("ringwire-tidy-{}-{}", std::process::id(), text.len()));
        fs::create_dir_all(&folder).expect("a folder for the test");
        fs::write(folder.join("BUILD.bazel"), text).expect("a file for the test");
        let verdict = super::check(&folder, &Tree::of(&[("BUILD.bazel", text)])).expect("buildifier starts");
        fs::remove_dir_all(&folder).expect("the test's own folder");
        match verdict {
            Verdict::Missing => assert!(!is_required(), "no buildifier in {ROOT}"),
            Verdict::Clean => assert_eq!(expected, ""),
            Verdict::Complains(said) => assert!(!expected.is_empty() && said.contains(expected), "{said}"),
        }
    }

    #[test]
    fn files_that_are_not_as_buildifier_writes_them_are_found() {
        check("\"\"\"A.\"\"\"\n\nx(deps=['b', 'a'])\n", "# reformat");
    }

    #[test]
    fn warnings_are_found() {
        check("load(\"//a:b.bzl\", \"unused\")\n", "load");
    }

    #[test]
    fn a_clean_file_is_fine() {
        check(
            "\"\"\"A.\"\"\"\n\nx(\n    name = \"a\",\n    deps = [\n        \"a\",\n        \"b\",\n    ],\n)\n",
            "",
        );
    }
}
