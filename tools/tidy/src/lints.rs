//! Bazel's clippy runs with the lints that the Cargo workspace names.

use crate::toml::{self, Table, Value};
use crate::{Finding, Tree};

/// Finds a `.bazelrc` whose lints are not those of `[workspace.lints]`.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let (Some(manifest), Some(bazelrc)) = (tree.get("Cargo.toml"), tree.get(BAZELRC)) else {
        return Vec::new();
    };
    let expected = match flag(&manifest.text) {
        Ok(flag) => flag,
        Err(why) => return vec![Finding::new(&manifest.path, 1, "workspace.lints", why)],
    };
    let lines = bazelrc.text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with('#'));
    let flags: Vec<_> = lines.filter_map(|(at, line)| Some((at + 1, &line[line.find(FLAG)?..]))).collect();
    let advice = || format!("does not name the lints of Cargo.toml; the line is `{}`", line(&expected));
    match flags.as_slice() {
        [] => vec![Finding::new(BAZELRC, 1, FLAG, advice())],
        all => {
            let wrong = all.iter().filter(|(_, flag)| flag.trim() != expected);
            wrong.map(|(at, _)| Finding::new(BAZELRC, *at, FLAG, advice())).collect()
        }
    }
}

/// The line of `.bazelrc` for the lints of a workspace manifest.
pub fn bazelrc(manifest: &str) -> Result<String, String> {
    flag(manifest).map(|flag| line(&flag))
}

fn line(flag: &str) -> String {
    format!("build {flag}")
}

fn flag(manifest: &str) -> Result<String, String> {
    let manifest = toml::parse(manifest)?;
    let mut lints = Vec::new();
    for (prefix, tool) in [("", "rust"), ("clippy::", "clippy")] {
        let table = toml::at(&manifest, &["workspace", "lints", tool]).and_then(Value::table);
        for (name, value) in table.into_iter().flatten() {
            let (level, priority) = level(value).ok_or_else(|| format!("the lint {name} has no level"))?;
            let letter = match level {
                "forbid" => 'F',
                "deny" => 'D',
                "warn" => 'W',
                "allow" => 'A',
                _ => return Err(format!("the lint {name} has the level {level}")),
            };
            lints.push((priority, format!("-{letter}{prefix}{name}")));
        }
    }
    // Cargo, too, gives groups of a low priority first, so that single lints overrule them.
    lints.sort_by_key(|(priority, _)| *priority);
    let lints: Vec<_> = lints.into_iter().map(|(_, lint)| lint).collect();
    Ok(format!("{FLAG}{}", lints.join(",")))
}

fn level(value: &Value) -> Option<(&str, i64)> {
    let of_table = |table: &Table| match table.get("priority") {
        Some(Value::Number(priority)) => *priority,
        _ => 0,
    };
    match value {
        Value::Text(level) => Some((level, 0)),
        Value::Table(table) => Some((table.get("level")?.text()?, of_table(table))),
        _ => None,
    }
}

const BAZELRC: &str = ".bazelrc";
const FLAG: &str = "--@rules_rust//:clippy_flags=";

#[cfg(test)]
mod tests {
    use super::*;

    const LINTS: &str = "[workspace.lints.rust]\nmissing_docs = \"deny\"\n[workspace.lints.clippy]\nb = \"allow\"\n\
                         all = { level = \"warn\", priority = -1 }\nc = \"forbid\"\n";
    const LINE: &str =
        "build --@rules_rust//:clippy_flags=-Wclippy::all,-Dmissing_docs,-Aclippy::b,-Fclippy::c";

    fn check(bazelrc: &str, expected: &[usize]) {
        let tree = Tree::of(&[("Cargo.toml", LINTS), (BAZELRC, bazelrc)]);
        let found: Vec<_> = super::check(&tree).iter().map(|f| f.line).collect();
        assert_eq!(found, expected, "{bazelrc}");
    }

    #[test]
    fn the_line_names_every_lint_groups_first() {
        assert_eq!(bazelrc(LINTS).as_deref(), Ok(LINE));
        assert!(bazelrc("[workspace.lints.rust]\na = \"loud\"\n").is_err());
    }

    #[test]
    fn a_line_that_is_missing_or_differs_is_found() {
        check("build --x\n", &[1]);
        check(&format!("# {LINE}\n"), &[1]);
        check(&LINE.replace("-Dmissing_docs,", ""), &[1]);
        check(&format!("build --x\n{LINE},-Wclippy::d\n"), &[2]);
    }

    #[test]
    fn the_line_may_belong_to_a_config() {
        check(&format!("{LINE}\n"), &[]);
        check(&LINE.replace("build", "build:lint"), &[]);
    }
}
