//! What is written of crates in one place agrees with the other: `crates.json` and MODULE.bazel with Cargo's own files.

use std::collections::BTreeSet;

use crate::manifests::{crates, member_folders};
use crate::starlark::{self, Expr};
use crate::toml::{self, Table, Value};
use crate::tree::join;
use crate::{File, Finding, Tree};

/// Finds crates of `crates.json` that Cargo.lock does not have so, dependencies of published packages that it lacks, and
/// members of the workspace that the hub of MODULE.bazel leaves out.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let Some(root) = tree.get("Cargo.toml").and_then(|file| toml::parse(&file.text).ok()) else {
        return Vec::new();
    };
    let members: Vec<_> = member_folders(&root);
    let mut found = Vec::new();
    let json = tree.get("tools/crates/crates.json");
    if let (Some(json), Some(lock)) = (json, tree.get("Cargo.lock")) {
        found.extend(stale(json, &checksums(&lock.text)));
        found.extend(missing(tree, json, &members, &root));
    }
    if let Some(module) = tree.get("MODULE.bazel") {
        found.extend(left_out(module, &members));
        found.extend(json.into_iter().flat_map(|json| other_platforms(module, json)));
    }
    found
}

fn stale(json: &File, checksums: &BTreeSet<(String, &str)>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (at, line) in json.text.lines().enumerate() {
        let Some(id) = key(line) else { continue };
        let Some((_, rest)) = line.split_once("\"sha256\":\"") else { continue };
        let checksum = rest.split('"').next().unwrap_or_default();
        if !checksums.contains(&(id.to_owned(), checksum)) {
            found.push(Finding::new(&json.path, at + 1, id, format!("is not so in Cargo.lock: {UPDATE}")));
        }
    }
    found
}

fn missing(tree: &Tree, json: &File, members: &[String], root: &Table) -> Vec<Finding> {
    let hub: BTreeSet<_> =
        json.text.lines().skip_while(|line| !line.starts_with("\"hub\"")).skip(1).filter_map(key).collect();
    let manifest = |folder: &String| toml::parse(&tree.get(&join(folder, "Cargo.toml"))?.text).ok();
    let manifests: Vec<_> = members.iter().filter_map(manifest).collect();
    let text = |manifest: &Table, name: &str| {
        toml::at(manifest, &["package", name]).and_then(Value::text).map(str::to_owned)
    };
    let own: BTreeSet<_> = manifests.iter().filter_map(|manifest| text(manifest, "name")).collect();
    let is_published =
        |manifest: &&Table| toml::at(manifest, &["package", "publish"]) != Some(&Value::Bool(false));
    let named =
        manifests.iter().filter(is_published).flat_map(|manifest| crates(manifest, "dependencies", root));
    let lacking = named.filter(|name| !own.contains(name) && !hub.contains(name.as_str()));
    let lacking: BTreeSet<_> = lacking.collect();
    lacking
        .into_iter()
        .map(|name| Finding::new(&json.path, 1, name, format!("is named by a published package: {UPDATE}")))
        .collect()
}

/// Members whose manifest is not among those of the hub, and the other way round.
fn left_out(module: &File, members: &[String]) -> Vec<Finding> {
    let wanted: BTreeSet<_> = members.iter().map(|folder| format!("//{folder}:Cargo.toml")).collect();
    let Some(listed) = list(module, "manifests") else { return Vec::new() };
    let listed: BTreeSet<_> = listed.into_iter().filter(|label| label != "//:Cargo.toml").collect();
    let advice = "is a member of the workspace in Cargo.toml, or is none: `manifests` lists the same";
    let differing = wanted.symmetric_difference(&listed);
    differing.map(|label| Finding::new(&module.path, 1, label.clone(), advice)).collect()
}

fn other_platforms(module: &File, json: &File) -> Option<Finding> {
    let of_hub = list(module, "supported_platform_triples")?;
    let text = json.text.split_once("\"platforms\": [")?.1.split(']').next()?;
    let of_json: Vec<_> = text.lines().filter_map(key).collect();
    let advice = format!("differs from `supported_platform_triples` of MODULE.bazel: {of_hub:?}");
    (of_hub != of_json).then(|| Finding::new(&json.path, 1, "platforms", advice))
}

