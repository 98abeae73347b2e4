//! What pages may and may not promise.

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
fn labels_of_a_module_below_are_its_own() {
    let mut files = WORKSPACE.to_vec();
    let page = "```sh run\ntools/bazel run //:m\ntools/bazel run //a\n```\n";
    files.extend([
        ("e2e/m/MODULE.bazel", ""),
        ("e2e/m/BUILD.bazel", "x(name = \"m\")"),
        ("e2e/m/README.md", page),
    ]);
    let found: Vec<_> = super::check(&Tree::of(&files)).into_iter().map(|f| f.token).collect();
    assert_eq!(found, ["//a"]);
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
        let found =
            super::check(&Tree::of(&[("README.md", page), ("a/b.rs", ""), ("c/d.rs", ""), (".ci/e", "")]));
        found.into_iter().map(|f| f.token).collect::<Vec<_>>()
    };
    assert_eq!(found("`a/` `c/d.rs`\n"), [""; 0]);
    assert_eq!(found("`a/`\n"), ["c"]);
    assert_eq!(found("`a/` `c/` `b/` `c/x` `x/y` `application/json`\n"), ["b/", "c/x"]);
}
