//! What Bazel 8 and 9 have dropped, and what a build that depends on Ringwire must not be made to do.

use std::collections::BTreeSet;

use crate::rust::{closing, identifiers, line_of};
use crate::starlark::layers;
use crate::{File, Finding, Tree};

/// Finds rules and providers that are no longer Bazel's own, files that have moved, names of repositories as one version
/// of Bazel writes them, flags that are gone, and extensions that every consumer would run.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in tree.files.iter().filter(|file| !file.is_data()) {
        if file.is_starlark() {
            found.extend(globals(file));
        }
        if file.is_starlark() || is_flags(file) {
            found.extend(words(file));
        }
    }
    found.extend(tree.get("MODULE.bazel").into_iter().flat_map(run_by_consumers));
    found
}

fn is_flags(file: &File) -> bool {
    file.name().ends_with("bazelrc")
}

/// Rules and providers that are used and not loaded.
fn globals(file: &File) -> Vec<Finding> {
    let (code, loaded) = (layers(&file.text).code, loaded(file));
    let mut found = Vec::new();
    for (at, word) in identifiers(&code) {
        // A keyword, or a field of something else; `native.` is no way to a rule either.
        let is_field = code[..at].ends_with('.') && !code[..at].ends_with("native.");
        let after = code[at + word.len()..].trim_start();
        let is_keyword = after.starts_with('=') && !after.starts_with("==");
        let is_dropped = GLOBALS.contains(&word) || RULES.iter().any(|rule| is_rule(rule, word));
        if is_dropped && !is_field && !is_keyword && !loaded.contains(word) {
            let advice = "is no longer Bazel's own in 8 and 9: load it from the rules that have it";
            found.push(Finding::new(&file.path, line_of(&code, at), word, advice));
        }
    }
    found
}

fn is_rule(language: &str, word: &str) -> bool {
    let kinds = ["_binary", "_import", "_library", "_runtime", "_test", "_toolchain"];
    word.strip_prefix(language).is_some_and(|kind| kinds.contains(&kind))
}

fn loaded(file: &File) -> BTreeSet<String> {
    let layers = layers(&file.text);
    let mut names = BTreeSet::new();
    for (at, _) in identifiers(&layers.code).filter(|(_, word)| *word == "load") {
        let open = at + "load".len();
        if layers.code[open..].starts_with('(') {
            let end = closing(&layers.code, open);
            names.extend(identifiers(&layers.strings[open..end]).map(|(_, word)| word.to_owned()));
        }
    }
    names
}

/// Words that stand for something gone wherever they are written, in the text of a BUILD file to be written too.
fn words(file: &File) -> Vec<Finding> {
    let mut found = Vec::new();
    for (at, line) in file.text.lines().enumerate() {
        let line = line.split_once('#').filter(|(before, _)| before.trim().is_empty()).map_or(line, |_| "");
        for (word, advice) in WORDS.iter().filter(|(word, _)| line.contains(word)) {
            found.push(Finding::new(&file.path, at + 1, *word, *advice));
        }
        if names_repository(line) {
            let advice =
                "name of a repository, as one version of Bazel alone writes it: ask `Label`, or `use_repo`";
            found.push(Finding::new(&file.path, at + 1, "canonical", advice));
        }
    }
    found
}

/// `rules_rust~0.70.0` and `rules_rust~~rust~tools` to Bazel 7, `rules_rust+` to 8: none of them is public.
fn names_repository(line: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let after_a_word = line.match_indices('~').any(|(at, _)| line[..at].ends_with(is_word));
    after_a_word || line.split("@@").skip(1).any(|name| name.trim_start_matches(is_word).starts_with('+'))
}

/// Extensions of other modules: their tags are evaluated in every build that evaluates one of its own.
fn run_by_consumers(module: &File) -> Vec<Finding> {
    let layers = layers(&module.text);
    let mut found = Vec::new();
    for (at, _) in identifiers(&layers.code).filter(|(_, word)| *word == "use_extension") {
        let open = at + "use_extension".len();
        let end = closing(&layers.code, open);
        let is_others = layers.strings[open..end].trim_start().starts_with('@');
        if is_others && !layers.code[open..end].contains("dev_dependency = True") {
            let advice = "runs an extension of another module for whoever depends on this one: `dev_dependency = True`";
            found.push(Finding::new(&module.path, line_of(&layers.code, at), "use_extension", advice));
        }
    }
    found
}

const RULES: &[&str] =
    &["aar", "android", "apple", "cc", "cc_proto", "java", "java_proto", "objc", "proto", "py", "sh"];
