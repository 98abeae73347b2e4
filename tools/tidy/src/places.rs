//! No file knows the machine it was written on, nor whom its packages come from.

use crate::{File, Finding, Tree};

/// Finds paths of one machine, and hosts of registries and mirrors.
pub fn check(tree: &Tree) -> Vec<Finding> {
    // Cargo writes its registry into the lock file itself.
    tree.files.iter().filter(|file| file.name() != "Cargo.lock").flat_map(places).collect()
}

fn places(file: &File) -> Vec<Finding> {
    let mut found = Vec::new();
    for (at, line) in file.text.lines().enumerate() {
        for home in HOMES.iter().filter(|home| starts_a_path(line, home)) {
            let advice = "is a path of one machine; take it from the workspace, `$HOME` or an argument";
            found.push(Finding::new(&file.path, at + 1, *home, advice));
        }
        for host in HOSTS.iter().filter(|host| names_host(line, host)) {
            let advice = "is the host of a registry; ask its client (cargo, apt, go, npm, pip, bazel), which knows the mirror";
            found.push(Finding::new(&file.path, at + 1, *host, advice));
        }
    }
    found
}

/// Whether a path begins with `home` here, and does not merely contain it (`$root/home/`, `example.com/home/`).
fn starts_a_path(line: &str, home: &str) -> bool {
    line.match_indices(home).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !(c.is_alphanumeric() || "_.-})]>*".contains(c)))
    })
}

fn names_host(line: &str, host: &str) -> bool {
    line.match_indices(host).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !(c.is_alphanumeric() || c == '-'))
    })
}

// Written in two halves, so that this file may be checked too.
const HOMES: &[&str] =
    &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Use", "rs/")];
const HOSTS: &[&str] = &[
    concat!("index.", "crates.io"),
    concat!("static.", "crates.io"),
    concat!("crates.io", "-index"),
    concat!("deb.", "debian.org"),
    concat!("security.", "debian.org"),
    concat!("snapshot.", "debian.org"),
    concat!("archive.", "ubuntu.com"),
    concat!("proxy.", "golang.org"),
    concat!("sum.", "golang.org"),
    concat!("registry.", "npmjs.org"),
    concat!("registry.", "yarnpkg.com"),
    concat!("py", "pi.org"),
    concat!("files.", "pythonhosted.org"),
    concat!("repo1.", "maven.org"),
    concat!("repo.", "maven.apache.org"),
    concat!("bcr.", "bazel.build"),
    concat!("mirror.", "bazel.build"),
    concat!("static.", "rust-lang.org"),
    concat!("registry-1.", "docker.io"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, text: &str, expected: &[(usize, &str)]) {
        let found = super::check(&Tree::of(&[(path, text)]));
        let found: Vec<_> = found.iter().map(|f| (f.line, f.token.as_str())).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn paths_of_a_machine_are_found() {
        for home in HOMES {
            check("a.sh", &format!("\ncd {home}x"), &[(2, home)]);
            check("a.rs", &format!("let a = \"{home}x\";"), &[(1, home)]);
            check("a.md", &format!("file://{home}x"), &[(1, home)]);
            check("a.sh", &format!("cd \"$cache{home}x\" \"${{a}}{home}x\" b.com{home}x"), &[]);
        }
    }

    #[test]
    fn hosts_of_registries_are_found() {
        for host in HOSTS {
            check("a.toml", &format!("\n\nurl = \"https://{host}/x\""), &[(3, host)]);
            check("Cargo.lock", &format!("source = \"https://{host}/x\""), &[]);
            check("a.md", &format!("my{host}"), &[]);
        }
        check("README.md", "https://docs.rs/ringwire and https://crates.io/crates/ringwire", &[]);
    }
}
