//! The largest files and functions: a symptom to look at, not a rule.

use crate::rust::{Layers, body, closing, identifiers, line_of, test_regions};
use crate::{File, Tree};

/// The ten largest files and functions that are not tests, as lines to print.
pub fn report(tree: &Tree) -> String {
    let files = || tree.files.iter().filter(|file| file.is_rust() && !file.is_test() && !file.is_data());
    let mut sizes: Vec<_> = files().map(|file| (code_lines(file), file.path.clone())).collect();
    let mut functions: Vec<_> = files().flat_map(functions).collect();
    let mut text = String::from("The largest files (lines before their tests):\n");
    text.push_str(&top_ten(&mut sizes));
    text.push_str("The largest functions (lines):\n");
    text.push_str(&top_ten(&mut functions));
    let starlark = tree.files.iter().filter(|file| file.is_starlark());
    let mut long: Vec<_> = starlark.map(|file| (file.text.lines().count(), file.path.clone())).collect();
    long.retain(|(lines, _)| *lines >= 200);
    if !long.is_empty() {
        text.push_str("Starlark of 200 lines or more:\n");
        text.push_str(&top_ten(&mut long));
    }
    text
}

fn top_ten(sizes: &mut [(usize, String)]) -> String {
    sizes.sort_by(|a, b| b.cmp(a));
    sizes.iter().take(10).map(|(lines, name)| format!("{lines:6}  {name}\n")).collect()
}

fn code_lines(file: &File) -> usize {
    let code = Layers::of(&file.text).code;
    let tests: usize = test_regions(&code).into_iter().map(|region| code[region].lines().count()).sum();
    file.text.lines().count() - tests
}

fn functions(file: &File) -> Vec<(usize, String)> {
    let code = Layers::of(&file.text).code;
    let tests = test_regions(&code);
    let mut found = Vec::new();
    let mut words = identifiers(&code);
    while let Some((at, word)) = words.next() {
        if word != "fn" || tests.iter().any(|region| region.contains(&at)) {
            continue;
        }
        let Some((_, name)) = words.next() else { break };
        if let Some(open) = body(&code, at) {
            let lines = code[at..closing(&code, open)].lines().count();
            found.push((lines, format!("{}:{} {name}", file.path, line_of(&code, at))));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_leave_tests_out() {
        let tree = Tree::of(&[
            (
                "a/src/b.rs",
                "fn long(a: [u8; 2]) {\n    a;\n}\ntrait T { fn none(); }\n#[cfg(test)]\nmod tests {\n    fn t() {\n    }\n}\n",
            ),
            ("a/tests/c.rs", "fn d() {}\n"),
            ("a/e.bzl", &"#\n".repeat(200)),
            ("a/f.bzl", &"#\n".repeat(199)),
        ]);
        let report = report(&tree);
        assert!(report.contains("     4  a/src/b.rs\n"), "{report}");
        assert!(report.contains("     3  a/src/b.rs:1 long\n"), "{report}");
        assert!(!report.contains("tests") || report.matches("tests").count() == 1, "{report}");
        assert!(report.contains("   200  a/e.bzl\n") && !report.contains("f.bzl"), "{report}");
        assert!(!report.contains("c.rs") && !report.contains("none"), "{report}");
    }
}
