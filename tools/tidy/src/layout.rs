//! White space that no one sees and every diff shows.

use crate::{File, Finding, Tree};

/// Finds tabs, carriage returns, trailing spaces and missing ends.
pub fn check(tree: &Tree) -> Vec<Finding> {
    tree.files.iter().filter(|file| !file.is_data()).flat_map(lines).collect()
}

fn lines(file: &File) -> Vec<Finding> {
    let mut found = Vec::new();
    for (at, line) in file.text.split('\n').enumerate() {
        let mut report =
            |token: &str, advice: &str| found.push(Finding::new(&file.path, at + 1, token, advice));
        if line.ends_with('\r') {
            report("carriage return", "lines end with a line feed alone");
        } else if line.ends_with([' ', '\t']) {
            report("trailing space", "delete it");
        }
        if (file.is_rust() || file.is_starlark()) && line.contains('\t') {
            report("tab", "indent with four spaces; write `\\t` in a string");
        }
    }
    let last = file.text.lines().count();
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        found.push(Finding::new(&file.path, last, "last line", "end the file with a line feed"));
    } else if file.text.ends_with("\n\n") {
        found.push(Finding::new(&file.path, last, "last line", "end the file with one line feed"));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, text: &str, expected: &[(usize, &str)]) {
        let found = super::check(&Tree::of(&[(path, text)]));
        let found: Vec<_> = found.iter().map(|f| (f.line, f.token.as_str())).collect();
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn what_no_one_sees_is_found() {
        check("a.md", "a\nb \nc\n", &[(2, "trailing space")]);
        check("a.md", "a\nb\t\nc\n", &[(2, "trailing space")]);
        check("a.md", "a\r\nb\n", &[(1, "carriage return")]);
        check("a.rs", "a\n\tb\n", &[(2, "tab")]);
        check("BUILD.bazel", "\tb\n", &[(1, "tab")]);
        check("a.md", "a\nb", &[(2, "last line")]);
        check("a.md", "a\n\n", &[(2, "last line")]);
    }

    #[test]
    fn a_plain_file_is_fine() {
        check("a.rs", "a\n\n    b\n", &[]);
        check("go.mod", "require (\n\ta v1\n)\n", &[]);
        check("a.md", "", &[]);
        check("a/testdata/b.txt", "a \r\n\n", &[]);
    }
}
