//! Every source file belongs to a target.
//!
//! A file below a crate's `src` is reached by `mod` (or `include!`) from a crate root. Any other Rust file, and every
//! `.bzl` and `.proto`, is named by the BUILD file of its package, by a glob there, or by a file that is itself used.

use std::collections::BTreeSet;

use crate::rust::{Layers, identifiers};
use crate::starlark::{self, Expr};
use crate::tree::join;
use crate::{File, Finding, Tree};

/// Finds source files that no target uses.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut used = BTreeSet::new();
    let mut waiting: Vec<String> =
        tree.files.iter().filter(|file| is_root(tree, file)).map(|file| file.path.clone()).collect();
    waiting.extend(loads(tree));
    while let Some(path) = waiting.pop() {
        let Some(file) = tree.get(&path) else { continue };
        if used.insert(path) && file.is_rust() {
            waiting.extend(modules(file));
        }
    }
    let sources = tree.files.iter().filter(|file| is_source(file) && !used.contains(&file.path));
    sources.map(|file| Finding::new(&file.path, 1, file.name(), advice(file))).collect()
}

fn is_source(file: &File) -> bool {
    [".rs", ".bzl", ".proto"].iter().any(|end| file.path.ends_with(end))
}

fn advice(file: &File) -> &'static str {
    if file.is_rust() && file.path.contains("/src/") {
        "no crate root reaches it: name it in a `mod`, or delete it"
    } else {
        "no target uses it: name it in the BUILD file of its package, or delete it"
    }
}

/// Cargo's crate roots, and what BUILD files name outside `src`.
fn is_root(tree: &Tree, file: &File) -> bool {
    if !is_source(file) {
        return false;
    }
    if let Some((package, inside)) = file.path.split_once("/src/").filter(|_| file.is_rust())
        && tree.has_file(&format!("{package}/Cargo.toml"))
    {
        let manifest = tree.get(&format!("{package}/Cargo.toml")).map_or("", |file| file.text.as_str());
        let is_bin =
            inside.strip_prefix("bin/").is_some_and(|bin| !bin.contains('/') || bin.ends_with("/main.rs"));
        return ["lib.rs", "main.rs"].contains(&inside)
            || is_bin
            || manifest.contains(&format!("\"src/{inside}\""));
    }
    named_by_build(tree, file)
}

fn named_by_build(tree: &Tree, file: &File) -> bool {
    let Some(package) = tree.package_of(file.folder()) else { return false };
    let Some(build) = tree.get(&join(package, "BUILD.bazel")) else { return false };
    let inside = file.path.strip_prefix(package).unwrap_or(&file.path).trim_start_matches('/');
    let calls = starlark::parse(&build.text).unwrap_or_default();
    calls.iter().any(|statement| names(statement, inside))
}

/// Whether an expression names a file of its package, literally or by a glob.
fn names(expr: &Expr, file: &str) -> bool {
    match expr {
        Expr::Text(text) => text == file || text.strip_prefix(':') == Some(file),
        Expr::Call(call) if call.callee == "glob" => call.globs(file),
        _ => expr.children().any(|child| names(child, file)),
    }
}

/// The `.bzl` files that some Starlark loads.
fn loads(tree: &Tree) -> Vec<String> {
    let mut paths = Vec::new();
    for file in tree.files.iter().filter(|file| file.is_starlark()) {
        let layers = starlark::layers(&file.text);
        for (at, _) in layers.strings.match_indices(".bzl") {
            let start = layers.strings[..at].rfind([' ', '\n']).map_or(0, |space| space + 1);
            let label = &layers.strings[start..at + ".bzl".len()];
            let package = tree.package_of(file.folder()).unwrap_or_default();
            paths.push(match label.strip_prefix("//") {
                Some(absolute) => {
                    let inside = absolute.replacen(':', "/", 1);
                    join(tree.module_of(file.folder()), inside.trim_start_matches('/'))
                }
                None => join(package, label.trim_start_matches(':')),
            });
        }
    }
    paths
}

