//! The first service of README.md is this one.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)] // A test's way to fail.

use std::fs;

#[test]
fn every_line_of_the_first_service_stands_here() {
    let read = |file: &str| fs::read_to_string(file).unwrap();
    let files = ["BUILD.bazel", "client.rs", "greet.proto", "server.rs"];
    let here: String = files.iter().map(|file| read(&format!("examples/greet/{file}"))).collect();
    let here: Vec<_> = here.lines().collect();

    let page = read("README.md");
    let section = page.split("## A first service").nth(1).unwrap().split("\n## ").next().unwrap();
    let (mut code, mut lines) = (false, 0);
    for line in section.lines() {
        if line.starts_with("```") {
            code = !code;
        } else if code {
            assert!(here.contains(&line), "{line:?} of README.md is nowhere in {files:?}");
            lines += 1;
        }
    }
    assert!((25..=40).contains(&lines), "a first service in 40 lines, not in {lines}");
}
