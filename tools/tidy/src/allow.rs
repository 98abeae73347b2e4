//! The exceptions to the checks: one a line, each with a reason.
//!
//! A line of `allow.txt` reads `check path token # reason`. The path is a file, or a folder that ends in `/`; the token
//! is what the finding shows between backticks, or `*`.

use crate::{CHECKS, Check, Finding, Tree};

/// The exceptions of a tree.
#[derive(Debug, Default)]
pub struct Allowances {
    lines: Vec<Allowance>,
    broken: Vec<Finding>,
}

#[derive(Debug)]
struct Allowance {
    line: usize,
    check: String,
    path: String,
    token: String,
}

impl Allowances {
    /// Reads the exceptions that the tree itself declares.
    pub fn of(tree: &Tree) -> Self {
        tree.get(PATH).map_or_else(Self::default, |file| Self::parse(&file.text))
    }

    fn parse(text: &str) -> Self {
        let mut allowances = Self::default();
        for (at, line) in text.lines().enumerate() {
            let line_number = at + 1;
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let (rule, reason) = line.split_once(" # ").unwrap_or((line, ""));
            match *rule.split_whitespace().collect::<Vec<_>>() {
                [check, path, token]
                    if !reason.trim().is_empty() && CHECKS.iter().any(|known| known.name == check) =>
                {
                    allowances.lines.push(Allowance {
                        line: line_number,
                        check: check.to_owned(),
                        path: path.to_owned(),
                        token: token.to_owned(),
                    });
                }
                _ => allowances.broken.push(Finding::new(PATH, line_number, line, SHAPE)),
            }
        }
        allowances
    }

    /// Whether an exception covers what `check` found.
    pub fn cover(&self, check: &str, finding: &Finding) -> bool {
        self.lines.iter().any(|allowance| allowance.covers(check, finding))
    }
}

impl Allowance {
    fn covers(&self, check: &str, finding: &Finding) -> bool {
        let here =
            self.path == finding.path || (self.path.ends_with('/') && finding.path.starts_with(&self.path));
        // A token of several words is written with `_` for each space.
        let token =
            self.token == "*" || self.token == finding.token.split_whitespace().collect::<Vec<_>>().join("_");
        self.check == check && here && token
    }
}

/// Lines of `allow.txt` that cannot be read, or that cover nothing any more.
pub fn check(tree: &Tree) -> Vec<Finding> {
    stale(tree, CHECKS)
}

fn stale(tree: &Tree, checks: &[Check]) -> Vec<Finding> {
    let mut allowances = Allowances::of(tree);
    let found: Vec<_> = checks.iter().map(|check| (check.name, (check.run)(tree))).collect();
    for allowance in &allowances.lines {
        let used = found.iter().any(|(check, found)| found.iter().any(|f| allowance.covers(check, f)));
        if !used {
            let what = format!("{} {} {}", allowance.check, allowance.path, allowance.token);
            allowances.broken.push(Finding::new(
                PATH,
                allowance.line,
                what,
                "covers nothing; delete the line",
            ));
        }
    }
    allowances.broken
}

const PATH: &str = "tools/tidy/allow.txt";
const SHAPE: &str = "write `check path token # reason`, with the name of a check";

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &[&str]) {
        let always = Check { name: "unsafe", run: |_| vec![Finding::new("a/b.rs", 1, "x y", "no")] };
        let tree = Tree::of(&[(PATH, line)]);
        let found: Vec<_> = stale(&tree, &[always]).into_iter().map(|f| f.advice).collect();
        assert_eq!(found, expected, "{line}");
    }

    #[test]
    fn an_allowance_covers_a_file_or_a_folder_and_a_token() {
        for line in ["unsafe a/b.rs x_y # why", "unsafe a/ * # why", "# a comment", ""] {
            check(line, &[]);
        }
    }

    #[test]
    fn an_allowance_that_covers_nothing_is_a_finding() {
        for line in ["unsafe a x_y # why", "unsafe a/b.rs x # why", "layout a/b.rs * # why"] {
            check(line, &["covers nothing; delete the line"]);
        }
    }

    #[test]
    fn an_allowance_needs_a_reason_and_a_check() {
        for line in ["unsafe a/b.rs *", "unsafe a/b.rs * # ", "nothing a/b.rs * # why", "unsafe * # why"] {
            check(line, &[SHAPE]);
        }
    }
}
