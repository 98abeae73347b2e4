//! A Bazel target and its Cargo manifest agree about names, edition and dependencies.
//!
//! Compared: the crates of `[dependencies]` (for every platform) with the `deps` of libraries and binaries, and those
//! of `[dev-dependencies]` with the `deps` of tests. A label of ours stands for a crate when it is the library of a
//! member; other labels, such as generated code, are Bazel's own. `[build-dependencies]` are Cargo's own.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use crate::starlark::{self, Call, Expr};
use crate::toml::{self, Table, Value};
use crate::tree::join;
use crate::{Finding, Tree};

/// Finds disagreements, members without a BUILD file, and Rust targets without a manifest.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let Some(root) = tree.get("Cargo.toml") else { return Vec::new() };
    let workspace = match toml::parse(&root.text) {
        Ok(table) => table,
        Err(why) => return vec![Finding::new(&root.path, 1, "Cargo.toml", why)],
    };
    let mut found = Vec::new();
    let mut members = BTreeMap::new();
    for folder in member_folders(&workspace) {
        match Member::read(tree, &folder, &workspace) {
            Ok(member) => {
                found.extend(
                    member
                        .stray
                        .iter()
                        .map(|(what, advice)| Finding::new(&join(&folder, "Cargo.toml"), 1, what, *advice)),
                );
                members.insert(folder, member);
            }
            Err(why) => found.push(Finding::new(&join(&folder, "Cargo.toml"), 1, &folder, why)),
        }
    }
    let names = members.iter().flat_map(|(folder, member)| member.labels(tree, folder)).collect();
    for (folder, member) in &members {
        found.extend(compare(tree, folder, member, &names));
    }
    found.extend(programs_of_one_name(tree, members.keys()));
    for build in tree.files.iter().filter(|file| file.is_build() && !file.path.starts_with("e2e/")) {
        if members.contains_key(build.folder()) {
            continue;
        }
        let statements = starlark::parse(&build.text).unwrap_or_default();
        for call in starlark::calls(&statements).filter(|call| KINDS.contains(&call.callee.as_str())) {
            let advice =
                "has no Cargo manifest beside it: add one to the workspace, so that editors see the crate";
            found.push(Finding::new(&build.path, call.line, call.text("name").unwrap_or("a target"), advice));
        }
    }
    found
}

/// Programs, or examples, that Cargo writes to one path: the last one built takes the place of the others.
fn programs_of_one_name<'a>(tree: &Tree, members: impl Iterator<Item = &'a String>) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut seen = BTreeMap::new();
    for folder in members {
        for (kind, name, path) in programs(tree, folder) {
            match seen.entry((kind, name)) {
                Entry::Vacant(free) => drop(free.insert(path)),
                Entry::Occupied(taken) => {
                    let advice = format!(
                        "is the name of {} too, and Cargo writes both to one path: rename one",
                        taken.get()
                    );
                    found.push(Finding::new(&path, 1, &taken.key().1, advice));
                }
            }
        }
    }
    found
}

/// The programs and examples of a member: kind, name, file.
fn programs(tree: &Tree, folder: &str) -> Vec<(&'static str, String, String)> {
    let manifest = tree.get(&join(folder, "Cargo.toml")).and_then(|file| toml::parse(&file.text).ok());
    let mut programs = Vec::new();
    for (kind, place) in [("bin", "src/bin"), ("example", "examples")] {
        let place = join(folder, place);
        let sources = tree.files.iter().filter(|file| file.is_rust() && file.folder() == place);
        let mut names: BTreeMap<String, String> =
            sources.map(|file| (file.name().trim_end_matches(".rs").to_owned(), file.path.clone())).collect();
        let Some(Value::Array(named)) = manifest.as_ref().and_then(|manifest| manifest.get(kind)) else {
            programs.extend(names.into_iter().map(|(name, path)| (kind, name, path)));
            continue;
        };
        for target in named.iter().filter_map(Value::table) {
            let text = |key| target.get(key).and_then(Value::text);
            let path = text("path").map_or_else(|| join(folder, "Cargo.toml"), |path| join(folder, path));
            names.retain(|_, source| *source != path);
            names.insert(text("name").unwrap_or_default().to_owned(), path);
        }
        programs.extend(names.into_iter().map(|(name, path)| (kind, name, path)));
    }
    programs
}

/// The folders of the workspace's members.
pub fn member_folders(workspace: &Table) -> Vec<String> {
    let members = toml::at(workspace, &["workspace", "members"]);
    members.map(Value::texts).unwrap_or_default().into_iter().map(str::to_owned).collect()
}

