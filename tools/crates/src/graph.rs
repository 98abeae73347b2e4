//! What Cargo says of the workspace on one platform.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value};

use crate::Result;
use crate::resolved::Resolved;

/// The packages of a resolution, and those of the workspace that are published.
#[derive(Debug)]
pub(crate) struct Graph {
    pub(crate) platform: &'static str,
    pub(crate) workspace: PathBuf,
    packages: BTreeMap<String, Value>,
    nodes: BTreeMap<String, Value>,
    members: BTreeSet<String>,
    published: Vec<String>,
    /// `name-version` of all that the published packages are built of, each with its features. Tests ask for more.
    features: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    /// Asks Cargo.
    pub(crate) fn read(platform: &'static str) -> Result<Self> {
        let metadata = cargo(&["metadata", "--format-version=1", "--filter-platform", platform])?;
        let metadata: Value = serde_json::from_str(&metadata)?;
        let by_id = |list: &Value| {
            list.as_array().into_iter().flatten().map(|it| (text(it, "id").to_owned(), it.clone())).collect()
        };
        let packages: BTreeMap<_, _> = by_id(&metadata["packages"]);
        let members: BTreeSet<_> = metadata["workspace_members"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let published: Vec<_> = members
            .iter()
            .filter(|id| packages[**id]["publish"].is_null())
            .map(|&id| id.to_owned())
            .collect();
        let names = published.iter().map(|id| text(&packages[id], "name")).chain([LIKE_A_USER]);
        Ok(Self {
            platform,
            workspace: text(&metadata, "workspace_root").into(),
            features: features(platform, names)?,
            nodes: by_id(&metadata["resolve"]["nodes"]),
            members: members.into_iter().map(str::to_owned).collect(),
            published,
            packages,
        })
    }

    /// The crates that the published packages name themselves, by name, each with its version.
    pub(crate) fn direct(&self) -> Vec<(String, String)> {
        let named = self.published.iter().flat_map(|id| self.deps(id, ""));
        let third_party = named.filter(|(_, dep)| !self.members.contains(dep));
        third_party.map(|(_, dep)| (text(&self.packages[&dep], "name").to_owned(), self.id(&dep))).collect()
    }

    /// All crates below the published packages.
    pub(crate) fn third_party(&self) -> Result<Vec<(String, Resolved)>> {
        let mut seen: BTreeSet<String> = self.published.iter().cloned().collect();
        let mut left = self.published.clone();
        let mut found = Vec::new();
        while let Some(id) = left.pop() {
            let kinds = if self.members.contains(&id) { &[""][..] } else { &["", "build"] };
            for (_, dep) in kinds.iter().flat_map(|kind| self.deps(&id, kind)) {
                if seen.insert(dep.clone()) {
                    left.push(dep);
                }
            }
            if !self.members.contains(&id) {
                found.push((self.id(&id), self.resolved(&id)?));
            }
        }
        Ok(found)
    }

    fn resolved(&self, id: &str) -> Result<Resolved> {
        let labels = |kind| {
            let deps = self.deps(id, kind).into_iter();
            deps.map(|(name, dep)| {
                let (id, package) = (self.id(&dep), &self.packages[&dep]);
                match library(package).is_some_and(|target| text(target, "name").replace('-', "_") == name) {
                    true => id,
                    false => format!("{name}={id}"),
                }
            })
            .collect()
        };
        Ok(Resolved {
            package: package(&self.packages[id])?,
            features: self.features[&self.id(id)].clone(),
            deps: labels(""),
            build_deps: labels("build"),
        })
    }

    /// What a package depends on, by the name that its code has for it. `kind` is empty, or `build`.
    fn deps(&self, id: &str, kind: &str) -> Vec<(String, String)> {
        let deps = self.nodes[id]["deps"].as_array().into_iter().flatten();
        deps.filter(|dep| {
            let mut kinds = dep["dep_kinds"].as_array().into_iter().flatten();
            kinds.any(|it| it["kind"].as_str().unwrap_or("") == kind)
        })
        .map(|dep| (text(dep, "name").to_owned(), text(dep, "pkg").to_owned()))
        .filter(|(_, dep)| self.members.contains(dep) || self.features.contains_key(&self.id(dep)))
        .collect()
    }

    fn id(&self, id: &str) -> String {
        format!("{}-{}", text(&self.packages[id], "name"), text(&self.packages[id], "version"))
    }
}

/// The features that published packages ask for, without those that only tests ask for.
fn features<'a>(
    platform: &str,
    packages: impl Iterator<Item = &'a str>,
) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let mut arguments =
        vec!["tree", "--edges=normal,build", "--prefix=none", "--format={p}|{f}", "--target", platform];
    arguments.extend(packages.flat_map(|name| ["--package", name]));
    let mut features: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in cargo(&arguments)?.lines() {
        let Some((package, enabled)) = line.split_once('|') else { continue };
        let mut words = package.split(' ');
        let (Some(name), Some(version)) = (words.next(), words.next()) else { continue };
        let id = format!("{name}-{}", version.trim_start_matches('v'));
        // A crate of programs that run while building has features of its own; here it is one crate, with all of them.
        let enabled =
            enabled.split(' ').next().unwrap_or("").split(',').filter(|feature| !feature.is_empty());
        features.entry(id).or_default().extend(enabled.map(str::to_owned));
    }
    Ok(features)
}

/// What a crate is, wherever it is built.
fn package(package: &Value) -> Result<Map<String, Value>> {
    let folder = Path::new(text(package, "manifest_path")).parent().ok_or("a manifest is in a folder")?;
    let path = |target: &Value| -> Result<Value> {
        Ok(Path::new(text(target, "src_path")).strip_prefix(folder)?.to_str().ok_or("a path is text")?.into())
    };
    let name = text(package, "name");
    let library = library(package).ok_or_else(|| format!("{name} has no library"))?;
    let mut found = Map::new();
    let mut set = |key: &str, value: Value| found.insert(key.to_owned(), value);
    set("name", name.into());
    set("version", text(package, "version").into());
    set("edition", text(library, "edition").into());
    set("crate", text(library, "name").replace('-', "_").into());
    set("root", path(library)?);
    if is_kind(library, "proc-macro") {
        set("proc_macro", true.into());
    }
    if let Some(script) = targets(package).find(|target| is_kind(target, "custom-build")) {
        set("build_script", path(script)?);
    }
    if let Some(links) = package["links"].as_str() {
        set("links", links.into());
    }
    Ok(found)
}

fn library(package: &Value) -> Option<&Value> {
    targets(package).find(|target| ["lib", "proc-macro", "rlib"].iter().any(|kind| is_kind(target, kind)))
}

fn targets(package: &Value) -> impl Iterator<Item = &Value> {
    package["targets"].as_array().into_iter().flatten()
}

fn is_kind(target: &Value, kind: &str) -> bool {
    target["kind"].as_array().is_some_and(|kinds| kinds.iter().any(|it| it == kind))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn cargo(arguments: &[&str]) -> Result<String> {
    let (subcommand, arguments) = arguments.split_first().expect("a subcommand comes first");
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(program)
        .args([subcommand, "--locked", "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml"))
        .args(arguments)
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// A package that is not published and asks of tokio what the service of a user asks.
const LIKE_A_USER: &str = "greet";
