//! The rules for Starlark that buildifier does not have.

use std::collections::BTreeSet;

use crate::rust::{closing, identifiers, line_of};
use crate::starlark::{layers, parse};
use crate::{File, Finding, Tree};

/// Finds BUILD files that tidy cannot read, attributes without `doc`, definitions in a `defs.bzl`, and names that
/// no one else loads and that do not say so.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let builds = tree.files.iter().filter(|file| file.is_build() && !file.is_data());
    let mut found: Vec<_> = builds.filter_map(unreadable).collect();
    let bzl = || tree.files.iter().filter(|file| file.path.ends_with(".bzl") && !file.is_data());
    found.extend(bzl().flat_map(attributes));
    found.extend(bzl().filter(|file| file.name() == "defs.bzl").flat_map(definitions));
    let loaded = quoted_words(tree);
    found
        .extend(bzl().filter(|file| !PUBLIC.contains(&file.name())).flat_map(|file| unshared(file, &loaded)));
    found
}

fn unreadable(file: &File) -> Option<Finding> {
    parse(&file.text).err().map(|why| Finding::new(&file.path, 1, file.name(), why))
}

fn attributes(file: &File) -> Vec<Finding> {
    let code = layers(&file.text).code;
    let mut found = Vec::new();
    let words: Vec<_> = identifiers(&code).collect();
    for pair in words.windows(2) {
        let [(at, first), (next, kind)] = *pair else { continue };
        let open = next + kind.len();
        if first != "attr" || next != at + "attr.".len() || !code[open..].starts_with('(') {
            continue;
        }
        let arguments = &code[open..closing(&code, open)];
        let documented = identifiers(arguments)
            .any(|(at, word)| word == "doc" && arguments[at + word.len()..].trim_start().starts_with('='));
        if !documented {
            let token = format!("attr.{kind}");
            let advice = "needs `doc`: what a user writes there, and why";
            found.push(Finding::new(&file.path, line_of(&code, at), token, advice));
        }
    }
    found
}

fn definitions(file: &File) -> Vec<Finding> {
    let code = layers(&file.text).code;
    let lines = code.lines().enumerate().filter(|(_, line)| line.starts_with("def "));
    lines
        .map(|(at, _)| {
            Finding::new(
                &file.path,
                at + 1,
                "def",
                "`defs.bzl` only re-exports; define it in a file of its own",
            )
        })
        .collect()
}

/// Public names of a file that no other Starlark loads.
fn unshared(file: &File, loaded: &BTreeSet<(String, String)>) -> Vec<Finding> {
    let code = layers(&file.text).code;
    let mut found = Vec::new();
    for (at, line) in code.lines().enumerate() {
        let name = match line.strip_prefix("def ") {
            Some(rest) => rest.split('(').next().unwrap_or_default().trim(),
            None => line.split_once(" = ").map_or("", |(name, _)| name),
        };
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        let shared = loaded.iter().any(|(path, word)| word == name && *path != file.path);
        if is_name && !name.starts_with('_') && !shared {
            found.push(Finding::new(
                &file.path,
                at + 1,
                name,
                "is loaded by no one: start its name with `_`, or delete it",
            ));
        }
    }
    found
}

/// Every word between quotes, with the Starlark file where it stands.
fn quoted_words(tree: &Tree) -> BTreeSet<(String, String)> {
    let files = tree.files.iter().filter(|file| file.is_starlark());
    let words = files.flat_map(|file| {
        let strings = layers(&file.text).strings;
        identifiers(&strings).map(|(_, word)| (file.path.clone(), word.to_owned())).collect::<Vec<_>>()
    });
    words.collect()
}

/// Files whose names are for users.
const PUBLIC: &[&str] = &["defs.bzl", "toolchain.bzl", "extensions.bzl"];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, text: &str, expected: &[(usize, &str)]) {
        let found = super::check(&Tree::of(&[(path, text)]));
        let found: Vec<_> = found.iter().map(|f| (f.line, f.token.as_str())).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn attributes_without_a_word_are_found() {
        let text = "_A = {\n    \"a\": attr.label(\n        # doc = \"\"\n        default = x(1),\n    ),\n    \"b\": attr.string(doc = \"(\"),\n}\n";
        check("a/b.bzl", text, &[(2, "attr.label")]);
        check("a/b.bzl", "_x = ctx.attr.name\n_y = my_attr.string()\n", &[]);
    }

    #[test]
    fn a_defs_file_that_defines_is_found() {
        check("a/defs.bzl", "\"\"\"def\"\"\"\nload(\":b.bzl\", _c = \"c\")\nc = _c\n", &[]);
        check("a/defs.bzl", "x = 1\ndef c():\n    pass\n", &[(2, "def")]);
        check("a/other.bzl", "def _c():\n    pass\n", &[]);
    }

    #[test]
    fn a_build_file_that_cannot_be_read_is_found() {
        check("a/BUILD.bazel", "x(a b)", &[(1, "BUILD.bazel")]);
        check("a/BUILD.bazel", "x(a = b)", &[]);
    }

    #[test]
    fn a_name_that_no_one_loads_is_found() {
        let text = "A = 1\n_B = 2\ndef c(x):\n    y = x\n    return y\n\ndef _d():\n    pass\n";
        check("a/b.bzl", text, &[(1, "A"), (3, "c")]);
        check("a/toolchain.bzl", text, &[]);
        let tree = Tree::of(&[("a/b.bzl", text), ("a/BUILD.bazel", "load(\":b.bzl\", \"A\", e = \"c\")\n")]);
        assert_eq!(super::check(&tree), []);
    }
}