/// The files that a Rust file brings in.
fn modules(file: &File) -> Vec<String> {
    let layers = Layers::of(&file.text);
    let mut found = Vec::new();
    let text = layers.code.as_str();
    let mut words = identifiers(text);
    while let Some((_, word)) = words.next() {
        if word != "mod" {
            continue;
        }
        // `mod name;` brings a file in, `mod name {` does not.
        let Some((at, mut name)) = words.next() else { break };
        if name == "r" && text[at..].starts_with("r#") {
            name = words.next().map_or(name, |(_, name)| name);
        }
        let rest = text[at..].trim_start_matches("r#");
        if rest[name.len()..].trim_start().starts_with(';') {
            for home in module_folders(file) {
                found.push(join(&home, &format!("{name}.rs")));
                found.push(join(&home, &format!("{name}/mod.rs")));
            }
        }
    }
    // `#[path = "x.rs"] mod a;` and `include!("x.rs")` are relative to the file's own folder.
    for (at, _) in layers.strings.match_indices(".rs") {
        let start = layers.strings[..at].rfind([' ', '\n']).map_or(0, |space| space + 1);
        found.push(normal(&join(file.folder(), &layers.strings[start..at + ".rs".len()])));
    }
    found
}

/// Where the modules of a file live: beside a crate root, below any other file.
fn module_folders(file: &File) -> Vec<String> {
    let (folder, stem) = (file.folder().to_owned(), file.name().trim_end_matches(".rs"));
    let below = join(&folder, stem);
    if ["lib", "main", "mod"].contains(&stem) || folder.ends_with("/src/bin") {
        vec![folder]
    } else if file.path.contains("/src/") {
        vec![below]
    } else {
        // Outside of `src`, only rustc knows which files are roots.
        vec![folder, below]
    }
}

/// A path without `.` and `..`.
pub(crate) fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &[(&str, &str)], expected: &[&str]) {
        let found = super::check(&Tree::of(files));
        let found: Vec<_> = found.iter().map(|f| f.path.as_str()).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_module_that_no_root_reaches_is_found() {
        check(
            &[
                ("a/Cargo.toml", ""),
                ("a/BUILD.bazel", "rust_library(name = \"a\", srcs = glob([\"src/**/*.rs\"]))\n"),
                (
                    "a/src/lib.rs",
                    "mod b;\npub(crate) mod c;\n// mod lost;\n#[cfg(test)]\nmod lost {\n    mod x;\n}\n",
                ),
                ("a/src/b.rs", "mod deep;"),
                ("a/src/b/deep.rs", ""),
                ("a/src/c/mod.rs", "#[path = \"../e.rs\"]\nmod other;"),
                ("a/src/e.rs", ""),
                ("a/src/lost.rs", "mod more;"),
                ("a/src/lost/more.rs", ""),
                ("a/src/bin/tool.rs", ""),
            ],
            &["a/src/lost.rs", "a/src/lost/more.rs"],
        );
    }

    #[test]
    fn a_test_that_no_target_names_is_found() {
        let build = "rust_test(name = \"b\", srcs = [\"tests/b.rs\", \"tests/common/mod.rs\"])\nx(srcs = glob([\"g/*.rs\"]))\n";
        check(
            &[
                ("a/Cargo.toml", ""),
                ("a/BUILD.bazel", build),
                ("a/tests/b.rs", "mod helper;"),
                ("a/tests/helper.rs", ""),
                ("a/tests/common/mod.rs", ""),
                ("a/tests/lost.rs", ""),
                ("a/g/c.rs", ""),
                ("a/g/deeper/c.rs", ""),
                ("no/package.rs", ""),
            ],
            &["a/g/deeper/c.rs", "a/tests/lost.rs", "no/package.rs"],
        );
    }

    #[test]
    fn starlark_and_protos_that_no_one_names_are_found() {
        check(
            &[
                ("a/BUILD.bazel", "load(\":used.bzl\", \"x\")\nproto_library(srcs = [\"a.proto\"])\n"),
                ("a/used.bzl", "load(\"//b/c:more.bzl\", \"y\")"),
                ("b/c/BUILD.bazel", ""),
                ("b/c/more.bzl", ""),
                ("b/c/lost.bzl", "# load(\":lost.bzl\")"),
                ("e2e/m/MODULE.bazel", ""),
                ("e2e/m/BUILD.bazel", "load(\"//:own.bzl\", \"x\")"),
                ("e2e/m/own.bzl", ""),
                ("a/a.proto", ""),
                ("a/lost.proto", ""),
            ],
            &["a/lost.proto", "b/c/lost.bzl"],
        );
    }
}