const GLOBALS: &[&str] = &[
    "CcInfo",
    "CcSharedLibraryInfo",
    "CcToolchainConfigInfo",
    "DebugPackageInfo",
    "JavaInfo",
    "JavaPluginInfo",
    "ProtoInfo",
    "PyCcLinkParamsProvider",
    "PyInfo",
    "PyRuntimeInfo",
    "apple_common",
    "cc_common",
    "fdo_profile",
    "java_common",
    "propeller_optimize",
    "proto_common_do_not_use",
    "proto_lang_toolchain",
];
const WORDS: &[(&str, &str)] = &[
    ("@bazel_tools//tools/build_defs/cc", "has moved to @rules_cc//cc:action_names.bzl"),
    ("@bazel_tools//tools/cpp:cc_toolchain_config", "has moved to @rules_cc"),
    ("@bazel_tools//tools/cpp:toolchain_utils.bzl", "has moved to @rules_cc//cc:find_cc_toolchain.bzl"),
    ("@bazel_tools//tools/cpp:unix_cc", "has moved to @rules_cc"),
    ("@bazel_tools//tools/jdk", "has moved to @rules_java"),
    ("@bazel_tools//tools/python", "has moved to @rules_python"),
    ("_allowlist_function_transition", "is not needed by any Bazel that this works with: remove it"),
    ("native.bazel_version", "is no way to know what Bazel can do: look for the symbol"),
    ("//external:", "went with WORKSPACE: name the repository"),
    ("--enable_workspace", "went with WORKSPACE"),
    ("--noenable_workspace", "went with WORKSPACE"),
    ("--enable_bzlmod", "is what Bazel does, and no flag in 9"),
    ("--noenable_bzlmod", "went with WORKSPACE"),
    ("--incompatible_autoload_externally", "is empty in 9: load what is used"),
    ("--crosstool_top", "does nothing: register a toolchain"),
    ("--incompatible_enable_cc_toolchain_resolution", "is what Bazel does"),
    ("--incompatible_use_plus_in_repo_names", "is what Bazel does"),
    ("--proto_compiler", "is not asked any more: register a proto toolchain"),
    ("WORKSPACE.bazel", "went with WORKSPACE"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, text: &str, expected: &[(usize, &str)]) {
        let found = super::check(&Tree::of(&[(path, text)]));
        let found: Vec<_> = found.iter().map(|f| (f.line, f.token.as_str())).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn rules_and_providers_that_are_not_loaded_are_found() {
        for name in
            ["cc_library", "sh_test", "py_binary", "proto_library", "java_import", "proto_lang_toolchain"]
        {
            check("a/BUILD.bazel", &format!("\n{name}(\n    name = \"a\",\n)\n"), &[(2, name)]);
            check("a/b.bzl", &format!("def _a():\n    native.{name}()\n"), &[(2, name)]);
            let loaded = format!("load(\"@rules//a:b.bzl\", \"{name}\")\n\n{name}(name = \"a\")\n");
            check("a/BUILD.bazel", &loaded, &[]);
        }
        for name in GLOBALS {
            check("a/b.bzl", &format!("_A = target[{name}]\n"), &[(1, name)]);
            check("a/b.bzl", &format!("load(\"@rules//a:b.bzl\", \"{name}\")\n_A = target[{name}]\n"), &[]);
        }
        check(
            "a/b.bzl",
            "\"\"\"Of cc_library and CcInfo.\"\"\"\n# CcInfo\n_A = struct(CcInfo = 1).CcInfo\n",
            &[],
        );
        check(
            "a/BUILD.bazel",
            "filegroup(name = \"a\")\nrust_test(name = \"b\")\ntoolchain(name = \"c\")\n",
            &[],
        );
    }

    #[test]
    fn what_has_moved_or_gone_is_found() {
        for (word, _) in WORDS {
            check("a/b.bzl", &format!("_A = \"\"\"\\\nload(\"{word}\")\n\"\"\"\n"), &[(2, word)]);
            check(".bazelrc", &format!("common {word}\n# {word}\n"), &[(1, word)]);
            check("a.md", word, &[]);
        }
    }

    #[test]
    fn names_of_repositories_that_one_version_writes_are_found() {
        check(".bazelrc", "\ncommon --override_repository=rules_rust~~tools~tools=x\n", &[(2, "canonical")]);
        check("a/b.bzl", "_A = \"@@rules_rust~0.70//a\"\n", &[(1, "canonical")]);
        check("a/b.bzl", "_A = \"@@rules_rust~//a\"\n", &[(1, "canonical")]);
        check(".bazelrc", "common --disk_cache=~/.cache --x=a~b\n", &[(1, "canonical")]);
        check("a/b.bzl", "_A = \"@@rules_rust+//a\"\n", &[(1, "canonical")]);
        check("a/b.bzl", "_A = \"@@rules_rust//a\" + b\n", &[]);
        check(".bazelrc", "common --disk_cache=~/.cache\n", &[]);
    }

    #[test]
    fn extensions_of_others_are_for_this_repository_alone() {
        let others = "a = use_extension(\"@b//:c.bzl\", \"d\")\n";
        let ours = "a = use_extension(\"//:c.bzl\", \"d\")\n";
        check("MODULE.bazel", others, &[(1, "use_extension")]);
        check("MODULE.bazel", ours, &[]);
        check("MODULE.bazel", &others.replace(")", ", dev_dependency = True)"), &[]);
        check("e2e/a/MODULE.bazel", others, &[]);
    }
}
