//! The checks of the house, as tests.
//!
//! A check is a pure function from a [`Tree`] to [`Finding`]s. What it must not report stands in `allow.txt`, with a
//! reason; an allowance that nothing needs is a finding too.
#![forbid(unsafe_code)]

pub mod allow;
pub mod banned;
pub mod buildifier;
pub mod crates;
pub mod docs;
pub mod dropped;
pub mod finding;
pub mod largest;
pub mod layout;
pub mod lints;
pub mod manifests;
pub mod markdown;
pub mod packages;
pub mod places;
pub mod protocols;
pub mod reach;
pub mod rules;
pub mod rust;
pub mod starlark;
pub mod toml;
pub mod tree;
pub mod unsafety;

pub use finding::Finding;
pub use tree::{File, Tree};

/// A rule of the house.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// What `allow.txt` calls it.
    pub name: &'static str,
    /// Finds what breaks it.
    pub run: fn(&Tree) -> Vec<Finding>,
}

/// Every rule, in the order in which they are reported.
pub const CHECKS: &[Check] = &[
    Check { name: "unsafe", run: unsafety::check },
    Check { name: "protocol", run: protocols::check },
    Check { name: "banned", run: banned::check },
    Check { name: "place", run: places::check },
    Check { name: "layout", run: layout::check },
    Check { name: "unused", run: reach::check },
    Check { name: "package", run: packages::check },
    Check { name: "manifest", run: manifests::check },
    Check { name: "crates", run: crates::check },
    Check { name: "lints", run: lints::check },
    Check { name: "starlark", run: rules::check },
    Check { name: "dropped", run: dropped::check },
    Check { name: "docs", run: docs::check },
];

/// What one check finds and no allowance covers.
pub fn findings(check: &Check, tree: &Tree) -> Vec<Finding> {
    let allowed = allow::Allowances::of(tree);
    let mut found = (check.run)(tree);
    found.retain(|finding| !allowed.cover(check.name, finding));
    found.sort();
    found.dedup();
    found
}
