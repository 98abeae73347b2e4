//! What a change of one .proto file builds anew, and that it is the same wherever the checkout lies.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)] // A test's way to fail.

use std::fs;
use std::path::{Path, PathBuf};

/// Imports another file, and is imported by a third. Beside it are libraries that have nothing to do with it.
const CHANGED: &str = "proto_rules/tests/protos/greet/models.proto";
const TARGETS: &str = "//proto_rules/tests/protos/...";

#[test]
fn a_changed_proto_builds_its_users_anew_and_alike_everywhere() {
    let folder = PathBuf::from(std::env::var_os("TEST_TMPDIR").unwrap());
    let here = change(&folder.join("here"));
    only_users_of_the_file_are_built(&here);

    // Another folder, thus another output base.
    let elsewhere = change(&folder.join("some/where/else/altogether"));
    assert_eq!(here.len(), elsewhere.len());
    for (here, elsewhere) in here.iter().zip(&elsewhere) {
        assert_eq!(here.what(), elsewhere.what());
    }
    outputs_may_hide_their_configuration(&folder.join("here"), &here);
}

fn only_users_of_the_file_are_built(actions: &[Action]) {
    let mut built: Vec<_> =
        actions.iter().map(|action| (action.value("mnemonic"), action.value("targetLabel"))).collect();
    built.sort_unstable();
    let mut expected = Vec::new();
    let messages = ["models_proto", "greet_proto"];
    let facades = ["forwarded_rust", "greet-rust", "greet_client", "greet_server", "models_rust"];
    let generated = facades.map(|facade| format!("{facade}.generated"));
    let generated = generated.each_ref().map(String::as_str);
    for (mnemonic, targets) in [
        ("ConnectRustGenerate", messages.as_slice()),
        ("ConnectRustGenerate", &generated),
        ("GenProtoDescriptorSet", &messages),
        ("Rustc", &messages),
        ("Rustc", &facades),
    ] {
        expected.extend(
            targets.iter().map(|target| (mnemonic, format!("//proto_rules/tests/protos/greet:{target}"))),
        );
    }
    expected.sort_unstable();
    let expected: Vec<_> = expected.iter().map(|(mnemonic, target)| (*mnemonic, target.as_str())).collect();
    assert_eq!(built, expected);
}

/// With path mapping, a configuration that does not matter does not lead to another build.
fn outputs_may_hide_their_configuration(workspace: &Path, before: &[Action]) {
    let run_it = "--modify_execution_info=ConnectRustGenerate=+no-cache";
    let mapped = build(workspace, &["--experimental_output_paths=strip", run_it]);
    let generated = |actions: &[Action]| {
        let runs = actions.iter().filter(|action| action.value("mnemonic") == "ConnectRustGenerate");
        runs.map(|action| (action.value("targetLabel").to_owned(), action.digest_of_output()))
            .collect::<Vec<_>>()
    };
    let with_mapping = generated(&mapped);
    for run in generated(before) {
        assert!(with_mapping.contains(&run), "{run:?} is not in {with_mapping:?}");
    }
    for action in mapped.iter().filter(|action| action.value("mnemonic") == "ConnectRustGenerate") {
        let arguments = action.0.lines().find(|line| line.contains("\"commandArgs\"")).unwrap();
        assert!(arguments.contains("bazel-out/cfg/bin/"), "{arguments}");
        assert_eq!(arguments.matches("bazel-out/").count(), arguments.matches("bazel-out/cfg/").count());
    }
}

/// Builds a copy of the workspace, changes a file, and returns what Bazel does then.
fn change(copy: &Path) -> Vec<Action> {
    nested::copy_workspace(copy);
    // All outputs are here afterwards, so that the cache is not missed below.
    nested::bazel(copy, &["build", TARGETS, "--remote_download_outputs=all"]).expect(0);

    let file = copy.join(CHANGED);
    fs::write(&file, fs::read_to_string(&file).unwrap() + "message Another { string name = 1; }\n").unwrap();
    // Nothing comes from the cache that all workspaces share.
    let actions = build(copy, &["--disk_cache=", "--remote_download_outputs=all"]);
    for action in &actions {
        for machine in [copy.to_str().unwrap(), "/execroot/", "/sandbox/"] {
            assert!(!action.0.contains(machine), "{machine} is of this machine alone: {}", action.0);
        }
        generated_code_names_no_folder_of_the_machine(copy, action);
    }
    assert!(
        build(copy, &["--disk_cache=", "--remote_download_outputs=all"]).is_empty(),
        "nothing has changed since"
    );
    actions
}

fn generated_code_names_no_folder_of_the_machine(copy: &Path, action: &Action) {
    for path in action.0.split('"').filter(|text| text.starts_with("bazel-out/") && text.ends_with("/lib.rs"))
    {
        // An input of a mapped action has no such path.
        let Ok(code) = fs::read_to_string(copy.join(path)) else { continue };
        for machine in [copy.to_str().unwrap(), "execroot", "sandbox", "bazel-out"] {
            assert!(!code.contains(machine), "{path} names {machine}");
        }
    }
}

/// Builds, and returns what had to be done for it.
fn build(workspace: &Path, flags: &[&str]) -> Vec<Action> {
    let log = workspace.with_extension("json");
    let keep = format!("--execution_log_json_file={}", log.display());
    nested::bazel(workspace, &[&["build", TARGETS, &keep], flags].concat()).expect(0);
    let text = fs::read_to_string(log).unwrap();
    text.split("\n}")
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .map(|entry| Action(entry.to_owned()))
        .collect()
}

/// An entry of Bazel's execution log: arguments, environment, inputs and outputs with their digests.
struct Action(String);

impl Action {
    fn value(&self, name: &str) -> &str {
        let start = format!("  \"{name}\": \"");
        let line = self.0.lines().find_map(|line| line.strip_prefix(start.as_str())).unwrap();
        line.trim_end_matches("\",")
    }

    /// All that decides about the outputs, and those: how it was run follows, and when.
    fn what(&self) -> &str {
        self.0.split_once("\n  \"runner\"").unwrap().0
    }

    fn digest_of_output(&self) -> String {
        let outputs = self.what().split_once("\"actualOutputs\"").unwrap().1;
        outputs.lines().find(|line| line.contains("\"hash\"")).unwrap().to_owned()
    }
}
