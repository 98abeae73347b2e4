//! Writes `crates.json`: what Bazel must know of each third-party crate under the published packages.
//!
//! Cargo resolves; this only asks it, once for each platform, and keeps what `crates.bzl` renders: `cargo run -p ringwire-crates`.

#![forbid(unsafe_code)]

mod graph;
mod resolved;

use std::collections::BTreeMap;
use std::path::Path;
use std::{env, error, fs};

use serde_json::{Map, Value, json};

use graph::Graph;
use resolved::Resolved;

type Result<T> = std::result::Result<T, Box<dyn error::Error>>;

fn main() -> Result<()> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates.json");
    let graphs = PLATFORMS.iter().map(|platform| Graph::read(platform)).collect::<Result<Vec<_>>>()?;
    let checksums = checksums(&fs::read_to_string(graphs[0].workspace.join("Cargo.lock"))?);
    let text = lock(&graphs, &checksums)?;
    match env::args().nth(1).as_deref() {
        None => Ok(fs::write(file, text)?),
        Some("--check") if fs::read_to_string(&file)? == text => Ok(()),
        Some("--check") => {
            Err("tools/crates/crates.json is not what Cargo.lock asks for: cargo run -p ringwire-crates"
                .into())
        }
        Some(_) => Err("usage: ringwire-crates [--check]".into()),
    }
}

/// The text of `crates.json`, one crate a line.
fn lock(graphs: &[Graph], checksums: &BTreeMap<String, String>) -> Result<String> {
    let mut crates: BTreeMap<String, BTreeMap<&str, Resolved>> = BTreeMap::new();
    let mut hub = BTreeMap::new();
    for graph in graphs {
        for (name, id) in graph.direct() {
            let other = hub.insert(name, id.clone());
            if other.as_ref().is_some_and(|other| *other != id) {
                return Err(
                    format!("the workspace names two versions of one crate: {other:?} and {id}").into()
                );
            }
        }
        for (id, resolved) in graph.third_party()? {
            crates.entry(id).or_default().insert(graph.platform, resolved);
        }
    }
    let mut entries = Vec::new();
    for (id, by_platform) in &crates {
        let checksum = checksums.get(id).ok_or_else(|| format!("{id} has no checksum in Cargo.lock"))?;
        entries.push(format!("{}: {}", json!(id), entry(checksum, by_platform)));
    }
    let aliases: Vec<_> = hub.iter().map(|(name, id)| format!("{}: {}", json!(name), json!(id))).collect();
    let platforms: Vec<_> = PLATFORMS.iter().map(|platform| json!(platform).to_string()).collect();
    Ok(format!(
        "{{\n\"platforms\": [\n{}\n],\n\"crates\": {{\n{}\n}},\n\"hub\": {{\n{}\n}}\n}}\n",
        platforms.join(",\n"),
        entries.join(",\n"),
        aliases.join(",\n")
    ))
}

/// One crate: what is the same everywhere, and by platform what is not.
fn entry(checksum: &str, by_platform: &BTreeMap<&str, Resolved>) -> Value {
    let any = by_platform.values().next().expect("a crate is there because some platform has it");
    let mut entry = any.package.clone();
    entry.insert("sha256".to_owned(), checksum.into());
    for (name, of) in Resolved::SETS {
        let common = by_platform.values().map(of).fold(of(any).clone(), |common, set| &common & set);
        let mut sets = Map::new();
        if !common.is_empty() {
            sets.insert(String::new(), json!(common));
        }
        for (platform, resolved) in by_platform {
            let more = of(resolved) - &common;
            if !more.is_empty() {
                sets.insert((*platform).to_owned(), json!(more));
            }
        }
        if !sets.is_empty() {
            entry.insert(name.to_owned(), Value::Object(sets));
        }
    }
    Value::Object(entry)
}

/// The checksums of `Cargo.lock`, by name and version.
fn checksums(lock: &str) -> BTreeMap<String, String> {
    let mut checksums = BTreeMap::new();
    for package in lock.split("[[package]]") {
        let value = |key: &str| {
            package.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"'))
        };
        if let (Some(name), Some(version), Some(checksum)) =
            (value("name"), value("version"), value("checksum"))
        {
            checksums.insert(format!("{name}-{version}"), checksum.to_owned());
        }
    }
    checksums
}

/// What Ringwire is built for. The hub of this workspace in MODULE.bazel has the same list.
const PLATFORMS: [&str; 5] = [
    "aarch64-apple-darwin",
    "aarch64-unknown-linux-gnu",
    "wasm32-unknown-unknown",
    "x86_64-apple-darwin",
    "x86_64-unknown-linux-gnu",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(features: &[&str], deps: &[&str]) -> Resolved {
        let set = |items: &[&str]| items.iter().map(|&item| item.to_owned()).collect();
        let mut package = Map::new();
        package.insert("name".to_owned(), "a".into());
        Resolved { package, features: set(features), deps: set(deps), build_deps: set(&[]) }
    }

    #[test]
    fn what_all_platforms_share_is_said_once() {
        let by_platform = BTreeMap::from([
            ("linux", resolved(&["std"], &["bytes-1.0.0", "libc-0.2.0"])),
            ("wasm", resolved(&["std", "js"], &["bytes-1.0.0"])),
        ]);
        let expected = json!({
            "name": "a",
            "sha256": "abc",
            "features": { "": ["std"], "wasm": ["js"] },
            "deps": { "": ["bytes-1.0.0"], "linux": ["libc-0.2.0"] },
        });
        assert_eq!(entry("abc", &by_platform), expected);
    }

    #[test]
    fn a_platform_without_the_crate_has_no_say() {
        let by_platform = BTreeMap::from([("linux", resolved(&["std"], &[]))]);
        assert_eq!(entry("abc", &by_platform)["features"], json!({ "": ["std"] }));
    }

    #[test]
    fn packages_of_the_workspace_have_no_checksum() {
        let lock = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nchecksum = \"abc\"\n\n[[package]]\nname = \"ours\"\nversion = \"0.1.0\"\n";
        assert_eq!(checksums(lock), BTreeMap::from([("a-1.0.0".to_owned(), "abc".to_owned())]));
    }
}
