//! Each package says in one sentence what it is, and says it twice alike.

use crate::starlark;
use crate::tree::join;
use crate::{Finding, Tree};

/// Finds packages without a BUILD file, a README or their sentence, and READMEs that are too long.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut found: Vec<_> =
        HOUSE.iter().filter(|folder| !tree.has_file(&join(folder, "BUILD.bazel"))).map(missing).collect();
    let members =
        tree.files.iter().filter(|file| file.name() == "Cargo.toml" && !file.path.starts_with("e2e/"));
    let crates = members.map(|manifest| manifest.folder()).filter(|folder| !folder.is_empty());
    let mut packages: Vec<&str> = crates.chain(HOUSE.iter().copied()).collect();
    packages.sort_unstable();
    packages.dedup();
    found.extend(packages.iter().flat_map(|package| sentence(tree, package)));
    found.extend(tree.files.iter().filter(|file| file.name() == "README.md").filter_map(|readme| {
        let limit = match readme.folder() {
            "" => return None,
            "runtime" => 150,
            _ => 40,
        };
        let lines = readme.text.lines().count();
        let advice =
            format!("has {lines} lines; {limit} are allowed: move the rest to docs/ or into the code");
        (lines > limit).then(|| Finding::new(&readme.path, limit + 1, "README.md", advice))
    }));
    found
}

fn missing(folder: &&str) -> Finding {
    Finding::new(
        &join(folder, "BUILD.bazel"),
        1,
        *folder,
        "is a package of the architecture and has no BUILD file",
    )
}

fn sentence(tree: &Tree, package: &str) -> Option<Finding> {
    let build = tree.get(&join(package, "BUILD.bazel"))?;
    let report = |path: &str, advice: String| Some(Finding::new(path, 1, package, advice));
    let Some(readme) = tree.get(&join(package, "README.md")) else {
        return report(&build.path, "has no README.md: what it is, a map, how to use it".to_owned());
    };
    let Some(sentence) = starlark::docstring(&build.text) else {
        return report(
            &build.path,
            "starts without a docstring: the sentence that its README starts with".to_owned(),
        );
    };
    let paragraph =
        readme.text.split("\n\n").map(str::trim).find(|part| !part.is_empty() && !part.starts_with('#'));
    let said = plain(paragraph.unwrap_or_default());
    let sentence = plain(sentence.split("\n\n").next().unwrap_or_default());
    if sentence.is_empty() || !said.starts_with(&sentence) {
        return report(
            &readme.path,
            format!("its first paragraph does not start with the sentence of its BUILD file: {sentence}"),
        );
    }
    None
}

fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The packages of the architecture.
const HOUSE: &[&str] = &[
    "benches",
    "client",
    "codegen",
    "conformance",
    "docs",
    "examples",
    "proto_rules",
    "runtime",
    "runtime/call",
    "runtime/compress",
    "runtime/hpack",
    "runtime/http",
    "runtime/http1",
    "runtime/http2",
    "runtime/message",
    "runtime/rpc",
    "runtime/service",
    "runtime/testing",
    "runtime/tls",
    "runtime/tower",
    "runtime/wire",
    "server_uring",
    "tools",
    "tools/tidy",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &[(&str, &str)], expected: &[(&str, &str)]) {
        let found = super::check(&Tree::of(files));
        let found: Vec<_> = found
            .iter()
            .filter(|f| !f.advice.contains("is a package of the architecture"))
            .map(|f| (f.path.as_str(), f.advice.split(' ').take(3).collect::<Vec<_>>().join(" ")))
            .collect();
        let found: Vec<_> = found.iter().map(|(path, advice)| (*path, advice.as_str())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_package_of_the_house_that_is_missing_is_found() {
        assert_eq!(super::check(&Tree::default()).len(), HOUSE.len());
        assert_eq!(
            super::check(&Tree::of(&[("client/BUILD.bazel", ""), ("client/README.md", "")])).len(),
            HOUSE.len()
        );
    }

    #[test]
    fn the_sentence_stands_in_both_files() {
        let build = ("client/BUILD.bazel", "\"\"\"Typed calls,\nand more.\n\nDetails.\n\"\"\"\n");
        check(&[build, ("client/README.md", "# client\n\nTyped calls, and\nmore. And this.\n")], &[]);
        check(&[build], &[("client/BUILD.bazel", "has no README.md:")]);
        check(
            &[build, ("client/README.md", "# client\n\nOther.\n")],
            &[("client/README.md", "its first paragraph")],
        );
        let silent = ("client/BUILD.bazel", "load(\"a\", \"b\")\n");
        check(&[silent, ("client/README.md", "A.\n")], &[("client/BUILD.bazel", "starts without a")]);
    }

    #[test]
    fn a_member_of_the_workspace_is_a_package() {
        check(&[("x/Cargo.toml", ""), ("x/BUILD.bazel", "")], &[("x/BUILD.bazel", "has no README.md:")]);
    }

    #[test]
    fn long_readmes_are_found() {
        let lines = |n: usize| "a\n".repeat(n);
        check(
            &[("x/README.md", &lines(40)), ("runtime/README.md", &lines(150)), ("README.md", &lines(500))],
            &[],
        );
        check(&[("x/README.md", &lines(41))], &[("x/README.md", "has 41 lines;")]);
        check(&[("runtime/README.md", &lines(151))], &[("runtime/README.md", "has 151 lines;")]);
    }
}
