//! Pages keep their promises: commands are run, links and folders lead somewhere.
//!
//! A block marked `sh run` holds commands that CI runs as they stand: `.ci/run` gets them from `ringwire-tidy readme-commands`.

use crate::manifests::crate_name;
use crate::markdown::{Command, anchors, code_words, commands, links};
use crate::reach::normal;
use crate::tree::join;
use crate::{File, Finding, Tree, starlark, toml};

/// Finds commands that CI does not run or that name what is not there, dead links, and folders that a map has wrong.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for page in pages(tree) {
        found.extend(commands(&page.text).iter().flat_map(|command| promises(tree, page, command)));
        found.extend(links(&page.text).iter().filter_map(|(line, target)| dead(tree, page, *line, target)));
    }
    found.extend(MAPS.iter().filter_map(|path| tree.get(path)).flat_map(|page| wrong_places(tree, page)));
    found.extend(unmapped(tree));
    found
}

/// The commands of every page that CI runs, in the order of the pages, each once.
pub fn runnable(tree: &Tree) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for command in pages(tree).flat_map(|page| commands(&page.text)) {
        if !all.contains(&command.text) {
            all.push(command.text);
        }
    }
    all
}

fn pages(tree: &Tree) -> impl Iterator<Item = &File> {
    tree.files.iter().filter(|file| file.path.ends_with(".md") && !file.is_data())
}

fn promises(tree: &Tree, page: &File, command: &Command) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut report = |token: &str, advice: &str| {
        found.push(Finding::new(&page.path, command.line, token, advice.to_owned()));
    };
    let ci = tree.get(CI).map_or("", |file| file.text.as_str());
    if !ci.contains("readme-commands") && !ci.contains(&command.text) {
        report(
            &command.text,
            "is marked runnable and `.ci/run` does not run it; let CI run what `ringwire-tidy readme-commands` prints",
        );
    }
    for part in command.text.split(['|', ';', '&']) {
        let words: Vec<&str> = part.split_whitespace().map(|word| word.trim_matches(['"', '\''])).collect();
        let is_cargo = words.first() == Some(&"cargo");
        for (at, word) in words.iter().enumerate() {
            let before = at.checked_sub(1).map_or("", |at| words[at]);
            if word.starts_with("//") && !label_exists(tree, word) {
                report(word, "is not a target of this workspace");
            }
            if is_cargo && ["-p", "--package"].contains(&before) && !has_crate(tree, word) {
                report(word, "is not a crate of this workspace");
            }
            let is_path = at == 0 && word.contains('/') || before == "cd";
            if is_path && !word.starts_with(['/', '~', '$']) {
                let path = normal(word);
                if !tree.has_file(&path) && !tree.has_folder(&path) {
                    report(word, "is not a path of this workspace");
                }
            }
        }
    }
    found
}

fn label_exists(tree: &Tree, label: &str) -> bool {
    let label = label.trim_start_matches('/');
    if let Some(folder) = label.strip_suffix("...") {
        return tree.has_folder(folder.trim_end_matches('/'));
    }
    let (package, target) =
        label.split_once(':').unwrap_or((label, label.rsplit('/').next().unwrap_or_default()));
    let Some(build) = tree.get(&join(package, "BUILD.bazel")) else { return false };
    let statements = starlark::parse(&build.text).unwrap_or_default();
    let named = starlark::calls(&statements).any(|call| call.text("name") == Some(target));
    named || target == "all" || tree.has_file(&join(package, target))
}

fn has_crate(tree: &Tree, name: &str) -> bool {
    let Some(Ok(workspace)) = tree.get("Cargo.toml").map(|file| toml::parse(&file.text)) else {
        return false;
    };
    let folders = crate::manifests::member_folders(&workspace);
    folders.iter().any(|folder| crate_name(tree, folder).as_deref() == Some(name))
}

fn dead(tree: &Tree, page: &File, line: usize, target: &str) -> Option<Finding> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = match path {
        "" => page.path.clone(),
        path => normal(&join(page.folder(), path)),
    };
    if !tree.has_file(&path) && !tree.has_folder(&path) {
        return Some(Finding::new(&page.path, line, target, "leads nowhere; a link is relative to its page"));
    }
    let headings = tree.get(&path).filter(|file| file.path.ends_with(".md")).map(|file| anchors(&file.text));
    let missing =
        !anchor.is_empty() && headings.is_some_and(|headings| !headings.iter().any(|h| h == anchor));
    missing.then(|| Finding::new(&page.path, line, target, "names a heading that the page does not have"))
}

/// Paths between backticks that start with a folder of the workspace and are not there.
fn wrong_places(tree: &Tree, page: &File) -> Vec<Finding> {
    let is_path =
        |word: &str| word.contains('/') && word.chars().all(|c| c.is_alphanumeric() || "/_.-".contains(c));
    let lost = |word: &str| {
        let path = normal(word);
        let known = tree.has_folder(path.split('/').next().unwrap_or_default()) || word.ends_with('/');
        let near = join(page.folder(), &path);
        known && ![&path, &near].iter().any(|path| tree.has_file(path) || tree.has_folder(path))
    };
    let words =
        code_words(&page.text).into_iter().filter(|(_, word)| is_path(word) && !word.starts_with('/'));
    words
        .filter(|(_, word)| lost(word))
        .map(|(line, word)| Finding::new(&page.path, line, word, "is not in the workspace; correct the map"))
        .collect()
}

