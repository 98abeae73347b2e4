//! Where a Bazel is at hand, the wrapper hands over to it, and changes nothing.

use crate::fixture::Fixture;

const SHOW_ARGUMENTS: &str = "#!/bin/sh\nprintf '%s|' \"$0\" \"$@\"\n";
const ARGUMENTS: [&str; 5] = ["--startup", "test", "//...", "", "two words"];

#[test]
fn bazel_real_gets_exactly_the_arguments() {
    let mut fixture = Fixture::new("bazel_real");
    let real = fixture.program("real", SHOW_ARGUMENTS);
    fixture.program("bazelisk", "#!/bin/sh\nexit 1\n");
    let run = fixture.bazel(&ARGUMENTS).env("BAZEL_REAL", &real).output().unwrap();
    let want = format!("{}|--startup|test|//...||two words|", real.display());
    assert_eq!(String::from_utf8(run.stdout).unwrap(), want);
    assert_eq!(String::from_utf8(run.stderr).unwrap(), "", "not a terminal, so not a word");
}

#[test]
fn bazelisk_on_path_comes_before_bazel() {
    let mut fixture = Fixture::new("bazelisk");
    let bazelisk = fixture.program("bazelisk", SHOW_ARGUMENTS);
    fixture.program("bazel", "#!/bin/sh\nexit 1\n");
    let run = fixture.run(&ARGUMENTS).expect(0);
    assert_eq!(run.out, format!("{}|--startup|test|//...||two words|", bazelisk.display()));
}

#[test]
fn bazel_on_path_is_used_and_its_exit_code_is_kept() {
    let mut fixture = Fixture::new("bazel");
    fixture.program("bazel", "#!/bin/sh\nexit 37\n");
    fixture.run(&["build"]).expect(37);
}

#[test]
fn the_wrapper_itself_on_path_is_not_taken_for_a_bazel() {
    let mut fixture = Fixture::new("itself");
    fixture.program("bazel", SHOW_ARGUMENTS);
    fixture.also_on_path(fixture.dir.join("tools"));
    fixture.without_program("apt-get");
    // The first `bazel` on PATH is the wrapper: it goes on to the private root, which here cannot be.
    assert!(fixture.run(&["info"]).expect(1).err.contains("a private root can only be made on Debian"));
}

#[test]
fn without_a_bazel_and_not_on_debian_two_lines_say_what_to_do() {
    let fixture = Fixture::new("not_debian");
    fixture.without_program("apt-get");
    check_refusal(&fixture.run(&["info"]).expect(1).err, "can only be made on Debian or Ubuntu");
}

#[test]
fn without_a_bazel_and_not_root_two_lines_say_what_to_do() {
    let mut fixture = Fixture::new("not_root");
    fixture.program("id", "#!/bin/sh\necho 1000\n");
    check_refusal(&fixture.run(&["info"]).expect(1).err, "only root can make a private root");
}

#[test]
fn where_mounting_is_forbidden_two_lines_say_what_to_do() {
    let mut fixture = Fixture::new("no_mount");
    fixture.program("unshare", "#!/bin/sh\nexit 1\n");
    check_refusal(&fixture.run(&["info"]).expect(1).err, "this container may not mount");
}

#[track_caller]
fn check_refusal(err: &str, cause: &str) {
    let lines: Vec<_> = err.lines().collect();
    assert_eq!(lines.len(), 2, "{err}");
    assert!(lines[0].contains(cause), "{err}");
    assert!(lines[1].contains("Install bazelisk"), "{err}");
}