/// The name of the crate in a folder.
pub fn crate_name(tree: &Tree, folder: &str) -> Option<String> {
    let manifest = toml::parse(&tree.get(&join(folder, "Cargo.toml"))?.text).ok()?;
    toml::at(&manifest, &["package", "name"])?.text().map(str::to_owned)
}

#[derive(Debug)]
struct Member {
    name: String,
    library: Option<String>,
    edition: String,
    dependencies: BTreeSet<String>,
    dev_dependencies: BTreeSet<String>,
    /// What the manifest says itself and the workspace should say.
    stray: Vec<(String, &'static str)>,
}

impl Member {
    fn read(tree: &Tree, folder: &str, workspace: &Table) -> Result<Self, String> {
        let path = join(folder, "Cargo.toml");
        let Some(file) = tree.get(&path) else {
            return Err(
                "is a member of the workspace and has no manifest; name members one by one".to_owned()
            );
        };
        let manifest = toml::parse(&file.text)?;
        let text = |path: &[&str]| toml::at(&manifest, path).and_then(Value::text).map(str::to_owned);
        let name = text(&["package", "name"]).ok_or("has no package name")?;
        let edition = match toml::at(&manifest, &["package", "edition"]) {
            Some(Value::Text(edition)) => edition.clone(),
            _ => toml::at(workspace, &["workspace", "package", "edition"])
                .and_then(Value::text)
                .ok_or("has no edition")?
                .to_owned(),
        };
        let has_library =
            tree.has_file(&join(folder, "src/lib.rs")) || toml::at(&manifest, &["lib"]).is_some();
        let library = text(&["lib", "name"]).unwrap_or_else(|| name.replace('-', "_"));
        Ok(Self {
            library: has_library.then_some(library),
            edition,
            dependencies: crates(&manifest, "dependencies", workspace),
            dev_dependencies: crates(&manifest, "dev-dependencies", workspace),
            stray: stray(&manifest),
            name,
        })
    }

    /// The labels that stand for this crate.
    fn labels(&self, tree: &Tree, folder: &str) -> Vec<(String, String)> {
        let build = tree.get(&join(folder, "BUILD.bazel")).map_or("", |file| file.text.as_str());
        let statements = starlark::parse(build).unwrap_or_default();
        let library =
            |call: &&Call| self.library.is_some() && call.text("crate_name") == self.library.as_deref();
        let mut targets: Vec<&str> =
            starlark::calls(&statements).filter(library).filter_map(|call| call.text("name")).collect();
        let aliases = starlark::calls(&statements).filter(|call| call.callee == "alias");
        let of_library = aliases.filter(|call| {
            call.text("actual").is_some_and(|actual| targets.contains(&actual.trim_start_matches(':')))
        });
        targets.extend(of_library.filter_map(|call| call.text("name")).collect::<Vec<_>>());
        targets.into_iter().map(|target| (format!("//{folder}:{target}"), self.name.clone())).collect()
    }
}

/// Versions and lints that a member sets for itself.
fn stray(manifest: &Table) -> Vec<(String, &'static str)> {
    let shared =
        |value: &Value| value.table().is_some_and(|table| table.get("workspace") == Some(&Value::Bool(true)));
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    let entries = kinds.into_iter().flat_map(|kind| entries(manifest, kind));
    let mut stray: Vec<_> = entries
        .filter(|(_, value)| !shared(value))
        .map(|(name, _)| {
            (name.clone(), "says `workspace = true`: versions stand in the root's Cargo.toml, once")
        })
        .collect();
    if !manifest.get("lints").is_some_and(shared) {
        stray.push((
            "[lints]".to_owned(),
            "says `workspace = true`: lints stand in the root's Cargo.toml, once",
        ));
    }
    stray
}

/// The entries of a table of dependencies, on any platform.
fn entries<'a>(manifest: &'a Table, kind: &'static str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    let targets = manifest.get("target").and_then(Value::table).into_iter().flat_map(BTreeMap::values);
    let tables = targets.filter_map(Value::table).chain([manifest]);
    tables.filter_map(move |table| table.get(kind)?.table()).flatten()
}

/// The packages that a manifest depends on, on any platform.
pub fn crates(manifest: &Table, kind: &'static str, workspace: &Table) -> BTreeSet<String> {
    let renamed = |value: &Value| toml::at(value.table()?, &["package"])?.text().map(str::to_owned);
    entries(manifest, kind)
        .map(|(name, value)| {
            let shared = || toml::at(workspace, &["workspace", "dependencies", name]).and_then(renamed);
            renamed(value).or_else(shared).unwrap_or_else(|| name.clone())
        })
        .collect()
}

