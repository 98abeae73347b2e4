//! `unsafe` stays in the ring and its buffers, and argues for itself there.

use crate::rust::{Layers, identifiers, line_of};
use crate::{File, Finding, Tree};

/// Finds `unsafe` out of place or without its argument, and crate roots that do not forbid it.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let rust = || tree.files.iter().filter(|file| file.is_rust() && !file.is_data());
    let mut found: Vec<_> = rust().flat_map(blocks).collect();
    found.extend(rust().filter(|file| is_crate_root(tree, file)).filter_map(root));
    found
}

fn blocks(file: &File) -> Vec<Finding> {
    if !file.text.contains(UNSAFE) {
        return Vec::new();
    }
    let layers = Layers::of(&file.text);
    let mut found = Vec::new();
    for (at, _) in identifiers(&layers.code).filter(|&(_, word)| word == UNSAFE) {
        let line = line_of(&layers.code, at);
        let mut report = |advice: &str| found.push(Finding::new(&file.path, line, UNSAFE, advice));
        if !HOMES.contains(&file.path.as_str()) {
            report("lives in server_uring/src/{ring,buffers}.rs alone; ask those for a safe method");
        }
        let mut after = identifiers(&layers.code[at + UNSAFE.len()..]).map(|(_, word)| word);
        let rest = layers.code[at + UNSAFE.len()..].trim_start();
        // `unsafe fn(` is a type, not a function; an attribute such as `#[unsafe(no_mangle)]` is neither.
        let declares = match after.next() {
            Some("fn") => !rest["fn".len()..].trim_start().starts_with('('),
            Some("trait") => true,
            _ => false,
        } && !rest.starts_with('{');
        if declares && !comment_above(&file.text, line).contains("# Safety") {
            report(
                "needs `# Safety` in its documentation: what the caller must keep, so that a caller can check it",
            );
        }
        let acts = rest.starts_with('{') || rest.starts_with("impl");
        if acts && !comment_above(&file.text, line).contains("SAFETY:") {
            report("needs `// SAFETY:` above it: the invariant, and who keeps it");
        }
    }
    found
}

/// The comments and attributes that stand directly above a line.
fn comment_above(text: &str, line: usize) -> String {
    let lines: Vec<&str> = text.lines().take(line - 1).collect();
    let above = lines.iter().rev().take_while(|line| {
        let line = line.trim_start();
        line.starts_with("//") || line.starts_with("#[")
    });
    above.copied().collect::<Vec<_>>().join("\n")
}

fn is_crate_root(tree: &Tree, file: &File) -> bool {
    let Some(package) = ["/src/lib.rs", "/src/main.rs"].iter().find_map(|end| file.path.strip_suffix(end))
    else {
        return file.path.contains("/src/bin/") && file.folder().ends_with("/src/bin");
    };
    tree.has_file(&format!("{package}/Cargo.toml"))
}

fn root(file: &File) -> Option<Finding> {
    let code: String = Layers::of(&file.text).code.split_whitespace().collect();
    let lacks = |attribute: &str| !code.contains(attribute);
    let package = file.folder().trim_end_matches("/src");
    if package != RING && lacks("#![forbid(unsafe_code)]") {
        return Some(Finding::new(&file.path, 1, "crate root", "needs `#![forbid(unsafe_code)]`"));
    }
    if SANS_IO.contains(&package)
        && lacks("#![cfg_attr(not(test),deny(clippy::disallowed_methods,clippy::disallowed_types))]")
    {
        let advice = "needs `#![cfg_attr(not(test), deny(clippy::disallowed_methods, clippy::disallowed_types))]`: \
                      a sans-io package touches no socket, clock or thread";
        return Some(Finding::new(&file.path, 1, "crate root", advice));
    }
    None
}

/// The packages that own no effect.
pub const SANS_IO: &[&str] = &[
    "runtime/wire",
    "runtime/message",
    "runtime/compress",
    "runtime/http",
    "runtime/hpack",
    "runtime/http1",
    "runtime/http2",
    "runtime/rpc",
];

const UNSAFE: &str = "unsafe";
const RING: &str = "server_uring";
const HOMES: &[&str] = &["server_uring/src/ring.rs", "server_uring/src/buffers.rs"];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, text: &str, expected: &[(usize, &str)]) {
        let found = blocks(&File { path: path.to_owned(), text: text.to_owned() });
        let found: Vec<_> =
            found.iter().map(|f| (f.line, f.advice.split(' ').next().unwrap_or_default())).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn unsafe_out_of_place_is_found() {
        check("a/src/b.rs", "fn a() {\n    // SAFETY: it is.\n    unsafe { b() }\n}", &[(3, "lives")]);
        check("a/tests/b.rs", "// SAFETY: it is.\nunsafe impl A for B {}", &[(2, "lives")]);
    }

    #[test]
    fn unsafe_without_an_argument_is_found() {
        let home = HOMES[0];
        check(home, "unsafe { a() }", &[(1, "needs")]);
        check(home, "// SAFETY: far away.\n\nunsafe { a() }", &[(3, "needs")]);
        check(home, "// SAFE, I think.\nunsafe { a() }", &[(2, "needs")]);
        check(home, "// SAFETY: near.\nunsafe { a() }", &[]);
        check(home, "unsafe impl Send for A {}", &[(1, "needs")]);
        check(home, "/// Does.\npub unsafe fn a() {}", &[(2, "needs")]);
        check(home, "/// # Safety\n/// Do.\n#[inline]\npub unsafe fn a() {}", &[]);
        check(home, "unsafe trait A {}", &[(1, "needs")]);
    }

    #[test]
    fn the_word_alone_is_not_unsafe() {
        let text = "//! unsafe\n#![forbid(unsafe_code)]\nlet a = \"unsafe { }\";\n";
        check("a/src/b.rs", text, &[]);
        check(HOMES[1], "type F = unsafe fn(u8);\n#[unsafe(no_mangle)]\nfn a() {}", &[]);
    }

    #[test]
    fn crate_roots_forbid_unsafe_code() {
        let both = "#![forbid(unsafe_code)]\n\
                    #![cfg_attr(\n    not(test),\n    deny(clippy::disallowed_methods, clippy::disallowed_types)\n)]\n";
        let advice = |path: &str, text: &str| {
            let tree = Tree::of(&[(path, text), ("x/Cargo.toml", ""), ("runtime/wire/Cargo.toml", "")]);
            super::check(&tree).len()
        };
        assert_eq!(advice("x/src/lib.rs", ""), 1);
        assert_eq!(advice("x/src/lib.rs", "// #![forbid(unsafe_code)]"), 1);
        assert_eq!(advice("x/src/lib.rs", "#![forbid(unsafe_code)]"), 0);
        assert_eq!(advice("x/src/bin/y.rs", ""), 1);
        assert_eq!(advice("x/src/y.rs", ""), 0);
        assert_eq!(advice("runtime/wire/src/lib.rs", "#![forbid(unsafe_code)]"), 1);
        assert_eq!(advice("runtime/wire/src/lib.rs", both), 0);
    }
}
