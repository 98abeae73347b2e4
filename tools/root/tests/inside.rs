//! Everything that Bazel can do works through the wrapper, and nothing stays behind.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use crate::fixture::{Fixture, Run};

const BUILD: &str = r#"
sh_binary(name = "program", srcs = ["program.sh"])
sh_test(name = "passes", srcs = ["passes.sh"])
sh_test(name = "fails", srcs = ["fails.sh"])
"#;

/// A workspace with a program, a test that passes and one that fails. Its server ends with it.
struct Workspace(Fixture);

impl Workspace {
    fn new(name: &str) -> Self {
        let fixture = Fixture::new(name).with_the_real_root();
        fixture.write("MODULE.bazel", "module(name = \"fixture\")\n");
        fixture.write("BUILD.bazel", BUILD);
        fixture.write("passes.sh", "#!/bin/sh\nexit 0\n");
        fixture.write("fails.sh", "#!/bin/sh\necho it broke\nexit 1\n");
        fixture.write("program.sh", "#!/bin/sh\necho \"started $FROM_OUTSIDE $*\"\ncat\nexit 5\n");
        for script in ["passes.sh", "fails.sh", "program.sh"] {
            let mut permissions = fs::metadata(fixture.dir.join(script)).unwrap().permissions();
            std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
            fs::set_permissions(fixture.dir.join(script), permissions).unwrap();
        }
        Self(fixture)
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        let _ = self.0.bazel(&["shutdown"]).output();
    }
}

#[test]
fn commands_answer_as_bazels_do() {
    let workspace = Workspace::new("commands");
    let run = |arguments: &[&str]| workspace.0.run(arguments);
    let mounts = fs::read_to_string("/proc/mounts").unwrap();

    assert_eq!(run(&["query", "//..."]).expect(0).out, "//:fails\n//:passes\n//:program\n");
    assert!(run(&["cquery", "//:program"]).expect(0).out.contains("//:program"));
    assert!(run(&["aquery", "//:program"]).expect(0).out.contains("program"));
    assert!(run(&["mod", "graph"]).expect(0).out.contains("fixture"));
    // Rules ask for it.
    let release = run(&["info", "release"]).expect(0).out;
    assert!(release.starts_with("release 7.7."), "{release}");
    let first_server = run(&["info", "server_pid"]).expect(0).out;
    assert_eq!(run(&["info", "server_pid"]).expect(0).out, first_server, "the server is kept");
    assert!(run(&["info", "workspace"]).expect(0).out.contains("commands"));
    run(&["build", "//..."]).expect(0);
    run(&["test", "//:passes"]).expect(0);
    let failed = run(&["test", "//...", "--test_output=errors"]).expect(3);
    assert!(failed.out.contains("it broke"), "{}", failed.out);
    run(&["build", "//:none"]).expect(1);
    run(&["clean"]).expect(0);

    assert_eq!(fs::read_to_string("/proc/mounts").unwrap(), mounts, "no mount is left behind");
}

#[test]
fn a_program_gets_its_arguments_input_and_environment_and_its_exit_code_comes_back() {
    let workspace = Workspace::new("program");
    let mut process = workspace
        .0
        .bazel(&["run", "//:program", "--", "one", "two words"])
        .env("FROM_OUTSIDE", "seen")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    process.stdin.take().unwrap().write_all(b"standard input\n").unwrap();
    let run = Run::of(process.wait_with_output().unwrap()).expect(5);
    assert_eq!(run.out, "started seen one two words\nstandard input\n");
}

#[test]
fn an_interrupt_reaches_the_program() {
    let workspace = Workspace::new("interrupt");
    let mut process = workspace
        .0
        .bazel(&["run", "//:program"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "started  \n", "the program waits for its input");
    Command::new("kill").args(["-INT", &process.id().to_string()]).status().unwrap();
    let status = process.wait().unwrap();
    assert!(!status.success() && status.code() != Some(5), "{status}");
}

#[test]
fn an_interrupt_ends_a_build() {
    let workspace = Workspace::new("interrupted_build");
    let fifo = workspace.0.dir.join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    // The action opens the pipe, and so tells that it runs, and then waits for an end that never comes.
    workspace.0.write(
        "slow/BUILD.bazel",
        &format!(
            "genrule(name = \"slow\", outs = [\"out\"], cmd = \"echo > {0}; cat {0} > $@\", local = True)\n",
            fifo.display()
        ),
    );
    let process = workspace.0.bazel(&["build", "//slow"]).stderr(Stdio::piped()).spawn().unwrap();
    fs::read_to_string(&fifo).unwrap();
    Command::new("kill").args(["-INT", &process.id().to_string()]).status().unwrap();
    Run::of(process.wait_with_output().unwrap()).expect(8);
}

#[test]
fn two_invocations_at_once_take_turns() {
    let workspace = Workspace::new("two_invocations");
    let running: Vec<_> = ["//:program", "//:passes"]
        .map(|target| workspace.0.bazel(&["build", target]).stderr(Stdio::piped()).spawn().unwrap())
        .into();
    for process in running {
        Run::of(process.wait_with_output().unwrap()).expect(0);
    }
}