fn compare(tree: &Tree, folder: &str, member: &Member, names: &BTreeMap<String, String>) -> Vec<Finding> {
    let path = join(folder, "BUILD.bazel");
    let Some(build) = tree.get(&path) else {
        let advice = format!("is a member of the workspace and has no {path}");
        return vec![Finding::new(&join(folder, "Cargo.toml"), 1, &member.name, advice)];
    };
    let Ok(statements) = starlark::parse(&build.text) else { return Vec::new() };
    let targets: Vec<&Call> =
        starlark::calls(&statements).filter(|call| KINDS.contains(&call.callee.as_str())).collect();
    let mut found = Vec::new();
    let mut report =
        |line: usize, token: &str, advice: String| found.push(Finding::new(&path, line, token, advice));

    let is_library = |call: &Call| LIBRARIES.contains(&call.callee.as_str());
    if let Some(library) = &member.library
        && !targets.iter().any(|call| is_library(call) && call.text("crate_name") == Some(library))
    {
        report(1, library, format!("no library has `crate_name = \"{library}\"`, the name in Cargo.toml"));
    }

    let (mut shipped, mut tested) = (BTreeSet::new(), BTreeSet::new());
    let mut first_line = BTreeMap::new();
    for call in targets {
        let name = call.text("name").unwrap_or(&call.callee);
        let inherits = call.callee == "rust_test" && call.get("crate").is_some();
        match call.text("edition") {
            Some(edition) if edition == member.edition => {}
            None if inherits => {}
            _ => {
                report(
                    call.line,
                    name,
                    format!("needs `edition = \"{}\"`, as in Cargo.toml", member.edition),
                );
            }
        }
        let library = member.library.as_deref();
        let testonly = matches!(call.get("testonly"), Some(Expr::Name(yes)) if yes == "True");
        let is_test = call.callee == "rust_test" || testonly && call.text("crate_name") != library;
        for attribute in ["deps", "proc_macro_deps"] {
            let Some(expr) = call.get(attribute) else { continue };
            match labels(expr, &statements) {
                Ok(labels) => {
                    for dependency in labels.iter().filter_map(|label| package_of(label, folder, names)) {
                        first_line.entry(dependency.clone()).or_insert(call.line);
                        if is_test {
                            tested.insert(dependency)
                        } else {
                            shipped.insert(dependency)
                        };
                    }
                }
                Err(why) => report(call.line, name, format!("`{attribute}`: {why}")),
            }
        }
    }
    let line = |name: &str| first_line.get(name).copied().unwrap_or(1);
    for name in shipped.difference(&member.dependencies) {
        report(line(name), name, "is in `deps` and not in [dependencies] of Cargo.toml".to_owned());
    }
    for name in member.dependencies.difference(&shipped) {
        report(
            1,
            name,
            "is in [dependencies] of Cargo.toml and in the `deps` of no library or binary".to_owned(),
        );
    }
    for name in tested
        .iter()
        .filter(|name| !member.dependencies.contains(*name) && !member.dev_dependencies.contains(*name))
    {
        report(
            line(name),
            name,
            "is in the `deps` of a test and not in [dev-dependencies] of Cargo.toml".to_owned(),
        );
    }
    // A crate in both tables is there for a feature; tests see it through the library.
    let for_tests = member.dev_dependencies.difference(&member.dependencies);
    for name in for_tests.filter(|name| !tested.contains(*name)) {
        report(1, name, "is in [dev-dependencies] of Cargo.toml and in the `deps` of no test".to_owned());
    }
    found
}

/// The labels of a list, of every branch where it selects.
fn labels(expr: &Expr, statements: &[Expr]) -> Result<Vec<String>, String> {
    match expr {
        Expr::List(items) => {
            let text = |item: &Expr| match item {
                Expr::Text(text) => Ok(text.clone()),
                _ => Err(READS.to_owned()),
            };
            items.iter().map(text).collect()
        }
        Expr::Sum(a, b) => {
            let mut all = labels(a, statements)?;
            all.extend(labels(b, statements)?);
            Ok(all)
        }
        Expr::Name(name) => {
            let value = statements.iter().find_map(|statement| match statement {
                Expr::Assign(assigned, value) if assigned == name => Some(&**value),
                _ => None,
            });
            labels(value.ok_or(READS)?, statements)
        }
        Expr::Call(Call { callee, arguments, .. }) if callee == "select" => match arguments.first() {
            Some((None, Expr::Dict(branches))) => {
                let mut all = Vec::new();
                for (_, branch) in branches {
                    all.extend(labels(branch, statements)?);
                }
                Ok(all)
            }
            _ => Err(READS.to_owned()),
        },
        _ => Err(READS.to_owned()),
    }
}

