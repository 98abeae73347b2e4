//! One third-party crate, as Cargo resolves it for one platform.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// A crate on one platform.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// What is the same on every platform: its name, version, edition and the files that it starts from.
    pub(crate) package: Map<String, Value>,
    pub(crate) features: BTreeSet<String>,
    /// `name-version`, or `alias=name-version` where the crate renames it.
    pub(crate) deps: BTreeSet<String>,
    pub(crate) build_deps: BTreeSet<String>,
}

type Set = fn(&Resolved) -> &BTreeSet<String>;

impl Resolved {
    /// What may differ between platforms.
    pub(crate) const SETS: [(&str, Set); 3] =
        [("features", |it| &it.features), ("deps", |it| &it.deps), ("build_deps", |it| &it.build_deps)];
}
