//! When a root is made: with a `make` that only links the real one, and counts.

use std::fs;
use std::path::PathBuf;

use crate::fixture::{Fixture, Run, real_root};

/// A workspace whose `make` notes each call, and links the root that this test runs in.
fn fixture(name: &str) -> Fixture {
    let fixture = Fixture::new(name);
    let script = format!(
        "#!/bin/sh\necho made >>\"{calls}\"\nmkdir -p \"${{1%/*}}\" && rm -rf \"$1\" && ln -s \"{real}\" \"$1\"\n",
        calls = fixture.dir.join("calls").display(),
        real = real_root().display(),
    );
    fixture.write("tools/root/make", &script);
    fixture.write("MODULE.bazel", "");
    fixture
}

fn calls(fixture: &Fixture) -> usize {
    fs::read_to_string(fixture.dir.join("calls")).unwrap_or_default().lines().count()
}

fn root_of(fixture: &Fixture) -> PathBuf {
    let mut roots =
        fs::read_dir(fixture.dir.join("cache/ringwire")).unwrap().map(|entry| entry.unwrap().path());
    roots.find(|path| path.file_name().unwrap().to_str().unwrap().starts_with("root-")).unwrap()
}

#[test]
fn a_root_is_made_once() {
    let fixture = fixture("once");
    for _ in 0..2 {
        let run = fixture.run(&["--version"]).expect(0);
        assert!(run.out.starts_with("bazel 7.7"), "{}", run.out);
    }
    assert_eq!(calls(&fixture), 1);
}

#[test]
fn two_at_once_make_one_root() {
    let fixture = fixture("two");
    let running: Vec<_> = (0..2).map(|_| fixture.bazel(&["--version"]).spawn().unwrap()).collect();
    for process in running {
        Run::of(process.wait_with_output().unwrap()).expect(0);
    }
    assert_eq!(calls(&fixture), 1);
}

#[test]
fn a_half_made_root_is_made_anew() {
    let fixture = fixture("half");
    fixture.run(&["--version"]).expect(0);
    let root = root_of(&fixture);
    fs::remove_file(&root).unwrap();
    fs::create_dir_all(root.join("usr/bin")).unwrap(); // and no .ready
    fixture.run(&["--version"]).expect(0);
    assert_eq!(calls(&fixture), 2);
}

#[test]
fn a_rebuild_can_be_forced_alone_or_before_a_command() {
    let fixture = fixture("forced");
    fixture.run(&["--version"]).expect(0);
    assert_eq!(fixture.run(&["--rebuild-root"]).expect(0).out, "");
    assert!(fixture.run(&["--rebuild-root", "--version"]).expect(0).out.starts_with("bazel 7.7"));
    assert_eq!(calls(&fixture), 3);
}

#[test]
fn a_root_of_an_older_recipe_is_not_used() {
    let fixture = fixture("recipe");
    fixture.run(&["--version"]).expect(0);
    fixture.write("tools/root/packages.txt", "one-package-more\n");
    fixture.run(&["--version"]).expect(0);
    assert_eq!(calls(&fixture), 2);
}

#[test]
fn a_failure_to_make_it_is_the_end() {
    let fixture = fixture("failure");
    fixture.write("tools/root/make", "#!/bin/sh\necho no such package >&2\nexit 9\n");
    let run = fixture.run(&["--version"]).expect(9);
    assert_eq!((run.out.as_str(), run.err.as_str()), ("", "no such package\n"));
}

#[test]
fn a_debian_whose_rules_no_longer_fit_says_what_it_has_and_what_is_wanted() {
    let fixture = Fixture::new("newer");
    let newer = |bazel: &str, rules_rust: &str| {
        fixture.write("newer/usr/share/bazel/build-label.txt", &format!("{bazel}\n"));
        fixture
            .write("newer/usr/share/bazel/rules/rust/version.bzl", &format!("VERSION = \"{rules_rust}\"\n"));
        fixture.write(
            "newer/var/lib/dpkg/status",
            "Package: bazel-rules-proto\nStatus: ok\nVersion: 6.0.2-1\n\n",
        );
        let check = fixture.dir.join("tools/root/make");
        Run::of(
            std::process::Command::new(check).arg("--check").arg(fixture.dir.join("newer")).output().unwrap(),
        )
    };
    newer("7.7.1", "0.54.1").expect(0);
    let err = newer("8.4.2", "0.54.1").expect(1).err;
    assert!(err.contains("has Bazel 8.4.2, and this workspace wants 7.7"), "{err}");
    let err = newer("7.7.1", "0.68.0").expect(1).err;
    assert!(err.contains("has rules_rust 0.68.0, and this workspace wants 0.54.1"), "{err}");
    assert!(err.contains("Install bazelisk"), "{err}");
}