/// The Cargo package that a label stands for; none if it is of this package, or of Bazel alone.
fn package_of(label: &str, here: &str, names: &BTreeMap<String, String>) -> Option<String> {
    if let Some((_, name)) = label.strip_prefix(HUB).and_then(|rest| rest.split_once(':')) {
        return Some(name.to_owned());
    }
    if !label.starts_with("//") || label[2..].split(':').next() == Some(here) {
        return None;
    }
    let full = if label.contains(':') {
        label.to_owned()
    } else {
        format!("{label}:{}", label.rsplit('/').next().unwrap_or_default())
    };
    names.get(&full).cloned()
}

const HUB: &str = "@ringwire_crates//";
const LIBRARIES: &[&str] = &["rust_library", "rust_proc_macro"];
const KINDS: &[&str] = &[
    "rust_library",
    "rust_proc_macro",
    "rust_binary",
    "rust_test",
    "rust_shared_library",
    "rust_static_library",
];
const READS: &str =
    "tidy reads lists of strings, their sums, names of such lists, and `select` of them; write one of those";

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str =
        "[workspace]\nmembers = [\"a\", \"runtime/b\"]\n[workspace.package]\nedition = \"2024\"\n";
    const A_TOML: &str = "[package]\nname = \"ringwire-a\"\nedition.workspace = true\n\
                          [dependencies]\nbytes.workspace = true\nringwire-b.workspace = true\n\
                          [target.'cfg(unix)'.dependencies]\nring.workspace = true\n\
                          [dev-dependencies]\ntokio.workspace = true\nbytes = { workspace = true, features = [\"x\"] }\n[lints]\nworkspace = true\n";
    const A_BUILD: &str = "A = [\"@ringwire_crates//:bytes\"]\n\
        rust_library(name = \"a\", crate_name = \"ringwire_a\", edition = \"2024\", deps = A + [\"//runtime/b\"] + select({\"x\": [\"@ringwire_crates//:ring\"], \"y\": []}))\n\
        rust_test(name = \"a_test\", crate = \":a\", deps = [\"@ringwire_crates//:tokio\"])\n\
        rust_test(name = \"t\", srcs = [\"tests/t.rs\"], edition = \"2024\", deps = [\":a\", \"@ringwire_crates//:bytes\", \"//proto:hello\"])\n";
    const B_TOML: &str = "[package]\nname = \"ringwire-b\"\nedition = \"2024\"\n[lints]\nworkspace = true\n";
    const B_BUILD: &str = "rust_library(name = \"b\", crate_name = \"ringwire_b\", edition = \"2024\")\n";

    fn check(changes: &[(&str, &str, &str)], expected: &[(&str, &str)]) {
        let mut files = [
            ("Cargo.toml", ROOT.to_owned()),
            ("a/Cargo.toml", A_TOML.to_owned()),
            ("a/BUILD.bazel", A_BUILD.to_owned()),
            ("a/src/lib.rs", String::new()),
            ("runtime/b/Cargo.toml", B_TOML.to_owned()),
            ("runtime/b/BUILD.bazel", B_BUILD.to_owned()),
            ("runtime/b/src/lib.rs", String::new()),
        ];
        for (path, from, to) in changes {
            for (_, text) in files.iter_mut().filter(|(file, _)| file == path) {
                assert!(text.contains(from), "{from}");
                *text = text.replace(from, to);
            }
        }
        let files: Vec<_> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        let found = super::check(&Tree::of(&files));
        let found: Vec<_> = found.iter().map(|f| (f.token.as_str(), f.advice.as_str())).collect();
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (token, advice) in expected {
            assert!(
                found.iter().any(|(t, a)| t == token && a.contains(advice)),
                "{token} {advice}: {found:?}"
            );
        }
    }

    #[test]
    fn targets_and_manifests_that_agree_are_fine() {
        check(&[], &[]);
    }

    #[test]
    fn a_dependency_of_one_side_only_is_found() {
        let (build, manifest) = ("a/BUILD.bazel", "a/Cargo.toml");
        check(&[(manifest, "bytes.workspace = true\n", "")], &[("bytes", "not in [dependencies]")]);
        check(&[(build, "A + ", "")], &[("bytes", "of no library or binary")]);
        check(&[(build, "[\"//runtime/b\"]", "[]")], &[("ringwire-b", "of no library or binary")]);
        check(&[(manifest, "ring.workspace = true", "")], &[("ring", "not in [dependencies]")]);
        check(&[(manifest, "tokio.workspace = true", "")], &[("tokio", "not in [dev-dependencies]")]);
        check(
            &[(build, "deps = [\"@ringwire_crates//:tokio\"]", "")],
            &[("tokio", "in the `deps` of no test")],
        );
    }

    #[test]
    fn names_and_editions_that_differ_are_found() {
        check(&[("a/BUILD.bazel", "ringwire_a", "a")], &[("ringwire_a", "no library has")]);
        check(
            &[("a/BUILD.bazel", ", edition = \"2024\", deps = A", ", deps = A")],
            &[("a", "needs `edition")],
        );
        check(&[("runtime/b/Cargo.toml", "2024", "2021")], &[("b", "needs `edition = \"2021\"`")]);
    }

    #[test]
    fn a_crate_under_another_name_is_its_package() {
        let root = (
            "Cargo.toml",
            "[workspace.package]",
            "[workspace.dependencies]\nb = { package = \"bytes\" }\n[workspace.package]",
        );
        check(&[root, ("a/Cargo.toml", "bytes.workspace", "b.workspace")], &[]);
    }

    #[test]
    fn a_library_is_known_by_each_of_its_labels() {
        let library = ("runtime/b/BUILD.bazel", "name = \"b\"", "name = \"core\"");
        let lost = [("ringwire-b", "of no library or binary")];
        check(&[library], &lost);
        check(&[library, ("a/BUILD.bazel", "//runtime/b", "//runtime/b:core")], &[]);
        check(
            &[
                library,
                ("runtime/b/BUILD.bazel", "2024\")", "2024\")\nalias(name = \"b\", actual = \":core\")"),
            ],
            &[],
        );
    }

    #[test]
    fn versions_and_lints_of_a_member_are_found() {
        let manifest = "a/Cargo.toml";
        check(&[(manifest, "ring.workspace = true", "ring = \"1\"")], &[("ring", "versions stand in")]);
        check(&[(manifest, "[lints]\nworkspace = true", "")], &[("[lints]", "lints stand in")]);
    }

    #[test]
    fn programs_of_one_name_are_found() {
        let advice = |path: &str, text: &str| {
            let root = (
                "Cargo.toml",
                "[workspace]\nmembers = [\"a\", \"b\"]\n[workspace.package]\nedition = \"2024\"\n",
            );
            let a =
                ("a/Cargo.toml", "[package]\nname = \"a\"\n[[bin]]\nname = \"server\"\npath = \"main.rs\"\n");
            let b = ("b/Cargo.toml", "[package]\nname = \"b\"\n");
            let files = [root, a, b, ("a/examples/show.rs", ""), (path, text)];
            let found = super::check(&Tree::of(&files)).into_iter().map(|finding| finding.to_string());
            found.filter(|finding| finding.contains("one path")).collect::<String>()
        };
        assert!(
            advice("b/src/bin/server.rs", "")
                .contains("b/src/bin/server.rs:1: `server`: is the name of a/main.rs too")
        );
        assert!(advice("b/examples/show.rs", "").contains("`show`: is the name of a/examples/show.rs too"));
        assert_eq!(advice("b/src/bin/show.rs", ""), "");
        assert_eq!(advice("b/examples/server.rs", ""), "");
    }

    #[test]
    fn what_cannot_be_read_is_found() {
        check(
            &[("a/BUILD.bazel", "A = [\"@ringwire_crates//:bytes\"]", "A = [x for x in y]")],
            &[("a", "tidy reads lists"), ("bytes", "of no"), ("ringwire-b", "of no"), ("ring", "of no")],
        );
        check(
            &[("a/Cargo.toml", "name =", "name")],
            &[
                ("a", "line 2 needs"),
                ("a", "no Cargo manifest"),
                ("a_test", "no Cargo manifest"),
                ("t", "no Cargo manifest"),
            ],
        );
    }

    #[test]
    fn members_and_targets_come_in_pairs() {
        let advice = |files: &[(&str, &str)]| {
            super::check(&Tree::of(files)).into_iter().map(|f| f.advice).collect::<String>()
        };
        let root =
            ("Cargo.toml", "[workspace]\nmembers = [\"a\"]\n[workspace.package]\nedition = \"2024\"\n");
        assert!(advice(&[root]).contains("has no manifest"));
        assert!(
            advice(&[root, ("a/Cargo.toml", "[package]\nname = \"a\"\n")]).contains("has no a/BUILD.bazel")
        );
        let lone =
            [("Cargo.toml", "[workspace]\nmembers = []\n"), ("c/BUILD.bazel", "rust_test(name = \"c\")\n")];
        assert!(advice(&lone).contains("has no Cargo manifest beside it"));
    }
}