/// Folders that the map of the front page leaves out.
fn unmapped(tree: &Tree) -> Vec<Finding> {
    let Some(page) = tree.get("README.md") else { return Vec::new() };
    let named: Vec<String> = code_words(&page.text).into_iter().map(|(_, word)| normal(word)).collect();
    let shown = tree.top_folders().filter(|folder| !folder.starts_with('.'));
    shown
        .filter(|folder| !named.iter().any(|name| name == folder || name.starts_with(&format!("{folder}/"))))
        .map(|folder| Finding::new(&page.path, 1, folder, "is a folder that the map leaves out"))
        .collect()
}

const CI: &str = ".ci/run";
const MAPS: &[&str] = &["README.md", "CONTRIBUTING.md", "runtime/README.md"];

#[cfg(test)]
mod tests {
    use super::*;

    const WORKSPACE: &[(&str, &str)] = &[
        (".ci/run", "#!/bin/sh\nfor c in $(ringwire-tidy readme-commands); do $c; done\n"),
        ("Cargo.toml", "[workspace]\nmembers = [\"a\"]\n"),
        ("a/Cargo.toml", "[package]\nname = \"ringwire-a\"\n"),
        ("a/BUILD.bazel", "rust_library(name = \"a\")\nrust_binary(name = \"run\")\n"),
        ("tools/bazel", "#!/bin/sh\n"),
    ];

    fn check(page: &str, expected: &[(usize, &str)]) {
        check_in(WORKSPACE, page, expected);
    }

    fn check_in(workspace: &[(&str, &str)], page: &str, expected: &[(usize, &str)]) {
        let mut files = workspace.to_vec();
        files.push(("a/README.md", page));
        let found = super::check(&Tree::of(&files));
        let found: Vec<_> = found.iter().map(|f| (f.line, f.token.as_str())).collect();
        assert_eq!(found, expected, "{page}");
    }

    #[test]
    fn commands_that_name_what_is_not_there_are_found() {
        for (command, token) in [
            ("tools/bazel test //b/...", "//b/..."),
            ("tools/bazel run //a:walk", "//a:walk"),
            ("tools/bazel run //b", "//b"),
            ("cargo test -p ringwire-b", "ringwire-b"),
            ("tools/lost test", "tools/lost"),
            ("cd b && cargo test", "b"),
        ] {
            check(&format!("```sh run\n{command}\n```\n"), &[(2, token)]);
        }
    }

    #[test]
    fn commands_that_hold_are_fine() {
        for command in [
            "tools/bazel test //...",
            "tools/bazel run //a",
            "tools/bazel run //a:run",
            "cargo test -p ringwire-a",
            "cd a && cargo test",
        ] {
            check(&format!("```sh run\n{command}\n```\n"), &[]);
        }
        check("```sh\ntools/lost\n```\n", &[]);
    }

    #[test]
    fn commands_that_ci_does_not_run_are_found() {
        let page = "```sh run\ncargo test\n```\n";
        check_in(&[(".ci/run", "#!/bin/sh\n")], page, &[(2, "cargo test")]);
        check_in(&[(".ci/run", "#!/bin/sh\ncargo test\n")], page, &[]);
        check_in(&[], page, &[(2, "cargo test")]);
    }

    #[test]
    fn runnable_commands_are_listed_once() {
        let page = "```sh run\na\nb\n```\n```sh run\na\n```\n";
        assert_eq!(runnable(&Tree::of(&[("README.md", page), ("a/README.md", page)])), ["a", "b"]);
    }

    #[test]
    fn dead_links_are_found() {
        check("# A b\n[a](BUILD.bazel) [b](../tools) [c](#a-b) [d](https://x.y/z) [e](../Cargo.toml)\n", &[]);
        check("[a](lost.md)\n", &[(1, "lost.md")]);
        check("# A\n[a](#b)\n", &[(2, "#b")]);
        check("# A\n[a](README.md#c)\n", &[(2, "README.md#c")]);
    }

    #[test]
    fn maps_name_every_folder_and_no_other() {
        let found = |page: &str| {
            let found = super::check(&Tree::of(&[
                ("README.md", page),
                ("a/b.rs", ""),
                ("c/d.rs", ""),
                (".ci/e", ""),
            ]));
            found.into_iter().map(|f| f.token).collect::<Vec<_>>()
        };
        assert_eq!(found("`a/` `c/d.rs`\n"), [""; 0]);
        assert_eq!(found("`a/`\n"), ["c"]);
        assert_eq!(found("`a/` `c/` `b/` `c/x` `x/y` `application/json`\n"), ["b/", "c/x"]);
    }
}