/// The texts of an argument of `crate.from_cargo`.
fn list(module: &File, argument: &str) -> Option<Vec<String>> {
    let statements = starlark::parse(&module.text).ok()?;
    let call = starlark::calls(&statements).find(|call| call.callee == "crate.from_cargo")?;
    let Some(Expr::List(items)) = call.get(argument) else { return None };
    let text = |item: &Expr| match item {
        Expr::Text(text) => Some(text.clone()),
        _ => None,
    };
    Some(items.iter().filter_map(text).collect())
}

/// What a line of `crates.json` begins with.
fn key(line: &str) -> Option<&str> {
    line.strip_prefix('"')?.split('"').next()
}

/// Name and version of the packages of a lock file, with their checksums.
fn checksums(lock: &str) -> BTreeSet<(String, &str)> {
    let packages = lock.split("[[package]]").filter_map(|package| {
        let value = |key: &str| {
            package.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"'))
        };
        Some((format!("{}-{}", value("name")?, value("version")?), value("checksum")?))
    });
    packages.collect()
}

const UPDATE: &str = "run `cargo run -p ringwire-crates`";

#[cfg(test)]
mod tests {
    use super::*;

    const WORKSPACE: &str = "[workspace]\nmembers = [\"a\", \"b\"]\n";
    const A: &str = "[package]\nname = \"a\"\n[dependencies]\nbytes.workspace = true\nb.workspace = true\n";
    const B: &str = "[package]\nname = \"b\"\npublish = false\n[dependencies]\ncriterion.workspace = true\n";
    const LOCK: &str = "[[package]]\nname = \"bytes\"\nversion = \"1.2.3\"\nchecksum = \"abc\"\n";
    const JSON: &str = "{\n\"platforms\": [\n\"x\",\n\"y\"\n],\n\"crates\": {\n\"bytes-1.2.3\": {\"sha256\":\"abc\"}\n},\n\"hub\": {\n\"bytes\": \"bytes-1.2.3\"\n}\n}\n";
    const MODULE: &str = "crate.from_cargo(\n    manifests = [\n        \"//:Cargo.toml\",\n        \"//a:Cargo.toml\",\n        \"//b:Cargo.toml\",\n    ],\n    supported_platform_triples = [\"x\", \"y\"],\n)\n";

    fn check(changed: &str, text: &str, expected: &[(usize, &str)]) {
        let files = [
            ("Cargo.toml", WORKSPACE),
            ("Cargo.lock", LOCK),
            ("MODULE.bazel", MODULE),
            ("a/Cargo.toml", A),
            ("b/Cargo.toml", B),
            ("tools/crates/crates.json", JSON),
        ];
        let files = files.map(|(path, before)| (path, if path == changed { text } else { before }));
        let found = super::check(&Tree::of(&files));
        let found: Vec<_> = found.iter().map(|f| (f.line, f.token.as_str())).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn files_that_agree_are_fine() {
        check("", "", &[]);
    }

    #[test]
    fn a_crate_that_cargo_has_otherwise_is_found() {
        check("Cargo.lock", &LOCK.replace("1.2.3", "1.2.4"), &[(7, "bytes-1.2.3")]);
        check("Cargo.lock", &LOCK.replace("abc", "abd"), &[(7, "bytes-1.2.3")]);
    }

    #[test]
    fn a_crate_that_a_published_package_names_is_missed() {
        check("a/Cargo.toml", &format!("{A}tokio.workspace = true\n"), &[(1, "tokio")]);
        check("b/Cargo.toml", &format!("{B}tokio.workspace = true\n"), &[]);
    }

    #[test]
    fn a_hub_of_other_members_or_platforms_is_found() {
        let module = MODULE.replace("        \"//b:Cargo.toml\",\n", "");
        check("MODULE.bazel", &module, &[(1, "//b:Cargo.toml")]);
        check(
            "MODULE.bazel",
            &MODULE.replace("//b:", "//c:"),
            &[(1, "//b:Cargo.toml"), (1, "//c:Cargo.toml")],
        );
        check("MODULE.bazel", &MODULE.replace("\"y\"", "\"z\""), &[(1, "platforms")]);
    }
}
